"""The times of an item as its server takes them, and under which times its record may be found there.

An item keeps moments: lab time with its offset. A time without one is lab time, too: that of sessions, what a person
typed in the outbox, what an older program recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from alyx_connector.zones.moments import read_time, with_lab_offset
from alyx_connector.zones.server_offsets import naive_on_server, offsets_seen
from pybpod_alyx_module.outbox.drafts import TIMES
from pybpod_alyx_module.outbox.items import Kind

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from pybpod_alyx_module.outbox.delivery.reliable_answers import ReliableClient
    from pybpod_alyx_module.outbox.items import Item

#: Kinds whose time counts as a moment where the server keeps no zones; those of sessions it stores as they are sent.
_MOMENTS = frozenset({Kind.WEIGHING, Kind.WATER})
#: Letters of a day.
_DAY = len("2026-11-21")

#: Asks for the row of the animal, empty if there is none.
FindAnimal = Callable[[], Mapping[str, Any]]


def times_to_send(item: Item, alyx: ReliableClient, find_animal: FindAnimal) -> dict[str, str]:
    """Return the times of an item as its server takes them, by name of the field.

    A server that keeps zones takes moments. Another one counts a weight or water for the lab's day of the moment that
    its own clock shows: these are sent on the server's clock. Sessions, and what cannot be converted, are sent in lab
    time.
    """
    texts = {name: text for name in TIMES if isinstance(text := item.values.get(name), str)}
    if not texts:
        return {}
    zone = _Zone(alyx, find_animal)
    if alyx.keeps_zones():
        return {name: _with_offset(text, zone) for name, text in texts.items()}
    if item.kind not in _MOMENTS:
        return {name: _lab_time(text, zone) for name, text in texts.items()}
    text = texts["date_time"]
    sent = _on_server(text, alyx, zone)[1]
    if item.kind is Kind.WATER and sent[:_DAY] > text[:_DAY]:
        # In the last hours of the day of its death it would be refused: it is the next day on the server's clock.
        died = find_animal().get("death_date")
        if isinstance(died, str) and sent[:_DAY] > died:
            sent = _lab_time(text, zone)
    return {"date_time": sent}


def filters_to_find(item: Item, alyx: ReliableClient, find_animal: FindAnimal) -> tuple[str, ...]:
    """Return values of ``django=`` that find the record of a weighing or water wherever its time may have got to.

    By the moment, and by what was sent: in the hour that comes twice on the server's clock it takes that for the second
    one. Also by what would be sent by all that is known now: an older program did not keep what it sent.
    """
    text, zone = str(item.values["date_time"]), _Zone(alyx, find_animal)
    if alyx.keeps_zones():
        return tuple(f"date_time,{time}" for time in dict.fromkeys([_with_offset(text, zone), *item.sent_as]))
    moment, sent = _on_server(text, alyx, zone)
    naive = {sent, _lab_time(text, zone), _wall_time(text), *item.sent_as}
    if moment is None:
        return tuple(f"date_time,{time}" for time in sorted(naive))
    naive |= {naive_on_server(moment, offset).isoformat() for offset in offsets_seen(alyx.server)}
    listed = ",".join(f"'{time}'" for time in sorted(naive))
    return f"date_time__in,[{listed}]", f"date_time,{moment.astimezone(timezone.utc).isoformat()}"


def _on_server(text: str, alyx: ReliableClient, zone: _Zone) -> tuple[datetime | None, str]:
    # The moment, None where it is not known, and what the server's clock showed; lab time where that is not known: the
    # day that it counts for may then be another one.
    moment = read_time(_with_offset(text, zone))
    if moment is None or moment.tzinfo is None:
        return None, text
    offset = alyx.server_offset(moment)
    return moment, _lab_time(text, zone) if offset is None else naive_on_server(moment, offset).isoformat()


class _Zone:
    # The zone of the lab; the server is asked where it is needed, once.

    def __init__(self, alyx: ReliableClient, find_animal: FindAnimal) -> None:
        self._alyx, self._find_animal = alyx, find_animal
        self._found: tuple[ZoneInfo | None] | None = None

    def get(self) -> ZoneInfo | None:
        if self._found is None:
            self._found = (self._alyx.lab_zone(self._find_animal().get("lab")),)
        return self._found[0]


def _with_offset(text: str, zone: _Zone) -> Any:
    if _is_naive(text) and (known := zone.get()) is not None:
        return with_lab_offset(text, known)
    return text


def _lab_time(text: str, zone: _Zone) -> str:
    # Naive. Where the zone is not known, what the clock showed that the item has its time from.
    if _is_naive(text):
        return text
    known = zone.get()
    return (
        _wall_time(text)
        if known is None
        else datetime.fromisoformat(text).astimezone(known).replace(tzinfo=None).isoformat()
    )


def _wall_time(text: str) -> str:
    return datetime.fromisoformat(text).replace(tzinfo=None).isoformat()


def _is_naive(text: str) -> bool:
    time = read_time(text)
    return time is not None and time.tzinfo is None
