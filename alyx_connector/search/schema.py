"""What a server says of its own lists: endpoints, their filters and fields, out of its OpenAPI description."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import AlyxError, ConfigurationError, CredentialsError, ProtocolError, ResponseError
from alyx_connector.frames.columns import KIND_OF_FIELD, Column, Kind, Layout, known_layout
from alyx_connector.private_file import JsonFile, home_folder

if TYPE_CHECKING:
    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken
    from alyx_connector.warning import Tell

__all__ = [
    "Endpoint",
    "Field",
    "Filter",
    "Schema",
    "SchemaSource",
    "parse_schema",
    "schema_from_dict",
    "schema_to_dict",
]


_PART, _ALL, _EXACT, _ANY = "part of a word", "all", "exact", "any"
_NO_CASE = "exact, but for case"
#: How a filter compares, where the description does not say; the first name is the endpoint, or ``*`` for all.
_MATCHES = {
    ("*", "subject"): _NO_CASE,
    ("*", "nickname"): _NO_CASE,
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


@dataclass(frozen=True)
class Field:
    """A field of a record that is sent to the server."""

    #: As the server calls it.
    name: str
    #: ``date``, ``date-time``, ``uuid``, … or empty.
    format: str
    #: Whether the server sets it, and ignores what is sent.
    read_only: bool


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


def parse_schema(document: Any) -> Schema:
    """Read the OpenAPI description of an Alyx.

    ``document``: the answer of ``GET /api/schema``.
    """
    try:
        paths, components = document["paths"], document.get("components", {}).get("schemas", {})
        endpoints = {}
        for path, methods in paths.items():
            name = path.strip("/").rpartition("/")[2]
            listed = _answer(methods)
            if "{" not in path and listed is not None and listed.startswith(_PAGED):
                endpoints[name] = _endpoint(name, path, paths, components)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a description of an API ({type(error).__name__})") from error
    if not endpoints:
        raise ValueError("a description of an API without lists")
    return Schema(endpoints)


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
        }
    )


_PARTS = ("listed", "detailed")


def _endpoint(name: str, path: str, paths: dict[str, Any], components: dict[str, Any]) -> Endpoint:
    get = paths[path]["get"]
    words = _descriptions(get.get("description") or "")
    filters = {
        said["name"]: _filter(name, said, words.get(said["name"], ""))
        for said in get.get("parameters", [])
        if said.get("in") == "query" and said["name"] not in _PAGING
    }
    single = re.compile(re.escape(path) + r"/\{(\w+)\}")
    details = [(match[1], methods) for one, methods in paths.items() if (match := single.fullmatch(one))]
    detail_by, record = (details[0][0], _answer(details[0][1])) if details else ("", None)
    row = (_answer(paths[path]) or "").removeprefix(_PAGED).removesuffix("List")
    layout = known_layout(name) or _layout(components.get(row, {}), components.get(record or "", {}))
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
    return tuple(
        Field(name, str(said.get("format", "")), bool(said.get("readOnly", False)))
        for name, said in component.get("properties", {}).items()
    )


def _layout(row: dict[str, Any], record: dict[str, Any]) -> Layout:
    listed = {name: kind for name, kind in _fields(row) if name != "id"}
    detailed = [Column(name, kind) for name, kind in _fields(record) if name not in {*listed, "id"}]
    is_record = "results" not in record.get("properties", {})
    return Layout(
        (Column("id", Kind.TEXT), *(Column(name, kind) for name, kind in listed.items())),
        tuple(detailed) if is_record else (),
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


def _filter(endpoint: str, said: dict[str, Any], words: str) -> Filter:
    schema, name = said.get("schema", {}), said["name"]
    items = schema.get("items", {}) if schema.get("type") == "array" else schema
    match = _MATCHES.get((endpoint, name)) or _MATCHES.get(("*", name))
    if match is None:
        match = _ANY if schema.get("type") == "array" else _PART if "(icontains)" in words else _EXACT
        match = {"_gte": "at least", "_lte": "at most"}.get(name[-4:], match)
    choices = tuple(str(choice) for choice in items.get("enum", ()) if choice not in {None, ""})
    return Filter(name, schema.get("type", ""), items.get("format", ""), choices, match, words)


def _descriptions(text: str) -> dict[str, str]:
    found = {}
    for match in _DESCRIBED.finditer(text):
        words = " ".join(match[3].split())
        found.update({name: words for name in (match[1], match[2]) if name})
    return found


#: Changes with what is kept.
VERSION = 2
#: Seconds that a schema is good for.
A_DAY_S = 24 * 3600
ROUTE = ("api", "schema")


class SchemaSource:
    """Gives the schema of one server: from memory, from disk where it is not older than a day, or from the server."""

    def __init__(self, client: AlyxClient) -> None:
        self._client = client
        self._schema: Schema | None = None
        self._kept_at = 0.0
        #: Why there is no schema; empty while there may be one.
        self._missing = ""

    def schema(self, *, cancel: CancelToken | None = None, tell: Tell) -> Schema | None:
        """Return the schema; None where the server has none, as an Alyx before 3.0."""
        if self._schema is None or not 0 <= time.time() - self._kept_at < A_DAY_S:
            self._schema = None if self._missing else self._look(cancel)
        if self._schema is None:
            tell(
                f"{self._client.url} does not describe its lists ({self._missing}): names of filters cannot be "
                "checked, and the server ignores unknown ones and returns everything."
            )
        return self._schema

    def last_known(self) -> Schema | None:
        """Return the schema that is kept, however old; asks nothing.

        Returns: None if none is kept.
        """
        kept = self._kept(self._file())
        if self._schema is None and kept.get("version") == VERSION:
            return schema_from_dict(kept["schema"])
        return self._schema

    def _file(self) -> JsonFile:
        name = hashlib.sha256(self._client.url.encode()).hexdigest()[:16]
        return JsonFile(home_folder() / "cache" / f"schema-{name}.json", _check)

    def _kept(self, file: JsonFile) -> dict[str, Any]:
        try:
            return file.read()
        except ConfigurationError:
            return {}

    def _look(self, cancel: CancelToken | None) -> Schema | None:
        file = self._file()
        kept = self._kept(file)
        if kept.get("version") == VERSION and 0 <= time.time() - kept["time"] < A_DAY_S:
            self._kept_at = kept["time"]
            return schema_from_dict(kept["schema"])
        try:
            schema = parse_schema(self._client.get(ROUTE, cancel=cancel))
        except CredentialsError:
            raise
        except (ResponseError, ProtocolError, ValueError) as error:
            self._missing = (error.message if isinstance(error, AlyxError) else str(error)).rstrip(".")
            return None
        self._kept_at = time.time()
        content = {"version": VERSION, "url": self._client.url, "time": self._kept_at, "schema": schema_to_dict(schema)}
        try:
            file.change(lambda held: held.update(content))
        except ConfigurationError:
            return schema  # a disk that is full or read-only: it is asked for again next time
        return schema


def _check(content: Any) -> None:
    if content.get("version") == VERSION:
        try:
            schema_from_dict(content["schema"])
            float(content["time"])
        except KeyError as error:
            raise ValueError("not a schema") from error
