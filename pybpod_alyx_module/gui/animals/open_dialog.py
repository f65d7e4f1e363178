"""Opens the dialogs that record something of one animal, and lets them know when its PyBpod subject is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from AnyQt.QtWidgets import QApplication

from alyx_connector.errors import AlyxError
from pybpod_alyx_module.animals.alyx_subject import alyx_subject_of, refuse_test_subject
from pybpod_alyx_module.gui.animals.record_dialog import RecordDialog
from pybpod_alyx_module.gui.guard import show_error
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.windows import main_window_of
from pybpod_alyx_module.read_settings import read_rig_settings

if TYPE_CHECKING:
    from pybpod_alyx_module.animals.alyx_subject import AlyxSubject
    from pybpod_alyx_module.host.pybpod_objects import Project, Subject


def open_dialog(kind: type[RecordDialog], subject: Subject) -> RecordDialog | None:
    """Show the dialog of a kind for a subject: the one that is open already, else a new one.

    Returns: None where nothing may be recorded, which a message box explained.
    """
    try:
        animal = alyx_subject_of(subject)
    except AlyxError as error:
        show_error(error, main_window_of(subject))
        return None
    return open_dialog_of(kind, animal, subject.project, subject.alyx_key)


def open_dialog_of(
    kind: type[RecordDialog], animal: AlyxSubject, project: Project, subject_key: str = ""
) -> RecordDialog | None:
    """Show the dialog of a kind for an animal, as `open_dialog` does.

    ``subject_key``: of its PyBpod subject; empty for an animal that is not in the project.
    """
    parent = main_window_of(project)
    try:
        refuse_test_subject(animal, read_rig_settings().sessions)
    except AlyxError as error:
        show_error(error, parent)
        return None
    for dialog in _shown():
        if isinstance(dialog, kind) and dialog.alyx_subject.is_same_animal(animal):
            if not dialog.is_recorded:
                show_in_front(dialog)
                return dialog
            dialog.close()
    dialog = kind(animal, parent=parent)
    dialog.subject_key = subject_key
    dialog.project = project
    dialog.begin()
    return dialog


def tell_dialogs(subject: Subject, why: str) -> None:
    """Let the dialogs of a subject know that it left PyBpod."""
    for dialog in _shown():
        if dialog.subject_key == subject.alyx_key:
            dialog.subject_left(why)


def _shown() -> list[RecordDialog]:
    dialogs = [window for window in QApplication.topLevelWidgets() if isinstance(window, RecordDialog)]
    return [dialog for dialog in dialogs if dialog.isVisible()]
