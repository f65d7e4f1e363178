"""What a copy of an Alyx subject says: the fields that a sync compares and those that change by themselves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Compared between Alyx and the project. The nickname is compared with the PyBpod name and is not in this list.
COMPARED: Final = (
    "responsible_user",
    "birth_date",
    "death_date",
    "species",
    "sex",
    "litter",
    "strain",
    "source",
    "line",
    "projects",
    "lab",
    "genotype",
    "description",
    "alive",
    "json",
)

#: Change by themselves: refreshed without a question and never a reason to call a project unsaved.
VOLATILE: Final = (
    "url",
    "age_weeks",
    "reference_weight",
    "last_water_restriction",
    "expected_water",
    "remaining_water",
    "session_projects",
)

#: The last weight that this PyBpod saw, and whether it is below the minimum: see `animals.weight.WeightNote`.
LAST_WEIGHT: Final = "last_weight"

#: Left as they were found: a sync does not ask for them. The predecessor stored the first two.
KEPT: Final = ("weighings", "water_administrations", LAST_WEIGHT)

#: When the copy was last refreshed from Alyx: ISO 8601 with offset. It changes by itself, too.
SYNCED_AT: Final = "alyx_synced_at"

#: Every key that the plugin keeps in a subject's file, beside PyBpod's own.
RECORD_KEYS: Final = ("alyx_id", "alyx_server", SYNCED_AT, "nickname", *COMPARED, *VOLATILE, *KEPT)

#: Zygosity codes of a subject's detail, in the words of the subject list (Alyx: ``ZYGOSITY_SYMBOLS``).
ZYGOSITY: Final = ("-/-", "+/-", "+/+", "+")


#: A value nested deeper than this is left out: nobody keeps such a thing, and copying it would end in a RecursionError.
DEEPEST: Final = 100


#: Made once: hundreds of subjects are compared while PyBpod waits.
_as_json: Final = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode


class _Missing:
    """The type of `MISSING`: a field that a copy does not have, as against one that is null or empty."""

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        raise TypeError("MISSING has no truth value: compare with 'is MISSING'")

    def __copy__(self) -> _Missing:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> _Missing:
        return self


#: The field is not there at all. Null (None) and empty ("", [], {}) are two other things.
MISSING: Final = _Missing()


def too_deep(value: Any) -> bool:
    """Tell whether a JSON value is nested deeper than `DEEPEST`."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list | tuple)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True


def genotype_words(genotype: Any) -> Any:
    """Return a genotype in the words of the subject list, whichever form it came in.

    Returns: sorted ``"allele zygosity"``; anything that is not a list comes back as it is.
    ``genotype``: ``["Ai32 +/-"]`` as in Alyx's list or ``[{"allele": "Ai32", "zygosity": 1}]`` as in its detail.
    """
    if not isinstance(genotype, list | tuple):
        return genotype
    return sorted(_allele_words(item) for item in genotype)


def _allele_words(item: Any) -> str:
    if not isinstance(item, dict) or "allele" not in item:
        return item if isinstance(item, str) else json.dumps(item, sort_keys=True)
    zygosity = item.get("zygosity")
    if isinstance(zygosity, int) and not isinstance(zygosity, bool) and 0 <= zygosity < len(ZYGOSITY):
        zygosity = ZYGOSITY[zygosity]
    return str(item["allele"]) if zygosity is None else f"{item['allele']} {zygosity}"


def _normal(field: str, value: Any) -> Any:
    if field == "genotype":
        return genotype_words(value)
    if field == "projects" and isinstance(value, list | tuple):
        return sorted({str(item) for item in value})
    return value


def without_bookkeeping(value: Any) -> Any:
    """Return a subject's json without what Alyx itself writes there: which cages and names it had before.

    Returns: a json that holds nothing else as one that holds nothing.
    """
    if not isinstance(value, dict) or "history" not in value:
        return value
    return {key: inner for key, inner in value.items() if key != "history"} or None


@dataclass(frozen=True)
class Details:
    """Some fields of a subject as plain JSON values: frozen, comparable, hashable.

    Projects are compared as a set and genotypes in one form, so those two are kept sorted. Two values are equal when
    their JSON is: ``0``, ``0.0``, ``False``, ``""``, ``[]`` and ``None`` are six different things.
    """

    #: Pairs of field and JSON text, in the order of the fields asked for.
    items: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, record: Mapping[str, Any], fields: Iterable[str]) -> Details:
        """Take those of ``fields`` that ``record`` has.

        Returns: without those fields that the record lacks, or whose value is `too_deep`; empty when it has none.
        ``record``: a subject as Alyx answers it or as PyBpod's subject file holds it.
        ``fields``: the wanted fields, `COMPARED` or `VOLATILE`.
        """
        return cls(
            tuple(
                (field, _as_json(_normal(field, record[field])))
                for field in fields
                if field in record and not too_deep(record[field])
            )
        )

    def get(self, field: str) -> Any:
        """Return the value of a field.

        Returns: a fresh copy of the JSON value, or `MISSING` where the copy does not have the field.
        """
        for name, text in self.items:
            if name == field:
                return json.loads(text)
        return MISSING

    def as_dict(self) -> dict[str, Any]:
        """Return the fields and fresh copies of their values.

        Returns: field to JSON value; empty when there are none.
        """
        return {name: json.loads(text) for name, text in self.items}
