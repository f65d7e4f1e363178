"""The line of progress for whoever sits at a terminal."""

from __future__ import annotations

import io

import pytest

from alyx_connector import terminal as progress_bar
from alyx_connector.progress import Progress
from alyx_connector.terminal import ProgressBar


@pytest.fixture
def now(monkeypatch):
    """A clock that stands until it is moved."""
    clock = [100.0]
    monkeypatch.setattr(progress_bar.time, "monotonic", lambda: clock[0])
    return clock


def test_it_draws_count_and_sentence_on_one_line_and_wipes_it_out(now):
    stream = io.StringIO()
    with ProgressBar(stream) as bar:
        now[0] += 1
        bar(Progress("details", 5, 10, "Details of 10 sessions, about 7 s left."))
        now[0] += 1
        bar(Progress("details", 10, 10, "Done."))
    drawn = stream.getvalue().split("\r")
    assert drawn[1] == "[##########..........] 5/10 Details of 10 sessions, about 7 s left."
    assert drawn[2].rstrip() == "[####################] 10/10 Done."
    assert len(drawn[2]) == len(drawn[1]), "the longer line before is overwritten"
    assert drawn[-1] == ""
    assert drawn[-2].strip() == ""
    assert "\n" not in stream.getvalue()


def test_a_line_is_never_longer_than_the_terminal(now, monkeypatch):
    stream = io.StringIO()
    stream.isatty = lambda: True
    monkeypatch.setenv("COLUMNS", "40")
    with ProgressBar(stream) as bar:
        now[0] += 1
        bar(Progress("details", 5, 10, "Details of 10 sessions, about 7 s left."))
    assert stream.getvalue().split("\r")[1] == "[##########..........] 5/10 Details of "


def test_what_is_quick_draws_nothing_but_a_wait_is_told_at_once(now):
    stream = io.StringIO()
    with ProgressBar(stream) as bar:
        bar(Progress("list", 1, 2))
        assert stream.getvalue() == ""
        bar(Progress("wait", 0, 9, "throttles; asking again in 9 s."))
        assert "asking again in 9 s" in stream.getvalue()


def test_where_nobody_sits_it_draws_nothing(now, capsys):
    with ProgressBar() as bar:
        now[0] += 1
        bar(Progress("list", 1, 2))
    assert capsys.readouterr() == ("", "")
