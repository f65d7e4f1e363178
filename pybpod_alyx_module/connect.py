"""Logging in to Alyx: what the sync window does in a thread, and who is logged in while PyBpod runs. No Qt."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alyx_connector.accounts import Accounts
from alyx_connector.address import parse_address
from alyx_connector.errors import AlyxError, ConfigurationError, LoginRequiredError
from alyx_connector.http.client import AlyxClient
from alyx_connector.tokens import MemoryTokenStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from alyx_connector.progress import CancelToken, Report

logger = logging.getLogger(__name__)

#: Named to the server in the User-Agent.
PROGRAM: Final = "pybpod-alyx"

#: What could not be done after the login, each before its reason.
NOT_REMEMBERED: Final = "The account could not be remembered."
NOT_NOTED: Final = "Address and user could not be noted for next time."
NOT_DELETED: Final = "The token that is kept for this user could not be deleted."
#: What to do where a token could not be deleted.
DELETE_BY_HAND: Final = "Until it is gone, PyBpod still sends as this user: try again, or delete it there by hand."


class PasswordMissingError(LoginRequiredError):
    """There is neither a password nor a token that is remembered."""


@dataclass(frozen=True)
class LastAccount:
    """What is known before anybody connects."""

    #: Address and user of the account used last; empty where there is none.
    address: str = ""
    username: str = ""
    #: Whether a token of that account is remembered.
    remembered: bool = False
    #: Where a token goes that is to be remembered.
    store: str = ""
    #: What the user should be told, for example that a damaged file was moved aside.
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Connected:
    """A connection that stands: the server knows the user."""

    client: AlyxClient
    username: str
    #: Whether the token is in the token store now.
    remembered: bool
    #: What could not be written for next time, and why; empty where all could.
    problem: str = ""


class Logins:
    """Who is logged in where, and who is at the rig, as long as this PyBpod runs; may be used by several threads.

    A keyring may be asked: everything but `remember`, `is_at_rig`, `at_rig` and `logged_in_here` belongs to worker
    threads.

    ``rig_account``: gives address and user of a rig that one person uses, as set; empty where they are not.
    """

    def __init__(self, rig_account: Callable[[], tuple[str, str]] = lambda: ("", "")) -> None:
        self._rig_account = rig_account
        self._lock = threading.Lock()
        #: By server: who connected, or said so, in this PyBpod.
        self._at_rig: dict[str, str] = {}
        #: By account: the token of a window that connected; it goes before the one in the token store.
        self._tokens: dict[tuple[str, str], str] = {}
        #: Those of them that went into the token store, too: where it is gone from there, somebody logged out.
        self._stored: set[tuple[str, str]] = set()
        #: By account: the token that `client_or_none` used last.
        self._tried: dict[tuple[str, str], str] = {}
        self._clients: dict[tuple[str, str], AlyxClient] = {}

    def remember(self, client: AlyxClient, *, stored: bool = False) -> None:
        """Use the token of a window that connected.

        ``stored``: whether the token is in the token store, too.
        """
        if client.token is not None and client.username is not None:
            account = client.url, client.username
            with self._lock:
                self._tokens[account] = client.token
                (self._stored.add if stored else self._stored.discard)(account)

    def is_at_rig(self, server: str, username: str) -> None:
        """Take note that somebody at this rig said who they are: what is recorded from now on is theirs."""
        with self._lock:
            self._at_rig[server] = username

    def at_rig(self, server: str) -> str:
        """Say who connected, or said so, in this PyBpod; empty where nobody did. Asks no keyring."""
        with self._lock:
            return self._at_rig.get(server, "")

    def somebody_is_at_rig(self, server: str) -> bool:
        """Tell whether it is known who is at the rig.

        Returns: whether somebody connected or said so in this PyBpod, or the rig is set to a user whose login is
        remembered.
        """
        if self.at_rig(server):
            return True
        username = self._rig_user(server)
        return bool(username) and Accounts().tokens.get(server, username) is not None

    def logged_in_here(self) -> tuple[tuple[str, str], ...]:
        """Return the accounts of this PyBpod, server and user: who connected, and who is at the rig."""
        with self._lock:
            return tuple(dict.fromkeys([*self._tokens, *self._at_rig.items()]))

    def logged_in(self) -> tuple[tuple[str, str], ...]:
        """Return the accounts that have a token here or in the token store, server and user."""
        with self._lock:
            found = dict.fromkeys(self._tokens)
        accounts = Accounts()
        stored = [(account.url, account.username) for account in accounts.all()]
        found.update((one, None) for one in stored if one not in found and accounts.tokens.get(*one) is not None)
        return tuple(found)

    def log_out(self, server: str, username: str) -> None:
        """Forget the token of an account, here and in the token store; what is being sent goes on to its end.

        Raises ConfigurationError if the token is still in the store.
        """
        self._forget(server, username)
        tokens = Accounts().tokens
        tokens.forget(server, username)
        if tokens.get(server, username) is not None:
            raise ConfigurationError(f"{NOT_DELETED} It is in: {tokens.describe()}.", hint=DELETE_BY_HAND)

    def log_out_as_elsewhere(self) -> tuple[tuple[str, str], ...]:
        """Forget the tokens of windows that are gone from the token store: another PyBpod logged out.

        Returns: their accounts, server and user.
        """
        with self._lock:
            stored = tuple(self._stored)
        if not stored:
            return ()
        tokens = Accounts().tokens
        gone = tuple(account for account in stored if tokens.get(*account) is None)
        for account in gone:
            self._forget(*account)
        return gone

    def _forget(self, server: str, username: str) -> None:
        account = server, username
        with self._lock:
            self._stored.discard(account)
            for kept in (self._tokens, self._tried, self._clients):
                kept.pop(account, None)
            if self._at_rig.get(server) == username:
                del self._at_rig[server]

    def client(self, server: str, username: str) -> AlyxClient:
        """Return a client for an account, which is shared: leave it open.

        Raises LoginRequiredError if there is no token, another `AlyxError` if the tokens cannot be read.
        """
        account = server, username
        with self._lock:
            token = self._tokens.get(account)
        token = token or Accounts().tokens.get(server, username)
        if token is None:
            raise LoginRequiredError(
                f"Nobody is logged in at {server} as {username}.",
                hint="Right-click the project, choose Sync to Alyx, and connect as that user.",
            )
        with self._lock:
            client = self._clients.get(account)
            if client is None or client.token != token:
                client = AlyxClient(server, username=username, token=token, program=PROGRAM)
                self._clients[account] = client
        return client

    def client_or_none(self, server: str, username: str) -> AlyxClient | None:
        """Return a client for an account, for who reports it where it is `refused`; None without a token."""
        try:
            client = self.client(server, username)
        except LoginRequiredError:
            return None
        with self._lock:
            self._tried[server, username] = client.token or ""
        return client

    def refused(self, server: str, username: str) -> None:
        """Drop a window's token that the server refused; it must not hide a newer one in the token store."""
        account = server, username
        with self._lock:
            if self._tokens.get(account) == self._tried.get(account):
                self._tokens.pop(account, None)
                self._stored.discard(account)

    def account_for(self, server: str, alyx_user: str) -> str:
        """Say as whom something is written to a server.

        Returns: that user; else who is at the rig, or is set to be; else who was last, or is by default, connected
        there; empty where nobody was.
        ``alyx_user``: the Alyx user who is logged in to the PyBpod project; empty where none is.
        """
        with self._lock:
            said = alyx_user or self._at_rig.get(server, "")
        if said or (said := self._rig_user(server)):
            return said
        accounts = Accounts()
        last = accounts.last_used()
        if last is not None and last.url == server:
            return last.username
        found = [account.username for account in accounts.all() if account.url == server and account.default_user]
        return found[0] if found else ""

    def _rig_user(self, server: str) -> str:
        address, username = self._rig_account()
        return username if not address or _same_server(address, server) else ""

    def close(self) -> None:
        """Close all clients and forget the windows' tokens."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
            self._tokens.clear()
        for client in clients:
            client.close()


def last_account(address: str, username: str) -> Callable[[Report, CancelToken], LastAccount]:
    """Make the work that looks up what the window is prefilled with.

    Returns: work for a task; returns a `LastAccount`.
    ``address``, ``username``: from the settings; what is empty there is taken from the account used last.
    """

    def work(report: Report, cancel: CancelToken) -> LastAccount:
        del report, cancel
        accounts = Accounts()
        store = accounts.tokens.describe()
        last = accounts.last_used()
        where = address or (last.url if last else "")
        who = username or (last.username if last and _same_server(where, last.url) else "")
        remembered = bool(where and who and _token(accounts, where, who))
        return LastAccount(where, who, remembered, store, tuple(accounts.notes))

    return work


def connecting(
    address: str, username: str, password: str, held: str | None = None, *, keep: bool | None
) -> Callable[[Report, CancelToken], Connected]:
    """Make the work that connects: with the password, or where that is empty with the held or the remembered token.

    Returns: work for a task; returns a `Connected`. It raises `PasswordMissingError` where there is neither a
    password nor a token, `LoginRequiredError` where the token was revoked; other `AlyxError`, `Cancelled`.
    ``held``: the token of a connection of this account that stands already.
    ``keep``: True puts the token into the token store, False takes out the one that is there. None leaves the store
    alone: it is not even looked for, unless the password is empty and no token is held.
    """
    secrets = [password]

    def work(report: Report, cancel: CancelToken) -> Connected:
        client = AlyxClient(address, program=PROGRAM)
        typed = secrets.pop()
        stored = not typed.strip() and held is None
        if typed.strip():
            token = client.login(username, typed, report=report, cancel=cancel)
            del typed
        else:
            token = held or _remembered(address, username)
            client = AlyxClient(address, username=username, token=token, program=PROGRAM)
            try:
                client.check_token(report=report, cancel=cancel)
            except LoginRequiredError as error:
                raise LoginRequiredError(
                    f"The token of {username} is no longer valid at {client.url}: it was revoked there.",
                    hint="Type the password, then press Connect.",
                ) from error
        cancel.raise_if_cancelled()
        return _recorded(client, username, token, keep=keep, stored=stored)

    return work


def _recorded(client: AlyxClient, username: str, token: str, *, keep: bool | None, stored: bool) -> Connected:
    # the connection stands, whatever becomes of this
    logger.info("%s is connected to %s", username, client.url)
    kept = stored or keep is False  # whether the store holds a token now
    failing = NOT_REMEMBERED if keep else NOT_NOTED
    try:
        if keep is False:
            failing = NOT_DELETED
            Accounts().tokens.forget(client.url, username)
            kept, failing = False, NOT_NOTED
        accounts = Accounts() if keep else Accounts(tokens=MemoryTokenStore())
        accounts.remember(client.url, username, token, keep_token=keep or None)
    except AlyxError as error:
        return Connected(client, username, kept, f"{failing} {error}")
    return Connected(client, username, kept or bool(keep))


def _remembered(address: str, username: str) -> str:
    token = _token(Accounts(), address, username)
    if token is None:
        raise PasswordMissingError(
            f"The password is missing: no token of {username} at {parse_address(address).url} is remembered on this "
            "computer.",
            hint="Type the password, then press Connect.",
        )
    return token


def _token(accounts: Accounts, address: str, username: str) -> str | None:
    # the store alone: a token that another window holds in memory is that window's
    return accounts.tokens.get(parse_address(address).url, username)


def _same_server(address: str, url: str) -> bool:
    try:
        return parse_address(address).url == url
    except AlyxError:
        return False
