"""Which of the details that are kept did not change, by the time of the last change that each of them holds.

Alyx writes ``auto_datetime`` with each write of a record itself. The list does not show it and cannot be ordered by it,
but finds records by it: ``auto_datetime__in,['<time>',…]`` those that were last changed at one of these times, and
``auto_datetime__gte,<time>`` those that were changed since.

No clock is compared with another, so that it does not matter what time the server, a proxy or this computer shows:

- a record that still has the very ``auto_datetime`` of its details, to the microsecond, did not change. About 90 times
  fit into a request;
- where there are more, only those near the newest are asked for like that. The others changed only if they are listed
  since a time before it: as long before as a clock may be set back.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from alyx_connector.zones.moments import read_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["SET_BACK", "Known", "changed_names", "read_change"]

#: No clock of a server is set back further at once, nor to another zone.
SET_BACK = dt.timedelta(hours=30)
#: No clock is further behind UTC.
_BEHIND_UTC = dt.timedelta(hours=12)


@dataclass(frozen=True)
class Known:
    """What is known of a detail that is kept."""

    #: Its ``auto_datetime``, with an offset where the server writes one.
    changed: dt.datetime
    #: It was current then, by this computer's clock; naive UTC.
    checked: dt.datetime


def read_change(record: Mapping[str, object]) -> dt.datetime | None:
    """Say when a record last changed, as its server writes it; None where the record does not tell."""
    return read_time(record.get("auto_datetime"))


def changed_names(kept: Mapping[str, Known], room: int, ask: Callable[[Sequence[str]], set[str]]) -> set[str]:
    """Say which of the details that are kept must be fetched again.

    ``room``: how long a condition may be, as it stands in an address.
    ``ask``: asks the server which records meet any of some conditions, as ``django=`` takes them.
    """
    changed = set()
    # Times with an offset and times without one cannot be compared: the server was replaced by one of another kind.
    for has_offset in (False, True):
        of_kind = {name: one for name, one in kept.items() if (one.changed.tzinfo is not None) == has_offset}
        if of_kind:
            changed |= _changed(of_kind, room, ask)
    return changed


def _changed(kept: Mapping[str, Known], room: int, ask: Callable[[Sequence[str]], set[str]]) -> set[str]:
    conditions = _conditions(kept.values(), room)
    if len(conditions) == 1:
        return kept.keys() - ask(conditions)
    since = _settled_before(kept.values())
    recent = {name: one for name, one in kept.items() if one.changed >= since}
    listed = ask([f"auto_datetime__gte,{since.isoformat()}"])
    # Whatever is on another side of that time than it was did change. Of what was there and still is, ask for each.
    unclear = {name: one for name, one in recent.items() if name in listed}
    same = ask(_conditions(unclear.values(), room)) if unclear else set()
    return (kept.keys() & listed - recent.keys()) | (recent.keys() - same)


def _settled_before(kept: Iterable[Known]) -> dt.datetime:
    # What was written since the last check got a later time than this. By the server's own clock alone; this computer's
    # serves where a change from a time when the server's clock was far ahead is among them.
    known = list(kept)
    newest = max(one.changed for one in known)
    checked = min(one.checked for one in known)
    if newest.tzinfo is not None:
        checked = checked.replace(tzinfo=dt.timezone.utc).astimezone(newest.tzinfo)
    else:
        checked -= _BEHIND_UTC
    return (min(newest, checked) - SET_BACK).replace(microsecond=0)


def _conditions(kept: Iterable[Known], room: int) -> list[str]:
    texts = [f"'{moment.isoformat()}'" for moment in sorted({one.changed for one in kept})]
    chunks: list[list[str]] = [[]]
    left = room
    for text in texts:
        length = len(quote(f"{text},", safe=""))
        if length > left and chunks[-1]:
            chunks.append([])
            left = room
        chunks[-1].append(text)
        left -= length
    return [f"auto_datetime__in,[{','.join(chunk)}]" for chunk in chunks]
