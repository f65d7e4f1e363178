"""Kills the real PyBpod at each change of a file that a save makes, and says what the project is when it is opened.

``python -m tests.gui.save_kills PROJECT EVERY``: PROJECT is a saved project with the linked animals a, b, c and d. In
the save a and b swap names, c is renamed, d is removed and e is added. EVERY: it is killed at each so many-th change
only. Writes a line of JSON for each: the change, and what the project is.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import types
from pathlib import Path
from typing import Any

#: Changes of a disk that Python tells of before they are made.
CHANGES = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir"}


def import_pybpod() -> None:
    """Import the real PyBpod, and start nothing that a fork would leave without its threads."""
    from confapp import conf

    settings = types.ModuleType("user_settings")
    settings.SETTINGS_PRIORITY = 0
    settings.GENERIC_EDITOR_PLUGINS_LIST = ["pybpodgui_plugin", "pybpod_alyx_module"]
    sys.modules["user_settings"] = settings
    conf += settings
    from pyforms_generic_editor import settings as generic  # noqa: F401 - PyBpod needs it first
    from pyforms_generic_editor.editor import base_editor  # noqa: F401


def open_project(folder: Path, said: list[str]) -> Any:
    """Open a project in the real PyBpod; what boxes say is added to ``said``."""
    from AnyQt.QtWidgets import QApplication, QMessageBox
    from confapp import conf
    from pyforms_generic_editor.editor.base_editor import BaseEditor

    QMessageBox.exec_ = lambda box: said.append(box.text())
    open_project.app = QApplication.instance() or QApplication(sys.argv[:1])
    conf += "pyforms_gui.resources_settings"
    from pyforms_gui.appmanager import StandAloneContainer

    open_project.window = StandAloneContainer(BaseEditor)
    return open_project.window.centralWidget().model.open_project(str(folder))


def change(project: Any) -> None:
    """Do what a sync does: swap, rename, remove, add; and note it."""
    from pybpod_alyx_module.host.project import HostProject
    from pybpod_alyx_module.sync.last_sync import LastSync
    from pybpod_alyx_module.sync.plan import Action, Change

    port = HostProject(project, lambda *_: "")
    keys = {subject.name: subject.alyx_key for subject in project.subjects}
    for name, new in {"a": "b", "b": "a", "c": "c2"}.items():
        port.update(keys[name], new, {"nickname": new})
    removed = Change(Action.REMOVE, port.copy_of(keys["d"]), None, port.place_of(keys["d"]))
    port.remove(keys["d"])
    identity = "eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee"
    port.add("e", identity, {"alyx_id": identity, "nickname": "e", "alyx_server": "http://127.0.0.1:1"})
    port.note([("sync", *("" for _ in range(10)))], LastSync("sync", "", "http://127.0.0.1:1", (removed,)))


def kept_of_syncs(folder: Path) -> dict[str, Any]:
    """Return the numbers of the syncs that the table lists and that can be undone, and whether its folder is there."""
    from pybpod_alyx_module.sync.audit import read_rows
    from pybpod_alyx_module.sync.last_sync import lost_folders, read_last_sync

    last = read_last_sync(folder)
    return {
        "listed": [row[0] for row in read_rows(folder)],
        "undoable": [] if last is None else [last.number],
        "lost": {} if last is None else lost_folders(folder, last),
    }


def die_at(folder: str, number: int, report: int) -> None:
    """Kill this process before its ``number``-th change below a folder; the file that it opens is left half written."""
    seen = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event not in CHANGES or not isinstance(arguments[0], str | os.PathLike):
            return
        path = os.fspath(arguments[0])
        written = event != "open" or (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR)
        if not written or not isinstance(path, str) or not path.startswith(folder):
            return
        seen += 1
        if seen == number:
            os.write(report, json.dumps([event, os.path.relpath(path, folder)]).encode())
            if event == "open" and (arguments[2] or 0) & os.O_TRUNC:
                handle = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CREAT)
                os.write(handle, b'{"half": ')
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def in_child(work: Any) -> tuple[int, bytes]:
    """Fork; return how the child ended and what it wrote to the number that ``work`` takes."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            work(writing)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        told = stream.read()
    return os.waitpid(child, 0)[1], told


def what_it_is(project: Any) -> dict[str, Any]:
    """Return the animals by their identity, and by name those that the setups name."""
    setups = [setup for experiment in project.experiments for setup in experiment.setups]
    return {
        "animals": {
            str(subject.uuid4): [subject.name, (subject.alyx or {}).get("alyx_id")] for subject in project.subjects
        },
        "setups": {setup.name: [str(subject.uuid4) for subject in setup.subjects if subject] for setup in setups},
    }


def main() -> None:
    folder, every = Path(sys.argv[1]), int(sys.argv[2])
    import_pybpod()
    kept = shutil.copytree(folder, folder.with_name("kept"))

    def save(number: int, report: int) -> None:
        project = open_project(folder, [])
        change(project)
        die_at(str(folder), number, report)
        project.save()

    def look(report: int) -> None:
        said: list[str] = []
        project = open_project(folder, said)
        found = {**what_it_is(project), "said": list(said), "saved": project.is_saved()}
        found["left"] = sorted(path.name for path in folder.iterdir() if path.name.startswith((".saving", ".moving")))
        found["syncs"] = kept_of_syncs(folder)
        project.save()
        found["again"] = what_it_is(open_project(folder, said))
        os.write(report, json.dumps(found).encode())

    number = 0
    ended = False
    while not ended:
        number += every
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
        status, event = in_child(lambda report, number=number: save(number, report))
        ended = status == 0
        result, found = in_child(look)
        assert result == 0, f"the project cannot be opened after {event!r}"
        line = {"number": number, "event": json.loads(event or b"null"), **json.loads(found)}
        sys.stdout.write(f"{json.dumps(line)}\n")


if __name__ == "__main__":
    main()
