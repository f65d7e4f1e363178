"""``alyx-connector`` without a terminal: accounts, filters, single records and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from alyx_connector import AlyxClient, __version__
from tests.fault_proxy import FaultProxy
from tests.sandbox_server import SandboxServer
from tests.system.connector.cached_lab import age
from tests.system.connector.command_line import ROOT, CommandLine


@pytest.fixture(scope="module")
def cli(tmp_path_factory, sandbox):
    """A computer on which jose is the default user of the sandbox: leave it so."""
    cli = CommandLine(tmp_path_factory.mktemp("home"))
    cli.login(sandbox)
    return cli


@pytest.fixture
def fresh(tmp_path):
    """A computer on which nothing was set up."""
    return CommandLine(tmp_path / "home")


def lines(printed):
    return [line.split("\t") for line in printed.splitlines()]


# accounts


def test_login_keeps_the_token_but_not_the_password_and_logout_forgets_it(fresh, sandbox):
    printed, told = fresh.login(sandbox)
    assert printed == ""
    assert f"Connected to {sandbox.url} as jose" in told
    kept = "".join(path.read_text() for path in fresh.home.rglob("*") if path.is_file())
    token = json.loads((fresh.home / "tokens.json").read_text())[sandbox.url]["jose"]
    assert "jose-demo" not in kept + told
    assert token not in told
    fresh.login(sandbox, "ana", "--no-default")
    printed, _ = fresh.run("accounts")
    assert lines(printed) == [
        ["url", "username", "default_server", "default_user"],
        [sandbox.url, "jose", "True", "True"],
        [sandbox.url, "ana", "True", "False"],
    ]
    assert token not in printed
    assert "nothing to forget" in fresh.refused("logout", "--user", "priya", expect=2)
    assert "jose at" in fresh.run("logout")[1]
    assert [one["username"] for one in json.loads(fresh.run("accounts", "--format", "json")[0])] == ["ana"]


def test_the_first_server_becomes_the_default_and_a_second_does_not(fresh, sandbox):
    fresh.login(sandbox)
    with FaultProxy(sandbox.url) as proxy:
        fresh.login(proxy)
    accounts = json.loads(fresh.run("accounts", "--format", "json")[0])
    assert [one["default_server"] for one in accounts] == [True, False]


def test_a_token_instead_of_a_password(fresh, sandbox):
    with AlyxClient(sandbox.url) as client:
        token = client.login("jose", "jose-demo")
    words = ["login", sandbox.url, "--user", "jose", "--token-stdin"]
    told = fresh.run_process(*words, given=token.encode())[1]
    assert token not in told
    assert fresh.run("search", "labs", "--no-details")[0].count("\n") == 4
    assert "revoked" in fresh.refused(*words, given=b"f" * 40, expect=3)


@pytest.mark.parametrize(
    ("words", "given", "says"),
    [
        ([], b"", "URL, --user, --password-stdin or --token-stdin"),
        (["--password-stdin"], b"jose-demo", "URL, --user."),
        (["127.0.0.1", "--user", "jose", "--password-stdin"], b"\n", "holds neither a password nor a token"),
        (["127.0.0.1", "--user", "jose", "--password-stdin", "--token-stdin"], b"x", "not allowed with"),
        (["127.0.0.1", "--password", "x"], b"", "unrecognized arguments"),
    ],
)
def test_a_login_that_nobody_can_be_asked_about_says_what_to_pass(fresh, words, given, says):
    assert says in fresh.refused("login", *words, given=given, expect=2)
    assert not list(fresh.home.rglob("*.json"))


def test_a_wrong_password(fresh, sandbox):
    words = ["login", sandbox.url, "--user", "jose", "--password-stdin"]
    printed, told = fresh.run_process(*words, given=b"secret-thing", expect=3)
    assert printed == ""
    assert "refused this user and password" in told
    assert "secret-thing" not in told


def test_nothing_set_up_is_an_empty_list_and_a_word(fresh):
    printed, told = fresh.run("accounts")
    assert lines(printed) == [["url", "username", "default_server", "default_user"]]
    assert "alyx-connector login" in told


# filters


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--subject", "ea04"], 25),
        (["sessions", "--subject=ea04"], 25),
        (["--subject", "ea04", "--subject", "jo006"], 30),
        (["--subject", "ea04", "--task-protocol", "task_v0"], 7),
        (["--task_protocol", "task_v0", "--subject", "ea04"], 7),
        (["--subject", "ea04", "--since", "2024-01-03"], 6),
        (["--subject", "ea04", "--until", "2024-01-02"], 19),
        (["--subject", "ea04", "--since", "2024-01-02", "--until", "2024-01-02"], 12),
        (["--filter", "subject=ea04", "--filter", "number=1"], 3),
        (["--subject", "ea04", "--extended-qc", '{"pass": true}'], 5),
        (["--subject", "ea04", "--extended-qc", "pass,True"], 5),
        (["subjects", "--alive", "false"], 3),
        (["weighings", "--filter", "nickname=nobody"], 0),
    ],
)
def test_every_option_that_is_not_its_own_is_a_filter(cli, words, expected):
    printed, told = cli.run("search", *words, "--no-details", "--format", "json")
    assert len(json.loads(printed)) == expected
    assert ("match" in told) == (expected == 0)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--subjct", "ea04"], "Did you mean subject?"),
        (["--task-protocl", "x"], "Did you mean task_protocol?"),
        (["--n-trials--gt", "100"], "Use --django n_trials__gt,100"),
        (["--since", "1/9/2024"], "could be the day or the month first"),
        (["--limit", "0"], "not a whole number from 1"),
        (["sesions"], "Did you mean sessions?"),
        (["--subject", "a,b"], "--subject a --subject b"),
        (["--subject"], "expected one argument"),
        (["-x"], "unrecognized arguments"),
        (["--filter", "subject"], "no name and value"),
        (["weighings", "--filter", "user=jose"], "takes an id (UUID)"),
        (["--json", "{x"], "is not valid JSON"),
        (["--since", "yesterday"], "not a valid day"),
        (["--since", "2024-01-01", "--date-range", "2024-01-01,2024-01-02"], "Give one of them"),
        (["subjects", "--since", "2024-01-01"], "--birth-date, --death-date"),
        (["weighings", "--since", "2024-01-01"], "Use --django date_time__date__gte,2024-01-01"),
        (["--columns", "subjct", "--no-details"], "Did you mean subject?"),
        (["--columns", ","], "names no column"),
        (["--refresh", "--offline"], "not allowed with"),
        (["--format", "xlsx"], "invalid choice"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_nearest_names(cli, words, says):
    told = cli.refused("search", *words, expect=2)
    assert says in told


def test_lists_and_filters_in_the_servers_own_words(cli):
    printed, _ = cli.run("endpoints", "--format", "json")
    assert {"sessions", "subjects", "weighings"} <= {row["endpoint"] for row in json.loads(printed)}
    rows = {row[0]: row for row in lines(cli.run("filters", "weighings")[0])}
    assert rows["subject"][2] == "exact, but for case"
    assert rows["lab"][3:5] == ["False", "--django 'subject__lab__name,<lab>'"]
    assert cli.run("filters")[0].startswith("filter\ttakes\tmatch")
    assert "Did you mean sessions?" in cli.refused("filters", "session", expect=2)


def test_columns_of_the_list_need_no_details(cli, sandbox, tmp_path):
    with FaultProxy(sandbox.url) as proxy:
        other = CommandLine(tmp_path)
        other.login(proxy)
        proxy.forget_requests()
        printed, _ = other.run("search", "--subject", "ea04", "--columns", "start_time,subject")
        assert lines(printed)[0] == ["start_time", "subject"]
        assert len(lines(printed)) == 26
        assert not [seen for seen in proxy.requests if seen.path.startswith("/sessions/")]
        printed, _ = other.run("search", "--subject", "jo006", "--columns", "subject,qc")
        assert [seen for seen in proxy.requests if seen.path.startswith("/sessions/")]


@pytest.fixture
def aged(tmp_path):
    """A sandbox whose records last changed long ago: what changed a few seconds ago is fetched once more."""
    data = tmp_path / "alyx"
    with SandboxServer("--throttle", "off", "--data", str(data)) as server:
        server.data = data
        age(server)
        yield server


def test_a_search_again_asks_for_no_details_unless_refreshed_and_offline_asks_nobody(fresh, aged):
    words = ["search", "--subject", "jo006", "--format", "json"]
    with FaultProxy(aged.url) as proxy:
        fresh.login(proxy)
        assert "Search once without --offline" in fresh.refused(*words, "--offline", expect=2)
        first = fresh.run(*words)[0]
        proxy.forget_requests()
        assert fresh.run(*words)[0] == first
        assert not [seen for seen in proxy.requests if seen.path.startswith("/sessions/")]
        assert fresh.run(*words, "--refresh")[0] == first
        assert len([seen for seen in proxy.requests if seen.path.startswith("/sessions/")]) == 5
    printed, told = fresh.run(*words, "--offline")
    assert printed == first
    assert "was not asked" in told
    printed, told = fresh.run(*words)
    assert printed == first
    assert "cannot be reached" in told
    assert "These are the sessions as listed" in told
    assert "cannot be reached" in fresh.refused("search", "--subject", "ea04", expect=4)


# single records


def test_one_whole_record(cli, sandbox):
    row = json.loads(cli.run("search", "--subject", "ea04", "--no-details", "--format", "json")[0])[0]
    record = json.loads(cli.run("get", "sessions", row["id"], "--format", "json")[0])
    with AlyxClient(sandbox.url) as client:
        client.login("jose", "jose-demo")
        truth = client.get(f"sessions/{row['id']}")
    assert {name: record[name] for name in truth} == truth
    assert isinstance(record["json"], dict)
    table = dict(lines(cli.run("get", "sessions", row["id"])[0]))
    assert table["start_time"] == truth["start_time"]
    assert json.loads(table["json"]) == truth["json"]


@pytest.mark.parametrize("name", ["ea04", "id"])
def test_a_subject_by_nickname_or_id(cli, name):
    row = json.loads(cli.run("search", "subjects", "--nickname", "ea04", "--no-details", "--format", "json")[0])[0]
    printed, _ = cli.run("get", "subjects", row.get(name, name), "--format", "json")
    record = json.loads(printed)
    assert record["nickname"] == "ea04"
    assert len(record["weighings"]) == 2
    assert "detail_error" not in record


def test_records_known_by_name(cli):
    assert json.loads(cli.run("get", "labs", "cortexlab", "--format", "json")[0])["timezone"] == "GB"
    assert json.loads(cli.run("get", "locations", "rig_1", "--format", "json")[0])["name"] == "rig_1"
    assert "none of the locations with the name rig_9" in cli.refused("get", "locations", "rig_9", expect=1)
    assert "none of the labs with the name cortex" in cli.refused("get", "labs", "cortex", expect=1)
    assert "the name x\\x1b[31m." in cli.refused("get", "labs", "x\x1b[31m", expect=1), "shown, not obeyed"


def test_a_session_by_subject_day_and_number(cli):
    row = json.loads(cli.run("search", "--subject", "ea04", "--until", "2024-01-01", "--format", "json")[0])[-1]
    for reference in ("ea04/2024-01-01/001", "ea04/2024-01-01/1"):
        assert json.loads(cli.run("get", "sessions", reference, "--format", "json")[0])["id"] == row["id"]


def test_records_that_are_not_one(cli):
    told = cli.refused("get", "sessions", "nonsense", expect=2)
    assert "'nonsense' is not a session.\n  Give its id, or subject, day and number: ea04/2024-01-01/001" in told
    told = cli.refused("get", "sessions", "ea04/2024-01-01/9", expect=1)
    assert "no session ea04/2024-01-01/009" in told
    assert "Numbers of that day: 001" in told
    assert "alyx-connector search sessions --subject ea04" in told
    assert "has none" in cli.refused("get", "sessions", "00000000-0000-4000-8000-000000000000", expect=1)
    told = cli.refused("get", "subjects", "jo001", expect=2)
    assert "Several subjects are called jo001" in told
    assert "by its id" in told


# exit codes


def test_an_account_that_was_never_set_up(fresh, cli):
    assert "alyx-connector login\n" in fresh.refused("search", expect=3)
    told = cli.refused("search", "--user", "ana", expect=3)
    assert told.endswith("--user ana\n"), "can be pasted"


def test_a_revoked_token(fresh, sandbox):
    fresh.login(sandbox)
    (fresh.home / "tokens.json").write_text(json.dumps({sandbox.url: {"jose": "f" * 40}}))
    told = fresh.refused("search", expect=3)
    assert f"alyx-connector login {sandbox.url} --user jose\n" in told
    assert "ffff" not in told


def test_a_server_that_cannot_be_reached(fresh, sandbox):
    with FaultProxy(sandbox.url) as proxy:
        fresh.login(proxy)
    assert "cannot be reached" in fresh.refused("search", expect=4)
    words = ["login", "127.0.0.1:9", "--user", "jose", "--password-stdin"]
    assert "cannot be reached" in fresh.refused(*words, given=b"x", expect=4)


@pytest.mark.parametrize(("status", "says"), [(500, "above all --django"), (500, "failed"), (403, "does not permit")])
def test_a_server_that_answers_with_an_error(fresh, sandbox, status, says):
    with FaultProxy(sandbox.url) as proxy:
        fresh.login(proxy)
        proxy.fault("answer", path="/labs", status=status, body={"detail": "no \x1b[31mluck"}, times=99)
        told = fresh.refused("search", "labs", expect=1)
    assert says in told
    assert "\x1b" not in told


def test_a_part_of_the_details_is_told(fresh, sandbox):
    with FaultProxy(sandbox.url) as proxy:
        fresh.login(proxy)
        rows = json.loads(fresh.run("search", "--subject", "jo006", "--no-details", "--format", "json")[0])
        proxy.fault("answer", path=f"/sessions/{rows[0]['id']}", status=500, body={"detail": "no luck"}, times=99)
        printed, told = fresh.run("search", "--subject", "jo006", expect=1)
    assert "1 of 5 sessions have no details" in told
    table = lines(printed)
    assert table[0][-1] == "detail_error"
    assert "no luck" in table[1][-1]
    assert table[2][-1] == ""


def test_help_and_version_load_neither_pandas_nor_rich():
    program = (
        "import sys, alyx_connector.cli.main as cli\n"
        "try: cli.main([{!r}])\n"
        "except SystemExit as end: print(end.code)\n"
        "print(sorted({{'pandas', 'numpy', 'rich', 'pyarrow'}} & set(sys.modules)))"
    )
    for word, says in [("--version", f"alyx-connector {__version__}"), ("--help", "usage: alyx-connector")]:
        done = subprocess.run(
            [sys.executable, "-c", program.format(word)], capture_output=True, text=True, cwd=ROOT, timeout=60
        )
        assert done.stdout.startswith(says)
        assert done.stdout.endswith("0\n[]\n"), done.stdout


def test_a_pipe_does_not_load_rich(cli):
    program = (
        "import sys, alyx_connector.cli.main as cli\n"
        "code = cli.main(['search', '--subject', 'jo006'])\n"
        "print(code, 'pandas' in sys.modules, 'rich' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, env=cli.environment, timeout=60
    )
    assert done.stderr.endswith("0 True False\n")


@pytest.mark.parametrize(
    ("words", "expect"),
    [
        (["search", "--subject", "ea04", "--no-details", "--format", "json"], 0),
        (["get", "labs", "cortex"], 1),
        (["search", "--subjct", "ea04"], 2),
        (["search", "--refresh", "--offline"], 2),
        (["search", "--user", "ana"], 3),
    ],
)
def test_a_process_of_its_own_does_the_same(cli, words, expect):
    assert cli.run_process(*words, expect=expect) == cli.run(*words, expect=expect)


def test_no_command_shows_what_there_is(fresh):
    assert "search" in fresh.refused(expect=2)
