"""The notebook of the docs, run in a kernel of Jupyter; and the questions of ``Connector.setup()`` asked in one."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from tests.executed_notebook import TIMEOUT_S, WALKTHROUGH, execute
from tests.sandbox_server import SandboxServer

ROOT = Path(__file__).parents[3]
#: What the cells of the walkthrough must have found; run behind them, in the same kernel.
CHECKS = """
assert connector.url == "{url}"
assert len(sessions) == 25 and sessions.index.is_unique and sessions["detail_error"].isna().all()
assert session.json["whisker_stims"]["Stimulus right"]["1"] == {{"n": 31, "amp": 0.5}}
assert ((correct > 0.7) & (correct < 0.8)).sum() == correct.notna().sum() > 20
assert set(some["subject"]) == {{"ea04", "jo006"}} and (some["start_time"] >= "2024-01-02").all()
assert len(good) > 3 and all(qc["pass"] and qc["noise_uV"] < 5 for qc in good["extended_qc"])
assert len(passed) > 0 and len(stimulated) > 0
assert str(wide.dtypes["json.whisker_stims.Stimulus right.1.n"]) == "Int64"
assert wide["json.whisker_stims.Stimulus right.1.n"].iloc[3] == 31
assert animals["alive"].all() and set(animals["responsible_user"]) == {{"jose"}}
assert len(weights) and len(water) and water["water_administered"].sum() > 0
assert len(days) == 6 and days["too_light"].sum() == 6
assert days["percentage_weight"].round(1).iloc[-1] == 74.8
assert datasets["name"].to_list() == ["_ibl_trials.table.pqt"]
assert again.equals(sessions) and again.attrs == sessions.attrs
assert known.equals(sessions) and fresh.equals(sessions)
"""


@pytest.fixture(autouse=True)
def kernel_home(tmp_path, monkeypatch):
    """A computer on which neither Jupyter nor the Connector was used before."""
    for name in ("ALYX_CONNECTOR_HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("ALYX_TOKEN_STORE", "file")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def kernel():
    """A kernel and its client, as a front end has them."""
    manager = KernelManager()
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=TIMEOUT_S)
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run(client, code, answer=None):
    """Run a cell; what it asks goes to ``answer``. Return what it showed and the name of its error, or None."""
    shown = []

    def output(message):
        content = message["content"]
        if message["msg_type"] in {"display_data", "update_display_data"}:
            return  # progress, where the machine is slow
        shown.append(content.get("text") or content.get("data", {}).get("text/plain") or content.get("evalue") or "")

    def asked(message):
        typed = answer(message["content"]["prompt"], message["content"]["password"])
        if typed is not None:
            client.input(typed)

    reply = client.execute_interactive(
        code, allow_stdin=answer is not None, stdin_hook=asked, output_hook=output, timeout=TIMEOUT_S
    )
    return "".join(shown), reply["content"].get("ename")


def shown_by(cell):
    """What a cell printed, warned of and returned, as text."""
    return "".join(output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in cell.outputs)


def kinds_shown(cell):
    """Which kinds of output a cell has, without those that show nothing."""
    outputs = [one for one in cell.get("outputs", ()) if "text" in one or any(one.get("data", {}).values())]
    return [(one.output_type, one.get("name"), sorted(one.get("data", {}))) for one in outputs]


def test_what_the_walkthrough_shows_is_of_no_computer():
    text = WALKTHROUGH.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    assert sum(bool(cell.get("outputs")) for cell in notebook.cells) > 20
    assert not re.search(r"/tmp/|/home/|ipykernel|traceback", text)
    assert set(re.findall(r"127\.0\.0\.1:(\d+)", text)) == {"8000"}


def test_the_walkthrough_runs_as_it_stands(sandbox, tmp_path):
    notebook = nbformat.read(WALKTHROUGH, as_version=4)
    nbformat.validate(notebook)
    kept = [kinds_shown(cell) for cell in notebook.cells]
    checks = nbformat.v4.new_code_cell(CHECKS.format(url=sandbox.url))
    notebook.cells.append(checks)
    execute(notebook, sandbox.url, str(tmp_path))
    assert kept == [kinds_shown(cell) for cell in notebook.cells[:-1]], "python -m tests.executed_notebook"
    shown = {cell.source.splitlines()[0]: shown_by(cell) for cell in notebook.cells if cell.cell_type == "code"}
    assert "cannot be filtered by subjct" in shown["from alyx_connector import ConfigurationError"]
    assert (
        "Several animals are called jo001"
        in shown['connector.subject("jo001")[["nickname", "lab", "responsible_user"]]']
    )
    assert "ago" in shown['known = connector.search(subject="ea04", offline=True)']
    assert "offline" in next(text for first, text in shown.items() if first.startswith("connector.cache.clear()"))
    assert sandbox.url in shown["Connector.accounts()"]
    assert "Empty DataFrame" in shown['Connector.forget(connector.url, "jose")']
    assert "jose-demo" not in "".join(shown.values())


SETUP = "from alyx_connector import Connector; connector = Connector.setup()"


def test_setup_asks_in_a_kernel_of_jupyter(kernel, sandbox):
    _, client = kernel
    answers = iter([sandbox.url, "jose", "y", "wrong-word", "jose-demo"])
    asked = []

    def answer(prompt, hidden):
        asked.append((prompt, hidden))
        return next(answers)

    shown, failed = run(client, SETUP, answer)
    assert failed is None, shown
    assert [(prompt.split()[0], hidden) for prompt, hidden in asked] == [
        ("Server", False),
        ("User", False),
        ("Make", False),
        ("Password", True),
        ("Password", True),
    ]
    assert "Type the password of jose again" in shown
    assert f"Connected to {sandbox.url} as jose" in shown
    shown, failed = run(client, "print(len(Connector().search(subject='ea04', details=False)))")
    assert (failed, shown) == (None, "25\n")


def test_an_interrupt_while_it_asks_ends_setup_with_nothing_written(kernel, sandbox, tmp_path):
    manager, client = kernel
    answers = iter([sandbox.url, "jose", "y"])

    def answer(prompt, hidden):
        if hidden:
            manager.interrupt_kernel()
            return None
        return next(answers)

    _, failed = run(client, SETUP, answer)
    assert failed == "KeyboardInterrupt"
    assert not list(tmp_path.glob("alyx_connector_home/**/*.json"))


def test_where_the_front_end_cannot_ask_setup_says_what_to_pass(kernel):
    _, client = kernel
    shown, failed = run(client, SETUP)
    assert failed == "ConfigurationError"
    assert "Connector.setup(url=" in shown


SEARCH = """
from alyx_connector import Connector
connector = Connector.setup(url="{url}", username="jose", password="jose-demo", make_default=True)
print(len(connector.search(subject="ea04")))
"""


@pytest.fixture
def slow_server():
    with SandboxServer("--throttle", "off", "--latency", "300") as server:
        yield server


def test_progress_is_one_line_while_a_cell_runs(kernel, slow_server):
    _, client = kernel
    shown = []

    def output(message):
        assert message["content"].get("name") != "stderr"
        if message["msg_type"] in {"display_data", "update_display_data"}:
            shown.append(message["content"])

    client.execute_interactive(SEARCH.format(url=slow_server.url), output_hook=output, timeout=TIMEOUT_S)
    assert len({content["transient"]["display_id"] for content in shown}) == 1
    *running, last = [content["data"] for content in shown]
    assert any(re.match(r"\d+/25, about \d+ s left: Details of 25 sessions", data["text/plain"]) for data in running)
    assert any(re.match(r'<progress value="\d+" max="25">', data["text/html"]) for data in running)
    assert last == {"text/plain": ""}


def test_progress_leaves_nothing_in_the_saved_notebook(slow_server, tmp_path):
    cell = nbformat.v4.new_code_cell(SEARCH.format(url=slow_server.url))
    notebook = nbformat.v4.new_notebook(cells=[cell])
    NotebookClient(notebook, timeout=TIMEOUT_S, resources={"metadata": {"path": str(tmp_path)}}).execute()
    nbformat.validate(notebook)
    progress, counted = notebook.cells[0].outputs
    assert (progress["output_type"], progress["data"]) == ("display_data", {"text/plain": ""})
    assert (counted["name"], counted["text"]) == ("stdout", "25\n")
    assert "widgets" not in notebook.metadata


def completed(client, code):
    """What the Tab key offers behind some code."""
    client.complete(code)
    content = client.get_shell_msg(timeout=TIMEOUT_S)["content"]
    offered = content["metadata"]["_jupyter_types_experimental"]
    assert {(one["start"], one["end"]) for one in offered} <= {(content["cursor_start"], content["cursor_end"])}
    return [code[: content["cursor_start"]] + one["text"] for one in offered]


def test_the_tab_key_offers_lists_and_their_filters(kernel, sandbox):
    _, client = kernel
    setup = SEARCH.format(url=sandbox.url).partition("print")[0]
    assert run(client, setup)[1] is None
    # Before the server was asked, the lists and filters of known servers.
    assert completed(client, 'connector.search("subj') == ['connector.search("subjects']
    assert 'connector.search("water-administrations' in completed(client, 'connector.search("')
    assert not [text for text in completed(client, 'connector.search("') if "%" in text], "nothing but lists"
    assert "connector.search(task_protocol=" in completed(client, "connector.search(")
    assert completed(client, "connector.search('subjects', nick") == ["connector.search('subjects', nickname="]
    assert "connector.search(details=" in completed(client, "connector.search(det")
    # Afterwards, those of this server.
    shown, failed = run(client, "print(len(connector.filters('sessions')), *connector.filters('sessions')['filter'])")
    assert failed is None
    count, *names = shown.split()
    offered = completed(client, "connector.search(limit=1, ")
    assert {f"connector.search(limit=1, {name}=" for name in names} <= set(offered)
    assert len(names) == int(count) > 10
    assert completed(client, 'connector.search(qc="CRIT') == ['connector.search(qc="CRITICAL']


def test_lists_and_filters_are_offered_once(kernel, sandbox):
    _, client = kernel
    setup = SEARCH.format(url=sandbox.url).partition("print")[0]
    run(client, setup + "again = Connector(); third = Connector()")
    run(client, "matchers = get_ipython().Completer.custom_matchers")
    shown, _ = run(
        client, "print([getattr(one, 'matcher_identifier', '') for one in matchers].count('alyx_connector'))"
    )
    assert shown == "1\n"
