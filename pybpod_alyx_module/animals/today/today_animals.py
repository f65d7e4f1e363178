"""The animals of a board as values: what the rows of Alyx say of each of them today. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.zones.moments import lab_zone
from alyx_connector.zones.server_offsets import server_clock
from pybpod_alyx_module.animals.rows import (
    counted_at,
    day_of_water,
    is_counted_in_utc,
    number_of,
    running_restriction,
    running_type,
    session_seen,
    water_now,
    weighings,
)
from pybpod_alyx_module.animals.weight import LabShares, LastJudged, judge_last
from pybpod_alyx_module.lab_time import lab_now, with_zone
from pybpod_alyx_module.numbers import exact, is_number

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from alyx_connector.zones.server_offsets import ServerClock
    from pybpod_alyx_module.animals.today.answers import AnimalRows, Answers
    from pybpod_alyx_module.animals.water import Water
    from pybpod_alyx_module.animals.weight_plausibility import Weighed

__all__ = ["SessionsToday", "TodayAnimal", "judge_row", "shares_of", "today_animals"]

#: mL: what the rows' own sum may differ from the server's.
_SAME: Final = Decimal("1E-6")


@dataclass(frozen=True)
class SessionsToday:
    """The sessions of one animal today."""

    count: int
    #: When the last one began: naive lab time.
    last_start: dt.datetime
    #: Of all of them; None where Alyx does not tell that of each.
    trials: int | None


@dataclass(frozen=True)
class TodayAnimal:
    """One living animal."""

    #: Alyx id.
    subject_id: str
    #: Nickname.
    name: str
    lab: str
    #: Time zone of its lab, None if it is not known.
    lab_timezone: str | None
    responsible_user: str
    #: Today, as far as the server says: need and gifts are of now, in the lab's time zone.
    water: Water
    #: The newest weight of the last days, None if there is none.
    last_weight: Weighed | None
    #: That of the running water restriction, None if it names none.
    water_type: str | None
    #: Whether the server counts its water by the day in UTC, not by its lab's.
    is_counted_in_utc: bool = False
    #: How Alyx judges that weight; None without one, and where the server does not tell.
    judged: LastJudged | None = None
    #: When it was given water last, in a session or by hand: naive lab time; None if that was not in the last days.
    last_water: dt.datetime | None = None
    #: None without one.
    sessions: SessionsToday | None = None
    #: Days after today for which it was given water already, in order.
    in_advance: tuple[dt.date, ...] = ()

    @property
    def needs_water(self) -> bool:
        """Whether a person must still give water today."""
        return self.water.needs_water

    @property
    def zone(self) -> dt.tzinfo | None:
        """Time zone of its lab; None if it is not known."""
        return lab_zone(self.lab_timezone)

    @property
    def weighed_today(self) -> bool:
        """Whether there is a weight of this day in its lab."""
        last = self.last_weight
        return last is not None and last.when is not None and last.when.date() == self.lab_now().date()

    def lab_now(self) -> dt.datetime:
        """Return what time it is in its lab; naive; by this computer's zone where the lab's is not known."""
        return lab_now(self.zone)

    def moment(self) -> str:
        """Return that time as a record has it: ISO, with its offset."""
        return with_zone(self.lab_now(), self.zone).isoformat()


def today_animals(answers: Answers) -> tuple[TodayAnimal, ...]:
    """Read what Alyx answered; by name. Of an older day the gifts and sessions are left out: they were not today's."""
    clock = server_clock(answers.server)
    animals = [_animal(one, answers, clock) for one in answers.animals]
    return tuple(sorted(animals, key=lambda animal: (animal.name.casefold(), animal.lab)))


def _animal(rows: AnimalRows, answers: Answers, clock: ServerClock) -> TodayAnimal:
    row = rows.subject
    lab = rows.lab
    zone_name = answers.zones.get(lab)
    zone = lab_zone(zone_name)
    weighed = weighings(rows.weighings, zone, clock)
    now = lab_now(zone)
    water = _split(water_now(row, restricted=row.get("last_water_restriction") is not None), rows.water, zone, clock)
    if answers.asked.astimezone(zone).date() != now.date():
        water = replace(water, reward=Decimal(0), supplement=Decimal(0), given=Decimal(0))
    times = [counted_at(gift.get("date_time"), zone, clock) for gift in rows.water]
    # what is given in advance is not the last one yet
    last = weighed[-1] if weighed else None
    judged = None
    if last is not None and answers.labs is not None and water.restricted:
        judged = judge_row(last.grams, row, rows.restrictions, shares_of(answers.labs.get(lab)))
    return TodayAnimal(
        row["id"],
        row["nickname"],
        lab,
        zone_name,
        row["responsible_user"],
        water,
        last,
        running_type(rows.restrictions),
        is_counted_in_utc(row),
        judged,
        max((when for when in times if when is not None and when <= now), default=None),
        _sessions(rows.sessions, zone, answers.trials),
        tuple(sorted({when.date() for when in times if when is not None and when.date() > now.date()})),
    )


def shares_of(lab: Mapping[str, Any] | None) -> LabShares | None:
    """Read by which shares a lab judges weights; None of a lab that does not tell both.

    ``lab``: its row.
    """
    if lab is None:
        return None
    reference, zscore = _number(lab, "reference_weight_pct"), _number(lab, "zscore_weight_pct")
    return None if reference is None or zscore is None else LabShares(reference, zscore)


def _number(row: Mapping[str, Any], name: str) -> Decimal | None:
    value = row.get(name)
    return exact(value) if value is not None and is_number(value) else None


def judge_row(
    weight: Decimal, row: dict[str, Any], restrictions: Sequence[dict[str, Any]], shares: LabShares | None
) -> LastJudged:
    """Judge the last weight of a water-restricted animal by what the lists say of it, see `judge_last`.

    ``row``, ``restrictions``: its own row, and those of its restrictions.
    """
    return judge_last(
        weight,
        number_of(row, "expected_water"),
        number_of(row, "reference_weight"),
        _number(running_restriction(restrictions), "reference_weight"),
        shares,
    )


def _split(water: Water, gifts: Sequence[dict[str, Any]], zone: dt.tzinfo | None, clock: ServerClock) -> Water:
    # Into reward and supplement. The server does not say which zone's day it summed up: it is the newest day whose
    # gifts add up to that sum.
    if water.given == 0:
        return replace(water, reward=Decimal(0), supplement=Decimal(0))
    days: dict[dt.date, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for gift in gifts:
        day = day_of_water(gift.get("date_time"), zone, clock)
        if day is not None and gift.get("water_administered") is not None:
            days[day][0 if gift.get("session") else 1] += number_of(gift, "water_administered")
    newest = max(days, default=None)
    if newest is None or abs(sum(days[newest]) - water.given) > _SAME:
        return water
    reward, supplement = days[newest]
    return replace(water, reward=reward, supplement=supplement)


def _sessions(
    rows: Sequence[dict[str, Any]], zone: dt.tzinfo | None, trials: Mapping[str, int]
) -> SessionsToday | None:
    today = lab_now(zone).date()
    found = [one for row in rows if (one := session_seen(row, zone)) is not None and one.start_time.date() == today]
    if not found:
        return None
    counts = [trials.get(one.id) for one in found]
    known = [count for count in counts if count is not None]
    of_all = sum(known) if len(known) == len(counts) else None
    return SessionsToday(len(found), max(one.start_time for one in found), of_all)
