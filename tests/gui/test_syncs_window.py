"""The window *What syncs changed…*: what is shown is copied and exported, safe for a spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest
from AnyQt.QtWidgets import QApplication, QDialog

from pybpod_alyx_module.gui.sync.history.syncs_window import SYNCS, SyncsWindow
from pybpod_alyx_module.sync.audit import COLUMNS, FILE
from tests.gui.hands import living, press, wait


def row(subject, why=""):
    told = {"sync": subject, "time": "2026-11-28T03:00:00+00:00", "action": "added", "subject": subject, "why": why}
    return tuple(told.get(name, "") for name in COLUMNS)


@pytest.fixture
def window(project, menu, qtbot):
    project.unsaved_syncs.extend([row("ea04"), row("=1+1", "first\nsecond"), row("müs01")])
    menu.trigger(project.node, SYNCS)
    [window] = [one for one in living(SyncsWindow) if one.isVisible()]
    wait(qtbot, window.message.text)
    yield window
    window.close()


def export(qtbot, window, path):
    press(qtbot, window.export_button)
    dialog, before = window.file_dialog, window.message.text()
    assert not dialog.isModal()
    press(qtbot, window.export_button)
    assert window.file_dialog is dialog, "a second press asks a second time"
    dialog.fileSelected.emit(str(path))
    dialog.done(QDialog.Rejected)
    wait(qtbot, lambda: window.message.text() != before)
    return window.message.text()


def test_what_is_shown_is_exported_the_oldest_first(window, qtbot, tmp_path):
    goal = tmp_path / "Syncs é.csv"
    assert export(qtbot, window, goal) == f"3 rows written to {goal}."
    with goal.open(encoding="utf-8-sig", newline="") as stream:
        assert list(csv.reader(stream)) == [
            list(COLUMNS),
            list(row("ea04")),
            ["'=1+1" if cell == "=1+1" else cell for cell in row("=1+1", "first\nsecond")],
            list(row("müs01")),
        ]
    qtbot.keyClicks(window.filter, "MÜS")
    assert export(qtbot, window, goal) == f"1 row written to {goal}. The filter left out 2."
    with goal.open(encoding="utf-8-sig", newline="") as stream:
        assert [line["subject"] for line in csv.DictReader(stream)] == ["müs01"]


def test_an_export_that_fails_is_told_and_leaves_the_window(window, qtbot, tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert str(tmp_path / "file" / "out.csv") in export(qtbot, window, tmp_path / "file" / "out.csv")
    assert window.isVisible()


def test_a_copy_is_a_line_a_row_and_computes_nothing(window, qtbot):
    press(qtbot, window.copy_button)
    lines = list(csv.DictReader(io.StringIO(QApplication.clipboard().text()), delimiter="\t"))
    assert [line["Subject"] for line in lines] == ["müs01", "'=1+1", "ea04"]


def test_a_table_that_another_program_wrote_is_told(project, menu, qtbot, tmp_path):
    project.save(str(tmp_path / "Prj"))
    (tmp_path / "Prj" / FILE).write_text("sync;time;user")
    menu.trigger(project.node, SYNCS)
    window = project.alyx_syncs_window
    wait(qtbot, window.message.text)
    assert str(tmp_path / "Prj" / FILE) in window.message.text()
    assert "Rename the file" in window.message.text()
    window.close()
