"""How far the server's clock is ahead of UTC, learned without a login."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import requests

from alyx_connector import AlyxClient
from alyx_connector.zones.server_offsets import last_offset, naive_on_server, offset_at

if TYPE_CHECKING:
    import pytest

    from tests.contract.alyx_under_test import AlyxUnderTest, Animal


def _offset(alyx: AlyxUnderTest) -> dt.timedelta:
    page = requests.get(f"{alyx.url}/admin/login/", timeout=60)
    assert page.status_code == 200
    (seconds,) = re.findall(r'<body[^>]*\sdata-admin-utc-offset="(-?\d+)"', page.text)
    return dt.timedelta(seconds=int(seconds))


def test_the_page_on_which_one_logs_in_says_the_offset_of_the_servers_clock(
    writable: AlyxUnderTest, subject: Animal
) -> None:
    offset = _offset(writable)
    now = dt.datetime.now(dt.timezone.utc).replace(microsecond=0)
    sent = naive_on_server(now, offset).isoformat()
    body = {"subject": subject.key, "weight": 22.4, "date_time": sent}
    assert writable.ask("POST", "/weighings", json=body).status_code == 201
    for moment, count in ((now, 1), (now + dt.timedelta(hours=1), 0), (now - dt.timedelta(hours=1), 0)):
        found = writable.get("/weighings", django=f"date_time,{moment.isoformat()},subject__pk,{subject.id}")
        assert found["count"] == count


def test_our_client_learns_it(
    alyx: AlyxUnderTest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path_factory.mktemp("home")))
    now = dt.datetime.now(dt.timezone.utc)
    with AlyxClient(alyx.url) as client:  # nobody is logged in
        assert offset_at(client, now) == _offset(alyx)
        assert last_offset(client.url, now) == _offset(alyx)
