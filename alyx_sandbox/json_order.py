"""Compares what stands in JSON as PostgreSQL does, below Alyx: null < text < numbers < True, False < lists < objects.

So ``extended_qc=noise__lt,5`` finds a text and a null too. SQLite would put a text after every number.
"""

from __future__ import annotations

from typing import Any

from django.db.models.fields.json import KeyTransform, compile_json_path
from django.db.models.lookups import Lookup

_RANK = (
    "CASE JSON_TYPE({0}, %s) WHEN 'null' THEN 0 WHEN 'text' THEN 1 WHEN 'integer' THEN 2 WHEN 'real' THEN 2"
    " WHEN 'true' THEN 3 WHEN 'false' THEN 3 WHEN 'array' THEN 4 WHEN 'object' THEN 5 END"
)


def _rank(value: Any) -> int:
    if isinstance(value, bool):
        return 3
    return 1 if isinstance(value, str) else 2


class _Ordered(Lookup):
    operators: tuple[str, ...]

    def get_prep_lookup(self) -> Any:
        return self.rhs

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        document, document_params, keys = self.lhs.preprocess_lhs(compiler, connection)
        at = [*document_params, compile_json_path(keys)]
        rank = _RANK.format(document)
        conditions, params = [], []
        bounds = self.rhs if len(self.operators) > 1 else [self.rhs]
        for operator, bound in zip(self.operators, bounds, strict=True):
            conditions.append(
                f"({rank} {operator[0]} %s OR ({rank} = %s AND JSON_EXTRACT({document}, %s) {operator} %s))"
            )
            params += [*at, _rank(bound), *at, _rank(bound), *at, bound]
        return f"({' AND '.join(conditions)})", params


class _Less(_Ordered):
    lookup_name, operators = "lt", ("<",)


class _LessOrEqual(_Ordered):
    lookup_name, operators = "lte", ("<=",)


class _Greater(_Ordered):
    lookup_name, operators = "gt", (">",)


class _GreaterOrEqual(_Ordered):
    lookup_name, operators = "gte", (">=",)


class _Between(_Ordered):
    lookup_name, operators = "range", (">=", "<=")


def compare_like_postgresql() -> None:
    """Let filters compare what stands in JSON as PostgreSQL does."""
    for lookup in (_Less, _LessOrEqual, _Greater, _GreaterOrEqual, _Between):
        KeyTransform.register_lookup(lookup)
