"""What a subject weighs, should weigh and should drink, by the rules of Alyx.

Days are those of the lab's time zone. Weights are in g, water in mL. A weight includes the implant; a reference weight
does not; expected and minimum weights do.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from alyx_sandbox.clock import wall_time, zone_of
from alyx_sandbox.models import Subject, Surgery, WaterAdministration, WaterRestriction, Weighing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from uuid import UUID

#: Water that a subject needs a day, mL for each g of body weight.
WATER_PER_GRAM = 0.04
#: The same for a subject below the minimum of its lab.
WATER_PER_GRAM_UNDERWEIGHT = 0.05


@dataclass(frozen=True)
class Restriction:
    """One water restriction."""

    #: Wall time of the server.
    start: datetime
    #: Wall time of the server; None while it runs.
    end: datetime | None
    #: g, with the implant; 0 where none was noted.
    reference_weight: float
    #: The start as the database has it.
    stored_start: datetime


@dataclass
class WaterControl:
    """The water and weight of one subject."""

    reference_weight_pct: float
    zscore_weight_pct: float
    zone: tzinfo
    birth_date: datetime | None = None
    #: (wall time of the lab, g), by time.
    implants: list[tuple[datetime, float]] = field(default_factory=list)
    #: (wall time of the lab, g), by time.
    weighings: list[tuple[datetime, float]] = field(default_factory=list)
    #: (wall time of the lab, mL or None, id of the session or None), by time.
    administrations: list[tuple[datetime, float | None, UUID | None]] = field(default_factory=list)
    #: By start.
    restrictions: list[Restriction] = field(default_factory=list)

    @staticmethod
    def zone_of_days(lab_zone: str) -> tzinfo:
        """Return the zone in which days begin and end for a lab of that zone."""
        return zone_of(lab_zone)

    def server_time(self, moment: datetime) -> datetime:
        """Return a stored time by the clock that restrictions are compared by."""
        return wall_time(moment)

    def _now(self) -> datetime:
        # The wall time of the lab.
        return wall_time(timezone.now(), self.zone)

    def _restriction_at(self, moment: datetime | None = None) -> Restriction | None:
        # The restriction that the subject is under.
        moment = moment or self._now()
        started = [one for one in self.restrictions if one.start.date() <= moment.date()]
        if not started or (started[-1].end is not None and moment > started[-1].end):
            return None
        return started[-1]

    def _is_water_restricted(self, moment: datetime) -> bool:
        # Whether the subject is under water restriction.
        return self._restriction_at(moment) is not None

    def last_water_restriction(self) -> datetime | None:
        """Return when the restriction that runs now started."""
        restriction = self._restriction_at()
        return restriction.stored_start if restriction else None

    def _implant_weight(self, moment: datetime) -> float:
        # The weight of the implant on that day.
        return _last_until(self.implants, moment) or 0

    def reference_implant_weight(self, moment: datetime | None = None) -> float:
        """Return the weight of the implant when the restriction of a day began.

        Returns: g; 0 without an implant.
        ``moment``: on that day; default: now.
        """
        moment = moment or self._now()
        restriction = self._restriction_at(moment)
        return self._implant_weight(restriction.start if restriction else moment)

    def _reference_weighing(self, moment: datetime | None) -> float | None:
        last = self.restrictions[-1] if self.restrictions else None
        if last and last.reference_weight and (moment is None or moment >= last.start):
            return last.reference_weight
        restriction = self._restriction_at(moment)
        if restriction is None:
            return None
        return restriction.reference_weight or _last_until(self.weighings, restriction.start)

    def reference_weight(self, moment: datetime | None = None) -> float:
        """Return the reference weight, without the implant.

        Returns: g; 0 where there is none.
        ``moment``: on the day in question; default: now.
        """
        reference = self._reference_weighing(moment)
        return 0.0 if reference is None else reference - (self.reference_implant_weight(moment) or 0.0)

    def _weight(self, moment: datetime) -> float:
        # The last weight known on that day; 0 where there is none.
        return _last_until(self.weighings, moment) or 0

    def _weighing_at(self, moment: datetime) -> float | None:
        # The last weight of that very day.
        return next((weight for at, weight in reversed(self.weighings) if at.date() == moment.date()), None)

    def _expected_weight(self, moment: datetime) -> float:
        # The weight that the lab expects; 0 where it sets no limit.
        if self.reference_weight_pct == 0:
            return 0
        return self.reference_weight(moment) + (self._implant_weight(moment) or 0.0)

    def _percentage_weight(self, moment: datetime) -> float:
        # The weight in percent of the expected one, the implant off both; 0 where none is expected.
        implant = self._implant_weight(moment) or 0.0
        expected = self._expected_weight(moment) - implant
        return 100 * (self._weight(moment) - implant) / expected if expected > 0 else 0.0

    def _min_weight(self, moment: datetime) -> float:
        # The least weight that the lab allows; only the implant's where it sets no limit.
        return self.reference_weight(moment) * self.reference_weight_pct + (self._implant_weight(moment) or 0.0)

    def expected_water(self, moment: datetime | None = None) -> float:
        """Return the water that the subject needs on a day.

        Returns: mL.
        ``moment``: on that day; default: now.
        """
        moment = moment or self._now()
        implant = self._implant_weight(moment) or 0.0
        weight = self._weight(moment) or 0.0
        limit = self.reference_weight_pct * (self._expected_weight(moment) - implant) + implant
        per_gram = WATER_PER_GRAM_UNDERWEIGHT if weight < limit else WATER_PER_GRAM
        return per_gram * (weight - implant)

    def _given_water(self, moment: datetime, in_session: bool | None = None) -> float:
        # The water given on that day: all of it, or that in sessions, or that out of them.
        given: float = 0
        for at, volume, session in self.administrations:
            if at.date() == moment.date() and volume is not None and in_session in {None, session is not None}:
                given += volume
        return given

    def remaining_water(self, moment: datetime | None = None) -> float:
        """Return the water that is still to be given on a day.

        Returns: mL.
        ``moment``: on that day; default: now.
        """
        moment = moment or self._now()
        return self.expected_water(moment) - self._given_water(moment)

    def records(self, start: str | None, end: str | None) -> Iterator[dict[str, Any]]:
        """Yield the record of each day.

        Parameters
        ----------
        start
            First day, as an ISO date; default: that of the first weighing or water, else of birth.
        end
            Last day, as an ISO date; default: today.

        Yields
        ------
        dict
            The record of one day.

        Raises
        ------
        AssertionError
            There is nothing to start from. Alyx makes it a 500 without a word, and so does the sandbox.
        """
        first = noon(start) if start else self._first_time()
        last = noon(end) if end else self._now()
        if first is None:
            raise AssertionError
        for day in range((last.date() - first.date()).days + 1):
            yield self._record(first + timedelta(days=day))

    def _first_time(self) -> datetime | None:
        times = [entry[0] for entry in self.administrations] + [entry[0] for entry in self.weighings]
        return min(times, default=self.birth_date)

    def _record(self, moment: datetime) -> dict[str, Any]:
        return {
            "date": moment.date(),
            "weight": self._weight(moment),
            "weighing_at": self._weighing_at(moment),
            "reference_weight": self.reference_weight(moment),
            "expected_weight": self._expected_weight(moment),
            "min_weight": self._min_weight(moment),
            "percentage_weight": self._percentage_weight(moment),
            "given_water_reward": self._given_water(moment, in_session=True),
            "given_water_supplement": self._given_water(moment, in_session=False),
            "given_water_total": self._given_water(moment),
            "expected_water": self.expected_water(moment),
            "excess_water": -self.remaining_water(moment),
            "is_water_restricted": self._is_water_restricted(moment),
            "implant_weight": self._implant_weight(moment),
        }


def noon(day: str) -> datetime:
    """Return noon of a day. The message of its error is the one that Alyx sends.

    Returns: a naive time.
    """
    return datetime.strptime(f"{day} 12:00:00", "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - wall time


def _last_until(entries: list[tuple[datetime, float]], moment: datetime) -> float | None:
    index = bisect.bisect_right([at.date() for at, _ in entries], moment.date())
    return entries[index - 1][1] if index else None


def water_controls(subjects: Iterable[Subject], rules: type[WaterControl] = WaterControl) -> dict[UUID, WaterControl]:
    """Return the water and weight of many subjects by some server's rules, with four queries for all of them."""
    controls = {subject.pk: _empty_control(subject, rules) for subject in subjects}
    rows: dict[type, dict[UUID, list[tuple[Any, ...]]]] = defaultdict(lambda: defaultdict(list))
    for model, time_field, fields in (
        (Surgery, "start_time", ["implant_weight"]),
        (Weighing, "date_time", ["weight"]),
        (WaterAdministration, "date_time", ["water_administered", "session_id"]),
        (WaterRestriction, "start_time", ["end_time", "reference_weight"]),
    ):
        found = model.objects.filter(subject__in=list(controls)).order_by(time_field)
        for subject_id, *row in found.values_list("subject_id", time_field, *fields):
            rows[model][subject_id].append(tuple(row))
    for subject_id, control in controls.items():
        zone = control.zone
        control.implants = [(wall_time(at, zone), weight) for at, weight in rows[Surgery][subject_id] if weight]
        control.weighings = [(wall_time(at, zone), weight) for at, weight in rows[Weighing][subject_id]]
        control.administrations = [
            (wall_time(at, zone), volume, session) for at, volume, session in rows[WaterAdministration][subject_id]
        ]
        control.restrictions = [
            Restriction(control.server_time(start), end and control.server_time(end), reference, start)
            for start, end, reference in rows[WaterRestriction][subject_id]
        ]
    return controls


def water_control(subject: Subject, rules: type[WaterControl] = WaterControl) -> WaterControl:
    """Return the water and weight of one subject by some server's rules."""
    return water_controls([subject], rules)[subject.pk]


def _empty_control(subject: Subject, rules: type[WaterControl]) -> WaterControl:
    birth = subject.birth_date and noon(subject.birth_date.isoformat())
    return rules(
        reference_weight_pct=subject.lab.reference_weight_pct,
        zscore_weight_pct=subject.lab.zscore_weight_pct,
        zone=rules.zone_of_days(subject.lab.timezone),
        birth_date=birth,
    )
