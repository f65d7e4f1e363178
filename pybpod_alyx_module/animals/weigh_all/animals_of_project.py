"""The living Alyx animals of a PyBpod project, as its copies know them; for the GUI thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alyx_connector.errors import ConfigurationError
from pybpod_alyx_module.animals.alyx_subject import AlyxSubject, alyx_subject_of
from pybpod_alyx_module.animals.weight import read_note
from pybpod_alyx_module.natural_order import natural
from pybpod_alyx_module.sync.details import LAST_WEIGHT

if TYPE_CHECKING:
    from pybpod_alyx_module.host.pybpod_objects import Project
    from pybpod_alyx_module.rig_settings import SessionSettings

__all__ = ["ProjectAnimal", "animals_of_project"]


@dataclass(frozen=True)
class ProjectAnimal:
    """An animal of the project."""

    animal: AlyxSubject
    #: Whether it was water-restricted when the project was synced.
    restricted: bool
    #: What the copy says of its last weight; empty if it says nothing.
    last_weight: str = ""


def animals_of_project(
    project: Project, settings: SessionSettings
) -> tuple[tuple[ProjectAnimal, ...], tuple[str, ...]]:
    """Return the living Alyx animals of a project, and a sentence for each that cannot be weighed.

    Returns: by name, as people read it; an animal that the project has twice comes once.
    ``settings``: test subjects are left out.
    """
    found: dict[tuple[str, str], ProjectAnimal] = {}
    unusable = []
    for subject in project.subjects:
        record = subject.alyx
        if record is None or record.get("alive") is False or settings.is_test_subject(subject.name):
            continue
        try:
            animal = alyx_subject_of(subject)
        except ConfigurationError as error:
            unusable.append(str(error))
            continue
        note = read_note(record.get(LAST_WEIGHT))
        restricted = record.get("last_water_restriction") is not None
        known = ProjectAnimal(animal, restricted, note.text if note is not None else "")
        found.setdefault((animal.server, animal.subject_id), known)
    return tuple(sorted(found.values(), key=lambda one: natural(one.animal.name))), tuple(unusable)
