"""Today… in the real PyBpod: what each animal still needs, weighed and given water from there, one outcome a row."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QApplication

from pybpod_alyx_module.animals.weight import COLOURS, LOW_TEXT, Level
from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.gui.animals.water_dialog import WaterDialog
from pybpod_alyx_module.gui.animals.weight_dialog import WeightDialog
from pybpod_alyx_module.gui.running_outbox import stop_outbox
from pybpod_alyx_module.gui.today import tree_marks
from pybpod_alyx_module.gui.today import window as today_window
from pybpod_alyx_module.gui.today.columns import AMOUNT, ANIMAL, LAST_WATER, NEXT, REMAINS, RESULT, WEIGHT
from pybpod_alyx_module.gui.today.rows import Shown, TodayRows
from pybpod_alyx_module.gui.today.sheet import SheetDialog, sheet_html
from pybpod_alyx_module.gui.today.view import TodayView
from pybpod_alyx_module.gui.today.window import TODAY, WITHOUT_ALYX, TodayWindow
from pybpod_alyx_module.outbox.items import State
from tests.gui.hands import activate, living, press, small_enough, wait
from tests.gui.rig_windows import Bench, alyx, alyx_home, bench, outbox, proxy

__all__ = ["alyx", "alyx_home", "bench", "outbox", "proxy"]


def table(bench):
    bench.menu.trigger(bench.project.node, TODAY)
    window = bench.project.alyx_today_window
    wait(bench.qtbot, lambda: window._fetch is None and not window.tree_marks.is_at_work)
    return window


def rows(window) -> dict[str, int]:
    return {row.name: place for place, row in enumerate(window.rows.rows)}


def text(window, row, column) -> str:
    return window.rows.index(row, column).data()


def given_today(window, row) -> str:
    return window.rows.index(row, REMAINS).data(Qt.ToolTipRole)


def tick(window, row) -> None:
    assert window.rows.setData(window.rows.index(row, ANIMAL), Qt.Checked, Qt.CheckStateRole)


def type_amount(window, row, amount) -> None:
    assert window.rows.setData(window.rows.index(row, AMOUNT), amount)


def refresh(bench, window) -> None:
    press(bench.qtbot, window.refresh_button)
    wait(bench.qtbot, lambda: window._fetch is None and not window.tree_marks.is_at_work)


@pytest.fixture(autouse=True)
def closed(project, alyx, outbox):
    """Leave no window, and all animals as thirsty and as heavy as they were."""
    before = {row["url"] for row in alyx.client.list("weighings")}
    yield
    for window in living(TodayWindow):
        window.rows.forget_unrecorded()
        window.close()
    stop_outbox()  # what is on its way arrives
    for route in ("water-administrations", "weighings"):
        for row in alyx.client.list(route):
            if row["url"] not in before:
                alyx.client.delete((route, row["url"].rpartition("/")[2]))


def test_all_that_still_need_water_none_ticked(bench):
    bench.subject("thirsty")
    window = table(bench)
    assert small_enough(window)
    assert window.user.whole == f"as jose at {bench.url[7:]}"
    found = rows(window)
    assert {"thirsty", "culled", "east", "never_weighed", "delegated", "numbered"} <= set(found)
    assert not {"free", "released", "dead", "annas"} & set(found)
    assert window.rows.to_give() == []
    assert not window.give_button.isEnabled()
    assert text(window, found["thirsty"], REMAINS).startswith(text(window, found["thirsty"], AMOUNT) + " of ")
    assert "Given today: 0.00 mL as reward, 0.00 mL as supplement." in given_today(window, found["thirsty"])
    assert text(window, found["never_weighed"], AMOUNT) == ""


def test_what_is_ticked_is_given_and_nothing_else(bench, alyx, outbox):
    bench.subject("thirsty")
    window = table(bench)
    found = rows(window)
    ticked = ("watered", "culled", "east")
    for name in ticked:
        tick(window, found[name])
    type_amount(window, found["culled"], "0,25")
    press(bench.qtbot, window.give_button)
    wait(bench.qtbot, lambda: all("It is on Alyx." in text(window, found[name], RESULT) for name in ticked))
    assert len(outbox.open().items()) == len(ticked)
    (given,) = alyx.of("water-administrations", "culled")
    assert (given["water_administered"], given["water_type"], given["user"]) == (0.25, "Hydrogel", "jose")
    assert len(alyx.of("water-administrations", "watered")) == len(alyx.of("water-administrations", "east")) == 1
    assert alyx.of("water-administrations", "thirsty") == []
    assert window.rows.to_give() == []  # what is given cannot be given again by the same tick
    refresh(bench, window)
    # not asked of east: its lab is 14 hours ahead of the server, which counts the water for the next day before 10:00
    assert "watered" not in rows(window)
    assert "0.00 mL as reward, 0.25 mL as supplement." in given_today(window, rows(window)["culled"])


def test_of_two_animals_of_one_name_neither_gets_the_others_water_and_it_is_said_why(bench, alyx, outbox):
    # Alyx is told an animal by its name alone: it answers 500 where two have it, whatever is tried.
    bench.subject("thirsty")
    window = table(bench)
    twins = [place for place, row in enumerate(window.rows.rows) if row.name == "twin"]
    assert len(twins) == 2
    for place in twins:
        tick(window, place)
        type_amount(window, place, "0.2")
    press(bench.qtbot, window.give_button)
    said = "not sent: see Alyx outbox."
    wait(bench.qtbot, lambda: all(said in text(window, place, RESULT) for place in twins))
    for place in twins:
        assert "has 2 subjects named twin, in home and away: it could be either." in text(window, place, RESULT)
    assert {item.state for item in outbox.open().items()} == {State.PARKED}
    assert alyx.of("water-administrations", "twin") == []


@pytest.mark.parametrize("typed", ["", "much", "85"])
def test_one_wrong_amount_and_nothing_is_given(bench, outbox, typed):
    bench.subject("thirsty")
    window = table(bench)
    found = rows(window)
    tick(window, found["thirsty"])
    tick(window, found["numbered"])
    type_amount(window, found["thirsty"], typed)
    press(bench.qtbot, window.give_button)
    assert "Nothing was recorded: correct the amount of thirsty." in window.message.text()
    assert text(window, found["thirsty"], RESULT)
    assert outbox.open().items() == ()
    assert text(window, found["thirsty"], AMOUNT) == typed


def test_an_empty_table_says_so(bench, pybpod_settings, monkeypatch):
    names = ["thirsty", "watered", "culled", "never_weighed", "east", "twin", "delegated", "numbered"]
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_TEST_SUBJECTS", names, raising=False)
    bench.subject("thirsty")
    window = table(bench)
    assert window.rows.rowCount() == 0
    assert "None of your animals is water-restricted." in window.message.text()


def test_a_server_that_is_down_is_said_and_what_was_shown_stays(bench, proxy, alyx):
    bench.url = proxy.url
    bench.log_in()
    bench.subject("thirsty")
    window = table(bench)
    count = window.rows.rowCount()
    assert count
    proxy.fault("answer", status=403, body={"detail": "no"}, times=100_000)
    refresh(bench, window)
    assert "The table shows an older answer." in window.message.text()
    assert window.rows.rowCount() == count


def test_what_waits_is_counted(bench, proxy, alyx, outbox):
    bench.url = proxy.url
    bench.log_in()
    bench.subject("thirsty")
    window = table(bench)
    row = rows(window)["thirsty"]
    proxy.fault("answer", method="POST", status=429, headers={"Retry-After": "3000"}, body={"detail": "x"}, times=99)
    tick(window, row)
    type_amount(window, row, "0.2")
    press(bench.qtbot, window.give_button)
    wait(bench.qtbot, lambda: "Kept on this computer" in text(window, row, RESULT))
    wait(bench.qtbot, lambda: any(item.state.value == "waiting" and item.attempts for item in outbox.open().items()))
    refresh(bench, window)
    row = rows(window)["thirsty"]
    assert "0.00 mL as reward, 0.20 mL as supplement." in given_today(window, row)
    assert "Not on Alyx yet: 0.200 mL of water" in text(window, row, RESULT)


def test_nobody_logged_in_is_said(project, alyx, outbox, qtbot, menu):
    bench = Bench(project, alyx, qtbot, menu, alyx.url)
    window = table(bench)
    assert "Sync to Alyx" in window.message.text()
    assert window.rows.rowCount() == 0


def test_it_closes_with_the_project(bench):
    bench.subject("thirsty")
    window = table(bench)
    bench.project.close(silent=True)
    assert bench.project.alyx_today_window is None
    assert not window.isVisible()


def at_the_table(bench):
    """Open the window and put the keyboard on the first animal."""
    bench.subject("thirsty")
    window = table(bench)
    activate(bench.qtbot, window)
    window.table.setFocus()
    return window


def keys(bench, *pressed) -> None:
    """Press keys one after the other, each where the keyboard is by then."""
    for key in pressed:
        bench.qtbot.keyClick(QApplication.focusWidget(), key)
        QApplication.processEvents()


def editor(window):
    assert window.table.is_editing
    return QApplication.focusWidget()


def test_from_the_table_tab_leads_to_give_ticked_and_back(bench):
    window = at_the_table(bench)
    keys(bench, Qt.Key_Space)
    assert window.rows.rows[0].ticked
    keys(bench, Qt.Key_Tab)
    assert window.give_button.hasFocus()
    keys(bench, Qt.Key_Backtab)
    assert window.table.hasFocus()


def test_while_an_amount_is_typed_tab_takes_it_and_leads_to_give_ticked(bench, outbox):
    window = at_the_table(bench)
    keys(bench, Qt.Key_Space, Qt.Key_Return)
    bench.qtbot.keyClicks(editor(window), "0.31")
    keys(bench, Qt.Key_Tab)
    assert window.give_button.hasFocus()
    assert text(window, 0, AMOUNT) == "0.31"
    keys(bench, Qt.Key_Backtab)
    assert window.table.hasFocus()
    keys(bench, Qt.Key_Tab, Qt.Key_Return)
    wait(bench.qtbot, lambda: outbox.counts.open or window.rows.rows[0].item is not None)
    wait(bench.qtbot, lambda: window._give is None)
    assert [item.values["water_administered"] for item in outbox.open().items()] == [0.31]


def test_enter_leads_through_the_amounts(bench, outbox):
    window = at_the_table(bench)
    for amount in ("0.1", "0.2"):
        keys(bench, Qt.Key_Return)
        bench.qtbot.keyClicks(editor(window), amount)
        keys(bench, Qt.Key_Return)
        wait(bench.qtbot, lambda: not window.table.is_editing)
    assert [text(window, row, AMOUNT) for row in (0, 1)] == ["0.1", "0.2"]
    assert window.table.currentIndex().row() == 2
    assert outbox.open().items() == ()


def test_escape_takes_back_what_is_being_typed_and_closes_nothing(bench):
    window = at_the_table(bench)
    before = text(window, 0, AMOUNT)
    keys(bench, Qt.Key_Return)
    bench.qtbot.keyClicks(editor(window), "9")
    keys(bench, Qt.Key_Escape)
    assert text(window, 0, AMOUNT) == before
    assert window.isVisible()
    assert window.table.hasFocus()


def again_from_the_menu(bench, window):
    assert table(bench) is window


@pytest.mark.parametrize("ask", [refresh, again_from_the_menu])
def test_what_is_ticked_and_typed_outlives_another_answer(bench, ask):
    bench.subject("thirsty")
    window = table(bench)
    found = rows(window)
    tick(window, found["thirsty"])
    type_amount(window, found["delegated"], "0.4")
    window.table.go_to(found["numbered"], AMOUNT)
    ask(bench, window)
    found = rows(window)
    assert [row.name for row in window.rows.to_give()] == ["thirsty"]
    assert text(window, found["delegated"], AMOUNT) == "0.4"
    assert window.table.currentIndex() == window.rows.index(found["numbered"], AMOUNT)
    assert window.give_button.isEnabled()


def test_a_refresh_that_fails_wipes_nothing(bench, proxy):
    bench.url = proxy.url
    bench.log_in()
    bench.subject("thirsty")
    window = table(bench)
    tick(window, 0)
    type_amount(window, 1, "0.4")
    proxy.fault("answer", status=403, body={"detail": "no"}, times=100_000)
    refresh(bench, window)
    assert window.rows.rows[0].ticked
    assert text(window, 1, AMOUNT) == "0.4"


def test_an_answer_waits_until_the_amount_is_typed(bench):
    window = at_the_table(bench)
    keys(bench, Qt.Key_Return)
    bench.qtbot.keyClicks(editor(window), "0.")
    window.refresh()
    wait(bench.qtbot, lambda: window._fetch is None)
    assert "finish the amount" in window.message.text()
    assert not window.refresh_button.isEnabled()
    bench.qtbot.keyClicks(editor(window), "3")
    keys(bench, Qt.Key_Return)
    wait(bench.qtbot, lambda: not window.table.is_editing)
    assert text(window, 0, AMOUNT) == "0.3"
    assert "finish the amount" not in window.message.text()
    assert window.refresh_button.isEnabled()


def test_what_was_ticked_and_is_no_longer_due_is_named(bench):
    bench.subject("thirsty")
    window = table(bench)
    seen = window.shown
    tick(window, 0)
    type_amount(window, 1, "0.4")
    names = [row.name for row in window.rows.rows]
    window._on_table(replace(seen, rows=seen.rows[2:]))
    said = window.message.text().splitlines()[0]
    assert all(name in said for name in names[:2])
    assert "0.4 mL" in said
    assert names[2] not in said
    assert window.rows.unrecorded() == []


def test_what_remains_changed_under_a_tick_is_said(bench):
    bench.subject("thirsty")
    window = table(bench)
    seen, before = window.shown, window.rows.rows[0].suggested
    tick(window, 0)
    tick(window, 1)
    first = seen.rows[0]
    given = replace(first.animal.water, given=first.animal.water.given + Decimal("0.1"))
    window._on_table(replace(seen, rows=(replace(first, animal=replace(first.animal, water=given)), *seen.rows[1:])))
    assert [row.ticked for row in window.rows.rows[:2]] == [True, True]
    assert text(window, 0, AMOUNT) == window.rows.rows[0].suggested != before
    assert before in text(window, 0, RESULT)
    assert before not in text(window, 1, RESULT)


def leave_by(bench, window, door) -> None:
    if door == "Escape":
        keys(bench, Qt.Key_Escape)
    elif door == "button":
        press(bench.qtbot, window.close_button)
    elif door == "project":
        bench.project.close(silent=True)
    else:
        window.close()


@pytest.mark.parametrize("door", ["Escape", "button", "window", "project"])
def test_what_was_not_given_is_asked_about_once(bench, outbox, door):
    window = at_the_table(bench)
    tick(window, 0)
    type_amount(window, 1, "0.4")
    leave_by(bench, window, door)
    assert window.isVisible()
    asked = window.question
    assert asked.isVisible()
    assert all(row.name in asked.text.text() for row in window.rows.rows[:2])
    assert window.rows.rows[2].name not in asked.text.text()
    wait(bench.qtbot, asked.back_button.hasFocus)
    keys(bench, Qt.Key_Return)  # Enter and the space bar take the answer that loses nothing
    assert not asked.isVisible()
    assert window.rows.rows[0].ticked
    leave_by(bench, window, "window")
    press(bench.qtbot, asked.anyway_button)
    wait(bench.qtbot, lambda: not living(TodayWindow))
    assert bench.project.alyx_today_window is None
    assert outbox.open().items() == ()


def test_two_quick_escapes_lose_nothing(bench):
    window = at_the_table(bench)
    tick(window, 0)
    for _ in range(2):
        bench.qtbot.keyClick(window, Qt.Key_Escape)
    assert window.isVisible()
    assert window.rows.rows[0].ticked


@pytest.mark.parametrize("button", ["give_button", "refresh_button"])
def test_a_second_enter_on_a_button_closes_nothing(bench, button):
    window = at_the_table(bench)
    tick(window, 0)
    getattr(window, button).setFocus()
    keys(bench, Qt.Key_Return, Qt.Key_Return)
    wait(bench.qtbot, lambda: window._give is None and window._fetch is None)
    assert window.isVisible()
    assert not window.question.isVisible()
    assert window.table.hasFocus() or window.table.isAncestorOf(QApplication.focusWidget())


def test_without_ticks_nothing_is_asked(bench):
    window = at_the_table(bench)
    tick(window, 0)
    keys(bench, Qt.Key_Space)
    type_amount(window, 1, "0.4")
    type_amount(window, 1, window.rows.rows[1].suggested)
    keys(bench, Qt.Key_Escape)
    wait(bench.qtbot, lambda: not living(TodayWindow))


def test_an_amount_that_is_being_typed_counts(bench):
    window = at_the_table(bench)
    keys(bench, Qt.Key_Return)
    bench.qtbot.keyClicks(editor(window), "0.4")
    window.close()
    assert window.question.isVisible()
    assert text(window, 0, AMOUNT) == "0.4"


def test_a_project_that_is_closed_meanwhile_takes_no_water_along(bench, outbox):
    window = at_the_table(bench)
    tick(window, 0)
    bench.project.close(silent=True)
    press(bench.qtbot, window.question.back_button)
    press(bench.qtbot, window.give_button)
    wait(bench.qtbot, lambda: window._give is None)
    assert [item.subject_name for item in outbox.open().items()] == [window.rows.rows[0].name]
    window.close()
    wait(bench.qtbot, lambda: not living(TodayWindow))


def test_closed_while_it_is_written_down_it_closes_when_that_is_done(bench, outbox):
    window = at_the_table(bench)
    tick(window, 0)
    press(bench.qtbot, window.give_button)
    for _ in range(2):
        window.close()
    assert window.isVisible()
    wait(bench.qtbot, lambda: not living(TodayWindow))
    assert len(outbox.open().items()) == 1


def test_closed_while_it_cannot_be_written_down_it_stays(bench, monkeypatch):
    def fail(*_arguments):
        raise OutboxError("The disk is full.", hint="")

    monkeypatch.setattr(today_window, "give_water", fail)
    window = at_the_table(bench)
    tick(window, 0)
    press(bench.qtbot, window.give_button)
    window.close()
    wait(bench.qtbot, lambda: window.question.isVisible())
    assert "The disk is full." in window.message.text()
    assert window.rows.rows[0].ticked


def test_the_work_grows_with_the_animals_not_with_their_square(bench, outbox, monkeypatch):
    bench.subject("thirsty")
    window = table(bench)
    fitted, taken = [], []
    fit, take = TodayView._fit, today_window.take_item
    monkeypatch.setattr(TodayView, "_fit", lambda view, first, last: (fitted.append(last), fit(view, first, last)))
    monkeypatch.setattr(today_window, "take_item", lambda row, item: (taken.append(row), take(row, item)))
    monkeypatch.setattr(window.table, "sizeHintForRow", lambda row: pytest.fail("a row was measured"), raising=False)
    count = window.rows.rowCount()
    for row in range(count):
        tick(window, row)
        type_amount(window, row, "0.1")
    del fitted[:]
    press(bench.qtbot, window.give_button)
    wait(
        bench.qtbot, lambda: all(row.item and row.item.state in {State.SENT, State.PARKED} for row in window.rows.rows)
    )
    changes = 4  # kept, being sent, sent, and once more
    assert count <= len(taken) <= changes * count
    assert len(fitted) <= changes * count


@pytest.mark.usefixtures("quick_retries")
def test_without_alyx_it_says_how_water_is_recorded(project, alyx, outbox, qtbot, menu, proxy):
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    bench.subject("thirsty")
    proxy.fault("drop", times=100_000)
    assert table(bench).message.text().endswith(WITHOUT_ALYX)


def weighed(alyx, nickname, grams) -> None:
    moment = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None, microsecond=0).isoformat()
    alyx.client.post("weighings", {"subject": nickname, "weight": grams, "date_time": moment, "user": "jose"})


def weight_cell(window, nickname) -> tuple[str, str | None, str | None, str]:
    cell = window.rows.index(rows(window)[nickname], WEIGHT)
    background, text = cell.data(Qt.BackgroundRole), cell.data(Qt.ForegroundRole)
    colours = [brush.color().name() if brush is not None else None for brush in (background, text)]
    return cell.data(), *colours, cell.data(Qt.ToolTipRole)


def test_a_weight_below_the_minimum_has_its_colour_and_says_so(bench, alyx):
    bench.subject("thirsty")
    weighed(alyx, "thirsty", 20.0)  # 22 g of reference and 3 g of implant: below 21.7 g
    weighed(alyx, "numbered", 18.0)
    window = table(bench)
    text, background, colour, tip = weight_cell(window, "thirsty")
    assert text.startswith("20.0 g  ")
    assert text.endswith(", too light")
    assert (background, colour) == (COLOURS[Level.BELOW].lower(), LOW_TEXT)
    assert tip.startswith(f"{text}: 1.7 g below the minimum of 21.7 g (")
    text, background, colour, tip = weight_cell(window, "numbered")
    assert text.endswith(", far too light")
    assert (background, colour) == (COLOURS[Level.FAR_BELOW].lower(), LOW_TEXT)
    text, background, colour, tip = weight_cell(window, "delegated")
    assert (background, colour) == (None, None)
    assert ": no limit set on Alyx (" in tip
    assert not text.endswith("light")


def test_the_tree_marks_the_animals_that_are_too_light(bench, alyx, monkeypatch):
    monkeypatch.setattr(tree_marks, "_AT_ONCE", 2)  # so that there are several turns
    subjects = {name: bench.subject(name) for name in ("thirsty", "culled", "watered", "free", "never_weighed")}
    plain = subjects["free"].node.icon(0).cacheKey()
    saved = bench.project.is_saved()
    elsewhere = bench.subject("twin", alyx_server="http://127.0.0.1:9")
    weighed(alyx, "thirsty", 20.0)
    weighed(alyx, "culled", 18.0)
    table(bench)
    icons = {name: subject.node.icon(0).cacheKey() for name, subject in subjects.items()}
    assert icons["free"] == icons["watered"] == icons["never_weighed"] == plain
    assert len({icons["thirsty"], icons["culled"], plain}) == 3
    tips = {name: subject.node.toolTip(0).splitlines()[-1] for name, subject in subjects.items()}
    assert tips["thirsty"].startswith("Too light: 20.0 g on ")
    assert ", 1.7 g below the minimum of 21.7 g (as of " in tips["thirsty"]
    assert tips["culled"].startswith("Far too light: 18.0 g on ")
    assert tips["watered"].startswith("Last weight: 22.5 g on ")
    assert "g above the minimum of 21.3 g (as of " in tips["watered"]
    assert "weight" not in tips["never_weighed"] + tips["free"]
    assert subjects["thirsty"].node.data(0, Qt.AccessibleDescriptionRole) == tips["thirsty"]
    assert "weight" not in elsewhere.node.toolTip(0)
    assert [subject.node.text(0) for subject in subjects.values()] == list(subjects)
    assert bench.project.is_saved() == saved  # it changes by itself


def test_the_mark_is_in_the_projects_copy_and_goes_with_the_restriction(bench, alyx, project):
    subject = bench.subject("thirsty")
    weighed(alyx, "thirsty", 20.0)
    table(bench)
    kept = subject.alyx["last_weight"]
    assert kept["level"] == "below"
    again = bench.subject("free", last_weight=kept)  # as it is read from the file, or kept by a sync
    assert again.node.icon(0).cacheKey() == subject.node.icon(0).cacheKey()
    refresh(bench, project.alyx_today_window)
    assert "last_weight" not in again.alyx
    assert again.node.icon(0).cacheKey() != subject.node.icon(0).cacheKey()
    for damaged in ("x", {"level": "below"}, {"level": 5, "text": "24.5 g"}):
        subject.alyx = {**subject.alyx, "last_weight": damaged}
        assert "too light" not in subject.node.toolTip(0).casefold()


def test_the_too_light_come_first_where_the_table_is_sorted_by_weight(bench, alyx):
    bench.subject("thirsty")
    weighed(alyx, "thirsty", 20.0)
    weighed(alyx, "numbered", 18.0)
    window = table(bench)
    before = [row.name for row in window.rows.rows]
    tick(window, rows(window)["thirsty"])
    window.table.go_to(rows(window)["thirsty"], AMOUNT)
    window.table.sortByColumn(WEIGHT, Qt.AscendingOrder)
    names = [row.name for row in window.rows.rows]
    light = [row.too_light for row in window.rows.rows]
    assert light == sorted(light, key=["far too light", "too light", ""].index)
    assert names.index("numbered") < names.index("thirsty") < light.index("")
    assert names[-1] == "never_weighed"
    assert sorted(names) == sorted(before)
    assert [row.name for row in window.rows.to_give()] == ["thirsty"]
    assert window.table.currentIndex().row() == names.index("thirsty")
    refresh(bench, window)
    assert [row.name for row in window.rows.rows] == names
    window.table.sortByColumn(ANIMAL, Qt.DescendingOrder)
    assert [row.name for row in window.rows.rows] == sorted(names, reverse=True)


def test_the_titles_are_whole_before_there_are_rows(qtbot):
    table = TodayView(TodayRows())
    qtbot.addWidget(table)
    header = table.horizontalHeader()
    assert [place for place in range(header.count()) if header.sectionSize(place) < header.sectionSizeHint(place)] == []


def water(alyx, nickname, hours_ago, amount=0.2) -> None:
    moment = dt.datetime.now(dt.timezone.utc) - dt.timedelta(hours=hours_ago)
    naive = moment.replace(tzinfo=None, microsecond=0).isoformat()
    values = {"subject": nickname, "water_administered": amount, "date_time": naive, "user": "jose"}
    alyx.client.post("water-administrations", values)


def show(bench, window, shown) -> None:
    window.choice.shown.setCurrentIndex(list(Shown).index(shown))


def test_the_animals_of_the_project_are_there_also_those_that_are_not_restricted(bench):
    bench.subject("free")
    bench.subject("annas")  # nobody said that jose may handle it
    window = table(bench)
    assert {"free", "annas"} - set(rows(window)) == {"free"}  # annas still has to be weighed
    show(bench, window, Shown.ALL)
    found = rows(window)
    assert text(window, found["free"], NEXT) == text(window, found["free"], AMOUNT) == ""
    assert text(window, found["free"], REMAINS) == "not restricted"
    assert [row.name for row in window.rows.rows][-1] == "free"


def test_the_urgent_come_first_and_it_is_said_what_comes_next(bench, alyx):
    bench.subject("free")
    weighed(alyx, "thirsty", 20.0)
    weighed(alyx, "numbered", 18.0)
    weighed(alyx, "watered", 24.0)
    water(alyx, "culled", 21)
    water(alyx, "watered", 0.01, 2)
    window = table(bench)
    show(bench, window, Shown.ALL)
    names = [row.name for row in window.rows.rows]
    assert names[:3] == ["numbered", "thirsty", "culled"]
    assert names[-2:] == ["watered", "free"]
    found = rows(window)
    assert [text(window, found[name], NEXT) for name in ("thirsty", "culled", "watered")] == [
        "water (G)",
        "weigh (W)",
        "",
    ]
    cell = window.rows.index(found["culled"], LAST_WATER)
    assert cell.data() == "21 h ago"
    assert cell.data(Qt.BackgroundRole).color().name() == COLOURS[Level.BELOW].lower()
    water(alyx, "culled", 22.5)
    assert window.rows.index(found["watered"], LAST_WATER).data(Qt.BackgroundRole) is None


def test_a_choice_and_a_search_show_some_and_hide_nothing_that_is_ticked(bench, alyx):
    bench.subject("thirsty")
    weighed(alyx, "thirsty", 20.0)
    window = table(bench)
    count = window.rows.rowCount()
    assert window.choice.shown.itemText(0) == f"Still to do ({count})"
    show(bench, window, Shown.TOO_LIGHT)
    assert [row.name for row in window.rows.rows] == ["thirsty"]
    show(bench, window, Shown.NOT_WEIGHED)
    assert "thirsty" not in rows(window)
    tick(window, rows(window)["culled"])
    show(bench, window, Shown.TOO_LIGHT)
    assert set(rows(window)) == {"thirsty", "culled"}
    show(bench, window, Shown.TO_DO)
    window.choice.search.setText("TWI")
    assert [row.name for row in window.rows.rows].count("twin") == 2
    assert set(rows(window)) == {"twin", "culled"}
    assert window.give_button.text() == "&Give ticked (1)"
    window.choice.search.clear()
    assert window.rows.rowCount() == count


def test_all_that_is_shown_is_ticked_and_what_needs_none_is_not(bench, alyx):
    bench.subject("free")
    window = table(bench)
    show(bench, window, Shown.ALL)
    window.choice.search.setText("e")
    press(bench.qtbot, window.tick_button)
    ticked = {row.name for row in window.rows.to_give()}
    assert ticked == {row.name for row in window.rows.rows if row.suggested}
    assert {"free", "never_weighed"} & set(rows(window)) == {"free", "never_weighed"}
    assert not {"free", "never_weighed"} & ticked
    press(bench.qtbot, window.tick_button)
    assert window.rows.to_give() == []


@pytest.mark.parametrize("nickname", ["thirsty", "delegated"])  # one of the project, one that is not
def test_a_weight_is_recorded_from_the_row_by_keys_and_shows_there(bench, alyx, outbox, nickname):
    bench.subject("thirsty")
    window = at_the_table(bench)
    before = len(alyx.of("weighings", nickname))
    window.table.go_to(rows(window)[nickname], ANIMAL)
    keys(bench, Qt.Key_W)
    (dialog,) = [one for one in living(WeightDialog) if one.isVisible()]
    bench.asked(dialog)
    assert dialog.alyx_subject.subject_id == alyx.row(nickname)["id"]
    bench.type(dialog.weight.edit, "24.1")
    bench.qtbot.keyClick(dialog.weight.edit, Qt.Key_Return)
    wait(bench.qtbot, lambda: "24.1 g" in text(window, rows(window)[nickname], WEIGHT))
    assert text(window, rows(window)[nickname], NEXT) == "water (G)"
    bench.recorded(dialog)
    wait(bench.qtbot, lambda: window._look is None)
    assert "24.1 g" in text(window, rows(window)[nickname], WEIGHT)  # also once it is on Alyx, which nobody asked again
    assert len(alyx.of("weighings", nickname)) == before + 1


def test_water_is_given_from_the_row_by_a_key(bench, outbox):
    bench.subject("thirsty")
    window = at_the_table(bench)
    window.table.go_to(rows(window)["thirsty"], ANIMAL)
    keys(bench, Qt.Key_G)
    (dialog,) = [one for one in living(WaterDialog) if one.isVisible()]
    bench.asked(dialog)
    bench.type(dialog.amount, "0.3")
    bench.qtbot.keyClick(dialog.amount, Qt.Key_Return)
    bench.recorded(dialog)
    wait(bench.qtbot, lambda: "0.30 mL as supplement" in given_today(window, rows(window)["thirsty"]))
    assert text(window, rows(window)["thirsty"], LAST_WATER) == "0 min ago"


def test_details_open_by_a_key_where_the_project_has_the_animal(bench):
    subject = bench.subject("thirsty")
    window = at_the_table(bench)
    window.table.go_to(rows(window)["delegated"], ANIMAL)
    keys(bench, Qt.Key_D)
    assert "delegated is not in this PyBpod project" in window.message.text()
    window.table.go_to(rows(window)["thirsty"], ANIMAL)
    keys(bench, Qt.Key_D)
    assert subject.alyx_details_window.isVisible()
    subject.close_alyx_details()


def test_letters_in_an_amount_and_in_the_search_open_nothing(bench):
    window = at_the_table(bench)
    keys(bench, Qt.Key_Return, Qt.Key_W, Qt.Key_G)
    assert window.table.is_editing
    keys(bench, Qt.Key_Escape)
    window.choice.search.setFocus()
    bench.qtbot.keyClicks(window.choice.search, "wgrd")
    assert [one for one in (*living(WeightDialog), *living(WaterDialog)) if one.isVisible()] == []


@pytest.mark.usefixtures("quick_retries")
def test_without_alyx_it_shows_what_was_answered_and_what_was_recorded_since(bench, proxy, alyx, outbox):
    bench.url = proxy.url
    bench.log_in()
    bench.subject("thirsty")
    window = table(bench)
    before = window.rows.rows
    place = rows(window)["thirsty"]
    tick(window, place)
    type_amount(window, place, "0.2")
    press(bench.qtbot, window.give_button)
    wait(bench.qtbot, lambda: "It is on Alyx." in text(window, place, RESULT))
    window.close()
    proxy.fault("drop", times=100_000)
    window = table(bench)
    assert [row.name for row in window.rows.rows] == [row.name for row in before]
    said = window.message.text()
    assert "Shown is what Alyx answered today at " in said
    assert proxy.url[7:] in said
    # it reached Alyx after that answer: without it the animal would get its water twice
    assert "0.20 mL as supplement" in given_today(window, rows(window)["thirsty"])
    place = rows(window)["culled"]
    tick(window, place)
    press(bench.qtbot, window.give_button)
    wait(bench.qtbot, lambda: "Kept on this computer" in text(window, place, RESULT))
    wait(bench.qtbot, lambda: window._look is None and window._give is None)
    assert "0.96 mL as supplement" in given_today(window, rows(window)["culled"])
    stop_outbox()
    alyx.client.list("water-administrations")


def test_the_sheet_has_what_is_shown_and_room_to_write(bench, tmp_path):
    bench.subject("thirsty")
    window = table(bench)
    window.choice.search.setText("th")
    page = sheet_html(window.shown, window.rows.rows)
    assert "thirsty" in page
    assert "never_weighed" not in page
    assert "Weight now" in page
    press(bench.qtbot, window.print_button)
    (dialog,) = [one for one in living(SheetDialog) if one.isVisible()]
    assert "thirsty" in dialog.page.toPlainText()
    dialog.save_pdf(str(tmp_path / "sheet.pdf"))
    assert (tmp_path / "sheet.pdf").read_bytes().startswith(b"%PDF")
    dialog.close()


def in_advance(bench, window):
    press(bench.qtbot, window.later_button)
    return window.in_advance.dialog


def test_water_for_days_to_come_is_recorded_for_each_animal_and_day_once(bench, alyx, outbox):
    bench.subject("thirsty")
    window = table(bench)
    for name in ("thirsty", "culled", "never_weighed"):
        tick(window, rows(window)[name])
    dialog = in_advance(bench, window)
    dialog.days.setValue(3)
    assert "never_weighed" in dialog.message.text()
    assert dialog.record_button.text() == "&Record 6 x water"
    press(bench.qtbot, dialog.record_button)
    wait(bench.qtbot, lambda: len(outbox.open().items(states=(State.SENT,))) == 6)
    today = dt.datetime.now(dt.timezone.utc).date()
    for name in ("thirsty", "culled"):
        given = alyx.of("water-administrations", name)
        assert sorted(row["date_time"][:10] for row in given) == [
            f"{today + dt.timedelta(days=number)}" for number in (1, 2, 3)
        ]
        assert {row["water_type"] for row in given} == {"Hydrogel"}
    assert {row["water_administered"] for row in alyx.of("water-administrations", "culled")} == {0.96}
    assert window.unrecorded == ""  # the ticks were for this
    wait(bench.qtbot, lambda: window._look is None)
    assert "Needs 0.96 mL today. Given today: 0.00 mL" in given_today(window, rows(window)["culled"])
    refresh(bench, window)
    tick(window, rows(window)["culled"])
    dialog = in_advance(bench, window)
    dialog.days.setValue(4)
    assert dialog.record_button.text() == "&Record 1 x water"  # three of these days have water already
    assert f"{today + dt.timedelta(days=3):%a %d %b}" in dialog.table.item(0, 3).text()
    dialog.reject()


def test_ad_lib_and_one_amount_for_all(bench, alyx, outbox):
    bench.subject("thirsty")
    window = table(bench)
    for name in ("culled", "never_weighed"):
        tick(window, rows(window)[name])
    dialog = in_advance(bench, window)
    bench.qtbot.keyClicks(dialog.amount, "x")
    assert dialog.same.isChecked()
    assert not dialog.record_button.isEnabled()
    bench.type(dialog.amount, "1.2")
    assert [dialog.table.item(place, 1).text() for place in (0, 1)] == ["1.20", "1.20"]
    dialog.ad_lib.setChecked(True)
    dialog.days.setValue(1)
    press(bench.qtbot, dialog.record_button)
    wait(bench.qtbot, lambda: len(outbox.open().items(states=(State.SENT,))) == 2)
    (given,) = alyx.of("water-administrations", "never_weighed")
    assert given["adlib"] is True


def test_who_cancels_the_water_of_later_days_keeps_the_ticks(bench, outbox):
    bench.subject("thirsty")
    window = table(bench)
    tick(window, rows(window)["culled"])
    dialog = in_advance(bench, window)
    bench.qtbot.keyClick(dialog, Qt.Key_Escape)
    assert [row.name for row in window.rows.to_give()] == ["culled"]
    assert outbox.open().items() == ()


def test_no_cell_shows_a_name_as_html(bench):
    bench.subject("thirsty")
    window = table(bench)
    row = window.rows.rows[0]
    row.seen = replace(row.seen, animal=replace(row.seen.animal, name="<img src=//host/x>", lab="<b>lab"))
    row.result = "<i>result"
    tips = [window.rows.index(0, column).data(Qt.ToolTipRole) for column in range(window.rows.columnCount())]
    assert [
        tip for tip in tips if tip and Qt.mightBeRichText(tip) and ("<img" in tip or "<b>" in tip or "<i>" in tip)
    ] == []
    assert "&lt;img src=//host/x&gt;" in tips[ANIMAL]
