"""What a server says of its own lists: endpoints, their filters and fields, out of its OpenAPI description."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from alyx_connector.frames.columns import KIND_OF_FIELD, UNKNOWN, Column, Kind, Layout, known_layout
from alyx_connector.schema.dialect import Dialect, dialect_from_dict, read_dialect

__all__ = [
    "NO_CASE",
    "Endpoint",
    "Field",
    "Filter",
    "Schema",
    "parse_schema",
    "schema_from_dict",
    "schema_to_dict",
]


_PART, _ALL, _EXACT, _ANY = "part of a word", "all", "exact", "any"
#: How a filter compares that takes small letters for capitals.
NO_CASE = "exact, but for case"
#: How a filter compares, where the description does not say; the first name is the endpoint, or ``*`` for all.
_MATCHES = {
    ("*", "subject"): NO_CASE,
    ("*", "nickname"): NO_CASE,
    ("*", "qc"): NO_CASE,
    ("subjects", "nickname"): _EXACT,
    ("subjects", "project"): _EXACT,
    ("datasets", "subject"): _EXACT,
    ("*", "users"): _ALL,
    ("*", "dataset_types"): _ALL,
    ("*", "datasets"): _ALL,
    ("*", "location"): _PART,
    ("sessions", "task_protocol"): _PART,
    ("sessions", "procedures"): _PART,
    ("sessions", "projects"): _PART,
    ("sessions", "project"): _PART,
    ("*", "date_range"): "from the first day to the last",
    ("*", "django"): "pairs of a lookup and a value",
    ("*", "json"): "pairs of a key and a value",
    ("*", "extended_qc"): "pairs of a key and a value",
}
#: The same, on servers whose sessions have names.
_MATCHES_WITH_NAMES = {
    ("sessions", "subject"): _EXACT,
    ("sessions", "users"): _ANY,
}
#: Filters that are described, although the server answers them with an error.
_UNANSWERED = {
    (endpoint, name)
    for endpoint in ("weighings", "water-administrations")
    for name in ("lab", "users", "date_range", "location")
}
#: The same, on servers whose sessions have names.
_UNANSWERED_WITH_NAMES = {("sessions", "dataset_types")}
_DESCRIBED = re.compile(
    r"^\s*-\s+\*\*(\w+)\*\*(?:, \*\*(\w+)\*\*)?:?\s*(.*?)(?=^\s*-\s+\*\*|^\s*\[|\Z)", re.MULTILINE | re.DOTALL
)
_PAGED = "Paginated"
#: Not filters: which rows of the list to answer is the client's business.
_PAGING = frozenset({"limit", "offset"})


@dataclass(frozen=True)
class Filter:
    """A filter of a list."""

    #: As the server calls it.
    name: str
    #: JSON type: ``string``, ``integer``, ``number``, ``boolean``, ``array``; empty where the server does not say.
    type: str
    #: ``uuid``, ``date``, ``date-time`` or empty.
    format: str
    #: The values that there are; empty where any will do.
    choices: tuple[str, ...]
    #: How it compares.
    match: str
    #: In the server's words; may be empty.
    description: str
    #: Whether the server can answer it.
    usable: bool = True

    @property
    def is_part(self) -> bool:
        """Whether a part of a name is enough."""
        return self.match == _PART


@dataclass(frozen=True)
class Field:
    """A field of a record that is sent to the server."""

    #: As the server calls it.
    name: str
    #: ``date``, ``date-time``, ``uuid``, … or empty.
    format: str
    #: Whether the server sets it, and ignores what is sent.
    read_only: bool
    #: Whether a new record must have it.
    required: bool = False
    #: A regular expression that its text must match; empty for any text.
    pattern: str = ""
    #: How many characters its text may have; 0 for any number.
    longest: int = 0


@dataclass(frozen=True)
class Endpoint:
    """A list of a server."""

    #: For example ``sessions``.
    name: str
    #: Its filters, by name.
    filters: dict[str, Filter]
    #: Its columns.
    layout: Layout
    #: By what a single record is asked for, ``id`` or ``nickname`` say; empty if it cannot be.
    detail_by: str
    #: The fields of a new record; empty where none can be made.
    created: tuple[Field, ...] = ()
    #: The fields of a change to a record; empty where none can be changed.
    updated: tuple[Field, ...] = ()


@dataclass(frozen=True)
class Schema:
    """The lists of a server."""

    #: By name.
    endpoints: dict[str, Endpoint]
    #: In what the server differs from others.
    dialect: Dialect


def parse_schema(document: Any) -> Schema:
    """Read the OpenAPI description of an Alyx.

    ``document``: the answer of ``GET /api/schema``.
    """
    try:
        paths, components = document["paths"], document.get("components", {}).get("schemas", {})
        dialect = read_dialect(paths, components)
        endpoints = {}
        for path, methods in paths.items():
            name = path.strip("/").rpartition("/")[2]
            listed = _answer(methods)
            if "{" not in path and listed is not None and listed.startswith(_PAGED):
                endpoints[name] = _endpoint(name, path, paths, components, dialect)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a description of an API ({type(error).__name__})") from error
    if not endpoints:
        raise ValueError("a description of an API without lists")
    return Schema(endpoints, dialect)


def schema_to_dict(schema: Schema) -> dict[str, Any]:
    """Make a schema into plain JSON.

    Returns: for `schema_from_dict`.
    """
    return asdict(schema)


def schema_from_dict(content: dict[str, Any]) -> Schema:
    """Make a schema of what `schema_to_dict` returned."""
    return Schema(
        {
            name: Endpoint(
                name,
                {one: Filter(**{**said, "choices": tuple(said["choices"])}) for one, said in held["filters"].items()},
                Layout(*(tuple(Column(c["name"], Kind(c["kind"])) for c in held["layout"][p]) for p in _PARTS)),
                held["detail_by"],
                *(tuple(Field(**said) for said in held[written]) for written in ("created", "updated")),
            )
            for name, held in content["endpoints"].items()
        },
        dialect_from_dict(content["dialect"]),
    )


_PARTS = ("listed", "detailed")


def _endpoint(name: str, path: str, paths: dict[str, Any], components: dict[str, Any], dialect: Dialect) -> Endpoint:
    get = paths[path]["get"]
    words = _descriptions(get.get("description") or "")
    filters = {
        said["name"]: _filter(name, said, words.get(said["name"], ""), dialect)
        for said in get.get("parameters", [])
        if said.get("in") == "query" and said["name"] not in _PAGING
    }
    single = re.compile(re.escape(path) + r"/\{(\w+)\}")
    details = [(match[1], methods) for one, methods in paths.items() if (match := single.fullmatch(one))]
    # A name may be given to another record, an id may not.
    details.sort(key=lambda found: found[0] != "id")
    detail_by, record = (details[0][0], _answer(details[0][1])) if details else ("", None)
    row = (_answer(paths[path]) or "").removeprefix(_PAGED).removesuffix("List")
    layout = _layout(name, components.get(row, {}), components.get(record or "", {}))
    created = _sent(paths[path].get("post", {}), components)
    updated = _sent(details[0][1].get("patch", {}), components) if details else ()
    return Endpoint(name, filters, layout, detail_by, created, updated)


def _answer(methods: dict[str, Any]) -> str | None:
    # Name of the component that a GET answers with.
    return _component(methods.get("get", {}).get("responses", {}).get("200", {}))


def _component(body: dict[str, Any]) -> str | None:
    reference = body.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref")
    return reference.rpartition("/")[2] if isinstance(reference, str) else None


def _sent(method: dict[str, Any], components: dict[str, Any]) -> tuple[Field, ...]:
    # What the body of a POST or PATCH may hold.
    component = components.get(_component(method.get("requestBody", {})) or "", {})
    required = component.get("required", ())
    return tuple(
        Field(
            name,
            str(said.get("format", "")),
            bool(said.get("readOnly", False)),
            name in required and not said.get("readOnly", False),
            str(said.get("pattern", "")),
            int(said.get("maxLength", 0)),
        )
        for name, said in component.get("properties", {}).items()
    )


def _layout(name: str, row: dict[str, Any], record: dict[str, Any]) -> Layout:
    known = known_layout(name) or UNKNOWN
    rows = {field: kind for field, kind in _fields(row) if field != "id"}
    is_record = "results" not in record.get("properties", {})
    fields = {field: kind for field, kind in _fields(record) if field not in {*rows, "id"}} if is_record else {}
    if not rows:
        return known
    # In the order that is known; Alyx does not describe the url that is in every row.
    listed = [one for one in known.listed if one.name in {"id", "url", *rows}]
    told = {one.name for one in listed}
    later = [one for one in (*known.listed, *known.detailed) if one.name in fields.keys() - told]
    told.update(one.name for one in later)
    return Layout(
        (*listed, *(Column(field, kind) for field, kind in rows.items() if field not in told)),
        (*later, *(Column(field, kind) for field, kind in fields.items() if field not in told)),
    )


def _fields(component: dict[str, Any]) -> list[tuple[str, Kind]]:
    return [
        (name, _kind(name, said)) for name, said in component.get("properties", {}).items() if not said.get("writeOnly")
    ]


def _kind(name: str, said: dict[str, Any]) -> Kind:
    if name in KIND_OF_FIELD:
        return KIND_OF_FIELD[name]
    if said.get("type") == "string":
        return Kind.TIME if said.get("format") in {"date", "date-time"} else Kind.TEXT
    plain = {"integer": Kind.COUNT, "number": Kind.NUMBER, "boolean": Kind.FLAG}
    enumerated = "allOf" in said or "oneOf" in said or "$ref" in said
    return Kind.TEXT if enumerated else plain.get(str(said.get("type")), Kind.NESTED)


def _filter(endpoint: str, said: dict[str, Any], words: str, dialect: Dialect) -> Filter:
    schema, name = said.get("schema", {}), said["name"]
    items = schema.get("items", {}) if schema.get("type") == "array" else schema
    known = {**_MATCHES, **(_MATCHES_WITH_NAMES if dialect.names_sessions else {})}
    match = known.get((endpoint, name)) or known.get(("*", name))
    if match is None:
        match = _ANY if schema.get("type") == "array" else _PART if "(icontains)" in words else _EXACT
        match = {"_gte": "at least", "_lte": "at most"}.get(name[-4:], match)
    choices = tuple(str(choice) for choice in items.get("enum", ()) if choice not in {None, ""})
    if name == "qc":  # the description of Alyx calls it a text, and names other words than there are
        choices = tuple(word for _, word in dialect.qc_words)
    failing = _UNANSWERED | (_UNANSWERED_WITH_NAMES if dialect.names_sessions else set())
    usable = (endpoint, name) not in failing
    return Filter(name, schema.get("type", ""), items.get("format", ""), choices, match, words, usable)


def _descriptions(text: str) -> dict[str, str]:
    found = {}
    for match in _DESCRIBED.finditer(text):
        words = " ".join(match[3].split())
        found.update({name: words for name in (match[1], match[2]) if name})
    return found
