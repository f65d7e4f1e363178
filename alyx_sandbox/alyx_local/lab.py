"""What Alyx-Local adds to a lab that was just stored."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from django.utils.timezone import localtime

from alyx_sandbox import models as tables
from alyx_sandbox.alyx_local.filters import name_of_dataset
from alyx_sandbox.alyx_local.models import SOURCE, Session, Subject
from alyx_sandbox.clock import start_of
from alyx_sandbox.database import made_id


def complete(lab: dict[str, Any]) -> None:
    """Name subjects, lines and sessions, and add the lab and the user that are there from the first migration on."""
    tables.Lab.objects.create(id=made_id("lab", "defaultlab"), name="defaultlab", timezone="GB")
    tables.LabMember.objects.create_superuser("admin", "admin@example.com", "admin", id=made_id("user", "admin"))
    tables.Source.objects.get_or_create(name=SOURCE)
    for line in tables.Line.objects.all():
        line.name = f"{lab['labs'][0]['name']}__{line.nickname}"
        line.save()
    for subject in Subject.objects.select_related("lab"):
        subject.save()
    for dead in Subject.objects.filter(death_date__isnull=False):
        dead.actions_waterrestrictions.filter(end_time__isnull=True).update(end_time=start_of(dead.death_date))
    _name_sessions()
    for dataset in tables.Dataset.objects.select_related("dataset_type"):
        dataset.name = name_of_dataset(dataset.dataset_type, PurePosixPath(dataset.name).suffix)
        dataset.save()


def _name_sessions() -> None:
    sessions = list(Session.objects.select_related("subject").order_by("start_time"))
    names: set[str] = set()
    for session in sessions:
        session.start_time = localtime(session.start_time)
        session.number = 1 if session.number is None else session.number
        while session.alias in names:
            # Which another session has, or that of a namesake.
            session.number += 1
        session.name = session.alias
        names.add(session.name)
        if isinstance(session.json, str):
            # A text there cannot be stored.
            session.json = None
        session.put_whiskers_into_json()
    Session.objects.bulk_update(sessions, ["name", "number", "json"], batch_size=200)
