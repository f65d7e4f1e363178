"""Weigh all… in the real PyBpod: ten animals are ten times (value, Enter), and nothing of it is lost."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import TYPE_CHECKING, Any

import pytest
from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QApplication

from alyx_connector.accounts import Accounts
from pybpod_alyx_module.animals.weigh_all.round import Choice
from pybpod_alyx_module.animals.weight import WeightNote
from pybpod_alyx_module.gui.running_outbox import running_outbox, stop_outbox
from pybpod_alyx_module.gui.sync.project_login import record_as
from pybpod_alyx_module.gui.weigh_all import curve
from pybpod_alyx_module.gui.weigh_all.animal_panel import ALL_WEIGHED
from pybpod_alyx_module.gui.weigh_all.round_table import ANIMAL, EXPECTED, TODAY, WHERE
from pybpod_alyx_module.gui.weigh_all.weigh_all_window import NOBODY, WEIGH_ALL, WITHOUT_ALYX, WeighAllWindow
from pybpod_alyx_module.host.project import HostProject
from pybpod_alyx_module.outbox.items import State
from tests.gui.hands import activate, living, press, small_enough, wait
from tests.gui.rig_windows import Bench, alyx, alyx_home, bench, lab_today, outbox, proxy
from tests.gui.test_weight_scale import sending
from tests.system.test_scale import scale

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["alyx", "alyx_home", "bench", "outbox", "proxy", "scale", "sending"]

_numbers = itertools.count(1)


@pytest.fixture
def make_animals(alyx):
    """Give a function that makes animals of a test's own, which nobody weighed yet."""

    def make(count: int, **more: Any) -> list[str]:
        place = next(_numbers)
        names = [f"w{place}x{number}" for number in range(1, count + 1)]
        for name in names:
            alyx.client.post("subjects", {"nickname": name, "lab": "home", "responsible_user": "jose", **more})
        return names

    return make


@pytest.fixture(autouse=True)
def closed(project, outbox) -> Iterator[None]:
    """Leave no window."""
    yield
    for window in living(WeighAllWindow):
        window._may_lose = True
        window.close()
    stop_outbox()


@pytest.fixture(autouse=True)
def nobody_stays(monkeypatch) -> None:
    """The curve is asked for by its own test alone."""
    monkeypatch.setattr(curve, "STAYS_MS", 1_000_000)


def weigh_all(bench: Bench, *names: str) -> WeighAllWindow:
    """Open the window for these animals, and wait until Alyx answered and the outbox was read."""
    for name in names:
        bench.subject(name)
    bench.menu.trigger(bench.project.node, WEIGH_ALL)
    window = bench.project.alyx_weigh_window
    answered(bench, window)
    activate(bench.qtbot, window)
    assert window.focusWidget() is (window.panel.weight.edit if window.current is not None else window.search)
    return window


def answered(bench: Bench, window: WeighAllWindow) -> None:
    wait(bench.qtbot, lambda: not window.weighing.is_asking and window.weighing._look is None)


def keys(bench: Bench, text: str) -> None:
    """Type where the keyboard is, as a hand does: a ⏎ is Enter."""
    for sign in text:
        where = QApplication.focusWidget()
        if sign == "⏎":
            bench.qtbot.keyClick(where, Qt.Key_Return)
        else:
            bench.qtbot.keyClicks(where, sign)


def weighed_today(alyx, name: str, grams: float) -> None:
    """Have an animal weighed elsewhere, before anything that is recorded here."""
    moment = f"{lab_today()}T00:00:00"
    alyx.client.post("weighings", {"subject": name, "weight": grams, "date_time": moment, "user": "jose"})


def key(bench: Bench, which: int) -> None:
    bench.qtbot.keyClick(QApplication.focusWidget(), which)


def kept(bench: Bench, window: WeighAllWindow) -> None:
    wait(bench.qtbot, lambda: not window.weighing.line.is_busy)


