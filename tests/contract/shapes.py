"""The shapes of the answers of Alyx and Alyx-Local, taken from recordings of real servers.

``recordings/`` and ``recordings_local/`` hold a request and its answer each; ``shapes.json`` and ``shapes_local.json``
what any such server must have in common with them: status, headers, keys and types, and the whole body of an error.
``python -m tests.contract.shapes`` writes these files anew.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

#: Headers that a client can rely on.
HEADERS = ("Allow", "Content-Type", "Vary")
PAGE_KEYS = ["count", "next", "previous", "results"]
#: What a path gives, by its parts; a list of these where the answer is a page.
KINDS = {
    r"/auth-token": "token",
    r"/subjects": "subject row",
    r"/subjects/.+": "subject",
    r"/sessions": "session row",
    r"/sessions/.+": "session",
    r"/users(/.+)?": "user",
    r"/water-requirement/.+": "water requirement",
}
#: Values of these keys are free.
FREE = ("json", "extended_qc")
#: What the server's own schema (`/api/schema`) allows besides what was recorded.
_NOT_RECORDED = {
    "subject row": {"litter": "string", "line": "string", "strain": "string", "source": "string"},
    "subject": {"litter": "string", "line": "string", "strain": "string", "source": "string"},
    "session": {"type": "string", "location": "string", "parent_session": "string", "lab": "null"},
    "session row": {"number": "null", "lab": "null"},
    "water-restriction": {"end_time": "string", "water_type": "null"},
    "dataset-types": {"created_by": "string"},
}
_NOT_RECORDED_LOCAL = {
    "subject row": {"litter": "string", "line": "string", "strain": "null", "source": "string"},
    "subject": {"litter": "string", "line": "string", "strain": "null", "source": "string"},
    "session": dict.fromkeys(
        ("default_data_repository_name", "default_data_repository_path", "default_data_repository_pk"), "null"
    ),
}


@dataclass(frozen=True, eq=False)
class Recorded:
    """The recordings of a server, and what its API's paths begin with."""

    folder: str
    shapes_file: str
    root: str
    not_recorded: dict[str, dict[str, str]]

    def read(self) -> dict[str, Any]:
        """Return the recordings by name."""
        return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((HERE / self.folder).glob("*.json"))}

    @property
    def shapes(self) -> Path:
        """The file of the shapes."""
        return HERE / self.shapes_file

    def derive(self) -> dict[str, Any]:
        """Return the shapes that the recordings have: of every kind, and of every answer."""
        return _derive(self)


OF_ALYX = Recorded("recordings", "shapes.json", "", _NOT_RECORDED)
OF_ALYX_LOCAL = Recorded("recordings_local", "shapes_local.json", "/api", _NOT_RECORDED_LOCAL)


def kind_of(path: str) -> str:
    """Return what a path gives: a row or a detail of what."""
    for pattern, kind in KINDS.items():
        if re.fullmatch(pattern, path):
            return kind
    return path.split("/")[1]


def type_of(value: Any) -> str:
    """Return the JSON name of a type."""
    names = {type(None): "null", bool: "boolean", int: "number", float: "number", str: "string"}
    return names[type(value)]


def shape_of(value: Any) -> Any:
    """Return the shape of a value: keys of objects, the common shape of the items of a list, types of the rest."""
    if isinstance(value, dict):
        return {key: "free" if key in FREE else shape_of(item) for key, item in value.items()}
    if isinstance(value, list):
        shape: list[Any] = []
        for item in value:
            shape = [merged(shape[0], shape_of(item))] if shape else [shape_of(item)]
        return shape
    return type_of(value)


def merged(one: Any, other: Any) -> Any:
    """Return a shape that both values of the one and of the other shape have."""
    if one == other:
        return one
    if isinstance(one, dict) and isinstance(other, dict):
        if list(one) != list(other):
            raise ValueError(f"keys differ: {list(one)} and {list(other)}")
        return {key: merged(one[key], other[key]) for key in one}
    if isinstance(one, list) and isinstance(other, list):
        return [merged(one[0], other[0])] if one and other else one or other
    if isinstance(one, str) and isinstance(other, str):
        return "|".join(sorted({*one.split("|"), *other.split("|")}))
    raise ValueError(f"{one} and {other} are of different kinds")


def fits(shape: Any, value: Any, place: str = "") -> list[str]:
    """Return what does not fit, and where; nothing where a value has a shape."""
    if shape == "free":
        return []
    if isinstance(shape, dict):
        if not isinstance(value, dict) or list(value) != list(shape):
            return [f"{place}: keys {list(value) if isinstance(value, dict) else value}, expected {list(shape)}"]
        return [problem for key in shape for problem in fits(shape[key], value[key], f"{place}.{key}")]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{place}: {value!r}, expected a list"]
        items = enumerate(value) if shape else ()
        return [problem for index, item in items for problem in fits(shape[0], item, f"{place}[{index}]")]
    if isinstance(value, (dict, list)) or type_of(value) not in shape.split("|"):
        return [f"{place}: {value!r}, expected {shape}"]
    return []


def _derive(recorded: Recorded) -> dict[str, Any]:
    kinds: dict[str, Any] = {}
    answers: dict[str, Any] = {}
    for name, recording in recorded.read().items():
        response, body = recording["response"], recording["response"]["body"]
        kind = kind_of(recording["request"]["path"].removeprefix(recorded.root))
        if recording["request"]["method"] == "POST" and kind == "session row":
            kind = "session"
        answer = {"status": response["status"], "headers": {key: response["headers"].get(key) for key in HEADERS}}
        if response["status"] >= 400 or not isinstance(body, dict):
            answer["error" if isinstance(body, dict) else "text"] = body
        else:
            is_page = list(body) == PAGE_KEYS
            answer["page of" if is_page else "body"] = kind
            for row in body["results"] if is_page else [body]:
                kinds[kind] = merged(kinds[kind], shape_of(row)) if kind in kinds else shape_of(row)
        answers[name] = answer
    for kind, more in recorded.not_recorded.items():
        for key, also in more.items():
            kinds[kind][key] = merged(kinds[kind][key], also)
    # The same rows as those of the list routes, recorded in more variety there.
    kinds["subject"].update({key: [kinds[key.replace("_", "-")]] for key in ("weighings", "water_administrations")})
    return {"kinds": kinds, "answers": answers}


if __name__ == "__main__":
    for each in (OF_ALYX, OF_ALYX_LOCAL):
        each.shapes.write_text(json.dumps(each.derive(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
