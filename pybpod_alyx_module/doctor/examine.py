"""All checks, one after the other; each is found out in a few seconds, whatever does not answer."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from alyx_connector.accounts import Accounts
from alyx_connector.address import parse_address
from alyx_connector.errors import AlyxError, LoginRequiredError
from alyx_connector.progress import Cancelled, CancelToken
from pybpod_alyx_module.connect import Logins
from pybpod_alyx_module.doctor.check import Check, State, within
from pybpod_alyx_module.doctor.computer import check_computer
from pybpod_alyx_module.doctor.plugins import check_plugins
from pybpod_alyx_module.doctor.programs import check_programs
from pybpod_alyx_module.doctor.servers import check_server
from pybpod_alyx_module.doctor.settings import UserSettings, check_settings, find_user_settings
from pybpod_alyx_module.log_file import where_is_log, without_secrets
from pybpod_alyx_module.read_settings import read_settings
from pybpod_alyx_module.remedies import what_to_do

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

logger = logging.getLogger(__name__)

SERVERS: Final = "Servers"


@dataclass(frozen=True)
class Here:
    """What the program knows that asks."""

    logins: Logins = field(default_factory=Logins)
    #: Folders of the PyBpod projects that are open.
    projects: tuple[str, ...] = ()
    #: Why this PyBpod sends nothing; empty where it sends, or is no PyBpod.
    trouble: str = ""


def examine(here: Here, cancel: CancelToken) -> Iterator[Check]:
    """Look at everything, in the order in which a person would; raises Cancelled alone."""
    yield from _guarded("Programs", check_programs)
    settings = find_user_settings()
    yield from _guarded("Settings", lambda: check_settings(settings))
    if settings.plugins:
        yield from _guarded("Plugins", lambda: check_plugins(settings, cancel))
    projects = here.projects or _default_project(settings)
    yield from _guarded("This computer", lambda: check_computer(projects, here.trouble, cancel))
    yield from _guarded(SERVERS, lambda: _check_servers(here.logins, cancel))


def _guarded(group: str, checks: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    # A check that fails must not hide the others.
    try:
        for check in checks():
            yield replace(check, found=without_secrets(check.found), advice=without_secrets(check.advice))
    except Cancelled:
        raise
    except Exception as error:
        logger.exception("The check of %s failed", group)
        found = f"This check failed ({type(error).__name__})."
        yield Check(group, "Check", State.WRONG, found, f"The details are in {where_is_log()}: please report them.")


def _default_project(settings: UserSettings) -> tuple[str, ...]:
    project = settings.names.get("DEFAULT_PROJECT_PATH")
    return (project,) if isinstance(project, str) and project else ()


def _check_servers(logins: Logins, cancel: CancelToken) -> Iterator[Check]:
    accounts: dict[str, list[str]] = {}
    settings = read_settings()
    if settings.address:
        accounts[_url(settings.address)] = [settings.username] if settings.username else []
    try:
        known = within(lambda: [(one.url, one.username) for one in Accounts().all()], cancel)
    except (AlyxError, TimeoutError) as error:
        advice = what_to_do(error) if isinstance(error, AlyxError) else ""
        yield Check(SERVERS, "Accounts", State.WRONG, f"The accounts cannot be read: {error}.", advice)
        known = []
    for url, username in (*logins.logged_in_here(), *known):
        accounts.setdefault(url, []).append(username)
    if not accounts:
        found = "No Alyx server was used on this computer yet, and ALYX_PLUGIN_ADDRESS names none."
        advice = "Choose Sync to Alyx in the menu of a project, and connect."
        yield Check(SERVERS, "Servers", State.WARNING, found, advice)
    for url, usernames in accounts.items():
        yield from check_server(url, tuple(dict.fromkeys(usernames)), lambda *who: _token(logins, *who), cancel)


def _url(address: str) -> str:
    try:
        return parse_address(address).url
    except AlyxError:
        return address


def _token(logins: Logins, server: str, username: str) -> str | None:
    try:
        return logins.client(server, username).token
    except LoginRequiredError:
        return None