def cell(window: WeighAllWindow, name: str, column: int) -> str:
    (place,) = [place for place, row in enumerate(window.rows.rows) if row.name == name]
    return window.rows.index(place, column).data()


def weights(alyx, name: str) -> list[float]:
    return sorted(row["weight"] for row in alyx.of("weighings", name))


def waits_on_alyx(bench: Bench, window: WeighAllWindow, *names: str) -> None:
    wait(bench.qtbot, lambda: all(cell(window, name, WHERE) == "on Alyx" for name in names))


def test_ten_animals_are_ten_times_a_value_and_enter(bench, alyx, make_animals, outbox):
    names = make_animals(10)
    window = weigh_all(bench, *reversed(names))
    assert small_enough(window)
    assert [row.name for row in window.rows.rows] == names  # w1x10 after w1x9
    assert window.panel.name.whole == names[0]
    given = [20 + number / 2 for number in range(10)]
    keys(bench, "".join(f"{weight}⏎" for weight in given))
    assert window.current is None
    assert window.panel.name.whole == ALL_WEIGHED
    wait(bench.qtbot, lambda: window.count.whole == "10 of 10 weighed today")
    waits_on_alyx(bench, window, *names)
    assert [weights(alyx, name) for name in names] == [[weight] for weight in given]
    assert {row["user"] for name in names for row in alyx.of("weighings", name)} == {"jose"}
    assert [item.subject_name for item in outbox.open().items()] == names
    assert cell(window, names[0], ANIMAL) == f"✓ {names[0]}"
    assert cell(window, names[0], TODAY).startswith("20.0 g, ")
    assert "It is on Alyx." in window.panel.recorded.text()
    assert window.unrecorded == ""


def test_two_quick_enters_record_once(bench, alyx, make_animals, outbox):
    names = make_animals(2)
    window = weigh_all(bench, *names)
    keys(bench, "21⏎⏎⏎")
    assert window.current.name == names[1]
    assert "press Down to skip" in window.panel.problem.text()
    waits_on_alyx(bench, window, names[0])
    assert [len(alyx.of("weighings", name)) for name in names] == [1, 0]
    assert len(outbox.open().items()) == 1


def test_what_is_no_weight_is_said_and_nothing_is_recorded(bench, make_animals, outbox):
    (name,) = make_animals(1)
    window = weigh_all(bench, name)
    keys(bench, "2o⏎")
    assert "The weight '2o' is in o, not in g." in window.panel.problem.text()
    assert window.current.name == name
    assert outbox.open().items() == ()
    keys(bench, "21⏎")  # it is selected
    waits_on_alyx(bench, window, name)


def test_out_of_range_is_asked_in_the_window_and_is_safe_meanwhile(bench, alyx, make_animals, outbox):
    names = make_animals(3)
    for name in names:
        weighed_today(alyx, name, 24.0 if name != names[2] else 31.0)
    window = weigh_all(bench, *names)
    assert window.panel.name.whole == ALL_WEIGHED
    window.in_front.choose(window.rows.rows[0])
    keys(bench, "31⏎")
    asked = window.panel.question
    assert asked.isVisible()
    assert f"31.0 g is 29.2 % more than the 24.0 g of {names[0]}" in asked.text.text()
    assert f"It fits {names[2]} better than {names[0]}" in asked.text.text()
    kept(bench, window)
    (item,) = outbox.open().items()
    assert (item.state, item.values["weight"]) == (State.PARKED, 31.0)
    assert "29.2 % more" in item.reason
    window.in_front.choose(window.rows.rows[1])  # not while it asks
    assert window.current.name == names[0]
    key(bench, Qt.Key_Return)  # Correct
    assert not asked.isVisible()
    kept(bench, window)
    assert outbox.open().item(item.key).state is State.DISCARDED
    keys(bench, "32⏎")
    assert asked.isVisible()
    key(bench, Qt.Key_R)  # record all the same
    assert not asked.isVisible()
    kept(bench, window)
    wait(bench.qtbot, lambda: 32.0 in weights(alyx, names[0]))
    assert weights(alyx, names[0]) == [24.0, 32.0]


