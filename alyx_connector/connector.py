"""`Connector`: the analyst's way into Alyx; sessions and other records as frames of pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alyx_connector.records.subject_records import SubjectRecords
from alyx_connector.schema.search_signatures import SearchSignatures
from alyx_connector.writing.creating import Creating

if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["Connector"]

_CALLS = (
    "connector.search(…) lists records, connector.endpoints() and connector.filters(…) list what can be asked for, and "
    "Connector(write=True) has create(…), create_many(…), update(…) and update_json(…)."
)
#: What a `Connector` of the package alyx-connector, or ONE, has under names that there are not here, and what to write.
_ELSEWHERE = {
    "web_client": _CALLS,
    "remote": _CALLS,
    "alyx": _CALLS,
    "config": "Connector.accounts() lists the accounts, Connector.forget(…) removes one.",
    "list_datasets": "connector.datasets(session) lists them, as a frame to choose rows from.",
    "search_terms": "connector.filters(…) lists them.",
    "update_session_info": "Connector(write=True) has update(…) and update_json(…).",
}


class Connector(SearchSignatures, SubjectRecords, Creating):  # type: ignore[misc] # narrower than what servers may take
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
        Whether `update`, `update_json`, `create` and `create_many` may write; what `setup` returns only reads.

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

    if not TYPE_CHECKING:  # for which every name would be an attribute

        def __getattr__(self, name: str) -> NoReturn:
            """Say what to write instead of what another client calls by this name.

            Raises
            ------
            AttributeError
                Always: no attribute has this name.
            """
            instead = f". Instead: {_ELSEWHERE[name]}" if name in _ELSEWHERE else ""
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}{instead}", name=name, obj=self
            )
