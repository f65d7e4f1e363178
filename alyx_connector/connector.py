"""`Connector`: the analyst's way into Alyx; sessions and other records as frames of pandas."""

from __future__ import annotations

from alyx_connector.records.subject_records import SubjectRecords
from alyx_connector.records.writing import Writing

__all__ = ["Connector"]


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
