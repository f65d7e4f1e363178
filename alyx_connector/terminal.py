"""The questions of `Connector.setup`: asked in a terminal, in IPython or in Jupyter, and only for what is missing."""

from __future__ import annotations

import getpass
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alyx_connector.display.in_notebook import in_notebook
from alyx_connector.errors import AlyxError, ConfigurationError, CredentialsError
from alyx_connector.http.arguments import checked_token
from alyx_connector.http.client import AlyxClient
from alyx_connector.remedy import Remedy, RemedyKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from alyx_connector.accounts import Accounts

__all__ = ["Given", "LoggedIn", "can_ask", "log_in", "say"]


PROGRAM = "alyx-connector"
#: Offered where no server is the default yet.
FIRST_ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class Given:
    """What `Connector.setup` was called with; None is asked for."""

    #: Server.
    url: str | None
    #: User.
    username: str | None
    #: Password.
    password: str | None = field(repr=False)
    #: Token, instead of the password.
    token: str | None = field(repr=False)
    #: Whether server and user become the defaults.
    make_default: bool | None

    @property
    def missing(self) -> list[str]:
        """Names of the arguments that must be asked for."""
        known = {
            "url": self.url,
            "username": self.username,
            "make_default": self.make_default,
            "password": self.password if self.token is None else self.token,
        }
        return [name for name, value in known.items() if value is None]


@dataclass(frozen=True)
class LoggedIn:
    """A login that the server accepted; nothing of it is kept yet."""

    #: Holds server, user and token.
    client: AlyxClient
    #: Whether server and user become the defaults.
    make_default: bool


def can_ask() -> bool:
    """Tell whether somebody can answer questions here."""
    return in_notebook() or (sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty())


def log_in(given: Given, accounts: Accounts) -> LoggedIn:
    """Ask for what is missing, until the server accepts it.

    Parameters
    ----------
    given : Given
        What need not be asked for. Where the server refuses something of it, that is an error, not a question.
    accounts : Accounts
        Tell what to offer. Nothing is written.

    Returns
    -------
    LoggedIn
        The login.

    Raises
    ------
    ConfigurationError
        If something is missing and nobody can answer, or an argument is unusable.
    CredentialsError
        If the server refuses the password or token that was given.
    AlyxError
        If the server that was given cannot be used.
    """
    if given.password is not None and given.token is not None:
        raise ConfigurationError("Both a password and a token were given.", hint="Give one of them.", setting="token")
    if given.missing and not can_ask():
        raise ConfigurationError(
            f"The login cannot ask for {', '.join(given.missing)}: there is no terminal and no notebook here.",
            hint=Remedy(RemedyKind.LOG_IN_UNASKED),
            setting=given.missing[0],
        )
    return _Dialog(given, accounts).run()


class _Dialog:
    def __init__(self, given: Given, accounts: Accounts) -> None:
        self._given = given
        self._accounts = accounts
        default = accounts.default()
        self._offered = default.url if default else FIRST_ADDRESS

    def run(self) -> LoggedIn:
        client = self._server()
        username = self._given.username if self._given.username is not None else self._ask_username(client.url)
        make_default = self._given.make_default
        if make_default is None:
            make_default = _ask_whether(f"Make {username} at {client.url} the default for next time?")
        password, token = self._given.password, self._given.token
        while True:
            if password is None and token is None:
                password, token = _ask_secret(username)
            try:
                return LoggedIn(_accepted(client, username, password, token), make_default)
            except (CredentialsError, ConfigurationError) as error:
                asked = self._given.password is None and self._given.token is None
                if not asked or (isinstance(error, ConfigurationError) and error.setting != "password"):
                    raise
                what = "token" if token else "password"
                say(f"{error} Type the {what} of {username} again, or press Ctrl-C to begin anew.")
                password = token = None
            except AlyxError as error:
                if self._given.url is not None:
                    raise
                say(str(error))
                client = self._server()

    def _server(self) -> AlyxClient:
        # A client that has found its server.
        if self._given.url is not None:
            client = AlyxClient(self._given.url, program=PROGRAM)
            client.find_server()
            return client
        while True:
            typed = _answer(input, f"Server address [{self._offered}]: ").strip() or self._offered
            try:
                client = AlyxClient(typed, program=PROGRAM)
                self._offered = typed
                client.find_server()
            except AlyxError as error:
                say(str(error))
            else:
                return client

    def _ask_username(self, url: str) -> str:
        known = [account.username for account in self._accounts.all() if account.url == url and account.default_user]
        offered = f" [{known[0]}]" if known else ""
        while True:
            typed = _answer(input, f"User name{offered}: ").strip() or (known[0] if known else "")
            if typed:
                return typed
            say("The user name is empty.")


def _accepted(client: AlyxClient, username: str, password: str | None, token: str | None) -> AlyxClient:
    if token is None:
        client.login(username, password or "")
        return client
    known = AlyxClient(client.url, username=username, token=token, program=PROGRAM)
    known.check_token()
    return known


def _ask_secret(username: str) -> tuple[str | None, str | None]:
    # Password and token; one of them is None.
    while True:
        password = _answer(getpass.getpass, f"Password of {username} (hidden; leave it empty to paste a token): ")
        if password.strip():
            return password, None
        token = _answer(getpass.getpass, "Token (hidden; leave it empty to type a password): ").strip()
        if not token:
            continue
        try:
            return None, checked_token(token)
        except ConfigurationError as error:
            say(str(error))


def _ask_whether(question: str) -> bool:
    while True:
        typed = _answer(input, f"{question} [Y/n]: ").strip().lower()
        if typed in {"", "y", "yes"}:
            return True
        if typed in {"n", "no"}:
            return False
        say("Type y or n.")


def _answer(ask: Callable[[str], str], question: str) -> str:
    try:
        return ask(question)
    except (EOFError, NotImplementedError):  # the input ended, or the notebook's front end cannot ask
        raise ConfigurationError(
            "Nobody answered the questions of the login: the input ended.",
            hint=Remedy(RemedyKind.LOG_IN_UNASKED),
            setting="input",
        ) from None


def say(sentence: str) -> None:
    """Say something in the dialog."""
    print(sentence, flush=True)
