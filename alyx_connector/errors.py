"""Every error that talking to an Alyx server can end with.

::

    AlyxError                       one base: catch this one to catch them all
    ├─ ConfigurationError           an address, a setting or an argument is unusable; nothing was sent
    ├─ CredentialsError             the server did not let us in
    │  ├─ LoginRequiredError        no token, or the server no longer knows it (revoked)
    │  ├─ LoginRejectedError        wrong user or password
    │  └─ PermissionDeniedError     logged in, but not allowed to do this
    ├─ TransportError               no complete answer arrived
    │  ├─ UnreachableError          no such host, nothing listens there, connection dropped
    │  ├─ RequestTimeoutError       no answer in time
    │  └─ CertificateError          the TLS certificate was refused
    ├─ ResponseError                the server answered with an error
    │  ├─ NotFoundError             404
    │  ├─ InvalidDataError          400: which field, and why
    │  ├─ RateLimitedError          429: throttled, for longer than we may wait
    │  └─ ServerFaultError          5xx
    ├─ RowsNotMadeError             of many new records some were not made: which, and what became of the others
    ├─ ConflictError                somebody else changed the record meanwhile; nothing was written
    └─ ProtocolError                an answer that makes no sense (truncated, not JSON, missing keys)
       └─ NotAlyxError              this is not an Alyx server (a web page, a captive portal, another service)

``str(error)`` is a full sentence that names the server; ``error.hint`` says what to do next, in words of Python.
``error.remedy`` is the same as data, where it is a call: a program that is not Python has other words for it. None of
these, and no attribute, cause or context, holds a password or a token. Cancelling is not an error: see
`alyx_connector.progress.Cancelled`. None derives from ``RuntimeError``, and all can be pickled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alyx_connector.remedy import Remedy, in_python

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

__all__ = [
    "AlyxError",
    "CertificateError",
    "ConfigurationError",
    "ConflictError",
    "CredentialsError",
    "InvalidDataError",
    "LoginRejectedError",
    "LoginRequiredError",
    "NotAlyxError",
    "NotFoundError",
    "PermissionDeniedError",
    "ProtocolError",
    "RateLimitedError",
    "RequestTimeoutError",
    "ResponseError",
    "RowsNotMadeError",
    "ServerFaultError",
    "TransportError",
    "UnreachableError",
]


class AlyxError(Exception):
    """Base of all errors of the Alyx client.

    Parameters
    ----------
    message : str
        What happened, and at which server or file: a full sentence.
    hint : str or Remedy
        What to do next: a sentence, or the data of one that names a call; empty where nothing useful can be said.
    """

    def __init__(self, message: str = "", *, hint: str | Remedy = "") -> None:
        super().__init__(message)
        self._hint = hint if isinstance(hint, str) else ""
        #: What to do next, where it is a call and not only a sentence; None where `hint` is all there is.
        self.remedy: Remedy | None = hint if isinstance(hint, Remedy) else None

    @property
    def message(self) -> str:
        """What happened, without the hint."""
        return str(self.args[0]) if self.args else ""

    @property
    def hint(self) -> str:
        """What to do next, in words of Python; may be empty."""
        return in_python(self.remedy) if self.remedy else self._hint

    def __str__(self) -> str:
        """Return what happened and what to do next, so that a traceback shows both."""  # noqa: DOC201
        return " ".join(part for part in (self.message, self.hint) if part)


class ConfigurationError(AlyxError):
    """An address, a setting or an argument is unusable; nothing was sent.

    Parameters
    ----------
    message, hint
        See `AlyxError`.
    setting : str
        Name of what is unusable: ``"address"``, ``"token"``, ``"ALYX_TOKEN_STORE"``, …
    """

    def __init__(self, message: str = "", *, hint: str | Remedy = "", setting: str = "") -> None:
        super().__init__(message, hint=hint)
        #: Name of the unusable setting or argument.
        self.setting = setting


class CredentialsError(AlyxError):
    """The server did not let us in."""


class LoginRequiredError(CredentialsError):
    """There is no token, or the server no longer knows it (revoked): log in with a password."""


class LoginRejectedError(CredentialsError):
    """The server refused this user and password."""


class PermissionDeniedError(CredentialsError):
    """Logged in, but this user is not allowed to do this."""


class TransportError(AlyxError):
    """No complete answer arrived.

    Parameters
    ----------
    message, hint
        See `AlyxError`.
    method, url : str
        The request, without its parameters.
    attempts : int
        How often it was tried.
    maybe_processed : bool
        Whether the server may have received and carried out the request: look before sending a write again.
    """

    def __init__(
        self,
        message: str = "",
        *,
        hint: str | Remedy = "",
        method: str = "",
        url: str = "",
        attempts: int = 1,
        maybe_processed: bool = False,
    ) -> None:
        super().__init__(message, hint=hint)
        #: HTTP method of the request.
        self.method = method
        #: Address of the request, without its parameters.
        self.url = url
        #: How often it was tried.
        self.attempts = attempts
        #: Whether the server may have carried out the request.
        self.maybe_processed = maybe_processed


class UnreachableError(TransportError):
    """The host is unknown, nothing listens there, or the connection was dropped."""


class RequestTimeoutError(TransportError):
    """The server did not answer in time."""


class CertificateError(TransportError):
    """The server's TLS certificate was refused."""


