"""Those that are measured: each asks the same server for the same records, with its own means."""

from __future__ import annotations

import contextlib
import os
import tempfile
import warnings
from dataclasses import dataclass
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from alyx_connector import AlyxClient, Connector

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from alyx_connector import Progress

#: Requests at once of the bare fetch: as many as ours has.
WORKERS = 8
#: Rows on a page of the bare fetch: the most that Alyx gives.
PAGE_SIZE = 1000


@dataclass(frozen=True)
class Server:
    """A server, and a user of it."""

    url: str
    username: str
    password: str


@contextlib.contextmanager
def empty_home() -> Iterator[Path]:
    """Let accounts, caches and settings of all contenders live in a folder that is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="alyx-benchmark-") as name:
        for variable, value in (("HOME", name), ("ALYX_CONNECTOR_HOME", f"{name}/connector")):
            os.environ[variable] = value
        os.environ["ALYX_TOKEN_STORE"] = "file"  # noqa: S105 - where tokens live, not one of them
        yield Path(name)


def new_connector(server: Server, home: Path) -> Connector:
    """Set up a `Connector` that has cached nothing yet but what filters the server has."""
    os.environ["ALYX_CONNECTOR_HOME"] = tempfile.mkdtemp(dir=home)
    connector = Connector.setup(url=server.url, username=server.username, password=server.password, make_default=True)
    connector.filters()
    return connector


def search(connector: Connector, **filters: Any) -> pd.DataFrame:
    """Search for sessions without a progress bar."""
    return connector.search(report=_unseen, **filters)


def new_client(server: Server) -> AlyxClient:
    """Log a plain `AlyxClient` in."""
    client = AlyxClient(server.url)
    client.login(server.username, server.password)
    return client


def new_one(server: Server, home: Path, *, keep: bool = False) -> Any:
    """Log ONE-api's client in; ``keep``: with its cache, which gives an answer again for five minutes."""
    from one.webclient import AlyxClient as OneClient

    one = OneClient(
        base_url=server.url,
        username=server.username,
        password=server.password,
        cache_dir=Path(tempfile.mkdtemp(dir=home)),
        silent=True,
        cache_rest="GET" if keep else None,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _ = one.rest_schemes
    return one


def bare_list(
    session: requests.Session, server: Server, endpoint: str = "sessions", **filters: str
) -> list[dict[str, Any]]:
    """List sessions, or other records, with ``requests`` alone, several pages at once: checks and retries nothing."""

    def page(offset: int) -> dict[str, Any]:
        params = {**filters, "limit": PAGE_SIZE, "offset": offset}
        answer = session.get(f"{server.url}/{endpoint}", params=params, timeout=300)
        answer.raise_for_status()
        return answer.json()

    first = page(0)
    with ThreadPool(WORKERS) as pool:
        rest = pool.map(page, range(PAGE_SIZE, first["count"], PAGE_SIZE), chunksize=1)
    return [row for one in (first, *rest) for row in one["results"]]


def new_bare_session(server: Server) -> requests.Session:
    """Log in with ``requests`` alone."""
    login = {"username": server.username, "password": server.password}
    answer = requests.post(f"{server.url}/auth-token", data=login, timeout=300)
    answer.raise_for_status()
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=WORKERS))
    session.headers["Authorization"] = f"Token {answer.json()['token']}"
    return session


def _unseen(progress: Progress) -> None:
    pass
