"""``alyx-connector`` at a real pseudo-terminal: its questions, its tables and Ctrl-C."""

from __future__ import annotations

import io
import json
import re
import termios

import pexpect
import pytest

from tests.sandbox_server import SandboxServer
from tests.screen import Screen
from tests.system.connector.command_line import USUAL, CommandLine, half_way, press_ctrl_c


@pytest.fixture
def fresh(tmp_path):
    """A computer on which nothing was set up."""
    return CommandLine(tmp_path / "home")


@pytest.fixture(scope="module")
def cli(tmp_path_factory, sandbox):
    cli = CommandLine(tmp_path_factory.mktemp("home"))
    cli.login(sandbox)
    return cli


def table(shown):
    """The lines of a table and what is told below it, as they stand in the end: there may have been progress."""
    screen = Screen(columns=1000)
    screen.show(shown)
    return screen.lines


def test_login_asks_and_types_no_password(fresh, sandbox):
    child = fresh.at_terminal("login")
    for question, answer in [("Server address", sandbox.url), ("User name", "jose"), ("default for next", "y")]:
        child.expect(question)
        child.sendline(answer)
    child.expect("Password of jose")
    child.waitnoecho(30)
    child.sendline("jose-demo")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert f"Connected to {sandbox.url} as jose" in child.before
    assert "jose-demo" not in child.before
    assert json.loads(fresh.run("accounts", "--format", "json")[0])[0]["default_server"] is True


def test_login_asks_only_for_what_is_missing(fresh, sandbox):
    child = fresh.at_terminal("login", sandbox.url, "--user", "jose", "--default")
    child.expect("Password of jose")
    child.waitnoecho(30)
    assert "Server address" not in child.before
    press_ctrl_c(child)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert "Stopped." in child.before
    assert "Traceback" not in child.before
    assert not list(fresh.home.rglob("*.json"))


def test_a_login_that_nobody_answers_says_what_to_pass(fresh):
    child = fresh.at_terminal("login")
    child.expect("Server address")
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 2
    assert "alyx-connector login URL --user USER --password-stdin" in child.before
    assert "Connector" not in child.before


def test_a_password_is_not_read_where_it_would_be_seen(fresh, sandbox):
    shown = fresh.shown("login", sandbox.url, "--user", "jose", "--password-stdin", expect=2)
    assert "would show the password" in shown


def test_a_table_has_colours_and_fits_into_80_columns(cli):
    shown = cli.shown("search", "--subject", "ea04", columns=80)
    assert "\x1b[31mFAIL" in shown
    assert "\x1b[1mstart_time" in shown
    head, rule, first, *_, note = lines = table(shown)
    assert head.split() == ["subject", "start_time", "qc", "id"]
    assert set(rule) == {"─"}
    assert re.fullmatch(r"ea04     2024-01-03 10:00  FAIL      [0-9a-f-]{36}", first)
    assert note.startswith("25 rows. Too narrow for number, task_protocol,")
    assert max(map(len, lines[:-1])) <= 80


def test_a_wide_terminal_shows_the_narrative_and_cuts_it_off_where_it_ends(cli):
    wide = table(cli.shown("search", "--subject", "ea04", columns=170))
    assert wide[0].split() == USUAL
    assert wide[-1] == "25 rows."
    less = table(cli.shown("search", "--subject", "ea04", columns=145))
    assert "no trials in the last 10 minutes" in "\n".join(wide)
    assert "no trials in the…" in "\n".join(less) or "…" in "\n".join(less)
    assert max(map(len, less)) <= 145


def test_a_record_shows_its_json_as_a_tree(cli):
    session = json.loads(cli.run("search", "--subject", "ea04", "--format", "json")[0])[3]["id"]
    shown = " ".join(" ".join(table(cli.shown("get", "sessions", session))).split())
    assert "json whisker_stims: Stimulus right: 1: n: 31 amp: 0.5" in shown


