"""Times of a record on their way to a server that keeps zones: it takes what has no offset to be of its own zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alyx_connector.zones.moments import LAB_TIMES, with_lab_offset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alyx_connector.warning import Tell
    from alyx_connector.zones.lab_zones import LabZones

__all__ = ["with_lab_offsets"]


def with_lab_offsets(
    sent: Mapping[str, Any],
    zones: LabZones,
    url: str,
    find_lab: Callable[[], str | None],
    tell: Tell,
    keeps_zones: bool | None = None,
) -> dict[str, Any]:
    """Return fields whose lab times have the offset of the lab's zone, where the server keeps zones.

    ``find_lab``: called if there is such a time.
    ``tell``: takes a sentence where the zone is not known.
    ``keeps_zones``: whether the server keeps zones, if that was asked already.
    """
    times = [name for name in LAB_TIMES if isinstance(sent.get(name), str)]
    if not times or not (zones.server_keeps_zones() if keeps_zones is None else keeps_zones):
        return dict(sent)
    lab = find_lab()
    zone = zones.zone(lab)
    if zone is None:
        whose = f"the lab {lab}" if lab else "the lab of this record"
        tell(f"The time zone of {whose} is not known: {url} takes {', '.join(times)} as of its own clock.")
        return dict(sent)
    return {**sent, **{name: with_lab_offset(sent[name], zone) for name in times}}
