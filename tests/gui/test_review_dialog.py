"""The dialog about subjects that differ: what is shown, and what each button answers."""

from __future__ import annotations

import pytest
from AnyQt.QtCore import QPoint, Qt
from AnyQt.QtGui import QPalette
from AnyQt.QtWidgets import QApplication

from pybpod_alyx_module.gui.sync.questions.removals_dialog import RemovalsDialog
from pybpod_alyx_module.gui.sync.questions.review_dialog import LEGEND, ReviewDialog
from pybpod_alyx_module.gui.words import LONGEST_CELL, LONGEST_VALUE
from pybpod_alyx_module.sync.details import MISSING
from pybpod_alyx_module.sync.plan import Action, Difference, PlanEntry, SyncPlan
from pybpod_alyx_module.sync.review import Review
from pybpod_alyx_module.sync.snapshot import LocalSubject
from tests.gui.hands import activate, living, press, rows, small_enough, tick

LONG = "<b>not bold</b>\n" + "Long text. " * 200 + "é 猫 'quoted'"


def ask(name, *differences, reason=""):
    return PlanEntry(Action.ASK, name, LocalSubject(f"key of {name}", name), None, differences, reason)


def plan_of(*entries, many=False):
    return SyncPlan("http://127.0.0.1:8000", "the subjects of jose", entries, many)


ONE = ask(
    "ea04",
    Difference("nickname", "ea04", "ea04b", False),
    Difference("sex", "M", None, False),
    Difference("description", "short", LONG, False),
    Difference("json", MISSING, {"implant": {"weight": 3.0}}, True),
    Difference("litter", None, "", False),
    Difference("alive", True, False, False),
    reason="renamed on Alyx: 'ea04b'",
)
TWO = ask("ea05", Difference("line", "", "Ai32", False))
THREE = ask("ea06", reason="its file has this Alyx id but does not say from which server")


@pytest.fixture
def shown(qtbot):
    """Show a dialog about ONE, TWO and THREE; its answers come into ``got``."""
    dialog = ReviewDialog(
        plan_of(
            ONE, TWO, THREE, PlanEntry(Action.ADD, "n1"), PlanEntry(Action.REMOVE, "dead", reason="not alive on Alyx")
        )
    )
    dialog.got = []
    dialog.answered.connect(dialog.got.append)
    with qtbot.waitExposed(dialog):
        dialog.show()
    yield dialog
    if not dialog.got:
        dialog.reject()
    assert len(dialog.got) == 1
    assert living(ReviewDialog) == []


def answers(override=(), merge=()):
    every = {"key of ea04": Action.KEEP, "key of ea05": Action.KEEP, "key of ea06": Action.KEEP}
    return Review(
        every
        | {f"key of {name}": Action.OVERRIDE for name in override}
        | {f"key of {name}": Action.MERGE for name in merge}
    )


def test_every_subject_shows_what_differs_and_why(shown):
    assert [row.text(0) for row in rows(shown)] == [
        "ea04:  6 fields differ; renamed on Alyx: 'ea04b'",
        "ea05:  1 field differs",
        "ea06:  no field differs; its file has this Alyx id but does not say from which server",
        "dead:  removed from this PyBpod project; not alive on Alyx",
        "n1:  added",
    ]
    fields = rows(shown)[0].children()
    assert [[field.text(column) for column in range(3)] for field in fields if field.text(0) != "Description"] == [
        ["Nickname", "ea04", "ea04b"],
        ["Sex", "M", "(none)"],
        ["JSON", "(missing)", '{"implant": {"weight": 3.0}}'],
        ["Litter", "(none)", "(empty)"],
        ["Alive", "yes", "no"],
    ]
    assert fields[1].text(3) == "value removed on Alyx; Merge keeps the project's"
    assert fields[3].text(3) == "added on Alyx; Merge fills it in"
    # words that stand for no value are set apart from a text that reads the same
    assert fields[1].look(Qt.FontRole, 2).italic()
    assert fields[1].look(Qt.FontRole, 1) is None


