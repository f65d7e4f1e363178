"""A weighing round: its animals in order, which are listed, which is next, and what speaks against a weight."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from pybpod_alyx_module.animals.weigh_all.round_row import RoundRow
from pybpod_alyx_module.animals.weight import LOW
from pybpod_alyx_module.animals.weight_plausibility import concerns
from pybpod_alyx_module.lab_time import lab_now
from pybpod_alyx_module.outbox.items import Kind, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

    from pybpod_alyx_module.animals.weigh_all.animals_of_project import ProjectAnimal
    from pybpod_alyx_module.animals.weigh_all.seen_animals import SeenAnimals
    from pybpod_alyx_module.animals.weight_plausibility import OtherAnimal, WeightConcern
    from pybpod_alyx_module.outbox.items import Item

__all__ = ["Choice", "Round"]

#: Why a row stays that the project does not have any more.
_LEFT: Final = "{} was taken out of the PyBpod project. It is still weighed for that animal on Alyx."


class Choice(Enum):
    """Which animals are listed."""

    ALL = "All living animals"
    RESTRICTED = "Water-restricted"
    NOT_WEIGHED = "Not weighed today"


class Round:
    """The animals of a round; pure.

    ``percent``: from what difference on a weight is asked about, percent of an earlier one.
    """

    def __init__(self, percent: Decimal) -> None:
        self._percent = percent
        #: All, by name.
        self.rows: tuple[RoundRow, ...] = ()
        #: Those of the choice, by name.
        self.listed: tuple[RoundRow, ...] = ()
        self.choice = Choice.ALL

    # Who -----------------------------------------------------------------------------------------------------------

    def set_animals(self, animals: Iterable[ProjectAnimal], zones: Mapping[tuple[str, str], str | None]) -> None:
        """Take the animals that the project has now; one that left it stays as long as something of it is open.

        ``zones``: time zones as this computer learned them, by server and lab.
        """
        before = {row.key: row for row in self.rows}
        rows = []
        for own in animals:
            row = before.pop((own.animal.server, own.animal.subject_id), None) or RoundRow(own)
            row.own, row.left = own, ""
            row.known_zone = zones.get((own.animal.server, own.animal.lab))
            rows.append(row)
        for row in before.values():
            if row.typed or row.record is not None:
                row.left = _LEFT.format(row.name)
                rows.append(row)
        self.rows = tuple(rows)
        self._list()

    def take_seen(self, answer: SeenAnimals) -> None:
        """Take what a server said of its animals; nothing where it could not be asked."""
        if answer.problem:
            return
        for row in self.rows:
            if row.animal.server == answer.server:
                row.seen = answer.animals.get(row.animal.subject_id)
                row.is_missing = row.seen is None and row.animal.subject_id not in answer.not_told
        self._list()

    def take_items(self, items: Iterable[Item]) -> None:
        """Take what the outbox has, also what was sent; what is held and asked about here is not counted yet."""
        open_keys = {row.record.key for row in self.rows if row.record is not None}.union(
            *(row.dropped for row in self.rows)
        )
        of_animal: dict[tuple[str, str], list[Item]] = {}
        for item in items:
            if item.kind is Kind.WEIGHING and item.state is not State.DISCARDED and item.key not in open_keys:
                of_animal.setdefault(item.animal, []).append(item)
        for row in self.rows:
            row.items = tuple(of_animal.get(row.key, ()))
        self._list()

    def choose(self, choice: Choice) -> None:
        """List the animals of a choice."""
        self.choice = choice
        self._list(keep=False)

    def _list(self, *, keep: bool = True) -> None:
        kept = set(map(id, self.listed)) if keep else set()
        self.listed = tuple(row for row in self.rows if self._is_listed(row, id(row) in kept))

    def _is_listed(self, row: RoundRow, was: bool) -> bool:
        if row.typed or row.record is not None or (was and row.is_of_round):
            return True
        if self.choice is not Choice.ALL and row.not_there():
            return False
        if self.choice is Choice.RESTRICTED:
            return row.restricted
        return not (self.choice is Choice.NOT_WEIGHED and row.is_done) and not (row.seen and not row.seen.alive)

    # Which is next ---------------------------------------------------------------------------------------------------

    def next_open(self, after: RoundRow | None, step: int = 1) -> RoundRow | None:
        """Return the next animal that was not weighed today, from the first again after the last; None if all were.

        ``after``: from where to look; None for the beginning.
        ``step``: -1 looks backwards.
        """
        rows: Sequence[RoundRow] = self.listed
        start = next((place for place, row in enumerate(rows) if row is after), -1 if step > 0 else 0)
        around = (rows[(start + step * way) % len(rows)] for way in range(1, len(rows) + 1))
        return next((row for row in around if not row.is_done), None)

    @property
    def weighed(self) -> int:
        """How many of those listed were weighed today."""
        return sum(row.is_weighed for row in self.listed)

    # What speaks against a weight ------------------------------------------------------------------------------------

    def concern_sentences(self, row: RoundRow, grams: Decimal, *, correcting: str = "") -> tuple[str, ...]:
        """Say what speaks against a weight, a sentence each; empty where nothing does.

        ``correcting``: key of the item that it is to replace; empty for none.
        """
        judged = row.judge(grams)
        low = (f"Too light: {judged.minimum_text}.",) if judged is not None and judged.level in LOW else ()
        history, copy, seen = row.history(without=correcting), row.animal.copy, row.seen
        species, today = copy.species if seen is None else seen.species, lab_now(row.zone).date()

        def found(others: Sequence[OtherAnimal]) -> tuple[WeightConcern, ...]:
            return concerns(grams, row.name, history, species, others, today=today, percent=self._percent)

        against = found(())
        if against:
            against = found([other for one in self.rows if one is not row and (other := one.as_other()) is not None])
        if seen is None and not against:
            against = copy.concerns(grams, row.name)
        return (*row.not_there(), *low, *(one.sentence for one in against))
