"""What the docstrings, the README and docs show is run, on each of the servers."""

from __future__ import annotations

import doctest
import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from alyx_connector import ConfigurationError, Connector, connector
from alyx_connector import __all__ as public
from tests.contract.alyx_under_test import AlyxUnderTest

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
WRITING = (ROOT / "docs/connector.md").read_text(encoding="utf-8").partition("## Writing")[2].partition("\n## ")[0]
MISSING = (
    (ROOT / "docs/connector.md").read_text(encoding="utf-8").partition("## Missing values")[2].partition("\n## ")[0]
)
COMING = (ROOT / "docs/coming-from-alyx-connector.md").read_text(encoding="utf-8")
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


@pytest.fixture(scope="module")
def set_up(each_server, tmp_path_factory):
    """A home whose default is the server, and an animal's fourth session; skips where the animals shown are lacking."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALYX_CONNECTOR_HOME", str(folder))
        patch.setenv("ALYX_TOKEN_STORE", "file")
        connector = Connector.setup(each_server.url, each_server.username, each_server.password, make_default=True)
        shown = connector.search("subjects", nickname=["ea04", "jo002", "jo006"], details=False)
        sessions = connector.search(subject="ea04")
        connector.close()
    if len(shown) != 3 or len(sessions) < 4:
        pytest.skip("the lab of this server is not the demo lab: it has no ea04, jo002 and jo006 with sessions")
    return folder, sessions.iloc[3].id


@pytest.fixture(scope="module")
def alyx(each_server):
    """The server as its administrator sees it."""
    return AlyxUnderTest(each_server.url, each_server.username, each_server.password)


@pytest.fixture
def server(each_server, set_up, home, tmp_path):
    """The server, set up as the default one."""
    shutil.copytree(set_up[0], tmp_path, dirs_exist_ok=True)
    return each_server


@pytest.fixture
def written_server(server, set_up, alyx):
    """The server, on which what is shown is undone."""
    if not alyx.may_write:
        pytest.skip("this server is not on this machine: set ALYX_TEST_WRITE=1 to let tests write to it")
    path = f"/sessions/{set_up[1]}"
    before = {name: alyx.get(path)[name] for name in ("narrative", "n_trials", "json")}
    weighings = {row["url"] for row in alyx.rows("/weighings", nickname="ea04")}
    yield server
    assert alyx.ask("PATCH", path, json=before).status_code == 200
    for url in {row["url"] for row in alyx.rows("/weighings", nickname="ea04")} - weighings:
        assert alyx.ask("DELETE", url.removeprefix(alyx.root)).status_code == 204


def run_examples(member, name, server):
    text = inspect.getdoc(member)
    for shown, here in [
        ("http://127.0.0.1:8000", server.url),
        ("127.0.0.1:8000", server.url),
        ("jose-demo", server.password),
        ("'jose'", repr(server.username)),
        ('"jose"', repr(server.username)),
    ]:
        text = text.replace(shown, here)
    examples = doctest.DocTestParser().get_doctest(text, {"Connector": Connector}, name, connector.__file__, 0)
    failures = []
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(examples, out=failures.append)
    assert result.attempted > 0
    assert not failures, "".join(failures)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_docstring(server, name):
    run_examples(DOCUMENTED[name], name, server)


@pytest.mark.parametrize("name", WRITES)
def test_a_docstring_that_writes(written_server, name):
    run_examples(getattr(Connector, name), name, written_server)


def test_the_snippets_about_writing(written_server, capsys):
    assert {"update", "update_json", "create", "create_many"} <= set(WRITES)
    client = Connector()
    snippets = re.findall(r"```python\n(.*?)```", WRITING, re.DOTALL)
    assert len(snippets) >= 2
    exec("\n".join(snippets), {})
    session = client.search(subject="ea04").iloc[3]
    assert (session.narrative, session.n_trials, session.json["qc"]) == ("left port sticky", 340, {"noise": 4})
    assert client.weights("ea04").weight.to_list()[:2] == [24.4, 24.5]
    assert "whisker_stims" in session.json
    assert capsys.readouterr().out == "", "nobody else wrote"


def test_the_snippets_about_missing_values(server):
    numbers, plot = re.findall(r"```python\n(.*?)```", MISSING, re.DOTALL)
    named = {"connector": Connector()}
    exec(numbers, named)
    sessions = named["sessions"]
    lacking = sessions["n_trials"].isna().sum()
    assert lacking
    assert len(named["long"]) + len(named["rest"]) == len(sessions)
    assert len(named["known"]) == len(sessions) - lacking
    assert 0 < named["slope"] < 1
    assert set(named["bad"]["qc"]) <= {"WARNING", "FAIL", "CRITICAL"}
    assert len(named["means"]) == sessions["qc"].nunique()
    pytest.importorskip("matplotlib").use("Agg")
    exec(plot, named)
    assert len(named["axes"].collections[0].get_offsets()) == len(sessions)


def analyst_snippets():
    section = README.partition("## For analysts")[2].partition("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


def test_the_snippets_of_the_readme(server, tmp_path):
    snippets = analyst_snippets()
    assert len(snippets) >= 2
    program = "\n".join(snippets).replace(
        "Connector.setup()", "Connector.setup('alyx.mylab.org', 'my_username', 'my_password', make_default=True)"
    )
    for shown, here in [
        ("alyx.mylab.org", server.url),
        ("my_username", server.username),
        ("my_password", server.password),
    ]:
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


def coming_from(heading):
    """The tables of a section, a list of lines of code for each row: what is written there, and here."""
    section = COMING.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    assert len(rows) >= 6
    return [[re.findall(r"`([^`]+)`", cell) for cell in row] for row in rows]


@pytest.fixture
def at_hand(written_server):
    """What the lines of the page about alyx-connector have defined before."""
    named = {"Connector": Connector, "connector": Connector()}
    exec('sessions = connector.search(subject="ea04"); session = sessions.iloc[3]', named)
    return named


def test_what_is_the_same_as_in_alyx_connector(written_server):
    (lines,) = re.findall(r"```python\n(.*?)```", COMING, re.DOTALL)
    shown = 'url="127.0.0.1:8000", username="jose", password="jose-demo"'
    assert shown in lines
    here = f"url={written_server.url!r}, username={written_server.username!r}, password={written_server.password!r}"
    user = f"username={written_server.username!r}"
    host = f"url={urlsplit(written_server.url).hostname!r}"
    exec(lines.replace(shown, here).replace('username="jose"', user).replace('url="127.0.0.1"', host), {})


@pytest.mark.parametrize(("there", "here"), [(row[0][0], row[1][0]) for row in coming_from("Called differently")])
def test_a_line_of_alyx_connector_says_what_to_write(at_hand, there, here):
    with pytest.raises((AttributeError, ConfigurationError)) as refused:
        eval(there, at_hand)
    said = str(refused.value)
    eval(here, at_hand)
    called = re.findall(r"(?:connector|Connector(?:\(write=True\))?)\.(\w+)\(", here)[0]
    argument = re.findall(r"(refresh|offline)=", here)
    if isinstance(refused.value, AttributeError):
        assert f"{called}(" in said
    elif argument:
        assert f"{argument[0]}=" in said
    else:
        assert "Leave it out" in said


def test_lines_of_alyx_connector_with_another_result(at_hand):
    def result(line):
        try:
            return eval(line, at_hand)
        except ConfigurationError as error:
            return error

    rows = coming_from("The same line, another result")
    here = {row[0][0]: [result(line) for line in [row[0][0], *row[2]] if "(" in line] for row in rows}
    one, first = here["connector.search(id=session.id)"]
    assert (len(one), first.id) == (1, at_hand["session"].id)
    assert here['connector.search(subject="nobody")'][1]
    assert at_hand["session"].id in here['connector.search(subject="ea04").index'][0]
    assert here['connector.search(subject="ea04").start_time'][1].iloc[0].year == 2024
    assert isinstance(here['connector.search(subject="ea04", nmber=1)'][0], ConfigurationError)
    assert here["Connector()"][0] is not at_hand["connector"]


def test_what_alyx_connector_has_is_no_attribute_here(at_hand):
    connector = at_hand["connector"]
    assert not hasattr(connector, "web_client")
    assert "web_client" not in dir(connector)
    with pytest.raises(AttributeError) as unknown:
        connector.serach()
    assert str(unknown.value) == "'Connector' object has no attribute 'serach'"
    assert unknown.value.name == "serach"