def test_below_the_minimum_is_asked_and_shown_in_words_and_colour(bench, alyx):
    window = weigh_all(bench, "culled")
    assert "Last weight: 23.9 g on " in window.panel.last.text()
    keys(bench, "18.5⏎")
    assert "Too light: 2.8 g below the minimum of 21.3 g." in window.panel.question.text.text()
    key(bench, Qt.Key_R)
    waits_on_alyx(bench, window, "culled")
    assert cell(window, "culled", EXPECTED) == "74.0 %, far too light"
    assert window.rows.index(0, EXPECTED).data(Qt.BackgroundRole).color().name() == "#ffc9d2"
    assert "far too light" in window.panel.recorded.text()
    assert "74.0 % of the expected 25.0 g" in window.panel.recorded.text()
    subject = bench.project.subjects[-1]
    assert "ar too light: 18.5 g on " in subject.node.toolTip(0)
    assert alyx.client.get(("water-requirement", "culled"))["records"][-1]["percentage_weight"] == pytest.approx(74.0)


def test_the_implant_is_taken_off_as_alyx_does(bench, alyx):
    window = weigh_all(bench, "thirsty")
    keys(bench, "24⏎")
    waits_on_alyx(bench, window, "thirsty")
    today = alyx.client.get(("water-requirement", "thirsty"))["records"][-1]
    assert cell(window, "thirsty", EXPECTED) == f"{today['percentage_weight']:.1f} %"
    assert f"the minimum of {today['min_weight']:.1f} g" in window.panel.recorded.text()


def test_it_goes_on_where_it_stopped_also_after_another_start(bench, alyx, make_animals, outbox):
    names = make_animals(4)
    window = weigh_all(bench, *names)
    keys(bench, "21⏎22⏎")
    waits_on_alyx(bench, window, *names[:2])
    window.close()
    assert bench.project.alyx_weigh_window is None
    weighed_today(alyx, names[2], 23.0)  # on another rig
    stop_outbox()  # as PyBpod ends
    again = weigh_all(bench)
    assert again.current.name == names[3]
    wait(bench.qtbot, lambda: again.count.whole == "3 of 4 weighed today")
    assert cell(again, names[2], WHERE) == "on Alyx"
    assert cell(again, names[0], TODAY).startswith("21.0 g, ")


@pytest.mark.usefixtures("quick_retries")
def test_without_alyx_it_is_kept_and_sent_later_and_resumed(project, alyx, outbox, proxy, qtbot, menu, make_animals):
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    names = make_animals(3)
    for name in names:
        bench.subject(name)
    project.subjects[-3].alyx_note_weight(WeightNote(None, "24.5 g on 2026-11-27 at 18:00"))
    proxy.fault("drop", times=100_000)
    window = weigh_all(bench)
    wait(qtbot, lambda: WITHOUT_ALYX in window.message.text())
    assert window.panel.last.text() == "Last weight, from the project's copy: 24.5 g on 2026-11-27 at 18:00."
    keys(bench, "21⏎22⏎")
    kept(bench, window)
    wait(bench.qtbot, lambda: window.count.whole == "2 of 3 weighed today")
    assert cell(window, names[0], WHERE) == "kept here"
    window.close()
    window = weigh_all(bench)
    assert window.current.name == names[2]
    keys(bench, "23⏎")
    kept(bench, window)
    proxy._faults.clear()
    outbox.wake()
    waits_on_alyx(bench, window, *names)
    assert [weights(alyx, name) for name in names] == [[21.0], [22.0], [23.0]]


