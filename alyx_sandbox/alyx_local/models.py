"""What Alyx-Local does when it stores a row of the tables that it shares with Alyx."""

# ruff: noqa: D106, RUF012 - the Meta classes of Django, and their lists

from __future__ import annotations

import re
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.backends.signals import connection_created
from django.db.models import F, Max, OuterRef, Subquery, Sum
from django.db.models.functions import Collate

from alyx_sandbox import models as tables
from alyx_sandbox.clock import start_of


class Repository(NamedTuple):
    """Where the files of a project are."""

    pk: UUID
    name: str
    data_path: str


#: That of all projects.
REPOSITORY = Repository(UUID("0822c54f-a589-586d-a9b2-ce2ede8d2c85"), "labshare", "//labserver/shared/ONE")
#: Where subjects come from for which nothing else is said.
SOURCE = "Internal"
_BY_NUMBERS = "by_numbers"
_NUMBER = re.compile(r"(\d+)")
#: A whisker and its side in a narrative: ``- C2: right``.
_WHISKER = re.compile(r"- *(\w+)[ :(-]+(left|right)", re.IGNORECASE)
_SIDES = {"right": "1", "left": "0"}


def _by_numbers(text: str) -> list[tuple[int, int | str]]:
    return [(0, int(part)) if part.isdecimal() else (1, part.lower()) for part in _NUMBER.split(text) if part]


def _compare_by_numbers(one: str, other: str) -> int:
    first, second = _by_numbers(one), _by_numbers(other)
    return (first > second) - (first < second)


def _add_collation(sender: Any, connection: Any, **_: Any) -> None:
    connection.connection.create_collation(_BY_NUMBERS, _compare_by_numbers)


connection_created.connect(_add_collation)


def _duplicate(constraint: str, field: str, value: Any) -> IntegrityError:
    # In the words of PostgreSQL, which a 500 repeats.
    reason = f'duplicate key value violates unique constraint "{constraint}"'
    return IntegrityError(f"{reason}\nDETAIL:  Key ({field})=({value}) already exists.\n")


class Subject(tables.Subject):
    """An animal, named ``<lab>__<nickname>``."""

    class Meta:
        proxy = True
        ordering = [Collate("nickname", _BY_NUMBERS), F("birth_date").desc(nulls_first=True)]

    def alive(self) -> bool:
        """Tell whether nobody has noted a death, be it one to come."""
        return self.death_date is None

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the subject with its name; a death ends its restrictions.

        Raises
        ------
        IntegrityError
            It is new and dead: it is stored twice, which fails. One row stays.
        """
        self.name = f"{self.lab.name}__{self.nickname}"
        was_alive = Subject.objects.filter(pk=self.pk, death_date__isnull=False).count() == 0
        is_new = self._state.adding
        if self.death_date and was_alive:
            running = tables.WaterRestriction.objects.filter(subject=self.pk, end_time__isnull=True)
            running.update(end_time=start_of(self.death_date))
        super().save(*args, **kwargs)
        if self.death_date and is_new:
            raise _duplicate("subjects_subject_pkey", "id", self.pk)


def implant_weight() -> Subquery:
    """Return how a query of subjects finds the weight (g) that is implanted: nothing where that is nothing."""
    weights = tables.Surgery.objects.filter(subject=OuterRef("pk")).order_by().values("subject")
    return Subquery(weights.annotate(total=Sum("implant_weight")).values("total"))


class WaterAdministration(tables.WaterAdministration):
    """Water (mL) that a subject got, dead or alive."""

    class Meta:
        proxy = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the administration; without a type it is that of the last restriction, or plain water."""
        if self.water_type is None:
            restriction = self.subject.actions_waterrestrictions.order_by("start_time").last()
            self.water_type = restriction.water_type if restriction else tables.WaterType.objects.get(name="Water")
        tables.Record.save(self, *args, **kwargs)


class Session(tables.Session):
    """A session at a rig: subject, day and number are one session's only, and so is the name made of them."""

    class Meta:
        proxy = True

    @property
    def alias(self) -> str:
        """The name: ``ea04/2024-01-01/001``, by the day of the zone in which the time is held."""
        return f"{self.subject.nickname}/{str(self.start_time)[:10]}/{str(self.number).zfill(3)}"

    @property
    def u_alias(self) -> str:
        """The name without slashes."""
        return self.alias.replace("/", "_")

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the session: with the next number, if it has none, its name made anew, whiskers put into its JSON.

        Raises
        ------
        ValidationError
            Another session has its subject, day and number.
        IntegrityError
            Another session has its name.
        """
        # A time that was sent is of the server's zone here, one that comes from the database of UTC: so is the name.
        same_day = Session.objects.filter(subject=self.subject, start_time__date=self.start_time.date())
        if self.number is None:
            last = same_day.aggregate(last=Max("number"))["last"]
            self.number = 1 if last is None else last + 1
        elif same_day.filter(number=self.number).exclude(pk=self.pk).exists():
            raise ValidationError("Two session with same subject, date and number cannot exist")
        self.name = self.alias
        self.put_whiskers_into_json()
        if Session.objects.filter(name=self.name).exclude(pk=self.pk).exists():
            raise _duplicate("actions_session_name_88e05bca_uniq", "name", self.name)
        super().save(*args, **kwargs)

    def put_whiskers_into_json(self) -> None:
        """Put whiskers of the narrative and their sides into the JSON, unless some are there."""
        held = {} if self.json is None else self.json.copy()
        try:
            held["whisker_stims"]["Stimulus right"]
        except (KeyError, TypeError, IndexError):
            found = {_SIDES[side.lower()]: name.title() for name, side in _WHISKER.findall(self.narrative)}
            if found:
                keys = held.keys()
                stims = held["whisker_stims"] if "whisker_stims" in keys else {}
                held["whisker_stims"] = {**stims, "Stimulus right": found}
                self.json = held
