"""The work that finds the server for a new animal, and asks what it takes. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from alyx_connector.address import parse_address
from alyx_connector.errors import LoginRequiredError
from pybpod_alyx_module.connect import last_account
from pybpod_alyx_module.new_subject.server_facts import ServerFacts, fetch_facts

if TYPE_CHECKING:
    from collections.abc import Callable

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.gui.running_outbox import RunningOutbox


class Opened(NamedTuple):
    """A server that answered."""

    client: AlyxClient
    facts: ServerFacts


def opening(
    running: RunningOutbox, account: tuple[str, str] | None, alyx_user: str, address: str, username: str
) -> Callable[[Report, CancelToken], Opened]:
    """Make the work for a task; it raises an `AlyxError` where nobody is connected or the server does not answer.

    ``account``: server and user who connected in the project; None where nobody did.
    ``alyx_user``: who is logged in to the PyBpod project.
    ``address``, ``username``: from the settings.
    """

    def work(report: Report, cancel: CancelToken) -> Opened:
        server, user = account or ("", "")
        if not server:
            found = last_account(address, username)(report, cancel)
            server = parse_address(found.address).url if found.address else ""
            user = running.account_for(server, alyx_user) if server else ""
        if not user:
            raise LoginRequiredError("Nobody is connected to Alyx.", hint="Press Connect… and connect there.")
        client = running.client(server, user)
        return Opened(client, fetch_facts(client, user, cancel))

    return work
