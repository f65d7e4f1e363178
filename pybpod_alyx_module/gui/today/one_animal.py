"""Opens what is done with one animal of *Today*, also with one that is not in the PyBpod project."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from alyx_connector.address import parse_address
from alyx_connector.errors import AlyxError
from pybpod_alyx_module.animals.alyx_subject import AlyxSubject
from pybpod_alyx_module.gui.animals.open_dialog import open_dialog_of
from pybpod_alyx_module.gui.animals.water_dialog import WaterDialog, open_water_dialog
from pybpod_alyx_module.gui.animals.weight_dialog import WeightDialog, open_weight_dialog
from pybpod_alyx_module.host.alyx_user import alyx_user

if TYPE_CHECKING:
    from pybpod_alyx_module.animals.today.board import Board
    from pybpod_alyx_module.animals.today.today_animals import TodayAnimal
    from pybpod_alyx_module.gui.animals.record_dialog import RecordDialog
    from pybpod_alyx_module.host.pybpod_objects import Project, Subject

__all__ = ["give_water_to", "linked_subject", "project_ids", "server_of", "weigh"]


def weigh(project: Project, board: Board, animal: TodayAnimal) -> RecordDialog | None:
    """Show *Record weight…* of an animal; None where nothing may be recorded."""
    subject = linked_subject(project, board.server, animal.subject_id)
    if subject is not None:
        return open_weight_dialog(subject)
    return open_dialog_of(WeightDialog, _alyx_subject(project, board, animal), project)


def give_water_to(project: Project, board: Board, animal: TodayAnimal) -> RecordDialog | None:
    """Show *Give water…* of an animal; None where nothing may be recorded."""
    subject = linked_subject(project, board.server, animal.subject_id)
    if subject is not None:
        return open_water_dialog(subject)
    return open_dialog_of(WaterDialog, _alyx_subject(project, board, animal), project)


def linked_subject(project: Project, server: str, subject_id: str) -> Subject | None:
    """Return the subject of the project that is linked to an animal; None if there is none."""
    for subject in project.subjects:
        if (subject.alyx or {}).get("alyx_id") == subject_id and _server_of(subject) == server:
            return subject
    return None


def project_ids(project: Project, server: str) -> tuple[str, ...]:
    """Return the Alyx ids of a project's subjects at a server; empty where there are none."""
    return tuple(subject.alyx["alyx_id"] for subject in project.subjects if _server_of(subject) == server != "")


def server_of(project: Project) -> str:
    """Return the server of a project's Alyx subjects.

    Returns: that of most of them, empty if there is none.
    """
    servers = Counter(server for subject in project.subjects if (server := _server_of(subject)))
    return servers.most_common(1)[0][0] if servers else ""


def _server_of(subject: Subject) -> str:
    try:
        return parse_address(str((subject.alyx or {}).get("alyx_server") or "")).url
    except AlyxError:
        return ""


def _alyx_subject(project: Project, board: Board, animal: TodayAnimal) -> AlyxSubject:
    return AlyxSubject(
        board.server,
        animal.subject_id,
        animal.name,
        alyx_user(project),
        animal.lab,
        responsible_user=animal.responsible_user,
    )
