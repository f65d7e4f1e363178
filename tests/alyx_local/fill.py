"""Fill an empty Alyx-Local from a lab file of the sandbox (the demo lab's format), through Alyx-Local's own models.

python tests/alyx_local/fill.py alyx_sandbox/demo_lab.json
"""

import json
import re
import sys
from datetime import date, datetime, time, timedelta
from datetime import timezone as clock
from hashlib import sha1
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import django

django.setup()

from alyx.actions import models as actions  # noqa: E402
from alyx.data import models as data  # noqa: E402
from alyx.misc import models as misc  # noqa: E402
from alyx.subjects import models as subjects  # noqa: E402
from django.core.exceptions import ValidationError  # noqa: E402
from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402

REPOSITORY = {"name": "labshare", "hostname": "labserver", "globus_path": "shared/ONE"}
ZYGOSITY = {"-/-": 0, "+/-": 1, "+/+": 2, "+": 3}
QC = {name: number for number, name in actions.Session.QC_CHOICES}


def made_id(*words):
    """Return the same id in every run; the sandbox makes the same one of the same words."""
    return uuid5(uuid5(NAMESPACE_URL, "alyx-sandbox"), "/".join(words))


def day(text):
    if text is None:
        return None
    relative = re.fullmatch(r"today(?:([+-])(\d+))?", text)
    if not relative:
        return date.fromisoformat(text)
    return datetime.now(clock.utc).date() + timedelta(days=int(f"{relative[1] or ''}{relative[2] or 0}"))


def moment(text):
    """Return the time of a lab file as it is on the clock of the server."""
    if text is None:
        return None
    on, _, at = text.partition("T")
    return timezone.make_aware(datetime.combine(day(on), time.fromisoformat(at or "00:00")))


def named(model, name, **fields):
    return model.objects.get_or_create(name=name, defaults=fields)[0] if name is not None else None


def fill(lab):
    users = {}
    for entry in lab["users"]:
        users[entry["username"]] = misc.LabMember.objects.create_user(
            entry["username"],
            entry.get("email", ""),
            entry["password"],
            id=made_id("user", entry["username"]),
            is_stock_manager=entry.get("is_stock_manager", False),
            is_public_user=entry.get("is_public_user", False),
        )
        # The same token after every reset.
        Token.objects.create(user=users[entry["username"]], key=sha1(entry["username"].encode()).hexdigest())
    labs = {}
    repository = data.DataRepository.objects.create(**REPOSITORY)
    for entry in lab["labs"]:
        labs[entry["name"]] = misc.Lab.objects.create(
            id=made_id("lab", entry["name"]),
            name=entry["name"],
            institution=entry.get("institution", ""),
            timezone=entry.get("timezone", "Europe/London"),
            reference_weight_pct=entry.get("reference_weight_pct", 0.0),
            zscore_weight_pct=entry.get("zscore_weight_pct", 0.0),
        )
    for entry in lab["users"]:
        users[entry["username"]].allowed_users.set([users[name] for name in entry.get("allowed_users", [])])
        for name in entry.get("labs", []):
            misc.LabMembership.objects.create(user=users[entry["username"]], lab=labs[name], start_date="2000-01-01")
    for entry in lab.get("locations", []):
        misc.LabLocation.objects.create(name=entry["name"], lab=labs[entry["lab"]])
    projects = {}
    for entry in lab.get("projects", []):
        projects[entry["name"]] = subjects.Project.objects.create(
            name=entry["name"], description=entry.get("description", ""), default_data_repository=repository
        )
        projects[entry["name"]].users.set([users[name] for name in entry.get("users", [])])
    for name in dict.fromkeys(["Water", *lab.get("water_types", [])]):
        named(actions.WaterType, name)
    for entry in lab.get("procedures", []):
        named(actions.ProcedureType, entry["name"], description=entry.get("description", ""))
    lines = {None: None}
    first = next(iter(labs.values()))
    for entry in lab.get("lines", []):
        # Line.save() of 3.1.8 stores nothing, so a line is made in bulk.
        line = subjects.Line(name=f"{first.name}__{entry['nickname']}", nickname=entry["nickname"], lab=first)
        lines[entry["name"]] = subjects.Line.objects.bulk_create([line])[0]
        line.alleles.set([named(subjects.Allele, name, nickname=name) for name in entry.get("alleles", [])])
    for entry in lab.get("dataset_types", []):
        thing, _, attribute = entry["name"].partition(".")
        data.DatasetType.objects.get_or_create(
            name=entry["name"],
            defaults={
                "object": thing,
                "attribute": attribute or thing,
                "description": entry.get("description", ""),
                "filename_pattern": entry.get("filename_pattern") or None,
            },
        )
    mouse, _ = subjects.Species.objects.get_or_create(nickname="Laboratory mouse", defaults={"name": "Mus musculus"})
    for entry in lab.get("subjects", []):
        fill_subject(entry, labs, users, projects, mouse, lines, repository)


