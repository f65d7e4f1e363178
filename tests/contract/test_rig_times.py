"""At the rig, weights and sessions are of the lab's day and clock, whatever zone the server keeps."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from alyx_connector import AlyxClient
from alyx_connector.progress import CancelToken
from alyx_connector.zones import server_offsets
from alyx_connector.zones.server_offsets import naive_on_server, offset_at
from pybpod_alyx_module.animals.subject_state import fetch_state
from tests.fault_proxy import FaultProxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract.alyx_under_test import AlyxUnderTest, Animal

#: So far on either side of the server that its day is another one for most of the time.
ZONES = ("Pacific/Kiritimati", "America/Los_Angeles", "Europe/Paris")


class Lab(NamedTuple):
    """A lab of a zone, and an animal of its."""

    zone: ZoneInfo
    animal: Animal


@pytest.fixture(params=["the log-in page tells", "the log-in page hangs"])
def proxy(
    writable: AlyxUnderTest, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultProxy]:
    with FaultProxy(writable.url) as proxy:
        if request.param.endswith("hangs"):
            monkeypatch.setattr(server_offsets, "_PATIENCE_S", 0.05)
            proxy.choose(lambda seen: ("mute", {}) if seen.path == "/admin/login/" else None)
        yield proxy


@pytest.fixture(params=ZONES)
def lab(writable: AlyxUnderTest, request: pytest.FixtureRequest) -> Iterator[Lab]:
    name = f"zone{uuid.uuid4().hex[:8]}"
    assert writable.ask("POST", "/labs", json={"name": name, "timezone": request.param}).status_code == 201
    with writable.new_subject(lab=name) as animal:
        yield Lab(ZoneInfo(request.param), animal)


def test_weights_and_sessions_are_on_the_labs_clock(
    writable: AlyxUnderTest, proxy: FaultProxy, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))
    now = dt.datetime.now(lab.zone).replace(microsecond=0)
    in_lab = now.replace(tzinfo=None)
    token = str(writable.session.headers["Authorization"]).removeprefix("Token ")
    with AlyxClient(writable.url, username=writable.user, token=token) as direct:
        offset = offset_at(direct, now)
        assert offset is not None
    with AlyxClient(proxy.url, username=writable.user, token=token) as client:
        keeps_zones = writable.is_local
        weighed = now if keeps_zones else naive_on_server(now, offset)
        began = now if keeps_zones else in_lab
        for route, fields in (
            ("/weighings", {"subject": lab.animal.key, "date_time": weighed.isoformat(), "weight": 24.5}),
            ("/sessions", {"subject": lab.animal.nickname, "start_time": began.isoformat(), "number": 1}),
        ):
            assert writable.ask("POST", route, json=fields).status_code == 201
        state = fetch_state(client, lab.animal.id, cancel=CancelToken(), deadline_s=30)
    assert state.last_weight is not None
    assert state.last_weight.when == in_lab
    assert state.sessions_today is not None
    if state.day == in_lab.date():  # not at the stroke of midnight
        assert [one.start_time for one in state.sessions_today] == [in_lab]
        assert state.weighed_today
