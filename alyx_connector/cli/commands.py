"""What each command of ``alyx-connector`` does."""

from __future__ import annotations

import contextlib
import json
import re
import sys
import warnings
from typing import TYPE_CHECKING, Any

from alyx_connector.accounts import Accounts
from alyx_connector.cli.output import Output, print_note, write_record
from alyx_connector.cli.words import filter_on_the_command_line, hint_of
from alyx_connector.connector import Connector
from alyx_connector.errors import AlyxError, ConfigurationError, LoginRequiredError, NotFoundError
from alyx_connector.frames.columns import DETAIL_ERROR, known_layout
from alyx_connector.ids import is_id
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.search.filter_check import instead_of
from alyx_connector.search.filters import PAIRS
from alyx_connector.terminal import can_ask
from alyx_connector.warning import AlyxWarning

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    import pandas as pd

__all__ = ["COMMANDS"]


def _login(options: argparse.Namespace) -> bool:
    from_stdin = options.password_stdin or options.token_stdin
    missing = [] if options.url else ["URL"]
    missing += [] if options.user else ["--user"]
    missing += [] if from_stdin else ["--password-stdin or --token-stdin"]
    if missing and (from_stdin or not can_ask()):
        raise ConfigurationError(
            f"These are missing, and nobody can be asked for them here: {', '.join(missing)}.",
            hint=Remedy(RemedyKind.LOG_IN_UNASKED),
            setting="login",
        )
    secret = _secret() if from_stdin else None
    default = options.default
    if default is None and from_stdin:
        default = Accounts().default() is None
    with contextlib.redirect_stdout(sys.stderr):  # questions and answers are no data
        made = Connector.setup(
            options.url,
            options.user,
            password=secret if options.password_stdin else None,
            token=secret if options.token_stdin else None,
            make_default=default,
        )
    if from_stdin:
        print_note(f"Connected to {made.url} as {made.username}. The token is kept, the password is not.")
    return False


def _secret() -> str:
    if sys.stdin.isatty():
        raise ConfigurationError(
            "This terminal would show the password as you type it.",
            hint="Leave out --password-stdin and --token-stdin: then the command asks for it and hides what you type.",
            setting="stdin",
        )
    try:
        secret = sys.stdin.buffer.readline().decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        secret = ""
    if not secret:
        raise ConfigurationError(
            "Standard input holds neither a password nor a token.",
            hint="Give it as one line of UTF-8.",
            setting="stdin",
        )
    return secret


def _logout(options: argparse.Namespace) -> bool:
    try:
        account = Accounts().find(options.url, options.user)
    except LoginRequiredError as error:
        raise ConfigurationError(
            f"There is nothing to forget: {error.message}", hint="alyx-connector accounts lists what is set up."
        ) from error
    Connector.forget(account.url, account.username)
    print_note(f"{account.username} at {account.url} and its token are forgotten on this computer.")
    return False


def _accounts(options: argparse.Namespace) -> bool:
    output = Output.of(options)
    output.write(Connector.accounts(), "accounts", none="Nothing is set up: alyx-connector login")
    return False


def _search(options: argparse.Namespace) -> bool:
    output = Output.of(options)
    endpoint = options.endpoint
    wanted = _wanted(options)
    with _connected(options) as connector, _since_explained(options, connector), _columns_chosen(output.columns):
        frame = connector.search(
            endpoint,
            details=_details(options, connector, output.columns),
            expand=options.expand,
            partial=options.partial,
            limit=options.limit,
            **_source(options),
            **wanted,
        )
    output.write(frame, endpoint, none=f"No {endpoint} match.")
    return DETAIL_ERROR.name in frame and bool(frame[DETAIL_ERROR.name].notna().any())


def _get(options: argparse.Namespace) -> bool:
    endpoint, name = options.endpoint, options.id
    with _connected(options) as connector:
        known_by, found = _find(connector, endpoint, name, _source(options))
    if found.empty:
        raise NotFoundError(
            f"{connector.url} has none of the {endpoint} with the {known_by} {name}.",
            hint="Check it; it may have been renamed or deleted on Alyx, or you may not see it.",
            endpoint=endpoint,
        )
    if len(found) > 1:
        raise ConfigurationError(
            f"Several {endpoint} are called {name}: {', '.join(found['id'])}.",
            hint="Say which by its id.",
            setting="id",
        )
    failed = DETAIL_ERROR.name in found and bool(found[DETAIL_ERROR.name].notna().any())
    write_record(found if failed else found.drop(columns=DETAIL_ERROR.name, errors="ignore"), options.format)
    return failed


def _endpoints(options: argparse.Namespace) -> bool:
    output = Output.of(options)
    with _connected(options) as connector:
        frame = connector.endpoints()
    output.write(frame, "endpoints", none="No lists are described.")
    return False


def _filters(options: argparse.Namespace) -> bool:
    import pandas as pd

    output = Output.of(options)
    with _connected(options) as connector:
        frame = connector.filters(options.endpoint)
    instead = [
        None if usable else instead_of(options.endpoint, name)
        for name, usable in zip(frame["filter"], frame["usable"], strict=True)
    ]
    frame["instead"] = pd.array([filter_on_the_command_line(one) if one else None for one in instead], dtype="string")
    output.write(frame, "filters", none=f"No filters of {options.endpoint} are described.")
    return False


