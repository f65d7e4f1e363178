"""What a user types to name a server, made into the one form that is kept and compared."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit

import idna

from alyx_connector.errors import ConfigurationError

__all__ = ["API_ROOTS", "Address", "last_part", "parse_address"]

#: Where Alyx serves its API below the address: standard Alyx, then the Alyx-Local fork.
API_ROOTS = ("/", "/api/")

DEFAULT_PORTS = {"http": 80, "https": 443}
EXAMPLES = "Type it like alyx.lab.org, https://alyx.lab.org or localhost:8000."


@dataclass(frozen=True)
class Address:
    """Address of an Alyx server.

    Equal addresses name the same place, however they were typed.
    """

    #: ``http`` or ``https``.
    scheme: str
    #: Host name in lower case (ASCII form), or IP address without brackets.
    host: str
    #: TCP port.
    port: int
    #: Path prefix, ``""`` or like ``/alyx``, without end slash.
    prefix: str = ""
    #: ``/`` or ``/api/`` where that was typed; None where it must be found out.
    api_root: str | None = field(default=None, compare=False)
    #: Whether the scheme was typed.
    scheme_typed: bool = field(default=True, compare=False)
    #: Whether the port was typed.
    port_typed: bool = field(default=True, compare=False)

    @property
    def origin(self) -> str:
        """Scheme, host and, where it is not the usual one, port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def url(self) -> str:
        """``scheme://host[:port][/prefix]``, without end slash and without ``/api``."""
        return self.origin + self.prefix

    @property
    def is_loopback(self) -> bool:
        """Whether the server runs on this computer."""
        return _is_loopback(self.host)


def parse_address(text: str) -> Address:
    """Read the address of a server as people type it.

    Without a scheme it is http for this computer (loopback) and https for the rest; without a port 80 or 443.
    A path is kept as prefix, but for a last ``/api``, which says where Alyx-Local serves, and for a page of Alyx
    (``/admin/…``) as a browser shows it.

    Parameters
    ----------
    text : str
        For example ``alyx.lab.org``, ``https://lab.org/alyx/``, ``127.0.0.1``, ``localhost:8000``, ``[::1]:8000``.

    Returns
    -------
    Address
        The server's address.

    Raises
    ------
    ConfigurationError
        If it cannot be the address of a server; the message says why and never repeats a password.
    """
    if not isinstance(text, str):
        why = f"The server address must be text, not {type(text).__name__}."
        raise ConfigurationError(why, hint=EXAMPLES, setting="address")
    try:
        return _parse(text.strip())
    except ValueError as reason:
        raise ConfigurationError(str(reason), hint=EXAMPLES, setting="address") from None


def last_part(url: str) -> str:
    """Return the name that an address of a record ends with; empty if it has none, or is no address."""  # noqa: DOC201
    try:
        path = urlsplit(url).path
    except ValueError:  # http://[
        return ""
    return unquote(path.rstrip("/").rpartition("/")[2])


@lru_cache(maxsize=64)  # of a thousand records that name their server, most name the same
def _parse(typed: str) -> Address:
    if not typed:
        raise ValueError("The server address is empty.")
    if "@" in typed:  # before anything that repeats what was typed: it may hold a password
        raise ValueError("The server address holds a user name or password (there is an '@' in it).")
    if re.search(r"[\s\x00-\x1f\x7f\\]", typed):
        raise ValueError(f"The server address {typed!r} holds a space, a backslash or a control character.")
    scheme, rest = _split_scheme(typed)
    rest = _before_page(rest)
    if "?" in rest or "#" in rest:
        raise ValueError(f"The server address {typed!r} holds a query ('?' or '#').")
    authority, slash, path = rest.partition("/")
    host, port = _split_port(authority, typed)
    host = _checked_host(host, typed)
    prefix, api_root = _split_path(slash + path, typed)
    scheme_used = scheme or ("http" if _is_loopback(host) else "https")
    return Address(
        scheme=scheme_used,
        host=host,
        port=DEFAULT_PORTS[scheme_used] if port is None else port,
        prefix=prefix,
        api_root=api_root,
        scheme_typed=scheme is not None,
        port_typed=port is not None,
    )


def _split_scheme(typed: str) -> tuple[str | None, str]:
    # Return scheme (None where none was typed) and the rest.
    match = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", typed)
    if match:
        scheme = match[1].lower()
        if scheme not in DEFAULT_PORTS:
            raise ValueError(f"The server address {typed!r} begins with {scheme}://; Alyx speaks http or https.")
        return scheme, typed[match.end() :]
    if re.match(r"https?:", typed, re.IGNORECASE) or typed.startswith("/"):
        raise ValueError(f"The server address {typed!r} does not begin with a host name, http:// or https://.")
    return None, typed


def _before_page(rest: str) -> str:
    # What stands before a page of Alyx, such as /admin/subjects/subject/…: people paste what their browser shows.
    host, *folders = re.split(r"[?#]", rest, maxsplit=1)[0].split("/")
    for place, folder in enumerate(folders):
        if re.match(r"admin(-|$)", folder, re.IGNORECASE):
            return "/".join([host, *folders[:place]])
    return rest


def _split_port(authority: str, typed: str) -> tuple[str, int | None]:
    # Return host and port (None where none was typed).
    if authority.startswith("["):
        host, bracket, after = authority[1:].partition("]")
        if not bracket or ":" not in host or (after and not after.startswith(":")):
            raise ValueError(f"The server address {typed!r} has brackets that do not hold an IPv6 address.")
        colon, port = after[:1], after[1:]
    elif authority.count(":") > 1:  # an IPv6 address typed without brackets
        host, colon, port = authority, "", ""
    else:
        host, colon, port = authority.partition(":")
    if not colon:
        return host, None
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise ValueError(f"The server address {typed!r} has no usable port after the colon (a number from 1 to 65535).")
    return host, int(port)


def _checked_host(host: str, typed: str) -> str:
    # Return the host in the form that is compared: lower case, ASCII, IP addresses compressed.
    if not host:
        raise ValueError(f"The server address {typed!r} names no host.")
    if ":" in host:
        try:
            return ipaddress.IPv6Address(host).compressed
        except ValueError:
            raise ValueError(f"The server address {typed!r} does not hold a valid IPv6 address.") from None
    name = host.lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except idna.IDNAError:
            raise ValueError(f"The server address {typed!r} does not hold a valid host name.") from None
    if re.fullmatch(r"[0-9.]+", name):  # also what idna made of digits of other scripts
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise ValueError(f"The server address {typed!r} does not hold a valid IPv4 address.") from None
    name = name.removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", label) for label in labels):
        raise ValueError(f"The server address {typed!r} does not hold a valid host name.")
    return name


def _split_path(path: str, typed: str) -> tuple[str, str | None]:
    # Return prefix and API root (None where it was not typed).
    parts = [part for part in path.split("/") if part]
    if any(unquote(part) in {".", ".."} for part in parts):
        raise ValueError(f"The server address {typed!r} holds '.' or '..' as a folder.")
    api_root = None
    if parts and parts[-1].lower() == "api":
        api_root = "/api/"
        parts.pop()
    return "".join("/" + quote(unquote(part), safe="~") for part in parts), api_root


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
