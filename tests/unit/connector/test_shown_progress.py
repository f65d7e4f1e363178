"""Progress as whoever waits sees it in a terminal, in a notebook and in the log."""

from __future__ import annotations

import io
import logging
from types import SimpleNamespace

import pytest

from alyx_connector.display import shown_progress
from alyx_connector.display.shown_progress import ShownProgress
from alyx_connector.progress import Progress
from tests.screen import Screen

LAB = "http://alyx.laboratory-of-a-long-name.example.org:8000"
LISTING = f"List of sessions from {LAB}."
WAIT = Progress("wait", 0, 12, f"{LAB} is limiting this user's requests; trying again in 12 s.")


def details(done, left_s=7.0):
    return Progress("details", done, 340, f"Details of 340 sessions from {LAB}.", left_s)


@pytest.fixture
def now(monkeypatch):
    """A clock that stands until it is moved."""
    clock = [100.0]
    monkeypatch.setattr(shown_progress, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    return clock


class Terminal(io.StringIO):
    """A terminal of 80 columns that shows what was written to it."""

    def __init__(self):
        super().__init__()
        self.screen = Screen(columns=80)

    def isatty(self):
        return True

    def write(self, text):
        self.screen.show(text.replace("\n", "\r\n"))
        return super().write(text)


@pytest.fixture
def terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(shown_progress, "sys", SimpleNamespace(stderr=terminal))
    for name, value in {"TERM": "xterm", "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    return terminal


@pytest.fixture
def shown(now):
    """Progress that is shown a second later, each time."""

    class Late(ShownProgress):
        def __call__(self, progress):
            now[0] += 1
            super().__call__(progress)

    return Late(LISTING)


def test_a_terminal_of_80_columns_shows_a_bar_the_count_and_the_time_left(terminal, shown):
    with shown:
        shown(details(170))
        (line,) = terminal.screen.lines
        bar, count, left = line.split()[0], line.split()[1], line.split()[2:6]
        assert set(bar) <= set("━╸╺")
        assert (len(bar), count, left) == (20, "170/340,", ["about", "7", "s", "left"])
        assert "Details of 340 sessions" in line
        shown(details(171, left_s=600))
        assert "171/340, about 10 min left Details" in terminal.screen.lines[0]
        assert len(terminal.screen.lines) == 1
        assert not terminal.screen.cursor_is_visible
    assert terminal.screen == Screen(columns=80)


def test_count_and_time_left_stay_while_the_server_throttles(terminal, shown):
    with shown:
        shown(details(170))
        before = terminal.screen.lines
        shown(WAIT)
        assert terminal.screen.lines[0] == before[0]
        assert " ".join(terminal.screen.lines[1:]) == WAIT.message
        shown(details(171))
        assert len(terminal.screen.lines) == 1
    assert terminal.screen == Screen(columns=80)


def test_a_list_is_named_and_a_single_request_has_no_bar(terminal, shown):
    with shown:
        shown(Progress("get", 0, 1, "Asking http://[::1]:8000 for [bold]sessions[/bold]."))
        assert terminal.screen.lines == ["Asking http://[::1]:8000 for [bold]sessions[/bold]."]
        shown(Progress("get", 1, 1))
        shown(Progress("list", 1000, 3000, left_s=4.0))
        assert " 1000/3000, about 4 s left List of sessions from http" in terminal.screen.lines[0]
        shown(Progress("get", 1, 1))
        assert " 1000/3000, " in terminal.screen.lines[0]
        shown(Progress("list", 3000, 3000, left_s=0.0))
        assert " 3000/3000 List of sessions" in terminal.screen.lines[0]


@pytest.mark.parametrize("last", [details(170), WAIT])
def test_ctrl_c_leaves_the_terminal_as_it_was(terminal, shown, last):
    def stopped():
        with shown:
            shown(details(169))
            shown(last)
            assert terminal.screen.lines
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert terminal.screen == Screen(columns=80)


def test_what_is_quick_draws_nothing_but_a_wait_is_shown_at_once(terminal, now):
    with ShownProgress(LISTING) as shown:
        shown(details(170))
        assert terminal.getvalue() == ""
        shown(WAIT)
        assert "170/340" in terminal.screen.lines[0]
        shown(details(171))
        shown(WAIT)
        assert "171/340" in terminal.screen.lines[0]
        assert len(terminal.screen.lines) == 3
    assert terminal.screen == Screen(columns=80)


def test_a_terminal_that_cannot_draw_shows_nothing(terminal, shown, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    with shown:
        shown(details(170))
    assert terminal.getvalue() == ""


@pytest.fixture
def logged(caplog):
    caplog.set_level(logging.INFO, logger="alyx_connector")
    return lambda: [record.message.partition(" from")[0] for record in caplog.records]


def test_without_a_terminal_the_log_has_the_beginning_now_and_then_and_the_end(
    now, logged, capsys, caplog, monkeypatch
):
    monkeypatch.setattr(logging.getLogger(), "handlers", [caplog.handler])  # not that of PyBpod, which prints
    with ShownProgress(LISTING) as shown:
        for done in range(341):
            now[0] += 1 / 8
            shown(details(done, left_s=(340 - done) / 8))
            shown(WAIT)
    assert logged() == [
        "0/340, about 42 s left: Details of 340 sessions",
        "80/340, about 32 s left: Details of 340 sessions",
        "160/340, about 22 s left: Details of 340 sessions",
        "240/340, about 12 s left: Details of 340 sessions",
        "320/340, about 2 s left: Details of 340 sessions",
        "340/340: Details of 340 sessions",
    ]
    assert capsys.readouterr() == ("", "")


def test_what_is_quick_is_not_logged(now, logged):
    with ShownProgress(LISTING) as shown:
        shown(details(0))
        shown(details(340))
    assert logged() == []


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_a_program_without_standard_error_logs(shown, logged, monkeypatch, stream):
    if stream is not None:
        stream.close()
    monkeypatch.setattr(shown_progress, "sys", SimpleNamespace(stderr=stream))
    with shown:
        shown(details(170))
    assert logged() == ["170/340, about 7 s left: Details of 340 sessions"]