@pytest.mark.usefixtures("quick_retries")
def test_without_alyx_a_missing_point_is_asked_about(project, alyx, outbox, proxy, qtbot, menu, make_animals):
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    names = make_animals(2)
    bench.subject(names[0], species="Laboratory mouse", reference_weight=25.0)
    bench.subject(names[1])
    proxy.fault("drop", times=100_000)
    window = weigh_all(bench)
    keys(bench, "11⏎")
    assert f"11.0 g is 44 % of {names[0]}'s reference weight of 25.0 g." in window.panel.question.text.text()
    key(bench, Qt.Key_Return)
    keys(bench, "244⏎")
    assert "outside what an animal of the species Laboratory mouse can weigh" in window.panel.question.text.text()
    key(bench, Qt.Key_Return)
    keys(bench, "24.4⏎")
    assert window.current.name == names[1]
    kept(bench, window)
    assert [(item.values["weight"], item.state) for item in outbox.open().items()][-1] == (24.4, State.WAITING)


def test_enter_before_alyx_answered_is_kept_and_compared_then(project, alyx, outbox, proxy, qtbot, menu, make_animals):
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    names = make_animals(3)
    weighed_today(alyx, names[1], 21.0)
    for name in names:
        bench.subject(name)
    proxy.fault("hold", path="/subjects", method="GET", times=100)
    menu.trigger(project.node, WEIGH_ALL)
    window = project.alyx_weigh_window
    activate(qtbot, window)
    keys(bench, "21⏎35⏎")
    kept(bench, window)
    assert [item.state for item in outbox.open().items()] == [State.PARKED, State.PARKED]
    keys(bench, "22")
    proxy.release()
    answered(bench, window)
    assert not window.panel.question.isVisible()  # not while somebody types
    assert (window.current.name, window.panel.weight.edit.text()) == (names[2], "22")
    keys(bench, "⏎")
    assert window.panel.question.isVisible()
    assert window.current.name == names[1]
    assert "66.7 % more" in window.panel.question.text.text()
    key(bench, Qt.Key_Return)
    assert window.panel.weight.edit.text() == "35"
    keys(bench, "21.5⏎")
    assert window.current is None
    waits_on_alyx(bench, window, *names)
    assert [weights(alyx, name) for name in names] == [[21.0], [21.0, 21.5], [22.0]]


def test_skipped_found_and_corrected(bench, alyx, make_animals, outbox):
    names = make_animals(4)
    window = weigh_all(bench, *names)
    key(bench, Qt.Key_Down)
    key(bench, Qt.Key_PageDown)
    assert window.current.name == names[2]
    key(bench, Qt.Key_Up)
    assert window.current.name == names[1]
    bench.qtbot.keyClick(window.panel.weight.edit, Qt.Key_F, Qt.ControlModifier)
    keys(bench, names[3][-3:])
    assert [row.name for row in window.rows.rows] == [names[3]]
    key(bench, Qt.Key_Return)
    assert (window.current.name, window.search.text()) == (names[3], "")
    keys(bench, "24⏎")
    assert window.current.name == names[0]  # those that were skipped come again
    waits_on_alyx(bench, window, names[3])
    key(bench, Qt.Key_F2)
    assert (window.current.name, window.panel.weight.edit.text()) == (names[3], "24")
    assert window.unrecorded == ""
    keys(bench, "25⏎")
    assert window.current.name == names[0]
    wait(bench.qtbot, lambda: weights(alyx, names[3]) == [24.0, 25.0])
    wait(bench.qtbot, lambda: "stays listed there" in window.panel.recorded.text())


@pytest.mark.usefixtures("quick_retries")
def test_what_waits_is_corrected_without_a_trace_on_alyx(project, alyx, outbox, proxy, qtbot, menu, make_animals):
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    names = make_animals(2)
    window = weigh_all(bench, *names)
    proxy.fault("answer", method="POST", status=429, headers={"Retry-After": "3000"}, body={"detail": "x"}, times=1)
    keys(bench, "24⏎")
    kept(bench, window)
    wait(qtbot, lambda: [item.attempts for item in outbox.open().items()] == [1])
    key(bench, Qt.Key_F2)
    keys(bench, "25⏎")
    kept(bench, window)
    assert [item.state for item in outbox.open().items()] == [State.DISCARDED, State.WAITING]
    assert "stays listed" not in window.panel.recorded.text()
    outbox.wake()
    waits_on_alyx(bench, window, names[0])
    assert weights(alyx, names[0]) == [25.0]


