"""The database of one run: made from a lab, or found in its folder."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.core.management import call_command
from django.db import connections, transaction
from django.utils.module_loading import import_string

from alyx_sandbox import models
from alyx_sandbox.clock import stored
from alyx_sandbox.kinds import ALYX
from alyx_sandbox.synthetic import add_synthetic_lab
from alyx_sandbox.throttle import create_counter

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from alyx_sandbox.options import Options

_NAMESPACE = uuid5(NAMESPACE_URL, "alyx-sandbox")
_QC = {name: number for number, name in models.QC_CHOICES}


def open_database(options: Options, lab: dict[str, Any], folder: Path) -> None:
    """Make the database in its folder, unless an earlier run left one there, which is then served as it is."""
    create_counter(folder / "throttle.sqlite3")
    marker = folder / "complete"
    if not marker.exists():
        for left_over in folder.glob("alyx.sqlite3*"):
            left_over.unlink()
        with contextlib.redirect_stdout(io.StringIO()):
            call_command("migrate", run_syncdb=True, verbosity=0)
        with transaction.atomic():
            load_lab(lab)
            add_synthetic_lab(options.subjects, options.sessions, lab["main_user"])
            if options.kind.completes_lab:
                import_string(options.kind.completes_lab)(lab)
        marker.write_text(options.kind.name, encoding="utf-8")
    elif (marker.read_text(encoding="utf-8") or ALYX.name) != options.kind.name:
        made = marker.read_text(encoding="utf-8") or ALYX.name
        raise RuntimeError(f"the database in {folder} is that of --like {made}: say so, or name another folder")
    connections.close_all()


def load_lab(lab: dict[str, Any]) -> None:
    """Store a lab."""
    labs = _store(models.Lab, (dict(entry, id=made_id("lab", entry["name"])) for entry in lab["labs"]))
    users = _load_users(lab["users"], labs)
    for entry in lab["locations"]:
        models.LabLocation.objects.create(name=entry["name"], lab=labs[entry["lab"]])
    projects = {}
    for entry in lab["projects"]:
        project = models.Project.objects.create(name=entry["name"], description=entry["description"])
        project.users.set([users[name] for name in entry["users"]])
        projects[project.name] = project
    for name in dict.fromkeys(["Water", *lab["water_types"]]):
        models.WaterType.objects.create(name=name)
    _store(models.ProcedureType, lab["procedures"])
    _store(models.DatasetType, lab["dataset_types"])
    for entry in lab["lines"]:
        line = models.Line.objects.create(name=entry["name"], nickname=entry["nickname"])
        line.alleles.set([_allele(name) for name in entry["alleles"]])
    for entry in lab["subjects"]:
        _load_subject(entry, labs, users, projects)


def made_id(*words: str) -> UUID:
    """Return the id of something that a lab file names."""
    return uuid5(_NAMESPACE, "/".join(words))


def _store(model: type[Any], entries: Iterable[dict[str, Any]]) -> dict[str, Any]:
    rows = model.objects.bulk_create([model(**entry) for entry in entries])
    return {row.name: row for row in rows}


def _load_users(entries: list[dict[str, Any]], labs: dict[str, Any]) -> dict[str, Any]:
    users = {}
    for entry in entries:
        users[entry["username"]] = models.LabMember.objects.create_user(
            entry["username"],
            entry["email"],
            entry["password"],
            id=made_id("user", entry["username"]),
            is_stock_manager=entry["is_stock_manager"],
            is_public_user=entry["is_public_user"],
        )
    for entry in entries:
        user = users[entry["username"]]
        user.allowed_users.set([users[name] for name in entry["allowed_users"]])
        for name in entry["labs"]:
            models.LabMembership.objects.create(user=user, lab=labs[name], start_date="2000-01-01")
    return users


def _allele(nickname: str) -> models.Allele:
    return models.Allele.objects.get_or_create(nickname=nickname, defaults={"name": nickname})[0]


def _named(model: type[Any], name: str | None) -> Any:
    return None if name is None else model.objects.get_or_create(name=name)[0]


def _species(nickname: str) -> models.Species:
    latin, mouse = models.MOUSE
    name = latin if nickname == mouse else nickname
    return models.Species.objects.get_or_create(nickname=nickname, defaults={"name": name})[0]


def _load_subject(entry: dict[str, Any], labs: dict[str, Any], users: dict[str, Any], projects: dict[str, Any]) -> None:
    plain = ("nickname", "birth_date", "death_date", "sex", "description", "cage", "json", "to_be_culled")
    subject = models.Subject.objects.create(
        **{name: entry[name] for name in plain},
        id=entry["id"] or made_id("subject", entry["lab"], entry["nickname"]),
        lab=labs[entry["lab"]],
        responsible_user=users[entry["responsible_user"]],
        species=_species(entry["species"]),
        strain=_named(models.Strain, entry["strain"]),
        source=_named(models.Source, entry["source"]),
        litter=_named(models.Litter, entry["litter"]),
        line=entry["line"] and models.Line.objects.get(name=entry["line"]),
    )
    subject.projects.set([projects[name] for name in entry["projects"]])
    for gene in entry["genotype"]:
        symbol = models.ZYGOSITY_SYMBOLS.index(gene["zygosity"])
        models.Zygosity.objects.create(subject=subject, allele=_allele(gene["allele"]), zygosity=symbol)
    water_types = {row.name: row for row in models.WaterType.objects.all()}
    for surgery in entry["surgeries"]:
        models.Surgery.objects.create(
            subject=subject, start_time=stored(surgery["start_time"]), implant_weight=surgery["implant_weight"]
        )
    for restriction in entry["water_restrictions"]:
        models.WaterRestriction.objects.create(
            subject=subject,
            start_time=stored(restriction["start_time"]),
            end_time=restriction["end_time"] and stored(restriction["end_time"]),
            reference_weight=restriction["reference_weight"],
            water_type=water_types[restriction["water_type"]],
        )
    for index, weighing in enumerate(entry["weighings"]):
        models.Weighing.objects.create(
            id=made_id("weighing", str(subject.pk), str(index)),
            subject=subject,
            user=users[weighing["user"] or entry["responsible_user"]],
            date_time=stored(weighing["date_time"]),
            weight=weighing["weight"],
        )
    for index, water in enumerate(entry["water_administrations"]):
        models.WaterAdministration.objects.create(
            id=made_id("water", str(subject.pk), str(index)),
            subject=subject,
            user=users[water["user"] or entry["responsible_user"]],
            date_time=stored(water["date_time"]),
            water_administered=water["water_administered"],
            water_type=water_types[water["water_type"]],
            adlib=water["adlib"],
        )
    for index, session in enumerate(entry["sessions"]):
        _load_session(subject, index, session, users, projects)


def _load_session(
    subject: models.Subject, index: int, entry: dict[str, Any], users: dict[str, Any], projects: dict[str, Any]
) -> None:
    plain = ("number", "type", "task_protocol", "narrative", "n_trials", "n_correct_trials", "extended_qc", "json")
    session = models.Session.objects.create(
        **{name: entry[name] for name in plain},
        id=entry["id"] or made_id("session", str(subject.pk), str(index)),
        subject=subject,
        start_time=stored(entry["start_time"]),
        end_time=entry["end_time"] and stored(entry["end_time"]),
        location=entry["location"] and models.LabLocation.objects.get(name=entry["location"]),
        qc=_QC[entry["qc"]],
    )
    session.users.set([users[name] for name in entry["users"]])
    session.projects.set([projects[name] for name in entry["projects"]])
    session.procedures.set(models.ProcedureType.objects.filter(name__in=entry["procedures"]))
    for dataset in entry["datasets"]:
        models.Dataset.objects.create(
            id=made_id("dataset", str(session.pk), dataset["collection"], dataset["name"]),
            session=session,
            name=dataset["name"],
            dataset_type=models.DatasetType.objects.get(name=dataset["dataset_type"]),
            collection=dataset["collection"],
            file_size=dataset["file_size"],
            created_by=session.users.first(),
        )
