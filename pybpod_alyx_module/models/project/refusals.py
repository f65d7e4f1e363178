"""Why a project cannot be saved as it is: PyBpod would write it, lose something and say nothing, or fail half-way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pybpod_alyx_module.host.subject_folders import subject_folder
from pybpod_alyx_module.sync.names import fold

if TYPE_CHECKING:
    from typing import Any

    from pybpod_alyx_module.models.host_types import PyBpodProject


def refusal(project: PyBpodProject, *, in_place: bool) -> str:
    """Say what the user must change before the project is saved.

    Returns: sentences with the cause and what to do, empty if nothing speaks against a save.
    ``in_place``: whether it is to be saved where it is already.
    """
    place = project.path if in_place else None
    return "\n\n".join([*_shared_names(project.subjects, place), *_lost_boards(project.experiments)])


def _shared_names(subjects: list[Any], place: str | None) -> list[str]:
    alike: dict[str, list[Any]] = {}
    for subject in subjects:
        if subject.name:  # PyBpod skips the others
            alike.setdefault(fold(subject.name), []).append(subject)
    return [
        f"{_of_one_name([subject.name for subject in group])} Subjects of one name share one folder: only one of them "
        "would be saved. Rename one of them, then save again."
        for group in alike.values()
        if len(group) > 1 and not _stand_apart(group, place)
    ]


def _stand_apart(group: list[Any], place: str | None) -> bool:
    # names that differ in case alone and have their own folders already: this disk keeps them apart
    return place is not None and all(
        str(subject.saved_folder) == str(subject_folder(place, subject.name)) for subject in group
    )


def _of_one_name(names: list[str]) -> str:
    if len(set(names)) == 1:
        return f"{len(names)} subjects have the name {names[0]!r}."
    listed = " and ".join(repr(name) for name in names)
    return f"The subjects {listed} have names that are the same on Windows and macOS."


def _lost_boards(experiments: list[Any]) -> list[str]:
    # PyBpod writes such a project, fails at the end of it, and cannot open it again
    return [
        f"The setup {setup.name!r} of experiment {experiment.name!r} has sessions, but no board: PyBpod could not open "
        "the project again. Choose a board for it, then save again."
        for experiment in experiments
        for setup in experiment.setups
        if setup.sessions and not setup.board
    ]
