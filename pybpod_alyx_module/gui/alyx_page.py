"""Opens pages of Alyx in the browser: only of servers that this computer knows, whatever a project's files say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import QUrl
from AnyQt.QtGui import QDesktopServices

from alyx_connector.accounts import Accounts
from alyx_connector.address import parse_address
from alyx_connector.errors import AlyxError, ConfigurationError
from alyx_connector.ids import canonical_id
from alyx_connector.tokens import MemoryTokenStore
from pybpod_alyx_module.read_settings import read_settings
from pybpod_alyx_module.sync.servers import same_server

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Pages by what they show, to be completed by an id.
SESSION_PAGE: Final = "actions/session"
SUBJECT_PAGE: Final = "subjects/subject"

#: The menu entry and the button that open a page.
OPEN_IN_ALYX: Final = "Open in Alyx"


def open_on_alyx(server: str, page: str, record: str | None) -> None:
    """Open the page of a record on Alyx in the browser.

    Raises ConfigurationError where nobody on this computer ever connected to that server: a project's file that names
    another address, or something that is no address, was perhaps made to have it opened.

    ``server``: as the project names it.
    ``record``: id of the record.
    """
    known = next((url for url in _known_servers() if same_server(url, server)), None)
    found = canonical_id(record)
    if known is None or found is None:
        raise ConfigurationError(
            f"The page is not opened: nobody connected to {server} on this computer yet.",
            hint="If it is your Alyx, connect to it once in Sync to Alyx.",
            setting="server",
        )
    QDesktopServices.openUrl(QUrl(f"{known}/admin/{page}/{found}/change/"))


def _known_servers() -> Iterator[str]:
    for account in Accounts(tokens=MemoryTokenStore()).all():
        yield account.url
    try:
        yield parse_address(read_settings().address).url
    except AlyxError:  # not set, or no address
        return
