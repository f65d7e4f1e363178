"""A lab may block the pages below /admin/, of which one tells the server's clock: what waits is sent right even so."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from alyx_connector.private_file import home_folder
from alyx_connector.zones.server_offsets import OFFSETS_FILE
from pybpod_alyx_module.outbox.items import State

PAGE = "/admin/login/"
BLOCKED = {
    "forbidden": ("answer", {"status": 403, "body": "<html>"}),
    "not found": ("answer", {"status": 404, "body": "<html>"}),
    "busy": ("answer", {"status": 503, "body": "<html>"}),
    "another page": ("answer", {"status": 200, "body": "<html>Log in to the network</html>"}),
    "dropped": ("drop", {}),
    "hangs": ("mute", {}),
}


@pytest.mark.parametrize("fault", BLOCKED.values(), ids=BLOCKED)
def test_a_weight_and_water_are_sent_at_their_moment(outbox, sender, lab, animal, proxy, fault):
    (home_folder() / OFFSETS_FILE).unlink()
    proxy.choose(lambda seen: fault if seen.path == PAGE else None)
    now = datetime.now(lab.zone).replace(microsecond=0)
    assert now.utcoffset(), "the server is in UTC"
    old = (now.replace(tzinfo=None) - timedelta(days=3)).replace(tzinfo=lab.zone)
    items = [
        outbox.add(lab.weighing(animal, when=old.isoformat())),
        outbox.add(lab.weighing(animal, when=now.isoformat())),
        outbox.add(lab.water(animal, when=now.isoformat())),
    ]
    sender.run_once()
    assert [outbox.item(item.key).state for item in items] == [State.SENT] * 3
    rows = [row for route in ("weighings", "water-administrations") for row in lab.records(route, animal)]
    right = [moment.astimezone(timezone.utc).isoformat()[:19] for moment in (old, now, now)]
    assert sorted(row["date_time"][:19] for row in rows) == sorted(right)
    if fault is BLOCKED["hangs"]:
        assert proxy.count(path=PAGE) == 1