def test_columns_that_do_not_fit_are_shown_below_each_other(cli):
    shown = table(cli.shown("search", "--subject", "ea04", "--columns", "all", columns=80))
    fields = [line.split()[0] for line in shown[:27]]
    assert fields[:4] == ["subject", "start_time", "number", "task_protocol"]
    assert {"narrative", "extended_qc"} <= set(fields)
    assert max(map(len, shown)) <= 80


def test_a_colour_can_be_switched_off(cli):
    child = cli.at_terminal("search", "--subject", "ea04", NO_COLOR="1")
    child.expect(pexpect.EOF)
    assert "FAIL" in child.before
    assert "\x1b[31m" not in child.before


def test_a_terminal_refuses_parquet_before_anything_is_asked(fresh):
    assert "A terminal cannot show parquet" in fresh.shown("search", "--format", "parquet", expect=2)


def test_no_match_at_a_terminal_is_a_word(cli):
    shown = table(cli.shown("search", "--subject", "nobody", "--no-details"))
    assert shown[0].startswith("Note: There is no subject nobody at http")
    assert shown[1:] == ["No sessions match."]


def stopped_half_way(fresh, sandbox, *words):
    with half_way(sandbox, answered=14) as server:
        fresh.login(server)
        child = fresh.at_terminal("search", "--format", "json", *words, columns=80)
        child.logfile_read = io.StringIO()
        child.expect(r" \d+/34, about \d+ s left Details of 34 sessions from \S+")
        server.wait()
        press_ctrl_c(child)
        child.expect(pexpect.EOF)
        child.close()
    return child


def test_ctrl_c_during_the_details_ends_the_command(fresh, sandbox):
    child = stopped_half_way(fresh, sandbox)
    assert child.exitstatus == 130
    assert "Stopped: 14 of 34 have their details. What has arrived is in the cache" in child.before
    screen = Screen(columns=80)
    screen.show(child.logfile_read.getvalue())
    assert " ".join(screen.lines).startswith("alyx-connector: Stopped: 14 of 34 "), "nothing else is left"
    assert screen.cursor_is_visible
    assert "Traceback" not in child.before


def test_ctrl_c_during_the_details_shows_what_has_arrived_where_that_was_wished(fresh, sandbox):
    child = stopped_half_way(fresh, sandbox, "--partial")
    assert child.exitstatus == 1
    assert "the search was stopped" in child.before
    assert "Traceback" not in child.before
    rows = [json.loads(line.rstrip(",")) for line in child.before.splitlines() if line.startswith('{"subject"')]
    assert len(rows) == 34
    stopped = [row for row in rows if row["detail_error"]]
    assert len(stopped) == 34 - 14


def test_progress_is_drawn_on_standard_error_and_leaves_the_terminal_as_it_was(fresh, tmp_path):
    with SandboxServer("--throttle", "off", "--latency", "300") as server:
        fresh.login(server)
        command = fresh.at_terminal("search", "--subject", "ea04", "--format", "json", columns=80, to=tmp_path / "rows")
        settings = termios.tcgetattr(command.child_fd)
        command.expect(r" \d+/25, about \d+ s left ")
        drawn = command.before + command.after
        command.expect(pexpect.EOF)
        assert termios.tcgetattr(command.child_fd) == settings
    screen = Screen(columns=80)
    screen.show(drawn)
    assert screen.lines[0].split()[1].endswith("/25,")
    screen.show(command.before)
    assert screen == Screen(columns=80), "nothing is left, and the cursor is to be seen where it was"
    assert len(json.loads((tmp_path / "rows").read_text())) == 25


def test_ctrl_c_during_the_list_shows_nothing(fresh, proxy):
    fresh.login(proxy)
    proxy.fault("mute", path="/sessions")
    child = fresh.at_terminal("search", "--format", "json")
    proxy.wait_for(1, path="/sessions")
    press_ctrl_c(child)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert table(child.before)[-1].endswith("alyx-connector: Stopped.")
