"""A scratch folder for the demo: settings for the sandbox, and a project as version 1 of the plugin left it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import NAMESPACE_URL, uuid5

from pybpod_alyx_module.sync.details import COMPARED, KEPT, VOLATILE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

#: The only keys that version 1 did not write.
_NEWER: Final = ("json", "session_projects")

#: How the project's copies differ from Alyx: an older value, or ``...`` for a key that is not there.
COPIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "ea04": {"description": "first animal", "projects": ["WaitTask"], "responsible_user": "ana"},
    "jo002": {"description": "in cage 11 since Monday"},
    "jo003": {"lab": ..., "genotype": ...},
    "jo007": {"alive": True, "death_date": None},
}

#: A subject of the project that Alyx does not know.
LOCAL_ONLY: Final = "pilot animal"

_SETTINGS = """\
# Settings of the demo: PyBpod with the Alyx plugin, pointed at the sandbox.
SETTINGS_PRIORITY = 0
GENERIC_EDITOR_PLUGINS_LIST = ['pybpodgui_plugin', 'pybpod_alyx_module']
PYFORMS_SILENT_PLUGINS_FINDER = False
DEFAULT_PROJECT_PATH = {project!r}
ALYX_PLUGIN_ADDRESS = {address!r}
ALYX_PLUGIN_USERNAME = {username!r}
ALYX_PLUGIN_PASSWORD = {password!r}
"""


@dataclass(frozen=True)
class Login:
    """Where the demo connects, and as whom."""

    address: str
    username: str
    #: The demo password of a made-up user of the sandbox.
    password: str


def make_scratch(folder: Path, login: Login, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write PyBpod's settings and the demo project into a folder.

    Returns: the project's folder.
    ``folder``: an empty folder, in which PyBpod will run.
    ``rows``: the subjects of that user, as ``GET /subjects`` answers them.
    """
    project = folder / "Demo"
    _write(project / "Demo.json", _head("Demo", "information about a PyBpod project") | {"name": "Demo"})
    for kind in ("users", "boards", "tasks"):
        (project / kind).mkdir()
    by_name = {row["nickname"]: row for row in rows}
    if not COPIES.keys() <= by_name.keys():
        raise LookupError(f"the demo needs the subjects {', '.join(COPIES)} in the lab")
    for name, changed in COPIES.items():
        _write_subject(project, name, _saved_by_version_1(by_name[name], changed))
    _write_subject(project, LOCAL_ONLY, {})
    setup = project / "experiments" / "Whisker task" / "setups" / "Rig 1"
    subjects = ["ea04", "jo007"]
    refs = [_uuid(name) for name in subjects]
    _write(
        setup / "Rig 1.json",
        _head("Rig 1", "information about a setup")
        | {"board": None, "task": None, "subjects": subjects, "detached": False, "variables": []}
        | {"__EXTERNAL-REF__": refs},
    )
    settings = _SETTINGS.format(
        project=str(project), address=login.address, username=login.username, password=login.password
    )
    (folder / "user_settings.py").write_text(settings, encoding="utf-8")
    return project


def _saved_by_version_1(row: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    saved = {key: row.get(key) for key in (*COMPARED, *VOLATILE) if key not in _NEWER}
    saved |= {"nickname": row["nickname"], "alyx_id": row["id"], "water_administration": [], KEPT[0]: []}
    saved |= changed
    return {key: value for key, value in saved.items() if value is not ...}


def _write_subject(project: Path, name: str, more: Mapping[str, Any]) -> None:
    head = _head(name, "information about a subject used on PyBpod GUI")
    _write(project / "subjects" / name / f"{name}.json", {**head, "setup": "None", **more})


def _head(name: str, what: str) -> dict[str, Any]:
    return {
        "__UUID4__": _uuid(name),
        "__CREATED-ON__": "2020-02-20 10:00:00",
        "__UPDATED-ON__": "2020-02-20 10:00:00",
        "__SOFTWARE__": "PyBpod GUI API v1.8.1",
        "__DEF-URL__": "http://pybpod.readthedocs.org",
        "__DEF-TEXT__": f"This file contains {what}.",
    }


def _uuid(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name))


def _write(path: Path, data: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=4, sort_keys=True), encoding="utf-8")