def test_a_long_text_can_be_read_in_full_and_is_not_taken_for_html(shown):
    item = next(field for field in rows(shown)[0].children() if field.text(1) == "short")
    item.select()
    assert shown.there_text.toPlainText() == LONG
    assert shown.here_text.toPlainText() == "short"
    shown.there_text.selectAll()
    shown.there_text.copy()
    assert QApplication.clipboard().text() == LONG
    assert "\n" not in item.text(2)
    assert "<b>" not in item.look(Qt.ToolTipRole, 2)
    assert "&lt;b&gt;" in item.look(Qt.ToolTipRole, 2)


def test_of_a_very_long_value_the_beginning_is_shown_and_all_of_it_copied(qtbot):
    long = "x" * 200_000
    dialog = ReviewDialog(plan_of(ask("ea04", Difference("description", "", long, True), reason=long)))
    qtbot.addWidget(dialog)
    subject = rows(dialog)[0]
    assert len(subject.text(0)) < 2 * LONGEST_CELL
    [field] = subject.children()
    assert field.text(2) == f"{'x' * LONGEST_CELL}…"
    assert len(field.look(Qt.ToolTipRole, 2)) < LONGEST_VALUE
    field.select()
    box = dialog.there_text
    note = "… (200000 characters in all; selecting all and copying has the whole text)"
    assert box.toPlainText() == "x" * LONGEST_VALUE + note
    box.selectAll()
    box.copy()
    assert QApplication.clipboard().text() == long
    cursor = box.textCursor()
    cursor.setPosition(0)
    cursor.setPosition(3, cursor.KeepAnchor)
    box.setTextCursor(cursor)
    box.copy()
    assert QApplication.clipboard().text() == "xxx"
    press(qtbot, dialog.buttons["Keep all"])


def test_the_dialog_fits_on_a_small_screen(shown):
    assert small_enough(shown)


def test_nothing_is_ticked_at_first_and_then_nothing_can_be_overridden_or_merged(shown):
    assert shown.ticked() == set()
    assert {name for name, button in shown.buttons.items() if not button.isEnabled()} == {"Override", "Merge"}
    tick(shown, "ea05")
    assert all(button.isEnabled() for button in shown.buttons.values())


def test_override_overrides_the_ticked_and_keeps_the_others(shown, qtbot):
    tick(shown, "ea05")
    press(qtbot, shown.buttons["Override"])
    assert shown.got == [answers(override=["ea05"])]


def test_merge_merges_the_ticked_and_keeps_the_others(shown, qtbot):
    tick(shown, "ea04")
    tick(shown, "ea06")
    press(qtbot, shown.buttons["Merge"])
    assert shown.got == [answers(merge=["ea04", "ea06"])]


def test_override_all_needs_no_tick(shown, qtbot):
    press(qtbot, shown.buttons["Override all"])
    assert shown.got == [answers(override=["ea04", "ea05", "ea06"])]


def test_keep_all_keeps_the_ticked_too(shown, qtbot):
    tick(shown, "ea05")
    press(qtbot, shown.buttons["Keep all"])
    assert shown.got == [answers()]


@pytest.mark.parametrize("key", [Qt.Key_Escape, Qt.Key_Return, Qt.Key_Enter])
@pytest.mark.parametrize("focus", ["tree", "tick_all", "there_text"])
def test_escape_and_enter_change_nothing(shown, qtbot, key, focus):
    tick(shown, "ea05")
    getattr(shown, focus).setFocus()
    qtbot.keyClick(getattr(shown, focus), key)
    assert shown.got == [None]


def test_the_close_button_of_the_window_changes_nothing(shown):
    shown.close()
    assert shown.got == [None]


def test_tick_all_ticks_and_unticks_all(shown, qtbot):
    tick(shown, "ea05")
    assert shown.tick_all.checkState() == Qt.PartiallyChecked
    qtbot.keyClick(shown.tick_all, Qt.Key_Space)
    assert shown.ticked() == set(answers().answers)
    assert shown.tick_all.checkState() == Qt.Checked
    assert shown.tick_all.text() == "Tick all (3 of 3 ticked)"
    qtbot.keyClick(shown.tick_all, Qt.Key_Space)
    assert shown.ticked() == set()