def test_what_is_typed_stays_with_its_animal_and_is_asked_about_before_it_goes(bench, make_animals, outbox):
    names = make_animals(3)
    window = weigh_all(bench, *names)
    keys(bench, "21")
    key(bench, Qt.Key_Down)
    assert window.panel.weight.edit.text() == ""
    assert cell(window, names[0], TODAY) == "21 typed"
    keys(bench, "22")
    assert window.unrecorded == f"what you typed for {names[0]}, {names[1]}"
    window.close()
    assert window.isVisible()
    assert f"What you typed for {names[0]}, {names[1]} has not been recorded." in window.panel.question.text.text()
    key(bench, Qt.Key_Escape)
    assert not window.panel.question.isVisible()
    assert window.panel.weight.edit.text() == "22"
    window.in_front.choose(window.rows.rows[0])
    assert window.panel.weight.edit.text() == "21"
    window.close()
    press(bench.qtbot, window.panel.question.anyway_button)
    wait(bench.qtbot, lambda: not living(WeighAllWindow))
    assert outbox.open().items() == ()


def test_what_is_typed_for_the_only_one_left_stays_in_the_field(bench, make_animals):
    names = make_animals(2)
    window = weigh_all(bench, *names)
    keys(bench, "21⏎22")
    key(bench, Qt.Key_Down)
    assert (window.current.name, window.panel.weight.edit.text()) == (names[1], "22")
    window.table.clicked.emit(window.rows.index(1, 0))
    assert window.panel.weight.edit.text() == "22"
    window.in_front.choose(window.rows.rows[0])
    keys(bench, "23")
    key(bench, Qt.Key_F2)  # it is the last one itself
    assert window.panel.weight.edit.text() == "23"
    assert window.unrecorded == f"what you typed for {names[1]}, {names[0]}"


def test_an_outbox_that_cannot_be_written_keeps_what_was_typed(project, alyx, outbox, alyx_home, qtbot, menu):
    bench = Bench(project, alyx, qtbot, menu, alyx.url)
    bench.log_in()
    (alyx_home / "outbox.sqlite").mkdir()
    for name in ("free", "released"):
        bench.subject(name)
    menu.trigger(project.node, WEIGH_ALL)
    window = project.alyx_weigh_window
    answered(bench, window)
    activate(qtbot, window)
    keys(bench, "24.3⏎")
    kept(bench, window)
    assert "The weight of free was not recorded. " in window.panel.problem.text()
    assert (window.current.name, window.panel.weight.edit.text()) == ("free", "24.3")


def test_whom_a_person_chose_stays_in_front_when_alyx_answers_again(bench, alyx, make_animals):
    names = make_animals(3)
    window = weigh_all(bench, *names)
    window.in_front.choose(window.rows.rows[1])
    weighed_today(alyx, names[1], 23.0)  # on another rig
    press(bench.qtbot, window.again_button)
    answered(bench, window)
    wait(bench.qtbot, lambda: window.count.whole == "1 of 3 weighed today")
    assert window.current.name == names[1]
    assert "Weighed today: 23.0 g at " in window.panel.last.text()


def test_who_was_weighed_elsewhere_is_passed_over_as_long_as_nothing_was_done(bench, alyx, make_animals):
    names = make_animals(3)
    window = weigh_all(bench, *names)
    assert window.current.name == names[0]
    weighed_today(alyx, names[0], 23.0)
    press(bench.qtbot, window.again_button)
    answered(bench, window)
    assert window.current.name == names[1]


def test_nobody_logged_in_is_said_and_what_was_typed_stays(project, alyx, outbox, qtbot, menu):
    bench = Bench(project, alyx, qtbot, menu, alyx.url)
    window = weigh_all(bench, "free")
    wait(qtbot, lambda: "Nobody is logged in at" in window.message.text())
    assert WITHOUT_ALYX not in window.message.text()
    assert window.log_in_button.isEnabled()
    keys(bench, "24.3⏎")
    kept(bench, window)
    assert "Nobody is logged in at" in window.panel.problem.text()
    assert "setting" not in window.panel.problem.text()
    assert (window.current.name, window.panel.weight.edit.text()) == ("free", "24.3")
    assert outbox.open().items() == ()


