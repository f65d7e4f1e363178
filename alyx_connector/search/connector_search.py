"""Searches as frames, and what there is to search; the part of `Connector` that lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from alyx_connector.display.shown_progress import ShownProgress
from alyx_connector.errors import ConfigurationError
from alyx_connector.frames.columns import ENDPOINT, FILTER
from alyx_connector.frames.tables import expanded, make_table
from alyx_connector.progress import CancelToken
from alyx_connector.search.add_details import Work
from alyx_connector.search.connector_account import ConnectorAccount, warn
from alyx_connector.search.filter_check import endpoint_rows, filter_rows, find_endpoint
from alyx_connector.search.run_search import Search, find

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from alyx_connector.progress import Report
    from alyx_connector.schema.description import Schema
    from alyx_connector.warning import Note

__all__ = ["ConnectorSearch"]


class ConnectorSearch(ConnectorAccount):
    """The part of `Connector` that searches."""

    def search(
        self,
        endpoint: str = "sessions",
        *,
        details: bool | None = None,
        limit: int | None = None,
        expand: str | Sequence[str] = (),
        refresh: bool = False,
        offline: bool = False,
        partial: bool = False,
        cancel: CancelToken | None = None,
        report: Report | None = None,
        **filters: Any,
    ) -> pd.DataFrame:
        """Return one row for each record that matches every filter.

        Parameters
        ----------
        endpoint : str
            What to list: ``"sessions"``, ``"subjects"``, ``"weighings"``, ``"datasets"``, …
        details : bool, optional
            Whether to fetch what only the detail of each record holds. If left out: of sessions yes, because that is
            most (narrative, json, extended_qc, qc, users, n_trials, …); of subjects, whose list lacks only weighings
            and water_administrations, and of most others no. `endpoints` says which, and what details add. With False,
            columns that Alyx lists and this server does not are absent, and named in a warning. Details cost one
            request a record, several at once, within the server's throttle. Ctrl-C stops that with KeyboardInterrupt;
            what has arrived is kept, and the same search goes on there. Details that are kept (see `cache`) are asked
            for again only where the record changed: that costs two requests at most.
        limit : int, optional
            How many rows are enough: the first ones in the server's order, of sessions the newest. All if left out.
        expand : str or sequence of str
            ``"json"``, ``"extended_qc"`` or both: also a column for each value nested in these objects, for example
            ``json.qc.noise``, of the dtype that fits; lists stay lists.
        refresh : bool
            Whether to fetch all details again. Datasets, water and notes nested in a session, and the names of what it
            refers to, may change without the server saying so: they are as of when its details were fetched.
        offline : bool
            Whether to ask nothing of the server: gives the rows that this same search last found, with the details
            that are kept, and warns how old they are. So does a search that finds the server unreachable, unless it
            is to refresh.
        partial : bool
            Whether Ctrl-C (or ``cancel``) while details are fetched returns the rows with the details that have
            arrived, instead of raising: ``detail_error`` says which rows have none.
        cancel : CancelToken, optional
            Stops it from another thread, as Ctrl-C does, with `Cancelled`.
        report : callable, optional
            Takes `Progress`, on this thread; if left out, a terminal or notebook shows it while the search runs, and
            elsewhere it is logged: at the beginning, every 10 s and at the end.
        **filters
            As the server has them, in Python values:

            - text, a number, True or False, a date or a naive datetime in lab time;
            - a list, a set, an array or a column of a frame: any of these (an empty one matches nothing); one request
              a value, but of animals and ids one request for many;
            - ``subject=``: a nickname or an id, or a list of them, in which nicknames must be exact;
            - ``date_range=(first, last)``: days, both included; None is an open end; or one day, month or year:
              ``"2024-09"``. Days are dates or texts like ``"2024-09-01"``, ``"2024/9/1"`` and ``"1 Sep 2024"``;
              ``"1/9/2024"``, which could be January, is refused;
            - ``extended_qc={"pass": True, "noise_uV__lt": 5}``, ``json={…}``: what must hold in that field; nested
              dicts lead into nested objects, None asks for a missing key; ``__lt``, ``__lte``, ``__gt``, ``__gte``,
              ``__in``, ``__contains`` (of a list: one of its values), ``__isnull`` (whether the key is missing) and
              ``__not`` (there, and something else) after a key compare. A text goes to the server as it is, which
              servers read differently; ``qc="PASS"``;
            - ``id=``: an id, or a list of ids;
            - ``django="projects__name__icontains,wait"`` or a dict, for experts.

        Returns
        -------
        pandas.DataFrame
            Sessions: newest first. Index: id, also as column ``id``; a plain range for the few lists whose rows have
            neither id, url nor name. First the columns that a person reads first, of sessions subject, start_time,
            number, task_protocol, narrative, n_trials, lab, projects and qc; then the others in Alyx's order, fields
            that this version does not know, and id and url; with details a last column ``detail_error``, missing where
            there is none. Text is ``string``, counts are ``Int64``, numbers ``Float64``, yes or no ``boolean``, ``qc``
            an ordered ``category`` (NOT_SET, PASS, WARNING, FAIL, CRITICAL), times and days ``datetime64[ns]`` in lab
            time, whatever the zone of the server (``auto_datetime``, ``created_datetime``: as on the server's clock);
            ``json`` and ``extended_qc`` are a dict, a list or None, or as it is where it holds something else, with a
            warning; other nested fields are as Alyx has them.
            Units: weights g, water mL. No match gives zero rows with the same columns and dtypes.

            Names that the server does not have (subject, lab, users, projects, location, procedures) are warned of,
            with those nearest, also where others of a list match; so is which filter excludes all, where nothing
            matches.

            Every warning (`AlyxWarning`) is also in ``attrs["notes"]``. ``attrs`` holds plain JSON: ``url``,
            ``username``, ``endpoint``, ``retrieved`` (UTC, when the list was read) and ``notes``.

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
            If cancelled; of details with ``partial=True`` only before the list was complete, and what changed was
            known.
        KeyboardInterrupt
            On Ctrl-C, in the same cases.

        Examples
        --------
        >>> connector = Connector()
        >>> good = connector.search(subject="ea04", extended_qc={"pass": True, "noise_uV__lt": 5})
        >>> connector.search("subjects", nickname=["ea04", "jo002"]).nickname.to_list()
        ['ea04', 'jo002']
        >>> len(connector.search(subject="ea04", limit=3))
        3
        """
        if not isinstance(endpoint, str) or not re.fullmatch(r"[\w-]+", endpoint.strip("/")):
            raise ConfigurationError(
                f"The endpoint {endpoint!r} is not a valid name of a list.",
                hint='For example "sessions".',
                setting="endpoint",
            )
        wanted = [expand] if isinstance(expand, str) else list(expand)
        if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
            raise ConfigurationError(
                f"limit is {limit!r}: it must be a whole number of rows from 1.",
                hint="Leave it out for all rows.",
                setting="limit",
            )
        search = Search(endpoint.strip("/"), filters, details, wanted, limit)
        notes: list[Note] = []
        listing = f"List of {search.endpoint} from {self.url}."
        with self._explained(), ShownProgress(listing) as shown, self._cache.opened(notes.append) as store:
            work = Work(
                self._client,
                self._zones,
                store,
                cancel or CancelToken(),
                report or shown,
                notes.append,
                self._log_in,
                partial,
            )
            found = find(search, work, self._schemas, refresh=refresh, offline=offline)
        rows = found.rows
        for name in wanted:
            rows = expanded(rows, name, tell=notes.append)
        return self._table(search.endpoint, rows, found.columns, notes, found.details, found.retrieved, ask=not offline)

    def endpoints(self) -> pd.DataFrame:
        """List what can be searched, in the server's own words; asked for once a day.

        Returns
        -------
        pandas.DataFrame
            One row a list: ``endpoint`` string; ``details_by`` string, by what a single record is known, missing where
            there is none; ``details`` boolean, whether a search fetches details where it is not told; ``details_add``
            object, the names of the columns that only details have; ``filters`` object, a list of names.
            Without rows, with an `AlyxWarning`, where the server does not describe itself (Alyx before 3.0).

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
        return make_table(endpoint_rows(schema) if schema else [], ENDPOINT, tell=warn)

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
        return make_table(filter_rows(found) if found else [], FILTER, tell=warn)

    def _schema_or_warning(self) -> Schema | None:
        with self._explained():
            return self._schemas.schema(tell=warn)