def test_a_detail_without_a_value_here_and_there_is_greyed_last_and_not_counted(qtbot):
    noise = Difference("litter", MISSING, None, True)
    sex, line = Difference("sex", "M", "F", False), Difference("line", MISSING, "", True)
    dialog = ReviewDialog(plan_of(ask("ea04", noise, sex, line), ask("ea05", noise, reason="not yet linked")))
    qtbot.addWidget(dialog)
    first, second = rows(dialog)
    assert first.text(0) == "ea04:  2 fields differ"
    assert second.text(0) == "ea05:  no field differs; not yet linked"
    fields = first.children()
    assert [field.text(0) for field in fields] == ["Sex", "Line", "Litter"]
    grey = dialog.palette().color(QPalette.Disabled, QPalette.Text)
    assert [field.look(Qt.ForegroundRole, 3) for field in fields[:2]] == [None, None]
    assert fields[2].look(Qt.ForegroundRole, 3).color() == grey
    assert second.children()[0].look(Qt.ForegroundRole).color() == grey
    press(qtbot, dialog.buttons["Keep all"])


def test_a_tick_is_set_with_the_mouse(shown, qtbot):
    rect = shown.tree.visualRect(rows(shown)[1].index)
    for x in range(rect.left(), rect.left() + 60, 4):
        if not shown.ticked():
            qtbot.mouseClick(shown.tree.viewport(), Qt.LeftButton, pos=QPoint(x, rect.center().y()))
    assert shown.ticked() == {"key of ea05"}


def test_each_button_says_what_it_does(shown):
    assert {name: button.toolTip() for name, button in shown.buttons.items()} == LEGEND


def test_the_dialog_says_what_else_will_change(shown):
    from AnyQt.QtWidgets import QLabel

    texts = [label.text() for label in shown.findChildren(QLabel)]
    assert (
        "3 subjects of this project differ from Alyx (http://127.0.0.1:8000, the subjects of jose). "
        "Tick the subjects or fields to override or merge, then press a button." in texts
    )
    assert (
        "Unless you cancel: 1 subject added, 1 subject not alive on Alyx removed from this PyBpod project (dead)."
        in texts
    )


def test_many_subjects_are_folded(qtbot):
    dialog = ReviewDialog(plan_of(*(ask(f"s{n}", Difference("sex", "M", "F", False)) for n in range(300))))
    qtbot.addWidget(dialog)
    assert [dialog.tree.isExpanded(row.index) for row in rows(dialog)] == [False] * 300
    qtbot.keyClick(dialog.tick_all, Qt.Key_Space)
    assert len(dialog.ticked()) == 300


# -- many removals


@pytest.fixture
def removals(qtbot):
    entries = [PlanEntry(Action.REMOVE, f"d{n}", reason="not alive on Alyx (death date 2026-01-02)") for n in range(9)]
    dialog = RemovalsDialog(plan_of(*entries, many=True))
    dialog.got = []
    dialog.answered.connect(dialog.got.append)
    dialog.show()
    yield dialog
    assert len(dialog.got) == 1
    assert living(RemovalsDialog) == []


def test_the_removals_are_listed_with_their_reason(removals):
    listed = removals.list.toPlainText().splitlines()
    assert listed[8] == "d8: not alive on Alyx (death date 2026-01-02)"
    assert "Remove" not in [button.text() for button in removals.buttons.buttons()]
    removals.reject()


@pytest.mark.parametrize(
    ("button", "answer"), [("remove_button", True), ("leave_button", False), ("cancel_button", None)]
)
def test_the_answer_to_many_removals(removals, qtbot, button, answer):
    press(qtbot, getattr(removals, button))
    assert removals.got == [answer]


def test_enter_removes_nothing_and_escape_cancels(removals, qtbot):
    qtbot.keyClick(removals, Qt.Key_Return)
    assert removals.got == [False]


def test_escape_cancels_the_sync(removals, qtbot):
    qtbot.keyClick(removals.list, Qt.Key_Escape)
    assert removals.got == [None]


# -- all that the sync would do


def linked(action, name, *differences, reason=""):
    return PlanEntry(action, name, LocalSubject(f"key of {name}", name), None, differences, reason)