def test_a_choice_of_animals(bench, make_animals):
    names = make_animals(2)
    window = weigh_all(bench, *names, "watered", "thirsty", "dead")
    assert [row.name for row in window.rows.rows] == ["thirsty", *names, "watered"]
    window.choice.setCurrentIndex(list(Choice).index(Choice.RESTRICTED))
    window.choice.activated.emit(window.choice.currentIndex())
    assert [row.name for row in window.rows.rows] == ["thirsty", "watered"]
    window.choice.setCurrentIndex(list(Choice).index(Choice.NOT_WEIGHED))
    window.choice.activated.emit(window.choice.currentIndex())
    assert "watered" not in [row.name for row in window.rows.rows]
    assert names[0] in [row.name for row in window.rows.rows]


def test_nobody_to_weigh_is_said(bench):
    bench.menu.trigger(bench.project.node, WEIGH_ALL)
    wait(bench.qtbot, lambda: NOBODY in bench.project.alyx_weigh_window.message.text())


def test_animals_that_are_renamed_or_taken_out_while_it_is_open(bench, alyx, make_animals, host):
    names = make_animals(3)
    window = weigh_all(bench, *names)
    keys(bench, "21")
    first, second, third = bench.project.subjects[-3:]
    first.remove(silent=True)
    second.remove(silent=True)
    third.name = "renamed"
    activate(bench.qtbot, host.window())
    activate(bench.qtbot, window)
    assert [row.name for row in window.rows.rows] == ["renamed", names[0]]
    assert "was taken out of the PyBpod project" in window.panel.notice.text()
    keys(bench, "⏎")
    wait(bench.qtbot, lambda: weights(alyx, names[0]) == [21.0])
    keys(bench, "22⏎")
    wait(bench.qtbot, lambda: weights(alyx, names[2]) == [22.0])


def test_few_requests_for_many_animals(project, alyx, outbox, proxy, qtbot, menu, make_animals):
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    names = make_animals(12)
    for name in names:
        bench.subject(name)
    before = len(proxy.requests)
    weigh_all(bench)
    assert len(proxy.requests) - before <= 12


def test_who_may_not_handle_an_animal_is_told(bench):
    window = weigh_all(bench, "annas")
    assert "ana is responsible for annas and does not let jose handle it." in window.panel.notice.text()


def test_what_the_lists_cannot_judge_is_asked_for_when_it_is_in_front(bench, alyx, proxy):
    bench.url = proxy.url
    bench.log_in()
    window = weigh_all(bench, "never_weighed", "thirsty")
    before = len(proxy.requests)
    window.in_front.choose(window.rows.rows[0])
    row = window.current
    assert row.name == "never_weighed"
    wait(bench.qtbot, lambda: row.asked is not None)
    assert any(seen.path.startswith("/water-requirement/never_weighed") for seen in proxy.requests)
    assert not any(seen.path.startswith("/water-requirement/thirsty") for seen in proxy.requests)
    keys(bench, "23")
    assert "As typed: 92.0 % of the expected 25.0 g" in window.panel.as_typed.text()
    asked = len(proxy.requests)
    window.in_front.choose(window.rows.rows[1])
    window.in_front.choose(row)
    bench.qtbot.wait(50)
    assert len(proxy.requests) == asked > before  # once
    window.panel.weight.begin_next()