class ResponseError(AlyxError):
    """The server answered with an error.

    Parameters
    ----------
    message, hint
        See `AlyxError`.
    status : int, optional
        HTTP status; None where the data were refused before anything was sent.
    endpoint : str
        What was asked for, for example ``"subjects"``.
    detail : str
        The server's own words; may be empty.
    """

    def __init__(
        self,
        message: str = "",
        *,
        hint: str | Remedy = "",
        status: int | None = None,
        endpoint: str = "",
        detail: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        #: HTTP status; None where nothing was sent.
        self.status = status
        #: What was asked for.
        self.endpoint = endpoint
        #: The server's own words.
        self.detail = detail


class NotFoundError(ResponseError):
    """The server has no such route or record (404)."""


class InvalidDataError(ResponseError):
    """The server refused the data (400).

    Parameters
    ----------
    message, hint, status, endpoint, detail
        See `ResponseError`.
    fields : mapping of str to sequence of str, optional
        What is wrong with which field, in the server's words.
    """

    def __init__(
        self,
        message: str = "",
        *,
        hint: str | Remedy = "",
        status: int | None = None,
        endpoint: str = "",
        detail: str = "",
        fields: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(message, hint=hint, status=status, endpoint=endpoint, detail=detail)
        #: What is wrong with which field.
        self.fields: dict[str, list[str]] = {name: list(reasons) for name, reasons in (fields or {}).items()}


class RateLimitedError(ResponseError):
    """The server throttles us (429) for longer than the operation may wait.

    Parameters
    ----------
    message, hint, status, endpoint, detail
        See `ResponseError`.
    retry_after : float, optional
        After how many seconds the server wants to be asked again; None where it did not say.
    """

    def __init__(
        self,
        message: str = "",
        *,
        hint: str | Remedy = "",
        status: int | None = None,
        endpoint: str = "",
        detail: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint, status=status, endpoint=endpoint, detail=detail)
        #: Seconds until the server wants to be asked again; None where it did not say.
        self.retry_after = retry_after


class ServerFaultError(ResponseError):
    """The server failed (5xx). On a write the record may have been stored all the same."""


class RowsNotMadeError(AlyxError):
    """Of many new records some were not made: rows cannot be sent, or the server refused one, or went away.

    Parameters
    ----------
    message, hint
        See `AlyxError`.
    outcomes : pandas.DataFrame, optional
        What became of each row.
    """

    def __init__(self, message: str = "", *, hint: str | Remedy = "", outcomes: pd.DataFrame | None = None) -> None:
        super().__init__(message, hint=hint)
        #: What became of each row, as `Connector.create_many` returns it.
        self.outcomes = outcomes


class ConflictError(AlyxError):
    """Somebody else changed the record meanwhile; nothing was written.

    Parameters
    ----------
    message, hint
        See `AlyxError`.
    changed : sequence of str
        What is no longer what it was: names of fields, with dots into JSON: ``"json.qc.noise"``.
    """

    def __init__(self, message: str = "", *, hint: str | Remedy = "", changed: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint)
        #: What is no longer what it was.
        self.changed: list[str] = list(changed)


class ProtocolError(AlyxError):
    """The answer makes no sense: truncated, not JSON, keys missing, a list that changes while it is read."""


class NotAlyxError(ProtocolError):
    """Something answers at this address, but it is not an Alyx server."""