FILLED = linked(Action.MERGE, "m1", Difference("line", None, "Ai32", True), Difference("json", MISSING, {"a": 1}, True))
REMOVED = linked(Action.REMOVE, "dead", reason="not alive on Alyx (death date 2026-11-01)")
ALL = (
    PlanEntry(Action.ADD, "n1"),
    PlanEntry(Action.ADD, "n2"),
    FILLED,
    REMOVED,
    linked(Action.CONFLICT, "c1", reason="is another animal"),
    linked(Action.POSTPONE, "p1", reason="it is in a running session"),
    linked(Action.LEFT_ALONE, "l1", reason="its responsible user on Alyx is ana"),
    linked(Action.UP_TO_DATE, "u1"),
)


@pytest.fixture
def review(qtbot):
    """Give a function that shows a dialog about entries; its answers come into ``got``."""
    shown = []

    def show(*entries, many=False):
        dialog = ReviewDialog(plan_of(*entries, many=many))
        dialog.got = []
        dialog.answered.connect(dialog.got.append)
        shown.append(dialog)
        with qtbot.waitExposed(dialog):
            dialog.show()
        return dialog

    yield show
    for dialog in shown:
        if not dialog.got:
            dialog.reject()


def row(dialog, name):
    return next(row for row in rows(dialog) if row.text().startswith(f"{name}:"))


def field(dialog, name, label):
    return next(field for field in row(dialog, name).children() if field.text() == label)


def names(dialog):
    return [row.text().partition(":")[0] for row in rows(dialog)]


def test_all_that_the_sync_would_do_is_listed_with_why(review):
    dialog = review(*ALL, ONE)
    assert [row.text() for row in rows(dialog)] == [
        "ea04:  6 fields differ; renamed on Alyx: 'ea04b'",
        "c1:  conflict; is another animal",
        "dead:  removed from this PyBpod project; not alive on Alyx (death date 2026-11-01)",
        "p1:  removal postponed; it is in a running session",
        "n1:  added",
        "n2:  added",
        "m1:  filled in; the project lacks what Alyx has",
        "l1:  left alone; its responsible user on Alyx is ana",
    ]
    assert [field.text() for field in row(dialog, "m1").children()] == ["Line", "JSON"]
    assert {name: row(dialog, name).state for name in names(dialog)} == {
        "ea04": Qt.Unchecked,
        **dict.fromkeys(["dead", "n1", "n2", "m1"], Qt.Checked),
        **dict.fromkeys(["c1", "p1", "l1"], None),
    }


def test_what_is_unticked_waits(review, qtbot):
    dialog = review(*ALL)
    assert list(dialog.buttons) == ["Sync", "Cancel"]
    assert not dialog.tick_all.isVisible()
    for name in ("n2", "dead"):
        row(dialog, name).tick(Qt.Unchecked)
    field(dialog, "m1", "Line").tick(Qt.Unchecked)
    assert row(dialog, "m1").state == Qt.PartiallyChecked
    press(qtbot, dialog.buttons["Sync"])
    assert dialog.got == [Review({}, {"key of m1": ("json",)}, frozenset(["n2", "key of dead"]))]


def test_what_else_changes_is_said_as_it_is_ticked(review):
    from AnyQt.QtWidgets import QLabel

    def told():
        return next(
            text for one in dialog.findChildren(QLabel) if (text := one.text()).startswith(("Unless", "No other"))
        )

    dialog = review(*ALL)
    assert told() == (
        "Unless you cancel: 2 subjects added, 1 subject filled in, 1 subject not alive on Alyx removed from this "
        "PyBpod project (dead)."
    )
    for name in ("n1", "dead", "m1"):
        row(dialog, name).tick(Qt.Unchecked)
    assert told() == "Unless you cancel: 1 subject added."
    row(dialog, "n2").tick(Qt.Unchecked)
    assert told() == "No other subject of the project is changed."


def test_one_field_is_overridden_and_another_kept(review, qtbot):
    dialog = review(ONE, TWO)
    assert not dialog.buttons["Override"].isEnabled()
    field(dialog, "ea04", "Sex").tick()
    assert row(dialog, "ea04").state == Qt.PartiallyChecked
    assert dialog.tick_all.checkState() == Qt.PartiallyChecked
    field(dialog, "ea04", "Nickname").tick()
    press(qtbot, dialog.buttons["Override"])
    assert dialog.got == [
        Review({"key of ea04": Action.OVERRIDE, "key of ea05": Action.KEEP}, {"key of ea04": ("nickname", "sex")})
    ]


