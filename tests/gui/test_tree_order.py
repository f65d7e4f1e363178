"""PyBpod's tree: subjects in the order of their names after reopening, and found by a part of their name."""

from __future__ import annotations

import pytest
from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QApplication, QWidget

from pybpod_alyx_module.host.project import HostProject
from tests.gui.hands import activate, wait

NAMES = ("m10", "Wolf", "m2", "m1", "anna")


def add(project, *names) -> None:
    for name in names:
        project.create_subject()
        project.subjects[-1].name = name


def shown(project) -> list[str]:
    parent = project.subjects_node
    nodes = [parent.child(place) for place in range(parent.childCount())]
    return [node.text(0) for node in nodes if not node.isHidden()]


@pytest.fixture
def search(host, qtbot):
    wait(qtbot, lambda: host.model.alyx_search is not None)
    activate(qtbot, host.window())
    yield host.model.alyx_search
    host.model.alyx_search.clear()


@pytest.fixture
def reopened(project, open_project, tmp_path):
    add(project, *NAMES)
    project.save(str(tmp_path / "Prj"))
    path = project.path
    project.close(silent=True)
    return open_project(path)


def test_the_subjects_are_in_order_after_reopening_and_the_project_is_saved(reopened):
    assert shown(reopened) == ["anna", "m1", "m2", "m10", "Wolf"]
    assert reopened.is_saved()
    assert sorted(subject.name for subject in reopened.subjects) == sorted(NAMES)
    for subject in reopened.subjects:
        assert subject.node.text(0) == subject.name


def test_what_a_sync_adds_comes_to_its_place(reopened):
    port = HostProject(reopened, lambda *_: "")
    port.add("m3", "0c72b4a1-7cdb-5058-8592-840fd71906e6", {"alyx_server": "http://127.0.0.1:9"})
    assert shown(reopened)[-1] == "m3"
    port.note((), None)
    assert shown(reopened) == ["anna", "m1", "m2", "m3", "m10", "Wolf"]


def test_the_menu_of_a_moved_node_is_its_own(reopened, menu):
    (wolf,) = [subject for subject in reopened.subjects if subject.name == "Wolf"]
    assert "Remove" in menu.labels(wolf.node)
    wolf.remove(silent=True)
    assert shown(reopened) == ["anna", "m1", "m2", "m10"]


def test_typing_shows_only_those_with_the_text(reopened, search, qtbot):
    qtbot.keyClicks(search, "M1")
    assert shown(reopened) == ["m1", "m10"]
    assert reopened.is_saved()
    qtbot.keyClick(search, Qt.Key_Escape)
    assert search.text() == ""
    assert len(shown(reopened)) == len(NAMES)


def test_the_field_is_above_the_tree_and_ctrl_f_leads_there(host, search, qtbot):
    layout = QWidget.parentWidget(host.model.tree).layout()
    assert layout.indexOf(search) < layout.indexOf(host.model.tree)
    host.model.tree.setFocus()
    qtbot.keyClick(host.model.tree, Qt.Key_F, Qt.ControlModifier)
    assert QApplication.focusWidget() is search


def test_where_the_current_subject_is_hidden_the_row_above_becomes_current(reopened, search, qtbot):
    tree = reopened.tree
    (wolf,) = [subject for subject in reopened.subjects if subject.name == "Wolf"]
    tree.setCurrentItem(wolf.node)
    details = wolf.mainwindow.details.value
    qtbot.keyClicks(search, "anna")
    assert tree.currentItem() is reopened.subjects_node
    assert tree.selectedItems() == [reopened.subjects_node]
    assert wolf.mainwindow.details.value is details  # nobody selected anything
    qtbot.keyClick(search, Qt.Key_Escape)
    tree.setCurrentItem(wolf.node)
    qtbot.keyClicks(search, "wo")
    assert tree.currentItem() is wolf.node


def test_nothing_found_shows_itself_and_a_new_subject_is_shown(reopened, search, qtbot):
    plain = search.styleSheet()
    qtbot.keyClicks(search, "zzz")
    assert shown(reopened) == []
    assert search.styleSheet() != plain
    add(reopened, "new")
    assert shown(reopened) == ["new"]
    search.clear()
    assert search.styleSheet() == plain
