"""The board of today: a person's animals and what each still needs, what the outbox holds counted in."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from alyx_connector.accounts import Accounts
from alyx_connector.errors import AlyxError, ConfigurationError, LoginRequiredError, TransportError
from pybpod_alyx_module.animals.alyx_access import fetch_with_unsent, find_client
from pybpod_alyx_module.animals.rows import utc_day_note
from pybpod_alyx_module.animals.today.answers import fetch_answers
from pybpod_alyx_module.animals.today.kept_answers import keep_answers, read_kept
from pybpod_alyx_module.animals.today.today_animals import today_animals
from pybpod_alyx_module.animals.today.waiting import as_if_waiting, is_missing, with_waiting
from pybpod_alyx_module.animals.unsent import unsent_sentences
from pybpod_alyx_module.animals.weight import note_of
from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.outbox.items import OPEN, Draft, Item, State
from pybpod_alyx_module.remedies import explain

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.animals.alyx_access import AlyxAccess
    from pybpod_alyx_module.animals.today.answers import Answers
    from pybpod_alyx_module.animals.today.today_animals import TodayAnimal
    from pybpod_alyx_module.animals.weight import WeightNote
    from pybpod_alyx_module.outbox.outbox import Outbox
    from pybpod_alyx_module.rig_settings import SessionSettings


@dataclass(frozen=True)
class BoardRow:
    """One animal, what waits in the outbox counted in."""

    animal: TodayAnimal
    #: What is not on Alyx yet, a sentence each.
    unsent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Board:
    """The living animals that concern a user today: the water-restricted ones, and those of the PyBpod project."""

    server: str
    username: str
    rows: tuple[BoardRow, ...]
    #: What one must know of this server, a sentence each.
    notes: tuple[str, ...]
    #: What it was made of.
    answers: Answers
    #: Why it is an older answer, a sentence; empty where Alyx has just answered.
    unreachable: str = ""

    @property
    def restricted(self) -> tuple[TodayAnimal, ...]:
        """The water-restricted ones."""
        return tuple(row.animal for row in self.rows if row.animal.water.restricted)

    @property
    def due(self) -> tuple[TodayAnimal, ...]:
        """Those that still need water."""
        return tuple(row.animal for row in self.rows if row.animal.needs_water)

    @cached_property
    def seen_weights(self) -> Mapping[str, WeightNote | None]:
        """What was seen of the last weights, by Alyx id; None for an animal that was not weighed lately."""
        return {animal.subject_id: _weight_note(animal) for animal in self.restricted}


def fetch_board(
    access: AlyxAccess,
    server: str,
    alyx_user: str,
    settings: SessionSettings,
    *,
    project_ids: Collection[str] = (),
    cancel: CancelToken,
) -> Board:
    """Ask Alyx and the outbox what each animal needs today; what was answered last where Alyx cannot be reached.

    ``server``: server of the project's subjects; empty: the one used last.
    ``alyx_user``: the Alyx user who is logged in to the PyBpod project, empty if none is.
    ``settings``: test subjects are left out.
    ``project_ids``: Alyx ids of the project's animals.
    """
    username, client, problem = find_client(access, server or _last_server(), alyx_user)
    if client is None:
        raise LoginRequiredError(problem, hint="")
    unreachable = ""

    def fetch() -> Answers:
        nonlocal unreachable
        try:
            answers = fetch_answers(client, username, project_ids, cancel=cancel)
        except TransportError as error:
            kept = read_kept(client.url, username)
            if kept is None:
                raise
            unreachable = explain(error)
            return kept
        keep_answers(answers)
        unreachable = ""
        return answers

    def read_unsent() -> tuple[Item, ...]:
        return _items(access.open(), client.url, OPEN)

    answers, unsent = fetch_with_unsent(fetch, read_unsent)
    sent = _items(access.open(), client.url, (State.SENT,)) if answers.are_kept else ()
    try:
        return _board(answers, unsent, sent, settings, unreachable)
    except AlyxError:
        if answers.are_kept:  # kept by another version
            raise ConfigurationError(
                f"{unreachable} What Alyx answered before cannot be read.", hint="Press Refresh when it is back."
            ) from None
        raise


def recount(board: Board, outbox: Outbox, settings: SessionSettings) -> Board:
    """Count the outbox in again, and ask Alyx nothing."""
    unsent, sent = (_items(outbox, board.server, states) for states in (OPEN, (State.SENT,)))
    return _board(board.answers, unsent, sent, settings, board.unreachable)


def _items(outbox: Outbox, server: str, states: tuple[State, ...]) -> tuple[Item, ...]:
    return tuple(item for item in outbox.items(states=states) if item.server == server)


def _board(
    answers: Answers, unsent: tuple[Item, ...], sent: tuple[Item, ...], settings: SessionSettings, unreachable: str
) -> Board:
    since = tuple(item for item in sent if is_missing(item, answers))
    open_items, sent_items = _by_animal(unsent), _by_animal(since)
    rows = []
    for animal in today_animals(answers):
        if not settings.is_test_subject(animal.name):
            waiting = open_items[animal.subject_id]
            counted = with_waiting(animal, (*map(as_if_waiting, sent_items[animal.subject_id]), *waiting))
            rows.append(BoardRow(counted, unsent_sentences(waiting)))
    days = [utc_day_note(row.animal.zone) for row in rows if row.animal.is_counted_in_utc]
    notes = tuple(note for note in dict.fromkeys((*days, *answers.notes)) if note)
    return Board(answers.server, answers.username, tuple(rows), notes, answers, unreachable)


def _by_animal(items: tuple[Item, ...]) -> dict[str, list[Item]]:
    found = defaultdict[str, list[Item]](list)
    for item in items:
        found[item.subject_id].append(item)
    return found


def _weight_note(animal: TodayAnimal) -> WeightNote | None:
    last, judged = animal.last_weight, animal.judged
    return None if last is None or judged is None else note_of(last, judged.level, judged.text)


def give_water(outbox: Outbox, drafts: tuple[Draft, ...]) -> tuple[Item | OutboxError, ...]:
    """Put several amounts of water into the outbox, each by itself."""
    results: list[Item | OutboxError] = []
    for draft in drafts:
        try:
            results.append(outbox.add(draft))
        except OutboxError as error:
            results.append(error)
    return tuple(results)


def _last_server() -> str:
    last = Accounts().last_used()
    if last is None:
        raise ConfigurationError(
            "This computer has not been connected to an Alyx server yet.",
            hint="Right-click the project, choose Sync to Alyx, and connect.",
        )
    return last.url
