"""A subject's places in a PyBpod project: its lists, its tree, its menus and its setups; left, and taken again."""

from __future__ import annotations

import ast
import json
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.host.menus import take_entries, with_children
from pybpod_alyx_module.sync.plan import Listed, Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from pybpod_alyx_module.sync.plan import Change

#: Key of PyBpod's file formats that lists the uuids of other entities.
_REFERENCES: Final = "__EXTERNAL-REF__"


def setups_of(project: Any) -> list[Any]:
    """Return the setups of all experiments of a project."""
    return [setup for experiment in project.experiments for setup in experiment.setups]


def show_names(setup: Any) -> None:
    """Show the names of a setup's subjects as they are now."""
    setup._subjects_list.value = [[subject.name] for subject in setup.subjects]


def place_of(project: Any, subject: Any) -> Place:
    """Return where a subject is."""
    inside, folder = Path(os.path.realpath(project.path or "")), subject.saved_folder
    kept = folder is not None and project.path is not None and inside in folder.parents and folder.is_dir()
    listed = [setup for setup in setups_of(project) if subject in setup.subjects]
    return Place(
        uuid4=str(subject.uuid4),
        index=project.subjects.index(subject),
        chosen=str(subject.setup.uuid4) if subject.setup else "",
        setups=tuple(Listed(str(setup.uuid4), setup.name, setup.subjects.index(subject)) for setup in listed),
        folder=folder.relative_to(inside).as_posix() if kept else "",
        file=f"{folder.name}.json" if kept else "",
    )


def take_out(project: Any, subject: Any) -> Callable[[], None]:
    """Take a subject out of a project.

    Returns: what puts it back at its places.
    """
    # What PyBpod's own removal does, and what it forgets: setups, menu entries, the details shown.
    tree, node = project.tree, subject.node
    parent = project.subjects_node
    position, index, expanded = project.subjects.index(subject), parent.indexOfChild(node), node.isExpanded()
    nodes = with_children(node)
    current = tree.currentItem()
    was_current = any(item is current for item in nodes)
    if was_current:  # else Qt picks a neighbour and PyBpod opens it
        tree.setCurrentItem(parent)
    entries = take_entries(tree, nodes)
    drawn = [(session, session.subjects_nodes.get(id(node))) for session in subject._sessions]
    chosen = subject.setup
    lists = [(setup, list(setup.subjects)) for setup in setups_of(project) if subject in setup.subjects]
    references = [_drop_reference(setup, subject) for setup, _listed in lists]

    details = project.mainwindow.details
    was_shown = details.value is subject

    def put_in_place() -> None:
        if subject not in project.subjects:
            project.subjects.insert(position, subject)
        if parent.indexOfChild(node) < 0:
            parent.insertChild(index, node)
        node.setExpanded(expanded)
        tree._items.update(entries)
        for session, its_node in drawn:
            if its_node is not None:
                session.subjects_nodes[id(node)] = its_node

    def put_into(setup: Any, listed: list[Any], restore: Callable[[], None]) -> None:
        setup.subjects[:] = listed
        restore()
        show_names(setup)

    def show_again() -> None:
        if was_shown:
            details.value = subject
        if was_current and tree.currentItem() is parent:
            tree.setCurrentItem(current)

    def put_back() -> None:
        with ExitStack() as steps:  # last first, each of them, even if one fails
            steps.callback(show_again)
            steps.callback(setattr, subject, "setup", chosen)
            for (setup, listed), restore in zip(lists, references, strict=True):
                steps.callback(put_into, setup, listed, restore)
            steps.callback(put_in_place)

    try:
        subject.remove(True)
        for setup, _listed in lists:
            while subject in setup.subjects:
                setup -= subject  # PyBpod's way to say it; the setup stays the same object
        subject.setup = None
        if was_shown:
            details.value = None
    except BaseException:
        put_back()
        raise
    return put_back


def put_in(project: Any, change: Change) -> Callable[[], None]:
    """Take a subject in that was removed, with what is in its folder.

    Returns: what takes it out again.
    """
    from pybpodgui_plugin.models.subject import Subject  # composed by PyBpod once all plugins are known

    before, place = change.before, change.place
    if before is None or place is None:
        raise SyncError("It is not known where the subject was.")
    waiting = list(project.removed_by_sync)
    with ExitStack() as steps:  # where something fails
        subject = Subject(project)
        steps.callback(take_out, project, subject)
        if place.folder:
            folder = Path(os.path.realpath(project.path), place.folder)
            subject.alyx_load_from(folder, place.file.removesuffix(".json"))
            project.removed_by_sync[:] = [one for one in waiting if one.saved_folder != folder]
            steps.callback(project.removed_by_sync.__setitem__, slice(None), waiting)
        subject.uuid4 = place.uuid4
        subject.name = before.name
        subject.alyx = json.loads(before.record or "null")
        _move_to(project, subject, place.index)
        setups = {str(setup.uuid4): setup for setup in setups_of(project)}
        subject.setup = setups.get(place.chosen)
        for listed in place.setups:
            setup = setups.get(listed.uuid4)
            if setup is not None:
                setup.subjects.insert(listed.index, subject)
                show_names(setup)
        for session in [session for setup in setups.values() for session in setup.sessions]:
            if any(_uuid_of(text) == place.uuid4 for text in session.subjects):
                subject += session
                session.alyx_refresh()
        return steps.pop_all().close
    raise AssertionError("the block returns or raises")


def _move_to(project: Any, subject: Any, index: int) -> None:
    project.subjects.remove(subject)
    project.subjects.insert(index, subject)
    parent, node = project.subjects_node, subject.node
    current = project.tree.currentItem()
    parent.removeChild(node)
    parent.insertChild(index, node)
    node.setExpanded(True)
    if current is not None:
        project.tree.setCurrentItem(current)


def _uuid_of(text: Any) -> str | None:
    # PyBpod writes the name and the uuid of each subject of a session as a Python list
    try:
        _name, uuid4 = ast.literal_eval(str(text))
    except (ValueError, SyntaxError, TypeError):
        return None
    return str(uuid4)


def _drop_reference(setup: Any, subject: Any) -> Callable[[], None]:
    references = (setup.data or {}).get(_REFERENCES)
    if not isinstance(references, list) or str(subject.uuid4) not in references:
        return lambda: None
    before = list(references)
    references[:] = [reference for reference in references if reference != str(subject.uuid4)]

    def restore() -> None:
        references[:] = before

    return restore
