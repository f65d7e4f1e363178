"""The Alyx part of a subject's file: read from and written into what PyBpod keeps of the file."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, Final

from pybpod_alyx_module.sync.details import COMPARED, MISSING, RECORD_KEYS, Details, too_deep

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

#: The right name of a key, and the one that the predecessor wrote by mistake.
WATER: Final = "water_administrations"
MISSPELT: Final = "water_administration"

#: The keys that identify a linked subject in its file, beside what is compared.
IDENTITY: Final = ("alyx_id", "alyx_server", "nickname")


def read_record(data: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Take the Alyx record out of the content of a subject's file.

    Returns: a copy of the keys in `RECORD_KEYS` that the file has, without values that are `too_deep`, which stay in
    the file as they are; None for a subject that is not linked to Alyx.
    ``data``: what PyBpod loaded, None if it loaded nothing.
    """
    if data is None or not is_linked(data):
        return None
    record = {key: copy.deepcopy(data[key]) for key in RECORD_KEYS if key in data and not too_deep(data[key])}
    if WATER not in data and MISSPELT in data and not too_deep(data[MISSPELT]):
        record[WATER] = copy.deepcopy(data[MISSPELT])
    return record


def is_linked(record: Mapping[str, Any]) -> bool:
    """Tell whether a record or file names an Alyx subject, True if its ``alyx_id`` is text."""
    alyx_id = record.get("alyx_id")
    return isinstance(alyx_id, str) and bool(alyx_id)


def overlay(data: MutableMapping[str, Any], record: Mapping[str, Any], covered: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a record over the content of a subject's file; keys that are not ours stay.

    Returns: what the record covers: what stood under each of its keys, `MISSING` where nothing did.
    ``data``: what PyBpod is going to save; changed in place. PyBpod's own mapping notes by itself whether a value
    differs.
    ``record``: the record; empty to uncover all that an earlier call covered.
    ``covered``: what the earlier call returned; empty the first time.
    """
    for key, value in covered.items():
        if key in record:
            continue
        if value is MISSING:
            data.pop(key, None)
        else:
            data[key] = value
    covers = {key: covered[key] if key in covered else data.get(key, MISSING) for key in record}
    for key, value in record.items():
        data[key] = copy.deepcopy(value)
    if record and MISSPELT in data and data[MISSPELT] == data.get(WATER):
        del data[MISSPELT]
    return covers


def beneath(data: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what the file of a subject that is not linked has under the keys of a record.

    ``data``: its content, None where it has none.
    """
    return {key: copy.deepcopy(data[key]) for key in RECORD_KEYS if key in data} if data is not None else {}


def saved_details(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes a project unsaved when it changes: the identity and the compared details."""
    found: dict[str, Any] = {key: str(record[key]) for key in IDENTITY if record.get(key) is not None}
    try:
        return found | dict(Details.of(record, COMPARED).items)
    except (TypeError, ValueError):  # not JSON: the save will say so; asking whether all is saved must not fail
        return found | {field: json.dumps(repr(record[field])) for field in COMPARED if field in record}
