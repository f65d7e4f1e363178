"""Opens the dialogs that record something of one animal, and tells them when its PyBpod subject is gone."""

from __future__ import annotations

from typing import Any

from AnyQt.QtWidgets import QApplication, QWidget

from alyx_connector.errors import AlyxError
from pybpod_alyx_module.animals.alyx_subject import refuse_test_subject, target_of
from pybpod_alyx_module.config import read_rig_settings
from pybpod_alyx_module.gui.animals.record_dialog import RecordDialog
from pybpod_alyx_module.gui.guard import show_error
from pybpod_alyx_module.gui.show_in_front import show_in_front


def open_dialog(kind: type[RecordDialog], subject: Any) -> RecordDialog | None:
    """Show the dialog of a kind for a subject: the one that is open already, else a new one.

    Returns: None where nothing may be recorded; that was told.
    """
    mainwindow = getattr(subject, "mainwindow", None)
    parent = mainwindow.window() if isinstance(mainwindow, QWidget) else None
    try:
        target = target_of(subject)
        refuse_test_subject(target, read_rig_settings().sessions)
    except AlyxError as error:
        show_error(error, parent)
        return None
    animal = target.server, target.subject_id
    for dialog in _shown():
        if isinstance(dialog, kind) and (dialog.target.server, dialog.target.subject_id) == animal:
            if not dialog.is_recorded:
                show_in_front(dialog)
                return dialog
            dialog.close()
    dialog = kind(target, parent=parent)
    dialog.subject_key = subject.alyx_key
    dialog.begin()
    return dialog


def tell_dialogs(subject: Any, why: str) -> None:
    """Tell the dialogs of a subject that it left PyBpod."""
    for dialog in _shown():
        if dialog.subject_key == subject.alyx_key:
            dialog.subject_left(why)


def _shown() -> list[RecordDialog]:
    found = [window for window in QApplication.topLevelWidgets() if isinstance(window, RecordDialog)]
    return [window for window in found if window.isVisible()]