@contextlib.contextmanager
def _connected(options: argparse.Namespace) -> Iterator[Connector]:
    connector = Connector(options.url, options.user)
    try:
        yield connector
    finally:
        connector.close()


def _source(options: argparse.Namespace) -> dict[str, Any]:
    return {name: True for name in ("refresh", "offline") if getattr(options, name)}


def _details(options: argparse.Namespace, connector: Connector, columns: list[str] | None) -> bool | None:
    # Where only columns of the list are wanted, its details need not be fetched; where others are, they must be.
    if options.details is not None or not columns:
        return options.details  # type: ignore[no-any-return]
    layout = known_layout(options.endpoint)
    listed = {column.name for column in layout.listed} if layout else set()
    if set(columns) <= listed and not options.offline:
        with contextlib.suppress(AlyxError):  # the search says what is wrong
            described = connector.endpoints().set_index("endpoint")["details_add"]
            listed -= set(described.get(options.endpoint, ()))  # this server may list less
    return bool(options.expand) or not set(columns) <= listed


def _wanted(options: argparse.Namespace) -> dict[str, Any]:
    wanted: dict[str, list[Any]] = {name: list(values) for name, values in options.filters.items()}
    for pair in options.pairs:
        name, equals, value = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name.isidentifier():
            raise ConfigurationError(
                f"--filter {pair} has no name and value.", hint="For example --filter user=jose.", setting="filter"
            )
        wanted.setdefault(name, []).append(value)
    if options.since is not None or options.until is not None:
        if "date_range" in wanted:
            raise ConfigurationError(
                "--since and --until mean the same as --date-range.", hint="Give one of them.", setting="date_range"
            )
        return {**_read(wanted), "date_range": (options.since, options.until)}
    return _read(wanted)


def _read(wanted: dict[str, list[Any]]) -> dict[str, Any]:
    values = {name: [_value(name, text) for text in texts] for name, texts in wanted.items()}
    return {name: several[0] if len(several) == 1 else several for name, several in values.items()}


def _value(name: str, text: str) -> Any:
    if name in PAIRS and text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError as error:
            raise ConfigurationError(
                f"--{name.replace('_', '-')} {text} is not valid JSON: {error}.",
                hint="For example --extended-qc '{\"pass\": true}'.",
                setting=name,
            ) from error
    return {"true": True, "false": False}.get(text, text)


@contextlib.contextmanager
def _since_explained(options: argparse.Namespace, connector: Connector) -> Iterator[None]:
    # --since is a word of the command line: what is refused is the filter that it stands for.
    try:
        yield
    except ConfigurationError as error:
        if error.setting != "date_range" or (options.since is None and options.until is None):
            raise
        raise ConfigurationError(
            f"--since and --until are the filter date_range. {error.message}",
            hint=" ".join([*_filters_of_time(connector, options.endpoint), hint_of(error)]),
            setting="date_range",
        ) from error


@contextlib.contextmanager
def _columns_chosen(columns: list[str] | None) -> Iterator[None]:
    # Where columns are named, nothing is said of others.
    def show(message: Warning | str, *others: Any, **more: Any) -> None:
        remedy = message.remedy if isinstance(message, AlyxWarning) else None
        if not columns or remedy is None or remedy.kind is not RemedyKind.FETCH_DETAILS:
            shown(message, *others, **more)

    shown = warnings.showwarning
    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = shown


def _filters_of_time(connector: Connector, endpoint: str) -> list[str]:
    # Empty also where there is a date_range: then its value is the trouble.
    try:
        known = list(connector.filters(endpoint)["filter"])
    except AlyxError:
        return []
    names = [name for name in known if re.search("date|time", name)]
    if "date_range" in known or not names:
        return []
    return [f"Filters of a time: {', '.join('--' + name.replace('_', '-') for name in names)}."]


def _find(connector: Connector, endpoint: Any, name: str, source: dict[str, Any]) -> tuple[str, pd.DataFrame]:
    # ``endpoint``: a text; only the server knows whether there is such a list.
    # By what it is known, and what there is: by id, by the filter of its name, or, in lists without such a filter
    # (short ones), out of the whole list.
    if endpoint == "sessions" and not is_id(name):
        name = str(connector.session(name, **source)["id"])
    if is_id(name):
        return "id", connector.search(endpoint, id=name, details=True, **source)
    described = connector.endpoints().set_index("endpoint")
    known = described.loc[endpoint] if endpoint in described.index else {"details_by": "id", "filters": []}
    known_by = known["details_by"] if isinstance(known["details_by"], str) else ""
    if known_by == "id":
        return "id", connector.search(
            endpoint, id=name, details=True, **source
        )  # says what an id is, or which lists there are
    # An animal is called by its nickname, also where the server has another name for it.
    for column in dict.fromkeys(["nickname", known_by] if endpoint == "subjects" else [known_by]):
        wanted = {column: name} if column in known["filters"] else {}
        found = connector.search(endpoint, details=True, **{**source, **wanted})
        found = found[(found[column or "id"] == name).fillna(False)]
        if len(found):
            break
    return column or "name", found


#: The commands: each takes the words of the command line and returns whether only a part arrived.
COMMANDS: dict[str, Callable[[argparse.Namespace], bool]] = {
    "login": _login,
    "logout": _logout,
    "accounts": _accounts,
    "search": _search,
    "get": _get,
    "endpoints": _endpoints,
    "filters": _filters,
}
