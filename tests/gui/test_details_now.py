"""Alyx details in the real PyBpod: the animal as it is now, as the server says, and what is known where it does not."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QApplication

from pybpod_alyx_module.animals.weight import COLOURS, Level
from pybpod_alyx_module.gui.animals.weight_dialog import RECORD_WEIGHT, WeightDialog
from pybpod_alyx_module.gui.history.axes import day_text
from pybpod_alyx_module.gui.history.details_window import DetailsWindow
from pybpod_alyx_module.gui.history.weeks_page import NOTHING
from pybpod_alyx_module.outbox.items import Draft, Kind
from tests.gui.hands import living, plugin_threads, press, wait
from tests.gui.outboxes import put
from tests.gui.rig_windows import Bench, alyx, alyx_home, bench, lab_today, outbox, proxy

__all__ = ["alyx", "alyx_home", "bench", "outbox", "proxy"]


@pytest.fixture(autouse=True)
def closed():
    yield
    for window in living(DetailsWindow):
        window.close()


def asked(bench, window):
    wait(bench.qtbot, lambda: not window.looker.is_asking and (window.looker.look or window.looker.problem))
    return window


def details(bench, nickname, **changed):
    subject = bench.subject(nickname, **changed)
    bench.menu.trigger(subject.node, "Alyx details")
    return asked(bench, subject.alyx_details_window)


def facts(window):
    return {caption: (fact.value, fact.detail) for caption, fact in window.card.facts.items()}


def today_of(bench, nickname):
    answer = bench.alyx.client.get(("water-requirement", nickname), {"start_date": lab_today().isoformat()})
    return answer["records"][-1]


def test_the_card_says_the_servers_numbers(bench):
    window, told = details(bench, "thirsty"), today_of(bench, "thirsty")
    seen = facts(window)
    assert told["percentage_weight"] == pytest.approx(95.0, abs=0.01)
    assert seen["Weight"] == ("23.9 g", f"{day_before()}, 18:00; not weighed today")
    assert seen["Of expected"] == ("95.0 %", f"{23.9 - told['min_weight']:.1f} g above the minimum of 21.7 g")
    assert seen["Water today"] == (f"{told['expected_water'] + 0.004:.2f} mL left", "0.00 mL of 0.84 mL given")
    assert seen["Water restriction"][1] == "14 days, Hydrogel"
    assert seen["Not on Alyx yet"] == ("nothing", "")
    assert [window.card.values[caption].text() for caption in seen] == [value for value, _detail in seen.values()]
    assert window.card.facts["Of expected"].level is Level.FINE
    assert "as jose." in window.notes.text()
    assert not window.problem.isVisible()
    assert not window.weeks.missing.isVisible()


def day_before():
    return day_text(lab_today() - dt.timedelta(days=1))


def test_a_recorded_weight_is_on_the_card_and_in_the_plot(bench, qtbot):
    window = details(bench, "watered")
    before = facts(window)["Weight"]
    press(qtbot, window.job_buttons[RECORD_WEIGHT])
    (dialog,) = [one for one in living(WeightDialog) if one.isVisible()]
    bench.asked(dialog)
    bench.type(dialog.first_field(), "22.1")
    dialog.record_button.click()
    bench.recorded(dialog)
    dialog.close()
    wait(qtbot, lambda: facts(window)["Weight"][0] == "22.1 g" and not window.looker.is_asking)
    wait(qtbot, lambda: facts(window)["Not on Alyx yet"] == ("nothing", ""))
    assert before[0] == "22.5 g"
    assert facts(window)["Weight"][1].startswith("today at ")
    assert window.days.table.rows[0][1] == "22.1"
    assert float(facts(window)["Of expected"][0].removesuffix(" %")) == pytest.approx(
        today_of(bench, "watered")["percentage_weight"], abs=0.05
    )


def test_what_waits_is_counted_in_and_said(bench, outbox, qtbot):
    window = details(bench, "annas")
    now = dt.datetime.now(dt.timezone.utc).isoformat()
    subject_id = window.subject.alyx["alyx_id"]
    values = {"weight": 18.0, "date_time": now}
    put(qtbot, outbox, Draft(Kind.WEIGHING, bench.url, "nobody", subject_id, "annas", values))
    wait(qtbot, lambda: facts(window)["Weight"][0] == "18.0 g")
    assert facts(window)["Weight"][1].endswith(", not on Alyx yet")
    assert facts(window)["Not on Alyx yet"] == ("1", "see Alyx outbox")
    assert facts(window)["Of expected"] == ("72.0 %", "far too light: 3.3 g below the minimum of 21.3 g")
    assert COLOURS[Level.FAR_BELOW] in window.card.values["Of expected"].styleSheet()
    assert "Not on Alyx yet: 18.0 g" in window.notes.text() or "Not on Alyx yet: 18.00 g" in window.notes.text()
    assert [one.grams for one in window.weeks.plot._unsent] == [Decimal(18)]


def test_the_days_are_those_of_the_server_the_newest_first(bench):
    window = details(bench, "culled")
    table = window.days.table.rows
    assert len(table) == 15
    assert [row[1] for row in table[:8]] == ["", "23.9", "23.8", "23.7", "", "", "23.4", ""]
    told = today_of(bench, "culled")
    assert float(table[0][4]) == pytest.approx(told["percentage_weight"], abs=0.05)
    assert float(table[0][9]) == pytest.approx(told["expected_water"], abs=0.005)


def test_rows_are_copied_with_their_titles(bench, qtbot):
    window = details(bench, "released")
    window.tabs.setCurrentWidget(window.days)
    table = window.days.table
    press(qtbot, window.days.copy_button)
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0].split("\t")[:3] == ["Date", "Weight (g)", "Reference (g)"]
    assert len(lines) == 1 + len(table.rows)
    table.selectRow(1)
    qtbot.keyClick(table, Qt.Key_C, Qt.ControlModifier)
    assert QApplication.clipboard().text() == "\n".join("\t".join(one) for one in (lines[0].split("\t"), table.rows[1]))
    assert table.rows[0][9] == "ad lib"
    assert "The last water restriction ended on" in window.weeks.missing.text()
    assert facts(window)["Water restriction"][0] == "none"
    assert facts(window)["Of expected"][1] == "judged only under restriction"


def test_the_trials_of_sessions_are_asked_for_when_somebody_looks(bench, qtbot):
    client = bench.alyx.client
    started = f"{lab_today()}T00:00:09"
    session = {"subject": "delegated", "start_time": started, "number": 1, "task_protocol": "wait_task", "n_trials": 42}
    client.post("sessions", {**session, "users": ["jose"]})
    window = details(bench, "delegated")
    assert facts(window)["Sessions today"] == ("1", "")
    assert [row[4] for row in window.sessions.table.rows] == ["…"]
    window.tabs.setCurrentWidget(window.sessions)
    wait(qtbot, lambda: window.sessions.table.rows[0][4] == "42")
    assert window.sessions.table.rows[0][1:] == ["00:00", "1", "wait_task", "42", "", "jose"]
    assert window.sessions.message.text().startswith("1 session since ")


def test_an_animal_that_was_never_weighed_says_so(bench):
    window = details(bench, "never_weighed")
    assert facts(window)["Weight"][1] == "not weighed yet"
    assert facts(window)["Water today"][1] == "need unknown: no weight on Alyx"
    assert window.weeks.missing.text() == "never_weighed has no weight on Alyx yet."


def test_of_namesakes_each_shows_its_own_weight_and_why_it_is_not_judged(bench):
    window = details(bench, "twin")
    assert facts(window)["Weight"][0] == "23.9 g"
    assert facts(window)["Of expected"] == ("–", "cannot be judged: see the plot")  # noqa: RUF001
    assert "2 subjects called twin (labs: away, home)" in window.weeks.missing.text()


def test_an_animal_that_was_renamed_on_alyx_is_found_by_its_id(bench):
    subject = bench.subject("culled")
    bench.alyx.client.patch(("subjects", "culled"), {"nickname": "renamed"})
    try:
        bench.menu.trigger(subject.node, "Alyx details")
        window = asked(bench, subject.alyx_details_window)
        assert facts(window)["Weight"][0] == "23.9 g"
        assert "On Alyx it is called renamed" in window.notes.text()
    finally:
        bench.alyx.client.patch(("subjects", "renamed"), {"nickname": "culled"})


def test_an_animal_that_is_not_alive_is_said_to_be(bench):
    window = details(bench, "dead")
    assert "dead is not alive on Alyx (death date " in window.notes.text()


def test_without_a_login_what_the_project_knows_is_shown(project, alyx, outbox, qtbot, menu):
    bench = Bench(project, alyx, qtbot, menu, alyx.url)
    window = details(bench, "free", alyx_synced_at="2026-03-01T10:00:00+00:00", reference_weight=25.0)
    assert "Nobody is logged in at" in window.problem.text()
    assert "From the project's copy, synced on 2026-03-01" in window.notes.text()
    assert window.weeks.missing.text() == NOTHING
    assert {value for value, _detail in facts(window).values()} == {"–", "nothing"}  # noqa: RUF001
    bench.log_in()
    outbox.users_changed.emit()
    wait(qtbot, lambda: facts(window)["Weight"][0] == "23.9 g")
    assert not window.problem.isVisible()


def test_a_server_that_is_away_leaves_what_it_said_and_how_old_that_is(
    project, alyx, outbox, proxy, qtbot, menu, quick_retries
):
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    window = details(bench, "numbered")
    known = facts(window)
    assert known["Weight"][0] == "23.9 g"
    proxy.fault("drop", times=100_000)
    press(qtbot, window.refresh_button)
    assert window.notes.text().startswith("Asking Alyx…\nShown is what Alyx said at ")
    assert not window.refresh_button.isEnabled()
    asked(bench, window)
    assert facts(window) == known
    assert window.problem.isVisible()
    assert proxy.url in window.problem.text()
    assert "Shown is what Alyx said at " in window.notes.text()
    proxy._faults.clear()
    press(qtbot, window.refresh_button)
    asked(bench, window)
    assert not window.problem.isVisible()


def test_a_file_that_names_no_server_says_what_to_do(bench, dialogs):
    subject = bench.subject("free", alyx_server=None)
    bench.menu.trigger(subject.node, "Alyx details")
    window = subject.alyx_details_window
    assert "does not name its Alyx server" in window.problem.text()
    assert window.record.values["Server"] == "unknown"
    assert dialogs.log == []


@pytest.mark.parametrize("end", ["close", "remove"])
def test_a_window_that_ends_while_it_asks_leaves_nothing_running(
    project, alyx, outbox, proxy, qtbot, menu, dialogs, end
):
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    subject = bench.subject("watered")
    proxy.fault("mute", times=100_000)
    menu.trigger(subject.node, "Alyx details")
    window = subject.alyx_details_window
    wait(qtbot, lambda: len(proxy.requests) > 0)
    (task,) = window.looker._tasks.values()
    assert not task.settled
    if end == "close":
        window.close()
    else:
        subject.remove(silent=True)
    assert living(DetailsWindow) == []
    assert task.settled
    proxy._faults.clear()
    proxy.release()
    wait(qtbot, lambda: not plugin_threads())
    assert dialogs.log == []


def test_what_was_known_is_shown_while_a_new_window_asks(project, alyx, outbox, proxy, qtbot, menu):
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    window = details(bench, "thirsty")
    known, subject = facts(window), window.subject
    window.close()
    proxy.fault("mute", times=100_000)
    menu.trigger(subject.node, "Alyx details")
    window = subject.alyx_details_window
    assert window.looker.is_asking
    assert facts(window) == known
    assert window.weeks.plot._history is not None
    proxy._faults.clear()
    proxy.release()


def test_an_open_window_asks_again_after_a_while(bench, qtbot):
    window = details(bench, "thirsty")
    window._clock.timeout.emit()
    assert not window.looker.is_asking
    window.looker._asked_at -= 3600
    window._clock.timeout.emit()
    assert window.looker.is_asking
    asked(bench, window)


def test_opened_again_it_asks_again(bench, qtbot):
    window = details(bench, "thirsty")
    first = window.looker.look
    bench.menu.trigger(window.subject.node, "Alyx details")
    wait(qtbot, lambda: window.looker.look is not first)
    assert window.subject.alyx_details_window is window
