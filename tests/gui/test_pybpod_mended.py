"""Faults of PyBpod itself that end it or change a task: what happens without the mend, and no longer with it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QLineEdit

from tests.gui.hands import names

PREDECESSOR = Path(__file__).parents[1] / "fixtures" / "predecessor" / "Mice"
SETUP = Path("experiments/Exp/setups/Set/Set.json")
USER = Path("users/jose/jose.json")

NUMBERS = {"VAR_A": 7.5, "VAR_B": -2.0, "VAR_C": 0.001, "VAR_D": 3.0}

#: A right click below the last row, in a PyBpod of its own: what fails in it ends it.
RIGHT_CLICK = """
import os
from AnyQt.QtCore import QPoint, QTimer
from AnyQt.QtWidgets import QApplication
from pybpod_alyx_module.demo.tour import start_pybpod

application, main = start_pybpod()
tree = main.centralWidget().model.tree
main.centralWidget().model.create_project()
node = tree.topLevelItem(0)
tree.setCurrentItem(node)
{before}
shown = []

def look():
    menu = QApplication.activePopupWidget()
    if menu is not None:
        shown.extend(action.text() for action in menu.actions())
        menu.close()

looks = QTimer(interval=20)
looks.timeout.connect(look)
looks.start()

def click():
    tree.customContextMenuRequested.emit(QPoint(5, 500))  # it returns when the menu is closed
    application.quit()

