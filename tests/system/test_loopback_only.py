"""The guard of all tests: nothing leaves this machine."""

from __future__ import annotations

import socket

import pytest


def test_a_connection_to_elsewhere_is_refused() -> None:
    with socket.socket() as client, pytest.raises(RuntimeError, match=r"192\.0\.2\.1"):
        client.connect(("192.0.2.1", 80))


def test_a_name_elsewhere_is_not_looked_up() -> None:
    with pytest.raises(RuntimeError, match=r"alyx\.example"):
        socket.create_connection(("alyx.example", 443))


def test_a_name_that_cannot_exist_is_unknown() -> None:
    with pytest.raises(socket.gaierror):
        socket.create_connection(("alyx.invalid", 443))
