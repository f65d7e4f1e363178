"""What the docstrings and the README show is run, on the sandbox."""

from __future__ import annotations

import doctest
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from alyx_connector import Connector, connector
from alyx_connector import __all__ as public
from tests.sandbox_server import SandboxServer

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
WRITING = (ROOT / "docs/connector.md").read_text(encoding="utf-8").partition("## Writing")[2].partition("\n## ")[0]
DOCUMENTED = {"Connector": Connector} | {
    name: member
    for name, member in inspect.getmembers(Connector, inspect.isfunction)
    if ">>>" in (member.__doc__ or "") and "write=True" not in member.__doc__
}
WRITES = [
    name for name, member in inspect.getmembers(Connector, inspect.isfunction) if "write=True" in (member.__doc__ or "")
]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))
    monkeypatch.setenv("ALYX_TOKEN_STORE", "file")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def own_sandbox():
    """The demo lab, to be written to."""
    with SandboxServer("--throttle", "off") as server:
        yield server


def run_examples(member, name, server):
    Connector.setup(server.url, "jose", "jose-demo", make_default=True)
    text = inspect.getdoc(member).replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
    examples = doctest.DocTestParser().get_doctest(text, {"Connector": Connector}, name, connector.__file__, 0)
    failures = []
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(examples, out=failures.append)
    assert result.attempted > 0
    assert not failures, "".join(failures)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_docstring(sandbox, name):
    run_examples(DOCUMENTED[name], name, sandbox)


@pytest.mark.parametrize("name", WRITES)
def test_a_docstring_that_writes(own_sandbox, name):
    run_examples(getattr(Connector, name), name, own_sandbox)


def test_the_snippets_about_writing(own_sandbox, capsys):
    assert {"update", "update_json", "create"} <= set(WRITES)
    Connector.setup(own_sandbox.url, "jose", "jose-demo", make_default=True)
    client = Connector()
    snippets = re.findall(r"```python\n(.*?)```", WRITING, re.DOTALL)
    assert len(snippets) >= 2
    exec("\n".join(snippets), {})
    session = client.search(subject="ea04").iloc[3]
    assert (session.narrative, session.n_trials, session.json["qc"]) == ("left port sticky", 340, {"noise": 4})
    assert client.weights("ea04").iloc[0].weight == 24.5
    assert "whisker_stims" in session.json
    assert capsys.readouterr().out == "", "nobody else wrote"


def analyst_snippets():
    section = README.partition("## For analysts")[2].partition("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


def test_the_snippets_of_the_readme(sandbox, tmp_path):
    snippets = analyst_snippets()
    assert len(snippets) >= 2
    program = "\n".join(snippets).replace(
        "Connector.setup()", "Connector.setup('alyx.mylab.org', 'jose', 'jose-demo', make_default=True)"
    )
    for shown, here in [("alyx.mylab.org", sandbox.url), ("my_username", "jose"), ("my_password", "jose-demo")]:
        program = program.replace(shown, here)
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_every_public_member_is_documented():
    members = [getattr(Connector, name) for name in dir(Connector) if not name.startswith("_")]
    assert "Connector" in public
    assert all(inspect.getdoc(member) for member in members)
    for member in members:
        if callable(member) and inspect.signature(member).return_annotation not in {"None", inspect.Signature.empty}:
            assert "Returns" in inspect.getdoc(member)
