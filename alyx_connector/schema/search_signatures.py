"""What `Connector.search` takes, for mypy and editors; all of it is in the stub beside this."""

__all__ = ["SearchSignatures"]


class SearchSignatures:
    """Gives `Connector.search` one signature for each list; a server may have other lists and filters all the same."""
