"""Times of a record as its server takes them: moments, or naive, on the clock of the server or of the lab."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import ConfigurationError
from alyx_connector.zones.day_note import new_clock_note
from alyx_connector.zones.guessed_times import remember_guess
from alyx_connector.zones.moments import LAB_TIMES, MOMENTS, read_time, with_lab_offset
from alyx_connector.zones.server_offsets import last_offset, naive_on_server, seen_offset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.warning import Tell
    from alyx_connector.zones.lab_zones import LabZones

__all__ = ["with_times_to_send"]

#: Letters of a day.
_DAY: Final = len("2026-11-21")


def with_times_to_send(
    sent: Mapping[str, Any],
    endpoint: str,
    client: AlyxClient,
    zones: LabZones,
    find_animal: Callable[[], Mapping[str, Any]],
    tell: Tell,
    keeps_zones: bool | None = None,
) -> dict[str, Any]:
    """Return fields whose lab times are as the server takes them.

    A server that keeps zones takes them with the offset of the lab's zone. Another one counts a weight or water for the
    lab's day of the moment that its own clock shows: these are sent on the server's clock, all others in lab time.

    ``endpoint``: where the record goes.
    ``find_animal``: called if there is such a time: returns the ``lab`` of the record, and the ``death_date`` of its
    animal if it has one.
    ``tell``: takes a sentence where the zone is not known, or the server's clock is not the lab's.
    ``keeps_zones``: whether the server keeps zones, if that was asked already.
    """
    times = [name for name in LAB_TIMES if isinstance(sent.get(name), str)]
    if not times:
        return dict(sent)
    keeps_zones = zones.server_keeps_zones() if keeps_zones is None else keeps_zones
    if not keeps_zones and endpoint not in MOMENTS:
        return dict(sent)
    animal = find_animal()
    lab = animal.get("lab")
    zone = zones.zone(lab)
    if zone is None:
        whose = f"the lab {lab}" if lab else "the lab of this record"
        tell(f"The time zone of {whose} is not known: {client.url} takes {', '.join(times)} as of its own clock.")
        as_given = [] if keeps_zones else [read_time(sent[name]) for name in times]
        for time in as_given:
            if time is not None and time.tzinfo is None:
                remember_guess(client.url, str(lab), time, time)
        return dict(sent)
    moments = {name: with_lab_offset(sent[name], zone) for name in times}
    if keeps_zones:
        return {**sent, **moments}
    on_server = {name: _on_server(moment, name, client, tell, (str(lab), zone)) for name, moment in moments.items()}
    if note := new_clock_note(client.url, str(lab), zone):
        tell(note)
    died = animal.get("death_date")
    if endpoint == "water-administrations" and isinstance(died, str):
        # In the last hours of the day of its death it would be refused: it is the next day on the server's clock.
        on_server = {
            name: sent[name] if sent[name][:_DAY] <= died < time[:_DAY] else time for name, time in on_server.items()
        }
    return {**sent, **on_server}


def _on_server(text: str, name: str, client: AlyxClient, tell: Tell, lab: tuple[str, dt.tzinfo]) -> str:
    # lab: its name and its zone
    moment = read_time(text)
    if moment is None:
        return text
    offset = seen_offset(client, moment)
    if offset is None and (offset := last_offset(client.url, moment)) is not None:
        lab_time = moment.astimezone(lab[1]).replace(tzinfo=None)
        remember_guess(client.url, lab[0], lab_time, naive_on_server(moment, offset))
        tell(
            f"Nothing on {client.url} tells its clock of {moment:%Y-%m}: {name} is sent as if it had been "
            f"{dt.timezone(offset)}. With summer time that may be an hour off."
        )
    if offset is None:
        raise ConfigurationError(
            f"{client.url} does not tell the time on its clock, so that {name} might count for another day. Nothing "
            "was written.",
            hint=f"Ask whoever runs the server to let this computer read {client.url}/admin/login/, or record one "
            "session on Alyx first: its time tells the clock.",
            setting=name,
        )
    return naive_on_server(moment, offset).isoformat()
