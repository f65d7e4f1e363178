"""The schema of a server: from memory, from disk, or from the server itself."""

from __future__ import annotations

import hashlib
import time
import weakref
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import AlyxError, ConfigurationError, CredentialsError, ProtocolError, ResponseError
from alyx_connector.private_file import JsonFile, home_folder
from alyx_connector.schema.description import parse_schema, schema_from_dict, schema_to_dict
from alyx_connector.schema.dialect import Dialect

if TYPE_CHECKING:
    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken, Report
    from alyx_connector.schema.description import Schema
    from alyx_connector.warning import Tell

__all__ = ["SchemaSource", "dialect_of"]

#: Changes with what is kept.
VERSION = 7
#: Seconds that a schema is good for.
A_DAY_S = 24 * 3600


class SchemaSource:
    """Gives the schema of one server: from memory, from disk where it is not older than a day, or from the server."""

    def __init__(self, client: AlyxClient) -> None:
        self._client = client
        self._schema: Schema | None = None
        self._kept_at = 0.0
        #: Why there is no schema; empty while there may be one.
        self._missing = ""

    def schema(self, *, cancel: CancelToken | None = None, report: Report | None = None, tell: Tell) -> Schema | None:
        """Return the schema; None where the server has none, as an Alyx before 3.0."""
        if self._schema is None or not 0 <= time.time() - self._kept_at < A_DAY_S:
            self._schema = None if self._missing else self._look(cancel, report)
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
        if self._schema is not None:
            return self._schema
        kept = self._kept(self._file())
        return schema_from_dict(kept["schema"]) if kept.get("version") == VERSION else None

    def _file(self) -> JsonFile:
        name = hashlib.sha256(self._client.url.encode()).hexdigest()[:16]
        return JsonFile(home_folder() / "cache" / f"schema-{name}.json", _check)

    def _kept(self, file: JsonFile) -> dict[str, Any]:
        try:
            return file.read()
        except ConfigurationError:
            return {}

    def _look(self, cancel: CancelToken | None, report: Report | None) -> Schema | None:
        file = self._file()
        kept = self._kept(file)
        if kept.get("version") == VERSION and 0 <= time.time() - kept["time"] < A_DAY_S:
            self._kept_at = kept["time"]
            return schema_from_dict(kept["schema"])
        try:
            schema = parse_schema(self._client.openapi(cancel=cancel, report=report))
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


#: What `dialect_of` found, and when.
_FOUND: weakref.WeakKeyDictionary[AlyxClient, tuple[float, Dialect]] = weakref.WeakKeyDictionary()


def dialect_of(client: AlyxClient, *, cancel: CancelToken | None = None, report: Report | None = None) -> Dialect:
    """Say in what the server of a client differs from others; asks for its schema once a day.

    Returns: that of Alyx where the server does not describe itself.
    """
    when, dialect = _FOUND.get(client, (0.0, Dialect()))
    if not 0 <= time.time() - when < A_DAY_S:
        schema = SchemaSource(client).schema(cancel=cancel, report=report, tell=lambda _: None)
        dialect = schema.dialect if schema else Dialect()
        _FOUND[client] = (time.time(), dialect)
    return dialect
