"""When two addresses name one Alyx server."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

_THIS_COMPUTER: Final = frozenset(("localhost", "127.0.0.1", "::1"))


def host_of(url: str | None) -> str | None:
    """Return the host of a server's or a record's address.

    Returns: ``alyx.lab.org``, None if there is none. This computer's names are one.
    """
    try:
        host = urlsplit(url or "").hostname
    except ValueError:
        return None
    return "localhost" if host in _THIS_COMPUTER else host


def same_server(one: str, other: str) -> bool:
    """Tell whether two addresses name one server.

    Returns: True also if only http became https on the usual ports, or one is another name of this computer.
    Another host, port or path is another server: it may be a copy, which has the same ids.
    ``one``, ``other``: addresses as `AlyxClient.url` writes them.
    """
    return _place(one) == _place(other)


def is_of(server: str, named: str | None, url: str | None) -> bool:
    """Tell whether a subject's file is of a server: it names it, or, where it names none, its page is there.

    ``named``, ``url``: the server that the file names, and the address of the subject's page; None where it has none.
    """
    if named is None:
        return host_of(url) is not None and host_of(url) == host_of(server)
    return same_server(named, server)


def _place(url: str) -> tuple[str | None, int | None, str]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url, None, ""
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return host_of(url) or url, None if port == usual else port, parts.path.rstrip("/")
