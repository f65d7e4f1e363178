"""The main commands of ``alyx-connector`` give the server's own answer, on each of the servers."""

from __future__ import annotations

import json

import pytest

from alyx_connector import read_parquet
from tests.contract.alyx_under_test import AlyxUnderTest, found
from tests.system.connector.command_line import CommandLine


@pytest.fixture(scope="module")
def alyx(each_server):
    """The server, past the command line."""
    return AlyxUnderTest(each_server.url, each_server.username, each_server.password)


@pytest.fixture(scope="module")
def cli(alyx, tmp_path_factory):
    """A computer on which the user of the server is the default one."""
    cli = CommandLine(tmp_path_factory.mktemp("home"))
    words = ["login", alyx.url, "--user", alyx.user, "--password-stdin"]
    _, told = cli.run(*words, given=f"{alyx.password}\n".encode())
    assert f"Connected to {alyx.url} as {alyx.user}" in told
    return cli


def ids(cli, *words):
    printed, _ = cli.run("search", *words, "--no-details", "--format", "json")
    return sorted(row["id"] for row in json.loads(printed))


def of(alyx, path, **filters):
    return sorted(row.get("id") or row["url"].rpartition("/")[2] for row in alyx.rows(path, **filters))


def test_sessions_of_an_animal_by_its_nickname(alyx, cli):
    name = alyx.subject["nickname"]
    assert ids(cli, "--subject", name) == of(alyx, "/sessions", subject=name)


def test_sessions_of_several_animals(alyx, cli):
    names = sorted({row["subject"] for row in alyx.rows("/sessions")} & {row["nickname"] for row in alyx.unique})[:2]
    assert len(names) == 2, "the lab has sessions of one animal only"
    words = [word for name in names for word in ("--subject", name)]
    assert ids(cli, *words) == sorted(one for name in names for one in of(alyx, "/sessions", subject=name))


def test_sessions_of_some_days(alyx, cli):
    name, day = alyx.subject["nickname"], alyx.session_row["start_time"][:10]
    rows = alyx.rows("/sessions", subject=name)
    since = sorted(row["id"] for row in rows if row["start_time"][:10] >= day)
    until = sorted(row["id"] for row in rows if row["start_time"][:10] <= day)
    assert ids(cli, "--subject", name, "--since", day) == since
    assert ids(cli, "--subject", name, "--until", day) == until
    assert ids(cli, "--subject", name, "--since", day, "--until", day) == sorted({*since} & {*until})


def test_sessions_by_what_stands_in_extended_qc(alyx, cli):
    rows = [alyx.get(f"/sessions/{row['id']}") for row in alyx.rows("/sessions", subject=alyx.subject["nickname"])]
    held = [(row["id"], row["extended_qc"]) for row in rows if isinstance(row["extended_qc"], dict)]
    passed = sorted(name for name, qc in held if qc.get("pass") is True)
    found(passed, "a session whose extended_qc has passed")
    assert ids(cli, "--subject", alyx.subject["nickname"], "--extended-qc", '{"pass": true}') == passed


def test_sessions_by_qc(alyx, cli):
    assert ids(cli, "--qc", "PASS") == of(alyx, "/sessions", qc="PASS")


def test_a_column_that_only_the_details_have_is_fetched(alyx, cli):
    printed, _ = cli.run("search", "--subject", "ea04", "--columns", "subject,lab,task_protocol", "--format", "csv")
    rows = [line.split(",") for line in printed.splitlines()]
    assert rows[0] == ["subject", "lab", "task_protocol"]
    assert {tuple(row[:2]) for row in rows[1:]} == {("ea04", "haisslab")}
    assert "wait_task_v1" in {row[2] for row in rows[1:]}


def test_columns_that_are_not_named_are_not_missed(alyx, cli):
    words = ("search", "--subject", alyx.subject["nickname"])
    lacking = {"lab", "task_protocol"} - alyx.session_row.keys()
    for more, is_told in (([], False), (["--no-details"], bool(lacking)), (["--columns", "subject,number"], False)):
        _, told = cli.run(*words, *more, "--format", "csv")
        assert ("lists sessions without" in told) is is_told, more
        assert ("Leave out --no-details." in told) is is_told


def test_a_session_in_full(alyx, cli):
    detail = alyx.get(f"/sessions/{alyx.session_row['id']}")
    printed, _ = cli.run("get", "sessions", detail["id"], "--format", "json")
    shown = json.loads(printed)
    for name in ("id", "subject", "number", "narrative", "task_protocol", "users", "json", "extended_qc", "lab"):
        assert shown[name] == detail[name]


def test_a_table_of_sessions(alyx, cli):
    name = alyx.subject["nickname"]
    printed, _ = cli.run("search", "--subject", name)
    head, *lines = [line.split("\t") for line in printed.splitlines()]
    assert sorted(line[head.index("id")] for line in lines) == of(alyx, "/sessions", subject=name)
    assert {line[head.index("subject")] for line in lines} == {name}


def test_subjects_by_user_and_whether_they_live(alyx, cli):
    rows = [row for row in alyx.subjects if row["responsible_user"] == alyx.user]
    for words, alive in (("true", True), ("false", False)):
        expected = sorted(row["id"] for row in rows if row["alive"] is alive)
        assert ids(cli, "subjects", "--responsible-user", alyx.user, "--alive", words) == expected


def test_a_subject_by_its_nickname(alyx, cli):
    row = alyx.subject
    for called in (row["nickname"], alyx.key(row)):
        printed, _ = cli.run("get", "subjects", called, "--format", "json")
        shown = json.loads(printed)
        assert {name: shown[name] for name in ("id", "nickname", "lab")} == {
            name: row[name] for name in ("id", "nickname", "lab")
        }


@pytest.mark.parametrize("endpoint", ["weighings", "water-administrations"])
def test_records_of_an_animal(alyx, cli, endpoint):
    name = alyx.restricted["nickname"]
    assert ids(cli, endpoint, "--nickname", name) == of(alyx, f"/{endpoint}", nickname=name)


def test_a_file_of_sessions(alyx, cli, tmp_path):
    pytest.importorskip("pyarrow")
    name = alyx.subject["nickname"]
    printed, _ = cli.run("search", "--subject", name, "--format", "parquet", "--output", str(tmp_path / "s.parquet"))
    assert printed == ""
    assert sorted(read_parquet(tmp_path / "s.parquet")["id"]) == of(alyx, "/sessions", subject=name)


def test_what_can_be_asked(alyx, cli):
    listed = json.loads(cli.run("endpoints", "--format", "json")[0])
    assert {"sessions", "subjects", "weighings"} <= {row["endpoint"] for row in listed}
    filters = json.loads(cli.run("filters", "sessions", "--format", "json")[0])
    assert {"subject", "date_range", "qc"} <= {row["filter"] for row in filters}


def test_a_slip_is_refused_with_the_nearest(cli):
    assert "Did you mean subject" in cli.refused("search", "--subjct", "ea04", expect=2)


def test_a_wrong_password_is_refused(alyx, cli):
    words = ["login", alyx.url, "--user", alyx.user, "--password-stdin"]
    assert "refused this user and password" in cli.refused(*words, given=b"not-the-password\n", expect=3)
