"""`Connector`: the analyst's way into Alyx; sessions and other records as frames of pandas."""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from alyx_connector.accounts import Accounts
from alyx_connector.errors import ConfigurationError, LoginRequiredError
from alyx_connector.frames.layouts import ACCOUNT, DETAIL_ERROR, ENDPOINT, FILTER, Column
from alyx_connector.frames.tables import expanded, make_table
from alyx_connector.http.client import AlyxClient
from alyx_connector.http.server_time import utc_now
from alyx_connector.progress import CancelToken
from alyx_connector.records.subject_records import SubjectRecords
from alyx_connector.records.writing import Writing
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.search.cache import Cache
from alyx_connector.search.current_details import Work
from alyx_connector.search.filter_check import endpoint_rows, filter_rows, find_endpoint
from alyx_connector.search.schema import SchemaSource
from alyx_connector.search.search import Search, find
from alyx_connector.terminal import Given, ProgressBar, log_in, say
from alyx_connector.warning import AlyxWarning

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from alyx_connector.progress import Report
    from alyx_connector.search.schema import Endpoint, Schema
    from alyx_connector.warning import Note

__all__ = ["Connector"]

PROGRAM = "alyx-connector"


class Connector(SubjectRecords, Writing):
    """An Alyx server as one of its users, who was set up with `setup`.

    Connectors to several servers, or of several users, live side by side. Nothing is asked of the server before the
    first search.

    Parameters
    ----------
    url : str, optional
        Server, as people type it; the default server if left out. An address without scheme, port and path that was
        not set up means the one server whose host it is.
    username : str, optional
        User; the default user of that server if left out.
    write : bool
        Whether `update`, `update_json` and `create` may write; what `setup` returns only reads.

    Raises
    ------
    LoginRequiredError
        If the account was never set up, or has no token; names the `setup` to call.
    ConfigurationError
        If the address is unusable, or could mean several accounts; lists them.

    Examples
    --------
    >>> connector = Connector.setup(
    ...     url="127.0.0.1:8000", username="jose", password="jose-demo", make_default=True
    ... )
    >>> connector.url, connector.username
    ('http://127.0.0.1:8000', 'jose')
    >>> connector = Connector()  # from now on
    >>> sessions = connector.search(subject="ea04")
    >>> session = sessions.iloc[3]
    >>> session.subject, session.json["whisker_stims"]["Stimulus right"]["1"]
    ('ea04', {'n': 31, 'amp': 0.5})
    """

    def __init__(self, url: str | None = None, username: str | None = None, *, write: bool = False) -> None:
        self._write = write is True
        accounts = Accounts()
        account = accounts.find(url, username)
        token = accounts.token(account.url, account.username)
        for note in accounts.notes:
            _warn(note)
        if token is None:
            raise LoginRequiredError(
                f"No token of {account.username} at {account.url} is kept on this computer.",
                hint=Remedy(RemedyKind.LOG_IN, account.url, account.username),
            )
        self._client = AlyxClient(account.url, username=account.username, token=token, program=PROGRAM)
        self._schemas = SchemaSource(self._client)
        self._cache = Cache.of_account(account.url, account.username)

    @classmethod
    def setup(
        cls,
        url: str | None = None,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        make_default: bool | None = None,
    ) -> Connector:
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
            If something must be asked for where nobody can answer: says what to pass; or an argument is unusable.
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
            _warn(note)
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
            _warn(note)
        return make_table(rows, ACCOUNT, tell=_warn)

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

        It is this user's at this server alone. ``ALYX_CONNECTOR_CACHE_MB`` says how large it may become (1024 if not
        set, 0: nothing is kept); what was not used for longest goes first.
        """
        return self._cache

    @property
    def username(self) -> str:
        """The user."""
        return self._client.username or ""

    def __repr__(self) -> str:
        """Return server and user, never the token."""  # noqa: DOC201
        return f"<Connector {self.url} as {self.username}>"

    def search(
        self,
        endpoint: str = "sessions",
        *,
        details: bool = True,
        expand: str | Sequence[str] = (),
        refresh: bool = False,
        offline: bool = False,
        cancel: CancelToken | None = None,
        report: Report | None = None,
        **filters: Any,
    ) -> pd.DataFrame:
        """Return one row for each record that matches every filter.

        Parameters
        ----------
        endpoint : str
            What to list: ``"sessions"``, ``"subjects"``, ``"weighings"``, ``"datasets"``, …
        details : bool
            Whether to fetch what only the detail of each record tells (of a session: narrative, json, extended_qc, qc,
            users, n_trials, …): one request a record, several at once, within the server's throttle. Ctrl-C ends that
            and keeps what has arrived; the same search goes on there. Details that are kept (see `cache`) are asked
            for again only where the record changed: that costs two requests at most.
        expand : str or sequence of str
            ``"json"``, ``"extended_qc"`` or both: also a column for each value nested in these objects, for example
            ``json.qc.noise``, of the dtype that fits; lists stay lists.
        refresh : bool
            Whether to fetch all details anew. Datasets, water and notes nested in a session, and the names of what it
            refers to, may change without the server saying so: they are as of when its details were fetched.
        offline : bool
            Whether to ask nothing of the server: gives the rows that this same search last found, with the details
            that are kept, and tells how old they are. So does a search that finds the server unreachable, unless it
            is to refresh.
        cancel : CancelToken, optional
            Stops it from another thread: the list at once, with `Cancelled`; the details as Ctrl-C does.
        report : callable, optional
            Takes `Progress`, on this thread; if left out, a terminal or notebook shows a bar.
        **filters
            As the server has them, in Python values:

            - text, a number, True or False, a date or a naive datetime in lab time;
            - a list, a set, an array or a column of a frame: any of these (one request a value; an empty one matches
              nothing);
            - ``date_range=(first, last)``: days, both included; None is an open end;
            - ``extended_qc={"pass": True, "noise_uV__lt": 5}``, ``json={…}``: what must hold in that field; nested
              dicts lead into nested objects, None asks for a missing key; ``qc="PASS"``;
            - ``id=``: an id, or a list of ids;
            - ``django="projects__name__icontains,wait"`` or a dict, for experts.

        Returns
        -------
        pandas.DataFrame
            Sessions: newest first. Index: id, also as column ``id``; a plain range for the few lists whose rows have
            neither id, url nor name. First the columns of the list, then those of the
            details in Alyx's order, then fields that this version does not know; with details a last column
            ``detail_error``, missing where there is none. Text is ``string``, counts are ``Int64``, numbers
            ``Float64``, yes or no ``boolean``, times and days ``datetime64[ns]`` in lab time (an offset is dropped and
            told); ``json`` and ``extended_qc`` are a dict, a list or None; other nested fields are as Alyx has them.
            Units: weights g, water mL. No match gives zero rows with the same columns and dtypes.

            What the user should know is warned of (`AlyxWarning`) and stands in ``attrs["notes"]``; ``attrs`` holds
            plain JSON: ``url``, ``username``, ``endpoint``, ``retrieved`` (UTC, when the list was read), ``notes``.

        Raises
        ------
        ConfigurationError
            If the server has no such list or filter (it would ignore that and return everything), if a value is
            unusable, or if the server cannot answer a filter although it names it; says which names are near, or what
            to use instead; if the rows of a search that is to be offline are not kept. Nothing was asked but, once a
            day, what filters there are.
        LoginRequiredError
            If the token was revoked; names the `setup` to call.
        AlyxError
            Whatever else goes wrong with the list; see `alyx_connector.errors`.
        Cancelled
            If cancelled before the list was complete, and what changed was known.

        Examples
        --------
        >>> connector = Connector()
        >>> good = connector.search(subject="ea04", extended_qc={"pass": True, "noise_uV__lt": 5})
        >>> connector.search("subjects", nickname=["ea04", "jo002"], details=False).nickname.to_list()
        ['ea04', 'jo002']
        >>> connector.search(subject="nobody").empty
        True
        """
        if not isinstance(endpoint, str) or not re.fullmatch(r"[\w-]+", endpoint.strip("/")):
            raise ConfigurationError(
                f"The endpoint {endpoint!r} is no list of Alyx.", hint='For example "sessions".', setting="endpoint"
            )
        wanted = [expand] if isinstance(expand, str) else list(expand)
        search = Search(endpoint.strip("/"), filters, details, wanted)
        notes: list[Note] = []
        with self._explained(), ProgressBar() as bar, self._cache.opened(notes.append) as store:
            work = Work(self._client, store, cancel or CancelToken(), report or bar, notes.append, self._log_in)
            found = find(search, work, self._schemas, refresh=refresh, offline=offline)
        rows = found.rows
        for name in wanted:
            rows = expanded(rows, name, tell=notes.append)
        return self._table(search.endpoint, rows, found.columns, notes, details, found.retrieved)

    def endpoints(self) -> pd.DataFrame:
        """List what can be searched, in the server's own words; asked for once a day.

        Returns
        -------
        pandas.DataFrame
            One row a list: ``endpoint`` string; ``details_by`` string, by what a single record is known, missing where
            there is none; ``filters`` object, a list of names. Without rows, with an `AlyxWarning`, where the server
            does not describe itself (Alyx before 3.0).

        Raises
        ------
        AlyxError
            If the server cannot be asked.

        Examples
        --------
        >>> "weighings" in Connector().endpoints().endpoint.to_list()
        True
        """
        schema = self._schema_or_warning()
        return make_table(endpoint_rows(schema) if schema else [], ENDPOINT, tell=_warn)

    def filters(self, endpoint: str = "sessions") -> pd.DataFrame:
        """List the filters of a list, in the server's own words; asked for once a day.

        Parameters
        ----------
        endpoint : str
            What is listed.

        Returns
        -------
        pandas.DataFrame
            One row a filter, all columns string but one: ``filter``; ``takes``, for example ``a whole number``;
            ``match``: ``exact``, ``exact, but for case``, ``part of a word``, ``all`` (of several, with commas),
            ``any``, …; ``usable`` boolean, False where the server names it but cannot answer it; ``instead``, what to
            use then; ``description``, in the server's words, missing where it says nothing. Without rows, with an
            `AlyxWarning`, where the server does not describe itself.

        Raises
        ------
        ConfigurationError
            If the server has no such list; says which names are near.
        AlyxError
            If the server cannot be asked.

        Examples
        --------
        >>> filters = Connector().filters("sessions").set_index("filter")
        >>> filters.loc["task_protocol", "match"]
        'part of a word'
        """
        schema = self._schema_or_warning()
        found = find_endpoint(schema, endpoint, self.url) if schema else None
        return make_table(filter_rows(found) if found else [], FILTER, tell=_warn)

    def close(self) -> None:
        """Close the connections; the connector cannot be used afterwards."""
        self._client.close()

    def _described(self, endpoint: str, cancel: CancelToken, notes: list[Note]) -> Endpoint | None:
        schema = self._schemas.schema(cancel=cancel, tell=notes.append)
        return find_endpoint(schema, endpoint, self.url) if schema else None

    def _schema_or_warning(self) -> Schema | None:
        with self._explained():
            return self._schemas.schema(tell=_warn)

    def _table(
        self,
        endpoint: str,
        rows: Sequence[dict[str, Any]],
        columns: Sequence[Column],
        notes: list[Note],
        details: bool,
        retrieved: dt.datetime | None = None,
    ) -> pd.DataFrame:
        last = (DETAIL_ERROR,) if details else ()
        frame = make_table(rows, columns, tell=notes.append, last=last)
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
            _warn(note)
        return frame

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


def _warn(note: Note) -> None:
    warnings.warn(note, AlyxWarning, stacklevel=4)
