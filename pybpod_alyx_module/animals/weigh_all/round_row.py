"""One animal of a weighing round: what is known of it, and what became of its weight of today."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alyx_connector.zones.moments import lab_zone
from pybpod_alyx_module.animals.unsent import item_time
from pybpod_alyx_module.animals.weight import LOW, NO_LIMIT, TOO_LIGHT, Judgement, judge
from pybpod_alyx_module.animals.weight_plausibility import OtherAnimal, Weighed
from pybpod_alyx_module.lab_time import lab_now, with_zone
from pybpod_alyx_module.numbers import exact, plain, shown
from pybpod_alyx_module.outbox.items import COMPUTER_TIME, Draft, Kind, State
from pybpod_alyx_module.outbox.words import state_words

if TYPE_CHECKING:
    from decimal import Decimal
    from zoneinfo import ZoneInfo

    from pybpod_alyx_module.animals.alyx_subject import AlyxSubject
    from pybpod_alyx_module.animals.requirement import Requirement
    from pybpod_alyx_module.animals.weigh_all.animals_of_project import ProjectAnimal
    from pybpod_alyx_module.animals.weigh_all.seen_animals import SeenAnimal
    from pybpod_alyx_module.outbox.items import Item

__all__ = ["Record", "RoundRow", "TodaysWeight"]


@dataclass(eq=False)
class Record:
    """A weight that somebody pressed Enter for and that is not settled: on its way, held, or asked about."""

    grams: Decimal
    #: Its time, as a record of Alyx has it.
    date_time: str
    #: What is kept with it, see `Draft.origin`.
    origin: dict[str, Any]
    #: Whether it was compared with what is known of the animal.
    compared: bool = True
    #: What speaks against it; empty where nothing does.
    sentences: tuple[str, ...] = ()
    #: What the outbox holds of it; None while it is on its way there.
    item: Item | None = None
    #: Key of the item that it corrects; empty for none.
    replaces: str = ""
    #: Whether a person has decided about it.
    decided: bool = False
    #: Whether it is not to be sent.
    is_taken_back: bool = False

    @property
    def key(self) -> str:
        """Key of what the outbox holds of it; empty while it is on its way there."""
        return self.item.key if self.item is not None else ""

    def draft(self, animal: AlyxSubject, username: str, held: str = "") -> Draft:
        """Make what goes into the outbox.

        ``held``: why it is not sent before a person says so; empty to send it.
        """
        return Draft(
            kind=Kind.WEIGHING,
            server=animal.server,
            username=username,
            subject_id=animal.subject_id,
            subject_name=animal.name,
            values={"weight": float(self.grams), "date_time": self.date_time},
            origin=self.origin,
            held=held,
        )


@dataclass(frozen=True)
class TodaysWeight:
    """What an animal weighed today, the newest weight."""

    grams: Decimal
    #: Naive, on the lab's clock.
    when: dt.datetime
    #: What the outbox has of it; None for one that only Alyx told.
    item: Item | None

    @property
    def state(self) -> str:
        """Where it is, in a few words."""
        if self.item is None or self.item.state is State.SENT:
            return "on Alyx"
        if self.item.state is State.PARKED:
            return state_words(self.item)
        return "kept here"


@dataclass(eq=False)
class RoundRow:
    """An animal of the round."""

    own: ProjectAnimal
    #: Time zone of its lab as this computer learned it; None if it never did.
    known_zone: str | None = None
    #: What Alyx says of it; None before it answered.
    seen: SeenAnimal | None = None
    #: What it is judged by where Alyx's lists do not tell: asked for by itself.
    asked: Requirement | None = None
    #: Whether Alyx answered and did not have it.
    is_missing: bool = False
    #: Its weights in the outbox that were not discarded, also those that were sent.
    items: tuple[Item, ...] = ()
    record: Record | None = None
    #: What was typed and not recorded.
    typed: str = ""
    #: Whether it was recorded since the window was opened: it stays in the list then.
    is_of_round: bool = False
    #: Why it is not in the PyBpod project any more; empty while it is.
    left: str = ""
    #: Keys of items that are being discarded: they do not count any more.
    dropped: set[str] = field(default_factory=set)
    #: The newest weight, and of what it was found.
    _known: tuple[tuple[Any, ...], TodaysWeight | None] | None = None

    @property
    def animal(self) -> AlyxSubject:
        """Who it is."""
        return self.own.animal

    @property
    def key(self) -> tuple[str, str]:
        """Server and Alyx id."""
        return self.animal.server, self.animal.subject_id

    @property
    def name(self) -> str:
        """Its name in PyBpod."""
        return self.animal.name

    @property
    def zone(self) -> ZoneInfo | None:
        """The time zone of its lab; None where it is not known."""
        return lab_zone((self.seen.lab_zone if self.seen is not None else None) or self.known_zone)

    @property
    def restricted(self) -> bool:
        """Whether it is water-restricted, as far as is known."""
        return self.own.restricted if self.seen is None else self.seen.restricted

    @property
    def weight_today(self) -> TodaysWeight | None:
        """Its weight of today, also one that waits in the outbox; None where it was not weighed."""
        newest = self._newest()
        return newest if newest is not None and newest.when.date() >= dt.datetime.now(self.zone).date() else None

    def _newest(self) -> TodaysWeight | None:
        # looked for once: hundreds of rows are counted at each press
        of = (self.seen, self.items, self.known_zone)
        if self._known is None or any(one is not other for one, other in zip(of, self._known[0], strict=True)):
            zone, told = self.zone, self.seen.weighings if self.seen is not None else ()
            found = [TodaysWeight(one.grams, one.when, None) for one in told if one.when is not None]
            found += [TodaysWeight(exact(item.values["weight"]), item_time(item, zone), item) for item in self.items]
            newest = max(found, key=lambda one: (one.when.replace(microsecond=0), one.item is not None), default=None)
            self._known = of, newest
        return self._known[1]

    @property
    def is_done(self) -> bool:
        """Whether it is not to be weighed again by itself: it was weighed today, or its weight is not settled yet."""
        return self.record is not None or self.weight_today is not None

    @property
    def is_weighed(self) -> bool:
        """Whether it was weighed today, its weight on its way, and nothing left to be answered."""
        return self.weight_today is not None if self.record is None else not self.record.sentences

    def judge(self, grams: Decimal) -> Judgement | None:
        """Judge a weight by the server's own numbers; None where they are not known, and without a restriction."""
        if not self.restricted:
            return None
        if self.asked is not None:
            return judge(grams, self.asked)
        judged = self.seen.judged if self.seen is not None else None
        return judged.limits.judgement(grams) if judged is not None and judged.limits is not None else None

    def judged_lines(self, grams: Decimal) -> tuple[str, ...]:
        """Say how a weight is judged, a line each; empty where that is not known."""
        judged = self.judge(grams)
        if judged is not None:
            return judged.percentage_text, judged.minimum_text
        return (NO_LIMIT,) if self.restricted and self.seen is not None and self.seen.has_no_limit else ()

    @property
    def is_to_be_asked(self) -> bool:
        """Whether Alyx has to be asked by what it is judged: its lists do not tell."""
        seen = self.seen
        if seen is None or not seen.restricted or seen.has_no_limit or self.asked is not None:
            return False
        return seen.judged is None or seen.judged.limits is None

    def too_light(self, grams: Decimal) -> str:
        """Say that a weight is below the minimum, in a few words; empty where it is not, or not known."""
        judged = self.judge(grams)
        return TOO_LIGHT[judged.level] if judged is not None and judged.level in LOW else ""

    def begin(self, grams: Decimal) -> Record:
        """Make the record of a weight of this moment."""
        zone, copy = self.zone, self.animal.copy
        facts = {"species": copy.species, "reference_weight": None if copy.reference is None else float(copy.reference)}
        clock = {} if zone is not None else dict(COMPUTER_TIME)
        return Record(grams, with_zone(lab_now(zone), zone).isoformat(), {**facts, **clock})

    def history(self, *, without: str = "") -> tuple[Weighed, ...]:
        """Return its weights of the last days, what is in the outbox included, the newest last.

        ``without``: key of an item that is being corrected; empty for none.
        """
        told = self.seen.weighings if self.seen is not None else ()
        zone = self.zone
        kept = [
            Weighed(exact(item.values["weight"]), item_time(item, zone)) for item in self.items if item.key != without
        ]
        return tuple(sorted((*told, *kept), key=lambda one: one.when.isoformat() if one.when else ""))

    def as_other(self) -> OtherAnimal | None:
        """Return it with its newest weight, for whom a weight may fit better; None without one."""
        weighed = self.history()
        return OtherAnimal(self.animal.subject_id, self.name, weighed[-1]) if weighed else None

    @property
    def last_words(self) -> str:
        """What it weighed last, for the table; empty where nothing is known."""
        last = self._last_before_today()
        if last is None:
            return ""
        return f"{shown(last.grams)} g{f', {last.when:%m-%d}' if last.when else ''}"

    @property
    def last_sentence(self) -> str:
        """What it weighed last, for the animal in front."""
        today = self.weight_today
        if today is not None:
            return f"Weighed today: {plain(today.grams)} g at {today.when:%H:%M} ({today.state})."
        if self.seen is None:
            known = self.own.last_weight
            return f"Last weight, from the project's copy: {known}." if known else "Last weight: not known here."
        last = self._last_before_today()
        if last is None:
            return "Last weight: none in the last days."
        return f"Last weight: {plain(last.grams)} g{f' on {last.when:%Y-%m-%d at %H:%M}' if last.when else ''}."

    def _last_before_today(self) -> Weighed | None:
        day = lab_now(self.zone).date()
        before = [one for one in self.history() if one.when is not None and one.when.date() < day]
        return before[-1] if before else None

    def not_there(self) -> tuple[str, ...]:
        """Return a sentence where the animal is not alive on Alyx, or not there."""
        if self.is_missing:
            return (f"{self.name} is no longer on Alyx, or you may not see it.",)
        if self.seen is not None and not self.seen.alive:
            return (f"{self.name} is not alive on Alyx (death date {self.seen.death_date or 'not given'}).",)
        return ()

    def notices(self, username: str) -> tuple[str, ...]:
        """Return what one must know of the animal before it is weighed, a sentence each.

        ``username``: as whom is recorded.
        """
        said = [self.left] if self.left else []
        said += self.not_there()
        seen = self.seen
        if seen is not None and seen.name != self.name:
            said.append(f"On Alyx it is called {seen.name}.")
        if seen is not None and seen.may_handle is False:
            owner = seen.responsible_user
            said.append(f"{owner} is responsible for {seen.name} and does not let {username} handle it.")
        return tuple(said)
