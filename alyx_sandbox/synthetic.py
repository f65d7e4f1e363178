"""A big lab that nobody wrote by hand: the same one for the same numbers, but for today's date."""

from __future__ import annotations

import random
import uuid
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db.models import F
from django.utils import timezone

from alyx_sandbox.clock import start_of
from alyx_sandbox.models import (
    Lab,
    LabMember,
    Project,
    Session,
    Species,
    Strain,
    Subject,
    WaterAdministration,
    WaterRestriction,
    WaterType,
    Weighing,
)

if TYPE_CHECKING:
    from django.db.models import Model

#: One in so many made-up subjects is not alive.
DEAD_ONE_IN = 10
#: One in so many made-up subjects is under water restriction, with weighings and water of the days before.
RESTRICTED_ONE_IN = 3
RESTRICTED_DAYS = 7
_BATCH = 500


def add_synthetic_lab(n_subjects: int, n_sessions: int, username: str) -> None:
    """Add subjects ``syn0001``, ``syn0002``, … of one user, and sessions spread over them."""
    if not n_subjects:
        return
    maker = _Maker(LabMember.objects.get(username=username))
    subjects = [maker.subject(number) for number in range(1, n_subjects + 1)]
    _store(Subject, subjects)
    restricted = [subject for subject in subjects[::RESTRICTED_ONE_IN] if subject.death_date is None]
    _store(WaterRestriction, [maker.restriction(subject) for subject in restricted])
    _store(Weighing, [maker.weighing(subject, day) for subject in restricted for day in range(RESTRICTED_DAYS)])
    _store(WaterAdministration, [maker.water(subject, day) for subject in restricted for day in range(RESTRICTED_DAYS)])
    sessions = [maker.session(subjects[number % n_subjects], number) for number in range(n_sessions)]
    _store(Session, sessions)
    # Nobody wrote to them since they ended.
    Session._default_manager.filter(narrative__startswith="made-up session").update(auto_datetime=F("end_time"))
    _add_projects(maker, subjects, sessions)


class _Maker:
    def __init__(self, user: LabMember) -> None:
        self.user = user
        self.random = random.Random(0)  # noqa: S311 - reproducible, not secret
        self.today: date = timezone.now().date()
        self.lab = Lab.objects.filter(labmembership__user=user).first() or Lab.objects.first()
        self.species = Species.objects.first()
        self.strain = Strain.objects.get_or_create(name="C57BL/6J")[0]
        self.projects = list(Project.objects.all())
        self.water_type = WaterType.objects.get(name="Water")

    def id(self) -> uuid.UUID:
        return uuid.UUID(int=self.random.getrandbits(128), version=4)

    def subject(self, number: int) -> Subject:
        dead = number % DEAD_ONE_IN == 0
        return Subject(
            id=self.id(),
            nickname=f"syn{number:04}",
            lab=self.lab,
            responsible_user=self.user,
            species=self.species,
            strain=self.strain,
            sex=self.random.choice("MF"),
            birth_date=self.today - timedelta(days=self.random.randint(60, 300)),
            death_date=self.today - timedelta(days=self.random.randint(1, 50)) if dead else None,
            description=f"made-up subject {number}",
        )

    def restriction(self, subject: Subject) -> WaterRestriction:
        start = start_of(self.today - timedelta(days=RESTRICTED_DAYS)) + timedelta(hours=9)
        return WaterRestriction(
            id=self.id(), subject=subject, start_time=start, reference_weight=25.0, water_type=self.water_type
        )

    def weighing(self, subject: Subject, days_ago: int) -> Weighing:
        at = start_of(self.today - timedelta(days=days_ago)) + timedelta(hours=10)
        weight = round(self.random.uniform(21.0, 25.0), 2)
        return Weighing(id=self.id(), subject=subject, user=self.user, date_time=at, weight=weight)

    def water(self, subject: Subject, days_ago: int) -> WaterAdministration:
        return WaterAdministration(
            id=self.id(),
            subject=subject,
            user=self.user,
            date_time=start_of(self.today - timedelta(days=days_ago)) + timedelta(hours=11),
            water_administered=round(self.random.uniform(0.7, 1.2), 2),
            water_type=self.water_type,
        )

    def session(self, subject: Subject, number: int) -> Session:
        start = start_of(date(2024, 1, 1)) + timedelta(hours=number)
        trials = self.random.randint(50, 900)
        return Session(
            id=self.id(),
            subject=subject,
            lab=self.lab,
            start_time=start,
            end_time=start + timedelta(minutes=50),
            number=number % 3 + 1,
            task_protocol=f"wait_task_v{number % 4}",
            n_trials=trials,
            n_correct_trials=trials * 3 // 4,
            narrative=f"made-up session {number}",
            json={"whisker_stims": {"Stimulus right": {"1": {"n": number, "amp": 0.5}}}} if number % 3 == 0 else None,
        )


def _store(model: type[Model], rows: list) -> None:
    model._default_manager.bulk_create(rows, batch_size=_BATCH)


def _add_projects(maker: _Maker, subjects: list[Subject], sessions: list[Session]) -> None:
    if not maker.projects:
        return
    for number, project in enumerate(maker.projects):
        through = Subject.projects.through
        own = subjects[number :: len(maker.projects) + 1]
        _store(through, [through(subject=subject, project=project) for subject in own])
        through = Session.projects.through
        held = sessions[number :: len(maker.projects) + 1]
        _store(through, [through(session=session, project=project) for session in held])
