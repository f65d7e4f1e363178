"""At the rig, weights and sessions are of the lab's day and clock, whatever zone the server keeps."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from alyx_connector import AlyxClient
from alyx_connector.progress import CancelToken
from pybpod_alyx_module.animals.subject_state import fetch_state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.alyx_under_test import AlyxUnderTest, Animal

#: So far on either side of the server that its day is another one for most of the time.
ZONES = ("Pacific/Kiritimati", "America/Los_Angeles", "Europe/Paris")


class Lab(NamedTuple):
    """A lab of a zone, and an animal of its."""

    zone: ZoneInfo
    animal: Animal


@pytest.fixture(params=ZONES)
def lab(writable: AlyxUnderTest, request: pytest.FixtureRequest) -> Iterator[Lab]:
    name = f"zone{uuid.uuid4().hex[:8]}"
    assert writable.ask("POST", "/labs", json={"name": name, "timezone": request.param}).status_code == 201
    with writable.new_subject(lab=name) as animal:
        yield Lab(ZoneInfo(request.param), animal)


def test_weights_and_sessions_are_on_the_labs_clock(writable: AlyxUnderTest, lab: Lab) -> None:
    now = dt.datetime.now(lab.zone).replace(microsecond=0)
    keeps_zones = writable.is_local
    sent = now.isoformat() if keeps_zones else now.replace(tzinfo=None).isoformat()
    for route, fields in (
        ("/weighings", {"subject": lab.animal.key, "date_time": sent, "weight": 24.5}),
        ("/sessions", {"subject": lab.animal.nickname, "start_time": sent, "number": 1}),
    ):
        assert writable.ask("POST", route, json=fields).status_code == 201
    token = str(writable.session.headers["Authorization"]).removeprefix("Token ")
    with AlyxClient(writable.url, username=writable.user, token=token) as client:
        state = fetch_state(client, lab.animal.id, cancel=CancelToken(), deadline_s=30)
    in_lab = now.replace(tzinfo=None)
    assert state.last_weight is not None
    assert state.last_weight.when == in_lab
    assert state.sessions_today is not None
    if state.day == in_lab.date():  # not at the stroke of midnight
        assert [one.start_time for one in state.sessions_today] == [in_lab]
        # Alyx, which keeps no zones, takes the lab's time for its own, and may count it for another day.
        assert state.weighed_today or not keeps_zones
