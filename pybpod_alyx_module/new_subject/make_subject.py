"""An animal made on Alyx, once: looked up before it is sent, and again where no answer arrived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import AlyxError, ServerFaultError
from alyx_connector.search.subject_filter import any_of, is_quotable
from alyx_connector.writing.record_fields import check_names, not_as_sent, sendable
from alyx_connector.writing.write_target import may_have_stored
from pybpod_alyx_module.errors import MaybeMadeError
from pybpod_alyx_module.sync.names import fold
from pybpod_alyx_module.sync.snapshot import RemoteSubject

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.new_subject.server_facts import ServerFacts

#: Words that a server takes for values where they stand alone in a lookup.
_VALUES: Final = frozenset({"true", "false", "none", "nan", "inf", "infinity"})


@dataclass(frozen=True)
class Made:
    """The animal is on Alyx."""

    animal: RemoteSubject


@dataclass(frozen=True)
class AlreadyThere:
    """The lab has an animal of that nickname, and none was made."""

    animal: RemoteSubject


@dataclass(frozen=True)
class Namesakes:
    """Other labs have animals of that nickname, and none was made."""

    subjects: tuple[RemoteSubject, ...]


def make_subject(
    client: AlyxClient,
    facts: ServerFacts,
    values: Mapping[str, str],
    cancel: CancelToken,
    *,
    unsure: Mapping[str, str] | None = None,
    with_namesakes: bool = False,
) -> Made | AlreadyThere | Namesakes:
    """Make an animal on Alyx, unless it is there.

    Parameters
    ----------
    client : AlyxClient
        A connected client.
    facts : ServerFacts
        What its server takes.
    values : mapping
        The animal, as `pybpod_alyx_module.new_subject.draft.filled` returns it.
    cancel : CancelToken
        Stops it.
    unsure : mapping, optional
        What was sent before, where no answer told whether it was made.
    with_namesakes : bool
        Whether to make it although other labs have animals of that nickname.

    Returns
    -------
    Made, AlreadyThere or Namesakes
        What became of it.

    Raises
    ------
    MaybeMadeError
        No answer told whether it was made.
    AlyxError
        It was not made.
    Cancelled
        It was cancelled; it may have been made where it was being sent.
    """
    check_names(values, tuple(facts.fields.values()), "subjects", client.url)
    sent = {name: sendable(name, value, facts.fields[name].format) for name, value in values.items()}
    rows = rows_of(client, values["nickname"], cancel)
    here = _of_lab(rows, values)
    if here is not None:
        is_ours = unsure is not None and not not_as_sent(unsure, here)
        subject = RemoteSubject.from_row(here, client.url)
        return Made(subject) if is_ours else AlreadyThere(subject)
    if rows and not with_namesakes:
        return Namesakes(tuple(RemoteSubject.from_row(row, client.url) for row in rows))
    try:
        answer = client.post("subjects", sent, success=201, cancel=cancel)
    except AlyxError as error:
        if not may_have_stored(error):
            raise
        found = _look_again(client, values, error, cancel)
        if found is None:
            raise
        return Made(RemoteSubject.from_row(found, client.url))
    return Made(RemoteSubject.from_row(_as_listed(client, answer, cancel), client.url))


def rows_of(client: AlyxClient, nickname: str, cancel: CancelToken) -> list[dict[str, Any]]:
    """Return the animals of all labs that have a nickname, whatever its case."""
    filters: list[dict[str, Any]] = [{"nickname": nickname}]
    if is_quotable(nickname):
        spellings = dict.fromkeys([nickname, nickname.lower(), nickname.upper(), nickname.capitalize()])
        filters = [{"django": lookup} for lookup in any_of("nickname", spellings)]
        if nickname[:1].isalpha() and nickname.casefold() not in _VALUES:  # the server reads numbers as numbers
            filters.append({"django": f"nickname__iexact,{nickname}"})
    rows = {str(row["id"]): row for one in filters for row in client.list("subjects", one, cancel=cancel)}
    return [row for row in rows.values() if fold(str(row.get("nickname"))) == fold(nickname)]


def _of_lab(rows: list[dict[str, Any]], values: Mapping[str, str]) -> dict[str, Any] | None:
    of_lab = [row for row in rows if row.get("lab") == values["lab"]]
    exact = [row for row in of_lab if row["nickname"] == values["nickname"]]
    return next(iter([*exact, *of_lab]), None)


def _look_again(
    client: AlyxClient, values: Mapping[str, str], error: AlyxError, cancel: CancelToken
) -> dict[str, Any] | None:
    # the animal, if it was stored; None if the server failed and did not store it
    unsure = MaybeMadeError(
        f"{error.message} It is not known whether {values['nickname']} was made at {client.url}.",
        hint="Press Make it on Alyx again: it is looked for before anything is sent.",
    )
    try:
        found = _of_lab(rows_of(client, values["nickname"], cancel), values)
    except AlyxError:
        raise unsure from error
    if found is None and not isinstance(error, ServerFaultError):
        raise unsure from error  # it may be on its way still
    return found


def _as_listed(client: AlyxClient, answer: Any, cancel: CancelToken) -> Any:
    # as a sync sees it; a server may answer in another form when it makes a record
    try:
        (row,) = client.list("subjects", {"django": f"pk,{answer['id']}"}, cancel=cancel)
    except (AlyxError, ValueError, KeyError, TypeError):
        return answer
    return row
