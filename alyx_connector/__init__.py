"""Alyx in Python: the analyst's `Connector` and the client beneath; no Qt, no PyBpod, pandas only once it is needed."""

from alyx_connector._version import __version__
from alyx_connector.accounts import Account, Accounts
from alyx_connector.address import Address, parse_address
from alyx_connector.connector import Connector
from alyx_connector.errors import (
    AlyxError,
    CertificateError,
    ConfigurationError,
    ConflictError,
    CredentialsError,
    InvalidDataError,
    LoginRejectedError,
    LoginRequiredError,
    NotAlyxError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitedError,
    RequestTimeoutError,
    ResponseError,
    RowsNotMadeError,
    ServerFaultError,
    TransportError,
    UnreachableError,
)
from alyx_connector.frames.parquet import read_parquet, write_parquet
from alyx_connector.http.arguments import Timeouts
from alyx_connector.http.client import AlyxClient
from alyx_connector.progress import Cancelled, CancelToken, Progress, Report
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.tokens import TokenStore, choose_token_store
from alyx_connector.warning import AlyxWarning

__all__ = [
    "Account",
    "Accounts",
    "Address",
    "AlyxClient",
    "AlyxError",
    "AlyxWarning",
    "CancelToken",
    "Cancelled",
    "CertificateError",
    "ConfigurationError",
    "ConflictError",
    "Connector",
    "CredentialsError",
    "InvalidDataError",
    "LoginRejectedError",
    "LoginRequiredError",
    "NotAlyxError",
    "NotFoundError",
    "PermissionDeniedError",
    "Progress",
    "ProtocolError",
    "RateLimitedError",
    "Remedy",
    "RemedyKind",
    "Report",
    "RequestTimeoutError",
    "ResponseError",
    "RowsNotMadeError",
    "ServerFaultError",
    "Timeouts",
    "TokenStore",
    "TransportError",
    "UnreachableError",
    "__version__",
    "choose_token_store",
    "parse_address",
    "read_parquet",
    "write_parquet",
]
