"""The connection of one account to its server: set up, opened, listed and forgotten; what every answer becomes."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from alyx_connector.accounts import Accounts
from alyx_connector.cache.cache import Cache
from alyx_connector.errors import ConfigurationError, LoginRequiredError
from alyx_connector.frames.columns import ACCOUNT, DETAIL_ERROR, Column, in_reading_order
from alyx_connector.frames.tables import make_table
from alyx_connector.http.client import AlyxClient
from alyx_connector.http.server_time import utc_now
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.schema.completions import complete_in_ipython, known_lists
from alyx_connector.schema.dialect import Dialect
from alyx_connector.schema.source import SchemaSource
from alyx_connector.search.lab_times import in_lab_time
from alyx_connector.terminal import Given, log_in, say
from alyx_connector.warning import AlyxWarning
from alyx_connector.zones.lab_zones import zones_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from alyx_connector.warning import Note

__all__ = ["ConnectorAccount", "warn"]

PROGRAM = "alyx-connector"
_Connection = TypeVar("_Connection", bound="ConnectorAccount")


class ConnectorAccount:
    """A user at a server, who was set up with `setup`; see `Connector`."""

    def __init__(self, url: str | None = None, username: str | None = None, *, write: bool = False) -> None:
        self._write = write is True
        accounts = Accounts()
        account = accounts.find(url, username)
        token = accounts.token(account.url, account.username)
        for note in accounts.notes:
            warn(note)
        if token is None:
            raise LoginRequiredError(
                f"No token of {account.username} at {account.url} is kept on this computer.",
                hint=Remedy(RemedyKind.LOG_IN, account.url, account.username),
            )
        self._client = AlyxClient(account.url, username=account.username, token=token, program=PROGRAM)
        self._schemas = SchemaSource(self._client)
        self._zones = zones_of(self._client)
        self._cache = Cache.of_account(account.url, account.username)
        complete_in_ipython(ConnectorAccount, lambda one: known_lists(one._schemas.last_known()))

    @classmethod
    def setup(
        cls: type[_Connection],
        url: str | None = None,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        make_default: bool | None = None,
    ) -> _Connection:
        """Log in to a server and keep the account, in a terminal, in IPython or in Jupyter.

        Asks for what is not given, in this order: server address, user name, whether to make them the default for next
        time, password (hidden). Where the server refuses the password, or the address cannot be used, that is asked
        again with the reason; the rest is kept. Ctrl-C ends it with nothing written.

        The token is kept, where ``ALYX_TOKEN_STORE`` says; the password is not.

        Parameters
        ----------
        url : str, optional
            Server, as people type it: ``"alyx.mylab.org"``, ``"127.0.0.1:8000"``.
        username : str, optional
            User on Alyx.
        password : str, optional
            Of that user.
        token : str, optional
            Instead of the password, for accounts that have none because they log in through an identity provider. An
            empty password at the prompt offers to paste it.
        make_default : bool, optional
            Whether ``Connector()`` means this server and user from now on.

        Returns
        -------
        Connector
            Connected.

        Raises
        ------
        ConfigurationError
            If something is missing and nobody can be asked for it (the error says what to pass), or an argument is
            unusable.
        LoginRejectedError
            If the server refuses the password that was given.
        LoginRequiredError
            If the server does not know the token that was given.
        AlyxError
            If the server that was given cannot be used.
        KeyboardInterrupt
            On Ctrl-C; nothing was written.
        """
        accounts = Accounts()
        given = Given(url, username, password, token, make_default)
        done = log_in(given, accounts)
        client = done.client
        account = accounts.remember(
            client.url, client.username or "", client.token or "", make_default=done.make_default
        )
        if given.missing:
            say(
                f"Connected to {account.url} as {account.username}. The token is kept ({accounts.tokens.describe()}), "
                "the password is not."
            )
        for note in accounts.notes:
            warn(note)
        return cls(account.url, account.username)

    @staticmethod
    def accounts() -> pd.DataFrame:
        """List what was set up.

        Returns
        -------
        pandas.DataFrame
            One row an account, in the order in which they were set up: ``url`` and ``username`` string;
            ``default_server`` and ``default_user`` boolean: whether it is the default server, and the default user of
            its server. No tokens. Nothing set up gives zero rows with the same columns and dtypes.
        """
        accounts = Accounts()
        rows = [vars(account) for account in accounts.all()]
        for note in accounts.notes:
            warn(note)
        return make_table(rows, ACCOUNT, tell=warn)

    @staticmethod
    def forget(url: str, username: str) -> None:
        """Remove an account, its token and its cache from this computer; the token stays valid on the server.

        Parameters
        ----------
        url, username : str
            The account, as for `Connector`.

        Raises
        ------
        ConfigurationError
            If there is no such account (lists those there are), or its cache cannot be removed.
        """
        accounts = Accounts()
        try:
            account = accounts.find(url, username)
        except LoginRequiredError as error:
            raise ConfigurationError(f"There is nothing to forget: {error.message}", setting="username") from error
        accounts.forget(account.url, account.username)
        Cache.of_account(account.url, account.username).remove()

    @property
    def url(self) -> str:
        """The server: ``scheme://host[:port][/prefix]``."""
        return self._client.url

    @property
    def cache(self) -> Cache:
        """What searches brought, on this computer: ``cache.path``, ``cache.size`` (bytes), ``cache.clear()``.

        It is this user's at this server alone. ``ALYX_CONNECTOR_CACHE_MB`` sets how large it may become (1024 if not
        set; with 0 nothing is kept); what was not used for longest is removed first.
        """
        return self._cache

    @property
    def username(self) -> str:
        """The user."""
        return self._client.username or ""

    def __repr__(self) -> str:
        """Return server and user, never the token."""  # noqa: DOC201
        return f"<{type(self).__name__} {self.url} as {self.username}>"

    def close(self) -> None:
        """Close the connections; the connector cannot be used afterwards."""
        self._client.close()

    def _dialect(self) -> Dialect:
        # In what this server differs from others; asks for its description once a day.
        schema = self._schemas.schema(tell=lambda _: None)
        return schema.dialect if schema else Dialect()

    def _table(
        self,
        endpoint: str,
        rows: Sequence[dict[str, Any]],
        columns: Sequence[Column],
        notes: list[Note],
        details: bool,
        retrieved: dt.datetime | None = None,
        *,
        ask: bool = True,
    ) -> pd.DataFrame:
        # ``ask``: whether the server may be asked which zone each lab has, and it itself.
        rows = in_lab_time(rows, endpoint, self._client, self._zones, ask=ask, tell=notes.append)
        known = self._schemas.last_known()
        if known and known.dialect.qc_is_number:
            rows = [{**row, "qc": known.dialect.qc_word(row["qc"])} if "qc" in row else row for row in rows]
        read, last = in_reading_order(endpoint, columns)
        frame = make_table(rows, read, tell=notes.append, last=[*last, *((DETAIL_ERROR,) if details else ())])
        if frame["id"].notna().all():
            frame = frame.set_index("id", drop=False)
            frame.index.name = None  # a name that a column has too would be ambiguous to pandas
        frame.attrs = {
            "url": self.url,
            "username": self.username,
            "endpoint": endpoint,
            "retrieved": f"{(retrieved or utc_now()).isoformat(timespec='seconds')}+00:00",
            "notes": [str(note) for note in notes],
        }
        for note in notes:
            warn(note)
        from alyx_connector.frames.frame_view import shown_frame

        return shown_frame(frame)

    @property
    def _log_in(self) -> Remedy:
        return Remedy(RemedyKind.LOG_IN, self.url, self.username)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        # The client knows no accounts: how its user logs in again is said here.
        try:
            yield
        except LoginRequiredError as error:
            error.remedy = self._log_in
            raise


def warn(note: Note) -> None:
    """Warn whoever called the method of `Connector` that called the caller of this."""
    warnings.warn(note, AlyxWarning, stacklevel=4)
