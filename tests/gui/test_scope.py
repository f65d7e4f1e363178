"""Which subjects to get, in the real PyBpod: chosen in the window, ticked in a list, kept with the project."""

from __future__ import annotations

import pytest
from AnyQt.QtCore import Qt

from pybpod_alyx_module.gui.sync.questions.choose_subjects import ChooseSubjectsDialog
from pybpod_alyx_module.sync.scope import Kind, Scope
from tests.gui.hands import alyx_home, answer, connected_window, get_subjects, names, press, wait

__all__ = ["alyx_home"]

pytestmark = pytest.mark.usefixtures("alyx_home")


def choose(window, kind):
    row = window.form.scope.kind
    row.setCurrentIndex(row.findData(kind))


def test_subjects_of_a_lab_are_searched_ticked_and_added(project, menu, qtbot, sandbox, tmp_path, open_project):
    project.save(str(tmp_path / "Prj"))
    window = connected_window(qtbot, project, menu, sandbox)
    choose(window, Kind.PROJECT)
    choose(window, Kind.LAB)  # before the names of the projects have arrived
    press(qtbot, window.form.get_button)
    assert "The name of the lab is missing" in window.form.messages
    name = window.form.scope.name
    wait(qtbot, lambda: name.count() > 1)
    name.setCurrentText("champalimaud")
    dialog = get_subjects(qtbot, window)
    assert isinstance(dialog, ChooseSubjectsDialog)
    assert dialog.add_button.text() == "Add none"
    first = dialog.table.topLevelItem(0).text(0)
    assert dialog.table.topLevelItem(0).checkState(0) == Qt.Unchecked
    assert dialog.table.topLevelItem(0).data(0, Qt.CheckStateRole) is not None  # else there is no box
    qtbot.keyClicks(dialog.search, first)
    press(qtbot, dialog.tick_all)
    dialog.search.clear()
    ticked = [
        item.text(0)
        for item in map(dialog.table.topLevelItem, range(dialog.table.topLevelItemCount()))
        if dialog.table.is_ticked(item)
    ]
    assert first in ticked
    assert len(ticked) < dialog.table.topLevelItemCount()
    answer(qtbot, window, dialog.add_button)
    assert sorted(names(project)) == sorted(ticked)
    assert "champalimaud" in window.form.messages
    project.save()
    project.close(silent=True)
    again = open_project(tmp_path / "Prj")
    assert again.is_saved()
    window = connected_window(qtbot, again, menu, sandbox)
    assert window.form.scope.scope == Scope(Kind.LAB, "champalimaud")
    choose(window, Kind.KNOWN)
    assert get_subjects(qtbot, window) is None
    assert sorted(names(again)) == sorted(ticked)
    assert not again.is_saved()  # the other choice is kept with the next save


def test_nobody_is_added_where_the_list_is_closed(project, menu, qtbot, sandbox):
    window = connected_window(qtbot, project, menu, sandbox)
    choose(window, Kind.HANDLED)
    dialog = get_subjects(qtbot, window)
    qtbot.keyClick(dialog, Qt.Key_Escape)
    wait(qtbot, lambda: not window.working)
    assert names(project) == []
