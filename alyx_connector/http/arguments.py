"""What callers give, checked before anything is sent."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests

from alyx_connector._version import __version__
from alyx_connector.errors import ConfigurationError, InvalidDataError
from alyx_connector.ids import is_id

__all__ = [
    "Timeouts",
    "checked_params",
    "checked_token",
    "deletable",
    "endpoint_path",
    "is_token",
    "json_body",
    "user_agent_of",
]


#: Routes of which single records may be deleted.
DELETABLE = ("sessions", "weighings", "water-administrations")


@dataclass(frozen=True)
class Timeouts:
    """How long things may take, in seconds; all finite."""

    #: Until a connection stands.
    connect: float = 5.0
    #: Between two pieces of an answer.
    read: float = 60.0
    #: A whole operation, waits and retries included, without progress: a list makes progress with each page.
    operation: float = 300.0

    def __post_init__(self) -> None:
        """Refuse limits that are no limits.

        Raises
        ------
        ConfigurationError
            If one is not a finite number above 0.
        """
        for name, value in vars(self).items():
            if not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
                raise ConfigurationError(
                    f"The {name} timeout must be a number of seconds above 0, not {value!r}.",
                    hint="Leave it out for the usual one.",
                    setting="timeouts",
                )


def endpoint_path(endpoint: str | Sequence[str]) -> str:
    """Make the path of an endpoint, each part of it quoted.

    Returns: path below the API, without a leading slash.
    ``endpoint``: ``"subjects/ea04"``, or its parts, ``("subjects", nickname)``, in which any character is safe.
    """
    if isinstance(endpoint, str):
        parts: list[Any] = endpoint.removeprefix("/").split("/")
        unsafe = [mark for mark in "?#\\" if mark in endpoint]
        if unsafe or "://" in endpoint:
            raise ConfigurationError(
                f"The endpoint {endpoint!r} is not a path below the server.",
                hint="Pass filters as params, and the parts of a path as a tuple.",
                setting="endpoint",
            )
    elif isinstance(endpoint, Sequence):
        parts = list(endpoint)
    else:
        raise ConfigurationError(
            f"The endpoint must be text, not {type(endpoint).__name__}.",
            hint="For example 'subjects'.",
            setting="endpoint",
        )
    if not parts or not all(isinstance(part, str) and part.strip() for part in parts):
        raise ConfigurationError(
            f"The endpoint {endpoint!r} is empty, or a name in it is.",
            hint="For example 'subjects/ea04'.",
            setting="endpoint",
        )
    if any(part in {".", ".."} for part in parts):
        raise ConfigurationError(
            f"The endpoint {endpoint!r} holds '.' or '..'.",
            hint="No name on Alyx can be asked for like that.",
            setting="endpoint",
        )
    try:
        return "/".join(quote(part, safe="") for part in parts)
    except UnicodeEncodeError:
        raise ConfigurationError(
            f"The endpoint {endpoint!a} is not valid text.", hint="Type it again.", setting="endpoint"
        ) from None


def deletable(endpoint: Sequence[str]) -> Sequence[str]:
    """Refuse to delete anything but one session, weighing or water administration."""
    try:
        route, identifier = endpoint
        allowed = route in DELETABLE and is_id(identifier)
    except (TypeError, ValueError):
        allowed = False
    if not allowed:
        raise ConfigurationError(
            f"{endpoint!r} cannot be deleted: only single records of {', '.join(DELETABLE)} can, by their id.",
            hint="Use the web pages of Alyx.",
            setting="endpoint",
        )
    return endpoint


def checked_params(params: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Make filters into what stands in the address of a request.

    ``params``: filters: text, numbers, booleans, dates, or lists of them (the name is then repeated).
    """
    pairs: list[tuple[str, str]] = []
    if params is not None and not isinstance(params, Mapping):
        raise ConfigurationError(
            f"Filters must be a dict, not {type(params).__name__}.",
            hint="For example {'lab': 'cortexlab'}.",
            setting="params",
        )
    for name, value in (params or {}).items():
        values = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
        texts = ["" if item is None else str(item) for item in values]
        if not isinstance(name, str) or not name.strip() or not texts or not all(text.strip() for text in texts):
            raise ConfigurationError(
                f"The filter {name!r} is empty: the server would ignore it and return everything.",
                hint="Leave it out, or give it a value.",
                setting="params",
            )
        pairs += [(name, text) for text in texts]
    return pairs


def is_token(text: str) -> bool:
    """Tell whether a text can be a token: printable ASCII without spaces.

    Returns: False for an empty text, too.
    """
    return text.isascii() and text.isprintable() and " " not in text and bool(text)


def checked_token(token: str) -> str:
    """Refuse what cannot be a token, without repeating it.

    Parameters
    ----------
    token : str
        The token.

    Returns
    -------
    str
        The same.

    Raises
    ------
    ConfigurationError
        If it holds anything but printable ASCII, or nothing.
    """
    if not isinstance(token, str) or not is_token(token):
        raise ConfigurationError(
            "The token holds characters that no token has (or none at all).",
            hint="Copy it again: on Alyx a token is 40 letters and digits.",
            setting="token",
        )
    return token


def json_body(data: Any, path: str, server: str) -> bytes:
    """Write data as JSON."""
    try:
        return json.dumps(data, allow_nan=False).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as reason:
        message = f"The data for {path} at {server} cannot be sent as JSON: {reason}."
    # Raised out here, because the frames of that error hold the data.
    raise InvalidDataError(message, hint="Send text, finite numbers, booleans, None, lists and dicts.", endpoint=path)


def user_agent_of(program: str) -> str:
    """Name the program, its version and ours to the server.

    Returns: the ``User-Agent`` header.
    """
    if not isinstance(program, str) or not program.isascii() or not program.isprintable() or not program.strip():
        raise ConfigurationError(
            f"The program name {program!r} cannot be sent to a server.", hint="Use plain letters.", setting="program"
        )
    name = program if "/" in program else f"{program}/{__version__}"
    ours = "" if program == "alyx-connector" else f" alyx-connector/{__version__}"
    return f"{name}{ours} requests/{requests.__version__} Python/{platform.python_version()}"