def test_another_user_records_from_then_on(bench, alyx, make_animals, outbox):
    names = make_animals(2)
    window = weigh_all(bench, *names)
    wait(bench.qtbot, lambda: window.user.whole == f"as jose at {bench.url[7:]}")
    keys(bench, "21⏎22")
    waits_on_alyx(bench, window, names[0])
    client = type(alyx.client)(alyx.url)
    token = client.login("priya", "priya-demo")
    Accounts().remember(alyx.url, "priya", token, keep_token=True)
    record_as(bench.project, alyx.url, "priya")
    answered(bench, window)
    wait(bench.qtbot, lambda: window.user.whole == f"as priya at {bench.url[7:]}")
    assert window.panel.weight.edit.text() == "22"
    keys(bench, "⏎")
    kept(bench, window)
    assert [item.username for item in outbox.open().items()] == ["jose", "priya"]


def test_decided_in_the_outbox_window(bench, alyx, make_animals, outbox):
    names = make_animals(2)
    for name in names:
        weighed_today(alyx, name, 24.0)
    window = weigh_all(bench, *names)
    for place, decide in enumerate((outbox.open().discard, outbox.open().retry)):
        window.in_front.choose(window.rows.rows[place])
        keys(bench, "31⏎")
        kept(bench, window)
        decide(window.current.record.item.key)
        outbox.wake()
        wait(bench.qtbot, lambda: not window.panel.question.isVisible())
        assert window.rows.rows[place].record is None
    wait(bench.qtbot, lambda: 31.0 in weights(alyx, names[1]))
    assert weights(alyx, names[0]) == [24.0]


@pytest.mark.parametrize("doubtful", [False, True])
def test_closed_while_it_is_compared_it_comes_back_only_to_ask(
    project, alyx, outbox, proxy, qtbot, menu, make_animals, doubtful
):
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    (name,) = make_animals(1)
    weighed_today(alyx, name, 21.0)
    bench.subject(name)
    proxy.fault("hold", path="/subjects", method="GET", times=100)
    menu.trigger(project.node, WEIGH_ALL)
    window = project.alyx_weigh_window
    activate(qtbot, window)
    keys(bench, "35⏎" if doubtful else "21.5⏎")
    window.close()
    assert not window.isVisible()
    assert project.alyx_weigh_window is window
    proxy.release()
    if doubtful:
        wait(qtbot, window.isVisible)
        assert "66.7 % more" in window.panel.question.text.text()
        press(qtbot, window.panel.question.anyway_button)
        kept(bench, window)
        window.close()
    wait(qtbot, lambda: not living(WeighAllWindow))
    wait(qtbot, lambda: weights(alyx, name) == [21.0, 35.0 if doubtful else 21.5])


def test_closed_with_a_question_open_it_stays_in_the_outbox_and_is_told(bench, alyx, make_animals, outbox, dialogs):
    (name,) = make_animals(1)
    weighed_today(alyx, name, 24.0)
    window = weigh_all(bench, name)
    window.in_front.choose(window.rows.rows[0])
    keys(bench, "31⏎")
    kept(bench, window)
    window.close()
    wait(bench.qtbot, lambda: not living(WeighAllWindow))
    assert f"The weight of {name} has not been sent. 31.0 g is 29.2 % more" in dialogs.log[-1][1]
    (item,) = outbox.open().items()
    assert (item.state, weights(alyx, name)) == (State.PARKED, [24.0])
    again = weigh_all(bench)
    assert cell(again, name, WHERE) == "action needed"


def test_it_closes_with_the_project_unless_something_is_typed(bench, alyx, make_animals):
    (name,) = make_animals(1)
    window = weigh_all(bench, name)
    keys(bench, "21.4")
    bench.project.close(silent=True)
    assert window.isVisible()
    assert "has not been recorded" in window.panel.question.text.text()
    key(bench, Qt.Key_Escape)
    keys(bench, "⏎")
    wait(bench.qtbot, lambda: weights(alyx, name) == [21.4])
    window.close()
    wait(bench.qtbot, lambda: not living(WeighAllWindow))


