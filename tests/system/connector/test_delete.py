"""What a client deletes and what it never does; which success is one."""

from __future__ import annotations

import pytest

from alyx_connector.errors import ConfigurationError, NotFoundError, ProtocolError

ID = "1368afed-5fc8-405e-b314-ea8f6f429575"


def test_one_record_is_deleted(client, writable):
    subject = client.list("subjects", {"responsible_user": writable.username})[0]["nickname"]
    row = client.post(
        "weighings", {"subject": subject, "weight": 20.0, "date_time": "2026-11-21T12:00:00"}, success=201
    )
    record = ("weighings", row["url"].rpartition("/")[2])
    client.delete(record)
    assert client.list("weighings", {"django": f"pk,{record[1]}"}) == []
    with pytest.raises(NotFoundError):
        client.delete(record)


@pytest.mark.parametrize(
    "endpoint",
    [("subjects", ID), ("subjects", "ea04"), "weighings", ("weighings",), ("weighings", ""), ("weighings", "x"), None],
)
def test_nothing_else_is_deleted(client, proxy, endpoint):
    with pytest.raises(ConfigurationError, match="cannot be deleted"):
        client.delete(endpoint)
    assert proxy.requests == []


@pytest.mark.parametrize("status", [200, 202])
def test_another_success_than_the_one_named_is_none(client, proxy, status):
    proxy.fault("answer", method="POST", status=status, body={"id": ID})
    with pytest.raises(ProtocolError, match=f"status {status} where Alyx answers 201") as error:
        client.post("weighings", {"weight": 1}, success=201)
    assert "look on Alyx" in error.value.hint
    proxy.fault("answer", method="POST", status=status, body={"id": ID})
    assert client.post("weighings", {"weight": 1}) == {"id": ID}