def fill_subject(entry, labs, users, projects, mouse, lines, repository):
    owner = users[entry["responsible_user"]]
    implants = [surgery["implant_weight"] for surgery in entry.get("surgeries", [])]
    animal = subjects.Subject(
        id=entry.get("id") or made_id("subject", entry["lab"], entry["nickname"]),
        nickname=entry["nickname"],
        lab=labs[entry["lab"]],
        responsible_user=owner,
        birth_date=day(entry.get("birth_date")),
        sex=entry.get("sex", "U"),
        species=mouse,
        strain=named(subjects.Strain, entry.get("strain")),
        source=named(subjects.Source, entry.get("source")),
        line=lines[entry.get("line")],
        litter=named(subjects.Litter, entry.get("litter")),
        description=entry.get("description", ""),
        cage=entry.get("cage"),
        json=entry.get("json"),
        to_be_culled=entry.get("to_be_culled", False),
        implant_weight=sum(implants) if implants else None,
    )
    animal.save()
    animal.projects.set([projects[name] for name in entry.get("projects", [])])
    for held in entry.get("genotype", []):
        subjects.Zygosity.objects.create(
            subject=animal,
            allele=named(subjects.Allele, held["allele"], nickname=held["allele"]),
            zygosity=ZYGOSITY[held["zygosity"]],
        )
    for held in entry.get("surgeries", []):
        actions.Surgery.objects.create(subject=animal, lab=animal.lab, start_time=moment(held["start_time"]))
    for held in entry.get("weighings", []):
        actions.Weighing.objects.create(
            subject=animal, user=users.get(held.get("user")), weight=held["weight"], date_time=moment(held["date_time"])
        )
    for held in entry.get("water_restrictions", []):
        actions.WaterRestriction.objects.create(
            subject=animal,
            start_time=moment(held["start_time"]),
            end_time=moment(held.get("end_time")),
            reference_weight=held["reference_weight"],
            water_type=named(actions.WaterType, held.get("water_type", "Water")),
        )
    for held in entry.get("sessions", []):
        fill_session(held, animal, users, projects, repository)
    for held in entry.get("water_administrations", []):
        actions.WaterAdministration.objects.create(
            subject=animal,
            user=users.get(held.get("user")),
            date_time=moment(held["date_time"]),
            water_administered=held.get("water_administered"),
            water_type=named(actions.WaterType, held.get("water_type", "Water")),
            adlib=held.get("adlib", False),
        )
    if entry.get("death_date"):
        animal.refresh_from_db()
        animal.death_date = day(entry["death_date"])
        animal.save()


def fill_session(held, animal, users, projects, repository):
    start = moment(held["start_time"])
    session = actions.Session(
        id=held.get("id")
        or made_id("session", animal.lab.name, animal.nickname, held["start_time"], str(held.get("number"))),
        subject=animal,
        start_time=start,
        end_time=moment(held.get("end_time")),
        number=held.get("number"),
        location=misc.LabLocation.objects.filter(name=held.get("location")).first(),
        type=held.get("type"),
        task_protocol=held.get("task_protocol", ""),
        narrative=held.get("narrative", ""),
        n_trials=held.get("n_trials"),
        n_correct_trials=held.get("n_correct_trials"),
        qc=QC[held.get("qc", "NOT_SET")],
        extended_qc=held.get("extended_qc"),
        json=None if isinstance(held.get("json"), str) else held.get("json"),  # a text there cannot be saved
    )
    try:
        session.save()
    except ValidationError:  # subject, day and number are one session's only: Alyx-Local finds the next number
        session.number = None
        session.save()
    session.users.set([users[name] for name in held.get("users", [])])
    session.projects.set([projects[name] for name in held.get("projects", [])])
    session.procedures.set([named(actions.ProcedureType, name) for name in held.get("procedures", [])])
    for entry in held.get("datasets", []):
        suffix = Path(entry["name"]).suffix
        dataset = data.Dataset.objects.create(
            session=session,
            dataset_type=data.DatasetType.objects.get(name=entry["dataset_type"]),
            data_format=data.DataFormat.objects.get_or_create(file_extension=suffix, defaults={"name": suffix[1:]})[0],
            collection=entry.get("collection", ""),
            file_size=entry.get("file_size"),
            data_repository=repository,
            created_by=session.users.first(),
        )
        data.FileRecord.objects.create(dataset=dataset, exists=True)


if __name__ == "__main__":
    with transaction.atomic():
        fill(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
