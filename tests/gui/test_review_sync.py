"""All that a sync would do, reviewed before it changes anything: when that is shown, and what comes of it."""

from __future__ import annotations

import pytest
from AnyQt.QtCore import Qt

from pybpod_alyx_module.gui.sync.questions.removals_dialog import RemovalsDialog
from pybpod_alyx_module.gui.sync.questions.review_dialog import ReviewDialog
from tests.fault_proxy import FaultProxy
from tests.gui.hands import (
    alyx_home,
    answer,
    connected_window,
    dialogs_shown,
    get_subjects,
    names,
    press,
    rows,
    subject_named,
    sync,
    wait,
)

__all__ = ["alyx_home"]

pytestmark = pytest.mark.usefixtures("alyx_home")


@pytest.fixture
def proxy(sandbox):
    with FaultProxy(sandbox.url) as proxy:
        yield proxy


@pytest.fixture
def window(project, menu, qtbot, sandbox, proxy):
    """The sync window of a project that holds jose's animals."""
    window = connected_window(qtbot, project, menu, sandbox, proxy.url)
    sync(qtbot, window)
    return window


def on_alyx(proxy, **changes):
    """Let the server tell something else of subjects from now on."""
    proxy._faults.clear()

    def change(page):
        for row in page["results"]:
            row.update(changes.get(row["nickname"], {}))
        return page

    proxy.fault("alter", times=99, path="/subjects", change=change)


DEAD = {"alive": False, "death_date": "2026-11-01"}


def row(dialog, name):
    return next(row for row in rows(dialog) if row.text().startswith(f"{name}:"))


def told(window):
    return window.form.messages.split("Synced")[-1]


def test_of_one_animal_one_field_is_overridden_another_kept_and_that_undone(project, window, qtbot, proxy):
    ea04 = subject_named(project, "ea04")
    before = ea04.alyx
    on_alyx(proxy, ea04={"sex": "F", "description": "of Alyx", "nickname": "ea04b"})
    dialog = get_subjects(qtbot, window)
    [sex] = [field for field in row(dialog, "ea04").children() if field.text() == "Sex"]
    sex.tick()
    answer(qtbot, window, dialog.buttons["Override"])
    assert (ea04.name, ea04.alyx["sex"], ea04.alyx["description"]) == ("ea04", "F", before["description"])
    assert "Overridden (1):\n    ea04: Sex" in told(window)
    # what was kept is asked about again
    dialog = get_subjects(qtbot, window)
    assert [field.text() for field in row(dialog, "ea04").children()] == ["Nickname", "Description"]
    answer(qtbot, window, dialog.buttons["Cancel"])
    press(qtbot, window.form.undo_button)
    syncs = project.alyx_syncs_window
    wait(qtbot, lambda: syncs.undo_dialog is not None)
    assert "    ea04: Sex" in syncs.undo_dialog.list.toPlainText().splitlines()
    press(qtbot, syncs.undo_dialog.undo_button)
    wait(qtbot, lambda: not syncs.working)
    assert ea04.alyx == before
    syncs.close()


def test_a_removal_is_shown_before_it_is_made_and_may_wait(project, window, qtbot, proxy):
    on_alyx(proxy, jo004=DEAD)
    dialog = get_subjects(qtbot, window)
    assert isinstance(dialog, ReviewDialog)
    removed = "jo004:  removed from this PyBpod project; not alive on Alyx (death date 2026-11-01)"
    assert [row.text() for row in rows(dialog)] == [removed]
    row(dialog, "jo004").tick(Qt.Unchecked)
    answer(qtbot, window, dialog.buttons["Sync"])
    assert "jo004" in names(project)
    assert "jo004: not alive on Alyx (death date 2026-11-01); you chose not to remove it now" in told(window)
    dialog = get_subjects(qtbot, window)
    answer(qtbot, window, dialog.buttons["Cancel"])
    assert "jo004" in names(project)
    dialog = get_subjects(qtbot, window)
    answer(qtbot, window, dialog.buttons["Sync"])
    assert "jo004" not in names(project)


def test_additions_alone_take_one_click(project, menu, qtbot, sandbox):
    window = connected_window(qtbot, project, menu, sandbox)
    assert get_subjects(qtbot, window) is None
    assert "10 added." in told(window)


def test_set_so_additions_are_shown_first_and_nothing_is_where_nothing_changes(
    project, menu, qtbot, sandbox, pybpod_settings, monkeypatch
):
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_REVIEW_SYNC", "always", raising=False)
    window = connected_window(qtbot, project, menu, sandbox)
    dialog = get_subjects(qtbot, window)
    assert isinstance(dialog, ReviewDialog)
    assert names(project) == []
    assert {row.state for row in rows(dialog)} == {Qt.Checked}
    row(dialog, "jo003").tick(Qt.Unchecked)
    answer(qtbot, window, dialog.buttons["Sync"])
    assert "ea04" in names(project)
    assert "jo003" not in names(project)
    dialog = get_subjects(qtbot, window)
    assert [row.text().partition(":")[0] for row in rows(dialog)] == ["jo003"]
    answer(qtbot, window, dialog.buttons["Sync"])
    assert get_subjects(qtbot, window) is None
    assert "10 up to date." in told(window)


def test_many_removals_keep_their_own_question_after_the_review(project, window, qtbot, proxy):
    on_alyx(proxy, ea04={"sex": "F"}, **{name: DEAD for name in names(project) if name != "ea04"})
    dialog = get_subjects(qtbot, window)
    assert isinstance(dialog, ReviewDialog)
    press(qtbot, dialog.buttons["Override all"])
    wait(qtbot, lambda: any(isinstance(shown, RemovalsDialog) for shown in dialogs_shown()))
    [question] = dialogs_shown()
    answer(qtbot, window, question.leave_button)
    assert len(names(project)) == 10
    assert "1 overridden, 9 removals postponed" in told(window)


def test_an_animal_that_changed_while_the_review_was_open_is_refused_not_the_others(project, window, qtbot, proxy):
    on_alyx(proxy, ea04={"sex": "F"}, jo001={"sex": "M"}, jo004=DEAD)
    jo001 = subject_named(project, "jo001")
    dialog = get_subjects(qtbot, window)
    subject_named(project, "ea04").alyx = {**subject_named(project, "ea04").alyx, "line": "by hand"}
    answer(qtbot, window, dialog.buttons["Override all"])
    assert "ea04: it changed in the project meanwhile: sync again" in told(window)
    assert subject_named(project, "ea04").alyx["line"] == "by hand"
    assert jo001.alyx["sex"] == "M"
    assert "jo004" not in names(project)