def test_three_hundred_animals(project, alyx, outbox, proxy, qtbot, menu):
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    names = [f"many{number}" for number in range(300)]
    for name in names:
        alyx.client.post("subjects", {"nickname": name, "lab": "home", "responsible_user": "jose"})
    ids = {row["nickname"]: row for row in alyx.client.list("subjects", {"responsible_user": "jose"})}
    holder = HostProject(project, running_outbox().hold)
    for name in names:
        record = {**ids[name], "alyx_server": proxy.url}
        holder.add(name, record.pop("id"), record)
    before = len(proxy.requests)
    window = weigh_all(bench)
    assert len(proxy.requests) - before <= 16
    assert [row.name for row in window.rows.rows] == names
    keys(bench, "21⏎22⏎")
    assert window.current.name == "many2"
    wait(bench.qtbot, lambda: window.count.whole == "2 of 300 weighed today")
    waits_on_alyx(bench, window, "many0", "many1")
    bench.qtbot.keyClick(window.panel.weight.edit, Qt.Key_F, Qt.ControlModifier)
    keys(bench, "many299⏎23⏎")
    waits_on_alyx(bench, window, "many299")
    assert weights(alyx, "many299") == [23.0]


def test_a_scale_fills_the_field_and_enter_records_it_once_for_each_animal(bench, sending, alyx, make_animals):
    names = make_animals(2)
    window = weigh_all(bench, *names)
    field = window.panel.weight
    for name, line in zip(names, ("24.3 g", "25.3 g"), strict=True):
        wait(bench.qtbot, lambda: field.scale.text().endswith(": 0.00 g"))
        sending.line = line
        wait(bench.qtbot, lambda line=line: f"{field.edit.text()} g" == line)
        assert field.source.text() == "from the scale"
        assert window.unrecorded == ""
        keys(bench, "⏎")
        waits_on_alyx(bench, window, name)
        if name == names[0]:  # it is still on the pan: that is not the next one's weight
            wait(bench.qtbot, lambda: "Take the animal off first" in field.scale.text())
            assert field.edit.text() == ""
            keys(bench, "⏎")
            assert "press Down to skip" in window.panel.problem.text()
        sending.line = "0.0 g"
    assert [weights(alyx, name) for name in names] == [[24.3], [25.3]]


def test_the_curve_of_the_animal_in_front_is_drawn_once_somebody_stays(
    project, alyx, outbox, proxy, qtbot, menu, make_animals, monkeypatch
):
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    names = make_animals(3)
    for day in range(1, 5):
        when = f"{lab_today() - dt.timedelta(days=day)}T12:00:00"
        alyx.client.post("weighings", {"subject": names[0], "weight": 24.0, "date_time": when, "user": "jose"})
    window = weigh_all(bench, *names)
    shown = window.curve
    before = len(proxy.requests)
    for row in window.rows.rows:
        window.in_front.choose(row)
        wait(qtbot, lambda row=row: shown._row is row)
    assert len(proxy.requests) == before  # who goes on quickly asks nothing
    monkeypatch.setattr(curve, "STAYS_MS", 1)
    window.in_front.choose(window.rows.rows[0])
    wait(qtbot, shown.isVisible)
    assert shown.plot._history.name == names[0]
    assert len(shown.plot._history.weighings) == 4
    assert window.focusWidget() is window.panel.weight.edit
    asked = len(proxy.requests)
    monkeypatch.setattr(curve, "STAYS_MS", 1_000_000)
    window.in_front.choose(window.rows.rows[1])
    wait(qtbot, lambda: not shown.isVisible())
    window.in_front.choose(window.rows.rows[0])
    wait(qtbot, shown.isVisible)
    assert len(proxy.requests) == asked  # it is kept
    proxy.fault("answer", method="POST", status=429, headers={"Retry-After": "3000"}, body={"detail": "x"}, times=9)
    keys(bench, "23.5⏎")
    kept(bench, window)
    window.in_front.choose(window.rows.rows[0])
    wait(qtbot, lambda: [float(one.grams) for one in shown.plot._unsent] == [23.5])
    window.resize(window.width(), 590)
    wait(qtbot, lambda: not shown.isVisible())  # the table needs the room
