"""What of an item can be corrected, as text fields; no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import AlyxError
from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.name_lists import join_names, split_names
from pybpod_alyx_module.numbers import grams, millilitres
from pybpod_alyx_module.outbox.items import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pybpod_alyx_module.outbox.items import Item


@dataclass(frozen=True)
class Field:
    """One value of an item as text."""

    #: Name on Alyx.
    name: str
    #: What it is called, with its unit.
    label: str
    #: Makes the value of a text; raises AlyxError for one that is not valid.
    parse: Callable[[str], Any]
    #: Whether it is True or False, and ``parse`` is not used.
    yes_no: bool = False
    #: Whether it may have several lines.
    lines: bool = False

    @property
    def several(self) -> bool:
        """Whether it holds several names."""
        return self.parse is _list

    def text(self, values: Mapping[str, Any]) -> str:
        """Return the value as text; empty for null, and where there is none."""
        value = values.get(self.name)
        if isinstance(value, list):
            return join_names(value)
        text = "" if value is None else str(value)
        return text.replace("T", " ")[: len("2026-11-21 12:00:00")] if self.parse in {_time, _time_or_none} else text


def _time(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is not None or len(text.strip()) < len("2026-11-21 12:00"):
        raise OutboxError(f"{text.strip()!r} is not a time.", hint="Write it as 2026-11-21 12:00:00, in lab time.")
    return moment.isoformat(timespec="seconds")


def _time_or_none(text: str) -> str | None:
    return _time(text) if text.strip() else None


def _whole(text: str) -> int | None:
    if not text.strip():
        return None
    if not (text.strip().isascii() and text.strip().isdigit()):
        raise OutboxError(f"{text.strip()!r} is not a whole number.", hint="Write digits only, or nothing.")
    return int(text)


def _list(text: str) -> list[str]:
    return list(split_names(text))


def _or_none(text: str) -> str | None:
    return text.strip() or None


_SESSION: Final = (
    Field("start_time", "Start (lab time)", _time),
    Field("end_time", "End (lab time)", _time_or_none),
    Field("task_protocol", "Task protocol", str.strip),
    Field("number", "Number (empty: next)", _whole),
    Field("n_trials", "Trials", _whole),
    Field("users", "Users", _list),
    Field("location", "Location", _or_none),
    Field("type", "Type", _or_none),
    Field("projects", "Alyx projects", _list),
    Field("procedures", "Procedures", _list),
    Field("narrative", "Narrative", str.strip, lines=True),
)

FIELDS: Final[dict[Kind, tuple[Field, ...]]] = {
    Kind.WEIGHING: (
        Field("weight", "Weight (g)", lambda text: float(grams(text))),
        Field("date_time", "Time (lab time)", _time),
    ),
    Kind.WATER: (
        Field("water_administered", "Amount (mL)", lambda text: float(millilitres(text))),
        Field("date_time", "Time (lab time)", _time),
        Field("water_type", "Water type", _or_none),
        Field("adlib", "Ad lib", str, yes_no=True),
    ),
    Kind.SESSION: _SESSION,
    Kind.SESSION_UPDATE: _SESSION,
    Kind.SESSION_MOVE: (),
    Kind.WATER_MOVE: (),
    Kind.NOTE: (Field("text", "Note", str.strip, lines=True),),
}


def fields_of(item: Item) -> tuple[Field, ...]:
    """Return what of an item can be corrected."""
    fields = FIELDS[item.kind]
    if item.kind is Kind.SESSION_UPDATE:
        return tuple(field for field in fields if field.name in item.values)
    return fields


def corrected(item: Item, typed: Mapping[str, str | bool]) -> dict[str, Any]:
    """Return all values of an item with those that were typed.

    Returns: as `Outbox.edit` takes them.
    ``typed``: by name of the field: its text, or whether it is ticked. What says the same as before stays as it was.
    """
    values = dict(item.values)
    for field in fields_of(item):
        new = typed[field.name]
        if isinstance(new, bool):
            if new != bool(values.get(field.name)):
                values[field.name] = new
        elif new.strip() != field.text(item.values).strip():
            try:
                values[field.name] = field.parse(new)
            except AlyxError as error:
                raise OutboxError(f"{field.label}: {error.message}", hint=error.hint) from None
    if item.kind is Kind.SESSION and values.get("number", 0) is None:
        del values["number"]
    return values
