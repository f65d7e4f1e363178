"""The servers and users that were set up, with their defaults; tokens live in `alyx_connector.tokens`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alyx_connector._version import DISTRIBUTION
from alyx_connector.address import Address, parse_address
from alyx_connector.errors import ConfigurationError, LoginRequiredError
from alyx_connector.private_file import HOME_SETTING, JsonFile, home_folder
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.tokens import MemoryTokenStore, TokenStore, choose_token_store

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Account", "Accounts"]

VERSION = 1


@dataclass(frozen=True)
class Account:
    """A user at a server."""

    #: The server: ``scheme://host[:port][/prefix]``.
    url: str
    #: The user.
    username: str
    #: Whether this is the default server.
    default_server: bool = False
    #: Whether this is the default user of that server.
    default_user: bool = False


class Accounts:
    """The accounts of this computer's user, in ``config/accounts.json``.

    Parameters
    ----------
    home : Path, optional
        Folder to keep them in; the usual one if left out.
    tokens : TokenStore, optional
        Where their tokens live; chosen by ``ALYX_TOKEN_STORE`` if left out.
    """

    def __init__(self, home: Path | None = None, tokens: TokenStore | None = None) -> None:
        home = home or home_folder()
        self._file = JsonFile(home / "config" / "accounts.json", _check_accounts)
        #: Where tokens live; its ``describe()`` says so in words.
        self.tokens = tokens if tokens is not None else choose_token_store(home=home)
        self._memory = MemoryTokenStore()

    @property
    def notes(self) -> list[str]:
        """What the user should know, for example that a damaged file was moved aside."""
        return list(self._file.notes)

    def all(self) -> list[Account]:
        """List all accounts.

        Returns
        -------
        list of Account
            In the order in which they were set up.
        """
        return _listed(self._file.read())

    def default(self) -> Account | None:
        """Return the default user of the default server.

        Returns
        -------
        Account or None
            None if there is no default.
        """
        return next((account for account in self.all() if account.default_server and account.default_user), None)

    def last_used(self) -> Account | None:
        """Return the account that was last used.

        Returns
        -------
        Account or None
            None if none was used yet, or it was removed.
        """
        content = self._file.read()
        last = content.get("last_used") or {}
        named = (last.get("url"), last.get("username"))
        return next((account for account in _listed(content) if (account.url, account.username) == named), None)

    def find(self, url: str | None = None, username: str | None = None) -> Account:
        """Find the account that is meant.

        Parameters
        ----------
        url : str, optional
            Server, as people type it; the default server if left out. An address without scheme, port and path that
            was not set up means the one server whose host it is.
        username : str, optional
            User; the default user of that server if left out.

        Returns
        -------
        Account
            One of `all`.

        Raises
        ------
        LoginRequiredError
            If it was never set up; the error says how to set it up.
        ConfigurationError
            If the address is unusable, or could mean several accounts; lists them.
        """
        accounts = self.all()
        server = self._default_server(accounts) if url is None else self._server(accounts, parse_address(url))
        users = [account for account in accounts if account.url == server]
        if username is not None:
            for account in users:
                if account.username == username:
                    return account
            raise self._missing(accounts, f"{username} was never set up at {server}", server, username)
        for account in users:
            if account.default_user:
                return account
        raise ConfigurationError(
            f"{server} has no default user. {_enumerated(users)}",
            hint=Remedy(RemedyKind.CHOOSE_USER, url=server),
            setting="username",
        )

    def remember(
        self, url: str, username: str, token: str, *, make_default: bool = False, keep_token: bool | None = True
    ) -> Account:
        """Keep an account and its token.

        Parameters
        ----------
        url : str
            The server.
        username : str
            The user. The first one at a server becomes its default user.
        token : str
            The token.
        make_default : bool
            Whether server and user become the defaults.
        keep_token : bool or None
            True keeps the token for the next program; False keeps it in memory only and removes one that was kept;
            None leaves tokens as they are, kept or not: it is the caller's own.

        Returns
        -------
        Account
            The account.

        Raises
        ------
        ConfigurationError
            If the address is unusable or a file cannot be written.
        """
        server = parse_address(url).url
        if not username or not token:
            raise ConfigurationError("An account needs a user and a token.", hint="Log in first.", setting="username")

        def edit(content: dict[str, Any]) -> None:
            content.setdefault("version", VERSION)
            entry = content.setdefault("servers", {}).setdefault(server, {})
            entry.setdefault("users", {}).setdefault(username, {})
            if make_default or entry.get("default_user") is None:
                entry["default_user"] = username
            if make_default:
                content["default_server"] = server
            content["last_used"] = {"url": server, "username": username}

        self._file.change(edit)
        if keep_token:
            self._memory.forget(server, username)
            self.tokens.put(server, username, token)
        elif keep_token is not None:
            self.tokens.forget(server, username)
            self._memory.put(server, username, token)
        return self.find(server, username)

    def forget(self, url: str, username: str) -> None:
        """Remove an account and its token; one that was not set up is fine.

        Parameters
        ----------
        url, username : str
            The account.
        """
        server = parse_address(url).url
        self._memory.forget(server, username)
        self.tokens.forget(server, username)

        def edit(content: dict[str, Any]) -> None:
            servers = content.get("servers", {})
            entry = servers.get(server, {})
            entry.get("users", {}).pop(username, None)
            if entry.get("default_user") == username:
                entry["default_user"] = None
            if server in servers and not entry.get("users"):
                del servers[server]
                if content.get("default_server") == server:
                    content["default_server"] = None
            if content.get("last_used") == {"url": server, "username": username}:
                content["last_used"] = None

        self._file.change(edit)

    def token(self, url: str, username: str) -> str | None:
        """Return the token of an account.

        Parameters
        ----------
        url, username : str
            The account.

        Returns
        -------
        str or None
            The token, a secret; None if there is none.
        """
        server = parse_address(url).url
        return self._memory.get(server, username) or self.tokens.get(server, username)

    def _default_server(self, accounts: list[Account]) -> str:
        for account in accounts:
            if account.default_server:
                return account.url
        if not accounts:
            raise self._missing(accounts, "No Alyx server was set up yet")
        raise ConfigurationError(
            f"There is no default server. {_enumerated(accounts)}",
            hint=Remedy(RemedyKind.CHOOSE_DEFAULT),
            setting="url",
        )

    def _server(self, accounts: list[Account], asked: Address) -> str:
        servers = list(dict.fromkeys(account.url for account in accounts))
        if asked.url in servers:
            return asked.url
        alike = [url for url in servers if _may_mean(asked, parse_address(url))]
        if len(alike) == 1:
            return alike[0]
        if not alike:
            raise self._missing(accounts, f"{asked.url} was never set up", asked.url)
        raise ConfigurationError(
            f"{asked.host} could mean several servers: {', '.join(alike)}.",
            hint=Remedy(RemedyKind.CHOOSE_SERVER, url=alike[0]),
            setting="url",
        )

    def _missing(self, accounts: list[Account], what: str, url: str = "", username: str = "") -> LoginRequiredError:
        message = " ".join([f"{what}.", _enumerated(accounts), *self.notes])
        return LoginRequiredError(message, hint=Remedy(RemedyKind.SET_UP, url, username))


def _may_mean(asked: Address, known: Address) -> bool:
    # What was typed must hold; what was left out may differ.
    if asked.host != known.host or (asked.prefix and asked.prefix != known.prefix):
        return False
    if asked.port_typed and asked.port != known.port:
        return False
    return not asked.scheme_typed or asked.scheme == known.scheme


def _enumerated(accounts: list[Account]) -> str:
    if not accounts:
        return "Nothing is set up."
    return f"Set up: {', '.join(f'{account.username} at {account.url}' for account in accounts)}."


def _listed(content: dict[str, Any]) -> list[Account]:
    return [
        Account(url, username, content.get("default_server") == url, entry.get("default_user") == username)
        for url, entry in content.get("servers", {}).items()
        for username in entry.get("users", {})
    ]


def _check_accounts(content: Any) -> None:
    version = content.get("version", VERSION)
    if type(version) is int and version > VERSION:
        raise ConfigurationError(
            f"The accounts file was written by a newer program (version {version}; this program knows {VERSION}).",
            hint=f"Update {DISTRIBUTION}, or name another folder in {HOME_SETTING}.",
            setting=HOME_SETTING,
        )
    for url, entry in content.get("servers", {}).items():
        try:
            canonical = parse_address(url).url
        except ConfigurationError:
            canonical = ""
        if canonical != url or not all(isinstance(user, dict) for user in entry.get("users", {}).values()):
            raise TypeError("not a file of accounts")
        if not isinstance(entry.get("default_user"), str | None):
            raise TypeError("not a file of accounts")
    if not isinstance(content.get("default_server"), str | None) or not isinstance(
        content.get("last_used"), dict | None
    ):
        raise TypeError("not a file of accounts")
