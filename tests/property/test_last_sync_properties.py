"""The file of the last sync, as anything may have changed it: refused in words, or as good as what PyBpod wrote."""

from __future__ import annotations

import copy
import json

from hypothesis import given
from hypothesis import strategies as st

from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.sync.apply import apply_plan
from pybpod_alyx_module.sync.last_sync import LastSync, lost_folders
from pybpod_alyx_module.sync.plan import Action, Change, Listed, Place, SubjectCopy
from pybpod_alyx_module.sync.undo import after_undo, look, plan_undo
from tests.alyx_rows import SERVER, record
from tests.memory_project import MemoryProject

NOW = "2026-11-28T12:00:00+00:00"
PLACE = Place("uuid", 0, "setup", (Listed("setup", "Set", 0),), "removed/c", "c.json")


def copy_of(name):
    return SubjectCopy(name, json.dumps(record(name)))


WRITTEN = LastSync(
    "number",
    NOW,
    SERVER,
    (
        Change(Action.ADD, None, copy_of("a")),
        Change(Action.OVERRIDE, SubjectCopy("b0", None, '{"sex": 5}'), copy_of("b")),
        Change(Action.REMOVE, copy_of("c"), None, PLACE),
    ),
).as_record()

VALUES = [None, True, 0, -1, 10**30, 0.5, "", "x", "null", "[]", "{}", '{"alyx_id": 5}', [], [[]], {}, {"a": 1}]
JUNK = st.sampled_from(VALUES)


def places(thing, path=()):
    """Return the paths to all values."""
    found = [path] if path else []
    inner = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list | tuple) else ()
    for key, value in inner:
        found += places(value, (*path, key))
    return found


def written():
    return json.loads(json.dumps(WRITTEN))


@given(st.sampled_from(places(written())), JUNK, st.booleans())
def test_a_changed_file_is_refused_or_can_be_planned_and_applied(tmp_path_factory, path, junk, gone):
    changed = written()
    *above, last = path
    thing = changed
    for key in above:
        thing = thing[key]
    if gone:
        del thing[last]
    else:
        thing[last] = copy.deepcopy(junk)
    try:
        found = LastSync.of(changed)
    except ValueError:
        return
    project = MemoryProject()
    for name in ("a", "b"):
        project.put(name, record(name))
    lost_folders(tmp_path_factory.getbasetemp(), found)
    plan = plan_undo(found, tuple(look(project, found)), {"setup"}, {})
    before = project.state()
    try:
        results = tuple(apply_plan(plan, project, synced_at=NOW))
    except SyncError:  # such as a place that no list has
        assert project.state() == before
        return
    assert LastSync.of(json.loads(json.dumps(after_undo(found, results, NOW).as_record()))).undone == NOW


def test_what_was_written_is_read():
    assert LastSync.of(written()).as_record() == WRITTEN
