"""Each Alyx server that this computer knows: the way to it, who is logged in, its clock, the zones of its labs."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from requests.utils import get_environ_proxies

from alyx_connector.address import Address, parse_address
from alyx_connector.errors import AlyxError, CertificateError, LoginRequiredError
from alyx_connector.http.arguments import Timeouts, user_agent_of
from alyx_connector.http.client import AlyxClient
from alyx_connector.http.retry import Deadline
from alyx_connector.http.server_time import ServerTime, utc_now
from alyx_connector.http.transport import Reply, Transport, Wire
from alyx_connector.schema.source import dialect_of
from alyx_connector.zones.lab_zones import zones_of
from alyx_connector.zones.moments import lab_zone
from pybpod_alyx_module.connect import PROGRAM
from pybpod_alyx_module.doctor.check import LIMIT_S, Check, State, within
from pybpod_alyx_module.remedies import what_to_do
from pybpod_alyx_module.sessions.concerns import CLOCKS_APART

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from alyx_connector.progress import CancelToken

    #: Gives the token of a user at a server; None where there is none.
    Tokens = Callable[[str, str], str | None]

_TIMEOUTS: Final = Timeouts(connect=LIMIT_S, read=LIMIT_S, operation=LIMIT_S)
_NETWORK: Final = "Check the address and the network (is a VPN needed?)."
_CONNECT: Final = "Choose Sync to Alyx in the menu of a project, and connect with Remember me."
#: So many labs without a time zone are named.
_MOST_NAMED: Final = 5


def check_server(address: str, usernames: Sequence[str], tokens: Tokens, cancel: CancelToken) -> Iterator[Check]:
    """Look at one server, step by step; what comes after a step that failed is left out.

    ``address``: as the user typed it, or as an account has it.
    ``usernames``: who is set up there.
    """
    group = f"Server {address}"
    try:
        parsed = parse_address(address)
    except AlyxError as error:
        yield Check("Server", "Address", State.WRONG, error.message, what_to_do(error))
        return
    for check in _way(group, parsed, cancel):
        yield check
        if check.state is State.WRONG:
            return
    client = AlyxClient(parsed.url, timeouts=_TIMEOUTS, program=PROGRAM)
    try:
        url = client.find_server(cancel=cancel)
    except AlyxError as error:
        title = "Certificate" if isinstance(error, CertificateError) else "Alyx"
        yield Check(group, title, State.WRONG, error.message, what_to_do(error) or _NETWORK)
        return
    finally:
        client.close()
    if url.startswith("https:"):
        yield Check(group, "Certificate", State.OK, "The certificate of the server is accepted.")
    yield Check(group, "Alyx", State.OK, f"An Alyx answers at {url}.")
    yield from _clock(group, parse_address(url), cancel)
    yield from _logins(group, url, usernames, tokens, cancel)


def _way(group: str, address: Address, cancel: CancelToken) -> Iterator[Check]:
    if not address.is_loopback and get_environ_proxies(address.url):
        yield Check(group, "Proxy", State.OK, "The environment names a proxy, through which the server is asked.")
        return
    with suppress(ValueError):
        ipaddress.ip_address(address.host)
        yield _port(group, address, cancel)
        return
    try:
        found = within(lambda: socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM), cancel)
    except (OSError, UnicodeError) as error:
        late = isinstance(error, TimeoutError)
        why = f"The name server did not answer within {LIMIT_S:g} s" if late else "There is no host of this name"
        yield Check(group, "Name", State.WRONG, f"{why}: {address.host}.", _NETWORK)
        return
    numbers = ", ".join(dict.fromkeys(str(entry[4][0]) for entry in found))
    yield Check(group, "Name", State.OK, f"{address.host} is {numbers}.")
    yield _port(group, address, cancel)


def _port(group: str, address: Address, cancel: CancelToken) -> Check:
    try:
        within(lambda: socket.create_connection((address.host, address.port), LIMIT_S).close(), cancel)
    except TimeoutError:
        found = f"Port {address.port} of {address.host} did not answer within {LIMIT_S:g} s."
        return Check(group, "Port", State.WRONG, found, f"{_NETWORK} A firewall may block it.")
    except OSError as error:
        found = f"Port {address.port} of {address.host} cannot be reached: {(error.strerror or str(error)).lower()}."
        advice = f"{_NETWORK} If both are right, the server may not be running: ask whoever runs it."
        return Check(group, "Port", State.WRONG, found, advice)
    return Check(group, "Port", State.OK, f"Port {address.port} answers.")


def _clock(group: str, address: Address, cancel: CancelToken) -> Iterator[Check]:
    transport = Transport(user_agent=user_agent_of(PROGRAM), connect_s=LIMIT_S, read_s=LIMIT_S, concurrency=1)
    try:
        wire = Wire("GET", f"{address.url}/auth-token")  # any answer tells the time
        reply = transport.exchange(wire, direct=address.is_loopback, cancel=cancel, deadline=Deadline(LIMIT_S))
    finally:
        transport.close()
    time = ServerTime()
    if isinstance(reply, Reply):
        time.note(reply)
    if time.date is None:
        yield Check(group, "Clock", State.WARNING, "The server did not say what time it is.")
        return
    ahead = utc_now() - time.date
    seconds = round(abs(ahead).total_seconds())
    differs = f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"
    if abs(ahead) <= CLOCKS_APART:
        yield Check(group, "Clock", State.OK, f"This computer's clock and the server's differ by {differs}.")
        return
    way = "ahead of" if ahead.total_seconds() > 0 else "behind"
    found = f"This computer's clock is {differs} {way} the server's."
    advice = "Set this computer's clock and time zone: weights, water and sessions are sent with its time."
    yield Check(group, "Clock", State.WRONG, found, advice)


def _logins(group: str, url: str, usernames: Sequence[str], tokens: Tokens, cancel: CancelToken) -> Iterator[Check]:
    if not usernames:
        yield Check(group, "Login", State.WARNING, "Nobody has connected to this server yet.", _CONNECT)
    told = False
    for username in usernames:
        title = f"Login of {username}"
        try:
            token = within(lambda name=username: tokens(url, name), cancel)  # type: ignore[misc]
        except (TimeoutError, AlyxError) as error:
            reason = error.message if isinstance(error, AlyxError) else "The keyring does not answer."
            yield Check(group, title, State.WARNING, f"It was not checked. {reason}", "See Logins in this list.")
            continue
        if token is None:
            found = f"No login of {username} is remembered: what {username} records waits until somebody connects."
            yield Check(group, title, State.WARNING, found, _CONNECT)
            continue
        with AlyxClient(url, username=username, token=token, timeouts=_TIMEOUTS, program=PROGRAM) as client:
            try:
                client.check_token(cancel=cancel)
            except LoginRequiredError:
                found = f"The server does not accept the remembered login of {username}: it was revoked there."
                yield Check(group, title, State.WRONG, found, f"{_CONNECT} What is recorded waits until then.")
                continue
            except AlyxError as error:
                yield Check(group, title, State.WRONG, error.message, what_to_do(error) or _NETWORK)
                continue
            yield Check(group, title, State.OK, f"The server accepts the login of {username}.")
            if not told:
                told = True
                yield from _what_it_tells(group, client, cancel)


def _what_it_tells(group: str, client: AlyxClient, cancel: CancelToken) -> Iterator[Check]:
    try:
        local = dialect_of(client, cancel=cancel).subject_key == "name"
    except AlyxError as error:
        yield Check(group, "Kind of server", State.WARNING, error.message, what_to_do(error))
    else:
        kind = "It answers as Alyx-Local does." if local else "It answers as Alyx does."
        yield Check(group, "Kind of server", State.OK, kind)
    zones = zones_of(client).names(cancel=cancel)
    lacking = sorted(lab for lab, zone in zones.items() if lab_zone(zone) is None)
    if not zones:
        found = "The server did not tell the time zones of its labs."
        yield Check(group, "Time zones", State.WARNING, found, "Times are sent as this computer's clock shows them.")
    elif lacking:
        more = f" and {len(lacking) - _MOST_NAMED} more" if len(lacking) > _MOST_NAMED else ""
        found = f"Labs without a time zone on Alyx: {', '.join(lacking[:_MOST_NAMED])}{more}."
        advice = "Ask an Alyx administrator to set it, for example Europe/Paris, if it is your lab."
        yield Check(group, "Time zones", State.WARNING, found, advice)
    else:
        number = len(zones)
        yield Check(
            group, "Time zones", State.OK, f"{number} lab{'' if number == 1 else 's'}, each with its time zone."
        )