def test_all_fields_one_by_one_are_the_whole_subject(review, qtbot):
    dialog = review(ONE)
    for one in row(dialog, "ea04").children():
        one.tick()
    assert row(dialog, "ea04").state == Qt.Checked
    row(dialog, "ea04").tick(Qt.Unchecked)
    assert {one.state for one in row(dialog, "ea04").children()} == {Qt.Unchecked}
    row(dialog, "ea04").tick()
    assert {one.state for one in row(dialog, "ea04").children()} == {Qt.Checked}
    press(qtbot, dialog.buttons["Override"])
    assert dialog.got == [Review({"key of ea04": Action.OVERRIDE})]


def test_a_kind_is_listed_alone_and_words_are_found(review, qtbot):
    dialog = review(*ALL, ONE, TWO)
    titles = [dialog.kind.itemText(number) for number in range(dialog.kind.count())]
    assert titles == [
        "All (9)",
        "Differ (2)",
        "Conflicts (1)",
        "Removals (1)",
        "Removals postponed (1)",
        "Additions (2)",
        "Filled in (1)",
        "Left alone (1)",
    ]
    dialog.kind.setCurrentIndex(titles.index("Additions (2)"))
    dialog.kind.activated.emit(dialog.kind.currentIndex())
    assert names(dialog) == ["n1", "n2"]
    dialog.kind.setCurrentIndex(0)
    dialog.kind.activated.emit(0)
    for typed, found in (("IMPLANT", ["ea04"]), ("ai32", ["ea05", "m1"]), ("alive death", ["dead"]), ("nobody", [])):
        dialog.search.setText(typed)
        assert names(dialog) == found, typed
    # what is ticked and not listed is still ticked; ticking all means those that are listed
    dialog.search.setText("ea05")
    qtbot.keyClick(dialog.tick_all, Qt.Key_Space)
    dialog.search.clear()
    assert dialog.ticked() == {"key of ea05"}


@pytest.mark.parametrize("key", [Qt.Key_Return, Qt.Key_Enter])
def test_enter_in_the_filter_leads_to_what_it_found(review, qtbot, key):
    dialog = review(*ALL, ONE)
    activate(qtbot, dialog)
    dialog.search.setFocus()
    qtbot.keyClicks(dialog.search, "ea04")
    qtbot.keyClick(dialog.search, key)
    assert dialog.got == []
    assert dialog.tree.hasFocus()


def test_the_list_is_sorted(review):
    dialog = review(TWO, ONE, *ALL)
    order = {}
    for number in range(dialog.order.count()):
        dialog.order.setCurrentIndex(number)
        dialog.order.activated.emit(number)
        order[dialog.order.currentText()] = names(dialog)
    assert order["By what happens"][:3] == ["ea05", "ea04", "c1"]
    assert order["By name"] == ["c1", "dead", "ea04", "ea05", "l1", "m1", "n1", "n2", "p1"]
    assert order["By differences"][:3] == ["ea04", "m1", "ea05"]


def test_many_removals_are_left_to_their_own_question(review, qtbot):
    dialog = review(ONE, REMOVED, many=True)
    assert row(dialog, "dead").state is None
    press(qtbot, dialog.buttons["Keep all"])
    assert dialog.got == [Review({"key of ea04": Action.KEEP})]


def test_a_field_is_ticked_with_the_space_bar(review, qtbot):
    dialog = review(ONE)
    field(dialog, "ea04", "Sex").select()
    qtbot.keyClick(dialog.tree, Qt.Key_Space)
    assert [one.text() for one in row(dialog, "ea04").children() if one.state == Qt.Checked] == ["Sex"]


def test_a_thousand_entries_make_only_the_rows_that_are_seen(review, monkeypatch):
    from pybpod_alyx_module.gui.sync.questions import plan_rows

    made = []
    monkeypatch.setattr(plan_rows, "headline", lambda entry: made.append(entry.name) or entry.name)
    review(*(ask(f"s{n}", Difference("sex", "M", "F", False)) for n in range(1000)))
    assert 0 < len(set(made)) < 100