QTimer.singleShot(0, click)
application.exec_()
print("menu", shown, flush=True)
os._exit(0)
"""
BEFORE = {"nothing selected": "tree.clearSelection()", "hidden": "node.setHidden(True)", "selected": ""}


@pytest.fixture(params=[True, False], ids=["mended", "as it is"])
def mends(request, pybpod_settings, monkeypatch):
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_MEND_PYBPOD", request.param, raising=False)
    return request.param


@pytest.fixture
def mice(tmp_path):
    """A project whose setup has four numbers and a text."""
    folder = Path(shutil.copytree(PREDECESSOR, tmp_path / "Mice"))
    setup = json.loads((folder / SETUP).read_text())
    setup["variables"] = [
        *({"name": name, "value": value, "datatype": "number"} for name, value in NUMBERS.items()),
        {"name": "VAR_SIDE", "value": "left", "datatype": "string"},
    ]
    (folder / SETUP).write_text(json.dumps(setup))
    return folder


def board_task(project):
    return project.experiments[0].setups[0].board_task


def values(project):
    return {variable.name: variable.value for variable in board_task(project).variables}


def saved_values(folder):
    saved = json.loads((folder / SETUP).read_text())["variables"]
    return {variable["name"]: variable["value"] for variable in saved}


def test_a_number_is_as_it_was_saved(mice, open_project, mends, dialogs):
    project = open_project(mice)
    expected = NUMBERS if mends else dict.fromkeys(NUMBERS, 0.0) | {"VAR_D": 3.0}
    assert values(project) == {**expected, "VAR_SIDE": "left"}
    assert project.is_saved()
    assert str(board_task(project).variables[0]) == f"VAR_A = {expected['VAR_A']}"
    project.save()
    assert saved_values(mice) == {**expected, "VAR_SIDE": "left"}
    assert dialogs.log == []


@pytest.mark.parametrize("typed", ["0.0125", "-3"])
def test_any_number_can_be_typed(mice, open_project, mends, dialogs, typed):
    project = open_project(mice)
    variables = board_task(project)._vars.tableWidget
    variables.item(3, 2).setText(typed)
    assert values(project)["VAR_D"] == (float(typed) if mends else 0.0)
    assert len(dialogs.log) == (0 if mends else 1)


def test_what_is_no_number_is_refused_as_ever(mice, open_project, mends, dialogs):
    project = open_project(mice)
    for text in ("seven", "nan", "7,5"):
        board_task(project)._vars.tableWidget.item(3, 2).setText(text)
        assert values(project)["VAR_D"] == 0.0
    assert len(dialogs.log) == 3


@pytest.mark.parametrize("mends", [True], indirect=True)
def test_looking_into_a_cell_changes_no_number(mice, open_project, mends, qtbot):
    project = open_project(mice)
    table = board_task(project)._vars.tableWidget
    table.show()
    table.setCurrentCell(2, 2)
    table.editItem(table.item(2, 2))
    (editor,) = table.viewport().findChildren(QLineEdit)
    assert editor.text() == "0.001"
    qtbot.keyClick(editor, Qt.Key_Return)
    assert values(project)["VAR_C"] == 0.001
    assert project.is_saved()


@pytest.mark.parametrize("mends", [True], indirect=True)
def test_another_type_and_back_keeps_the_number(mice, open_project, mends):
    project = open_project(mice)
    variable = board_task(project).variables[0]
    for datatype in ("string", "number"):
        variable.datatype = datatype
    assert variable.value == 7.5


@pytest.mark.parametrize("removed", ["VAR_A", "VAR_C", "VAR_SIDE"])
def test_a_variable_that_is_not_the_last_can_be_removed(mice, open_project, mends, dialogs, removed):
    project = open_project(mice)
    before = values(project)
    task = board_task(project)
    task._vars.tableWidget.setCurrentCell(list(before).index(removed), 0)
    task._BoardTaskWindow__remove_variable()  # what the button "-" calls
    del before[removed]
    if mends or removed == "VAR_SIDE":
        assert values(project) == before
        project.save()
        assert saved_values(mice) == before
        assert project.is_saved()
        return
    dialogs.script.append("No")
    assert project.save() is False
    assert "no attribute" in dialogs.log[0][1]
    assert removed in saved_values(mice)
    task.variables.clear()  # PyBpod asks as it closes the project


@pytest.mark.parametrize(
    ("before", "mends"),
    [("nothing selected", True), ("nothing selected", False), ("hidden", True), ("hidden", False), ("selected", True)],
)
def test_a_right_click_where_nothing_is_selected(tmp_path, before, mends):
    (tmp_path / "user_settings.py").write_text(
        "SETTINGS_PRIORITY = 0\nGENERIC_EDITOR_PLUGINS_LIST = ['pybpodgui_plugin', 'pybpod_alyx_module']\n"
        f"ALYX_PLUGIN_MEND_PYBPOD = {mends}\n"
    )
    script = RIGHT_CLICK.replace("{before}", BEFORE[before])
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    if not mends:
        assert result.returncode < 0, result.stdout + result.stderr
        assert "IndexError" in result.stderr
        return
    assert result.returncode == 0, result.stdout + result.stderr
    assert ("Sync to Alyx" in result.stdout) is (before == "selected")


def damaged(folder, content):
    (folder / USER).write_text(content)
    return folder


@pytest.mark.parametrize("content", ['{"__UUID4__": "0', '"text"', "[]", "{}x"])
def test_a_damaged_file_of_a_user_leaves_the_project(mice, open_project, mends, dialogs, content, host):
    folder = damaged(mice, content)
    if not mends and content == "[]":  # PyBpod takes it for an empty one
        assert open_project(folder).users
        return
    if not mends:
        with pytest.raises(Exception, match="error loading the configuration file"):
            host.model.open_project(str(folder))
        host.model.projects[-1].close(silent=True)
        del host.model.projects[-1]
        return
    project = open_project(folder)
    [(title, text)] = dialogs.log
    assert title == "Damaged user file"
    assert str(folder / USER) in text
    assert [user.name for user in project.users] == ["jose"]
    assert names(project) == ["ea04", "local1"]
    assert (folder / USER).read_text() == content
    project.save()
    kept = folder / "users/jose/jose.json.damaged"
    assert kept.read_text() == content
    assert str(kept) in dialogs.log[-1][1]
    assert json.loads((folder / USER).read_text())["__UUID4__"] == str(project.users[0].uuid4)
    dialogs.log.clear()
    open_project(folder).save()
    assert dialogs.log == []


@pytest.mark.parametrize("mends", [True], indirect=True)
def test_a_damaged_file_is_kept_where_the_user_was_renamed(mice, open_project, mends, dialogs):
    folder = damaged(mice, "{")
    project = open_project(folder)
    project.users[0].name = "josé"
    project.save()
    kept = folder / "users/josé/jose.json.damaged"
    assert kept.read_text() == "{"
    assert str(kept) in dialogs.log[-1][1]


@pytest.mark.parametrize("mends", [True], indirect=True)
def test_a_missing_file_of_a_user_is_written_at_the_next_save(mice, open_project, mends, dialogs):
    (mice / USER).unlink()
    project = open_project(mice)
    assert "missing" in dialogs.log[0][1]
    project.save()
    assert [path.name for path in (mice / "users/jose").iterdir()] == ["jose.json"]
