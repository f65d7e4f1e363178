"""What `Connector.search` takes, list by list, for mypy and for editors: ``python -m tests.search_signatures``.

Makes `search_signatures.pyi` from `known_filters.json`; given descriptions of servers (OpenAPI, YAML or JSON), it first
makes that file from them: ``python -m tests.search_signatures alyx.yaml alyx-local.yaml``.
"""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from alyx_connector import Connector
from alyx_connector.schema.description import Schema, parse_schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alyx_connector.schema.description import Filter

ROOT: Final = Path(__file__).parents[1]
KNOWN: Final = ROOT / "alyx_connector/schema/known_filters.json"
STUB: Final = ROOT / "alyx_connector/schema/search_signatures.pyi"

_KINDS: Final = {"boolean": "flag", "integer": "number", "number": "number"}
_TYPES: Final = {
    "text": "_Text",
    "number": "_Number",
    "flag": "bool",
    "time": "_Time",
    "days": "_Days",
    "pairs": "_Pairs",
}
_BEGIN: Final = '''\
"""What `Connector.search` takes, for mypy and editors; made by ``python -m tests.search_signatures``."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, SupportsFloat, TypeAlias, overload
from uuid import UUID

import pandas as pd

from alyx_connector.progress import CancelToken, Report

_Text: TypeAlias = str | UUID | Iterable[str | UUID]
_Number: TypeAlias = SupportsFloat | Iterable[SupportsFloat]
_Time: TypeAlias = str | dt.date | Iterable[str | dt.date]
_Days: TypeAlias = str | int | dt.date | Sequence[Any]
_Pairs: TypeAlias = str | Mapping[str, Any]

class SearchSignatures:
'''
_OVERLOAD: Final = '''\
    @overload
    def search(
        self,
        endpoint: {endpoint},
        *,
{arguments}{filters}        **filters: Any,
    ) -> pd.DataFrame:
        """Return one row for each record that matches every filter; see ``help(Connector.search)``."""
'''


def known_filters(schemas: Iterable[Schema]) -> dict[str, dict[str, Any]]:
    """List the filters of some servers together: for each its kind, or the words that it takes."""
    lists: dict[str, dict[str, Any]] = {}
    for schema in schemas:
        for name, endpoint in schema.endpoints.items():
            filters = lists.setdefault(name, {})
            for one in endpoint.filters.values():
                filters[one.name] = _either(filters.get(one.name), _kind(one))
    return {name: dict(sorted(filters.items())) for name, filters in sorted(lists.items())}


def stub(known: dict[str, dict[str, Any]]) -> str:
    """Write the signatures, with the arguments that `Connector.search` has for every list."""
    arguments = "".join(
        f"        {one.name}: {one.annotation} = {one.default!r},\n"
        for one in inspect.signature(Connector.search).parameters.values()
        if one.kind is one.KEYWORD_ONLY
    )
    return _BEGIN + "".join(
        _OVERLOAD.format(
            arguments=arguments,
            endpoint=f'Literal["{name}"]' + (' = "sessions"' if name == "sessions" else ""),
            filters="".join(f"        {one}: {_type(kind)} = ...,\n" for one, kind in filters.items()),
        )
        for name, filters in known.items()
    )


def _kind(one: Filter) -> str | list[str]:
    if one.name in {"json", "extended_qc", "django"}:
        return "pairs"
    if one.name == "date_range":
        return "days"
    if one.choices and not all(choice.isdecimal() for choice in one.choices):
        return sorted(one.choices)
    return "time" if one.format.startswith("date") else _KINDS.get(one.type, "text")


def _either(one: Any, other: Any) -> Any:
    if isinstance(one, list) and isinstance(other, list):
        return sorted({*one, *other})
    return other if one is None or one == other else "text"


def _type(kind: str | list[str]) -> str:
    if isinstance(kind, str):
        return _TYPES[kind]
    return f"Literal[{', '.join(json.dumps(word) for word in kind)}] | Iterable[str]"


def main(descriptions: list[str]) -> None:
    """Write both files."""
    if descriptions:
        import yaml

        schemas = [parse_schema(yaml.safe_load(Path(path).read_text(encoding="utf-8"))) for path in descriptions]
        KNOWN.write_text(json.dumps(known_filters(schemas), indent=1) + "\n", encoding="utf-8")
    STUB.write_text(stub(json.loads(KNOWN.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
