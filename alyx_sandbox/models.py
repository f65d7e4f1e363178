"""The tables of the sandbox: what the routes of Alyx that it serves need, with Alyx's own field names.

Field and relation names are those of Alyx, because clients spell them in ``django=`` filters and servers in the
details of their errors. Admin pages, e-mails, breeding and histology have no tables here.
"""

# ruff: noqa: D106, RUF012 - the Meta classes of Django, and their lists

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import AbstractUser
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone

from alyx_sandbox.clock import Moment

MOUSE = ("Mus musculus", "Laboratory mouse")
QC_CHOICES = [(50, "CRITICAL"), (40, "FAIL"), (30, "WARNING"), (0, "NOT_SET"), (10, "PASS")]
ZYGOSITIES = [(0, "Absent"), (1, "Heterozygous"), (2, "Homozygous"), (3, "Present")]
ZYGOSITY_SYMBOLS = ("-/-", "+/-", "+/+", "+")
NOT_NEGATIVE = [MinValueValidator(limit_value=0)]
#: The whole numbers that PostgreSQL, below Alyx, can store; SQLite has more.
WHOLE = [MinValueValidator(limit_value=-(2**31)), MaxValueValidator(limit_value=2**31 - 1)]


class Record(models.Model):
    """What every table has: a UUID, a long name and free JSON."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=255, blank=True)
    json = models.JSONField(null=True, blank=True)

    class Meta:
        abstract = True


def server_zone() -> str:
    """Return the zone of the server's clock, which is that of a lab that names none; such as ``UTC``."""
    return timezone.get_default_timezone_name()


def default_species() -> uuid.UUID:
    """Return the species of a subject for which none is given, which it stores at need."""
    return Species.objects.get_or_create(nickname=MOUSE[1], defaults={"name": MOUSE[0]})[0].pk


class NamedRecord(Record):
    """A record whose name is its key."""

    name = models.CharField(max_length=255, unique=True)

    class Meta:
        abstract = True


class LabMember(AbstractUser):
    """A user of Alyx."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    is_stock_manager = models.BooleanField(default=False)
    allowed_users = models.ManyToManyField("self", symmetrical=False, blank=True)
    is_public_user = models.BooleanField(default=False)

    class Meta:
        ordering = ["username"]

    @property
    def lab(self) -> list[str]:
        """Names of the labs that this user is a member of today."""
        today = timezone.now().date()
        members = LabMembership.objects.filter(user=self.pk, start_date__lte=today).exclude(end_date__lt=today)
        return list(Lab.objects.filter(pk__in=members.values("lab")).values_list("name", flat=True))


class Lab(NamedRecord):
    """A lab: its time zone and how it judges weights."""

    name = models.CharField(
        max_length=255,
        unique=True,
        validators=[RegexValidator(r"^\w+$", "Lab name must only contain letters, numbers, and underscores.")],
    )
    institution = models.CharField(max_length=255, blank=True)
    address = models.CharField(max_length=255, blank=True)
    timezone = models.CharField(max_length=64, blank=True, default=server_zone)
    reference_weight_pct = models.FloatField(default=0.0)
    zscore_weight_pct = models.FloatField(default=0.0)


class LabMembership(Record):
    """Which user works in which lab, from when to when."""

    user = models.ForeignKey(LabMember, on_delete=models.CASCADE)
    lab = models.ForeignKey(Lab, on_delete=models.CASCADE)
    role = models.CharField(max_length=255, blank=True)
    start_date = models.DateField(blank=True, null=True, default=timezone.now)
    end_date = models.DateField(blank=True, null=True)


class LabLocation(NamedRecord):
    """A rig, a room, a bench."""

    lab = models.ForeignKey(Lab, on_delete=models.CASCADE)


class Project(NamedRecord):
    """An Alyx project."""

    description = models.CharField(max_length=1023, blank=True)
    users = models.ManyToManyField(LabMember, blank=True)


class ProcedureType(NamedRecord):
    """A procedure that can be performed on a subject."""

    description = models.TextField(blank=True)


class Species(Record):
    """A species; the API shows its nickname."""

    nickname = models.CharField(max_length=255, unique=True)


class Strain(NamedRecord):
    """A strain, by its standard name."""


class Source(NamedRecord):
    """A supplier of subjects."""


class Allele(Record):
    """An allele; the API shows its nickname."""

    nickname = models.CharField(max_length=255, unique=True)


class Line(NamedRecord):
    """A line: only the zygosities of its alleles are shown in the genotype strings of its subjects."""

    nickname = models.CharField(max_length=255, unique=True)
    alleles = models.ManyToManyField(Allele)


class Litter(NamedRecord):
    """A litter."""

    birth_date = models.DateField(null=True, blank=True)


class Subject(Record):
    """An animal. Its nickname is unique within a lab and within a responsible user, not on the server."""

    SEXES = (("M", "Male"), ("F", "Female"), ("U", "Unknown"))
    PROTOCOLS = tuple((str(number), str(number)) for number in range(1, 5))
    #: Changes of these are kept in ``json["history"]``, as Alyx does.
    HISTORY = ("nickname", "responsible_user_id", "cage")

    nickname = models.CharField(
        max_length=64,
        default="-",
        validators=[
            RegexValidator(
                r"^[\w.-]+$",
                "Nicknames must only contain letters, numbers, hyphens and underscores. "
                "Dots are reserved for breeding subjects.",
            )
        ],
    )
    species = models.ForeignKey(Species, null=True, blank=True, on_delete=models.SET_NULL, default=default_species)
    litter = models.ForeignKey(Litter, null=True, blank=True, on_delete=models.SET_NULL)
    sex = models.CharField(max_length=1, choices=SEXES, blank=True, default="U")
    strain = models.ForeignKey(Strain, null=True, blank=True, on_delete=models.SET_NULL)
    genotype = models.ManyToManyField(Allele, through="Zygosity")
    source = models.ForeignKey(Source, null=True, blank=True, on_delete=models.SET_NULL)
    line = models.ForeignKey(Line, null=True, blank=True, on_delete=models.SET_NULL)
    birth_date = models.DateField(null=True, blank=True)
    death_date = models.DateField(null=True, blank=True)
    wean_date = models.DateField(null=True, blank=True)
    genotype_date = models.DateField(null=True, blank=True)
    responsible_user = models.ForeignKey(
        LabMember, null=True, blank=True, on_delete=models.SET_NULL, related_name="subjects_responsible"
    )
    lab = models.ForeignKey(Lab, on_delete=models.CASCADE)
    projects = models.ManyToManyField(Project, blank=True)
    cage = models.CharField(max_length=64, null=True, blank=True)
    ear_mark = models.CharField(max_length=32, blank=True)
    protocol_number = models.CharField(max_length=1, default="1", choices=PROTOCOLS)
    description = models.TextField(blank=True)
    adverse_effects = models.TextField(blank=True)
    actual_severity = models.IntegerField(null=True, blank=True)
    to_be_genotyped = models.BooleanField(default=False)
    to_be_culled = models.BooleanField(default=False)
    reduced_date = models.DateField(null=True, blank=True)

    class Meta:
        # PostgreSQL, below Alyx, has what is missing first where it counts down; SQLite has it last.
        ordering = ["nickname", models.F("birth_date").desc(nulls_first=True)]
        unique_together = [("nickname", "lab"), ("nickname", "responsible_user")]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Not what is not loaded: Django deletes rows by their ids alone.
        self._loaded = {name: self.__dict__[name] for name in self.HISTORY if name in self.__dict__}

    def alive(self) -> bool:
        """Tell whether the subject lives today."""
        return self.death_date is None or self.death_date > timezone.now().date()

    def age_weeks(self) -> int:
        """Compute the age, today or at death."""
        if self.birth_date is None:
            return 0
        return ((self.death_date or timezone.now().date()) - self.birth_date).days // 7

    def set_protocol_number(self) -> None:
        """Store the protocol that follows from what is done with the subject: restricted water, or a surgery."""
        restriction = self.actions_waterrestrictions.order_by("start_time").last()
        if restriction and restriction.end_time is None:
            self.protocol_number = "3"
        else:
            self.protocol_number = "2" if self.actions_surgerys.exists() else "1"
        self.save()

    def zygosity_strings(self) -> list[str]:
        """Return the genotype as the list route shows it.

        Returns: such as ``Ai32 +/-``; of a subject with a line, only the alleles of that line.
        """
        zygosities = list(self.zygosity_set.all())
        if self.line:
            of_line = {allele.pk for allele in self.line.alleles.all()}
            zygosities = [zygosity for zygosity in zygosities if zygosity.allele_id in of_line]
        return [f"{zygosity.allele.nickname} {ZYGOSITY_SYMBOLS[zygosity.zygosity]}" for zygosity in zygosities]

    @property
    def session_projects(self) -> models.QuerySet[Project]:
        """The projects that have at least one session with this subject."""
        return Project.objects.filter(session__subject=self).distinct()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the subject and the history of its changes. As on Alyx, a restriction does not end with its life."""
        changed = {name: old for name, old in self._loaded.items() if old != getattr(self, name)}
        if changed and not self._state.adding:
            history = dict((self.json or {}).get("history", {}))
            for name, old in changed.items():
                entry = {"value": str(old), "date_time": timezone.now().isoformat()}
                key = name.removesuffix("_id")
                history[key] = [*history.get(key, []), entry]
            self.json = {**(self.json or {}), "history": history}
        super().save(*args, **kwargs)


class Zygosity(Record):
    """What a subject carries of an allele."""

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE)
    allele = models.ForeignKey(Allele, on_delete=models.CASCADE)
    zygosity = models.IntegerField(choices=ZYGOSITIES)


class Weighing(Record):
    """A weighing (g)."""

    user = models.ForeignKey(LabMember, null=True, blank=True, on_delete=models.SET_NULL)
    subject = models.ForeignKey(Subject, related_name="weighings", on_delete=models.CASCADE)
    date_time = Moment(null=True, blank=True, default=timezone.now)
    weight = models.FloatField(validators=NOT_NEGATIVE)


class WaterType(Record):
    """A kind of water."""

    name = models.CharField(max_length=128, unique=True)


class Action(Record):
    """What is done with a subject."""

    users = models.ManyToManyField(LabMember, blank=True)
    subject = models.ForeignKey(Subject, related_name="actions_%(class)ss", on_delete=models.CASCADE)
    location = models.ForeignKey(LabLocation, null=True, blank=True, on_delete=models.SET_NULL)
    lab = models.ForeignKey(Lab, null=True, blank=True, on_delete=models.SET_NULL)
    procedures = models.ManyToManyField(ProcedureType, blank=True)
    narrative = models.TextField(blank=True)
    start_time = Moment(null=True, blank=True, default=timezone.now)
    end_time = Moment(null=True, blank=True)

    class Meta:
        abstract = True


class Surgery(Action):
    """A surgery: the weight (g) of the implant that the subject carries since."""

    implant_weight = models.FloatField(validators=NOT_NEGATIVE)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the surgery and the subject's protocol."""
        super().save(*args, **kwargs)
        self.subject.set_protocol_number()


class WaterRestriction(Action):
    """A water restriction, running while it has no end."""

    reference_weight = models.FloatField(validators=NOT_NEGATIVE, default=0)
    water_type = models.ForeignKey(WaterType, null=True, blank=True, on_delete=models.SET_NULL)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the restriction and the subject's protocol."""
        super().save(*args, **kwargs)
        self.subject.set_protocol_number()


class Session(Action):
    """A session at a rig."""

    parent_session = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL)
    projects = models.ManyToManyField(Project, blank=True)
    type = models.CharField(max_length=255, null=True, blank=True)
    number = models.IntegerField(null=True, blank=True, validators=WHOLE)
    task_protocol = models.CharField(max_length=1023, blank=True, default="")
    n_trials = models.IntegerField(blank=True, null=True, validators=WHOLE)
    n_correct_trials = models.IntegerField(blank=True, null=True, validators=WHOLE)
    qc = models.IntegerField(default=0, choices=QC_CHOICES)
    extended_qc = models.JSONField(null=True, blank=True)
    auto_datetime = Moment(auto_now=True, blank=True, null=True)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store the session; without a lab it belongs to the subject's."""
        if self.lab is None:
            self.lab = self.subject.lab
        super().save(*args, **kwargs)


class WaterAdministration(Record):
    """Water (mL) that a subject got, in a session or as a supplement."""

    user = models.ForeignKey(LabMember, null=True, blank=True, on_delete=models.SET_NULL)
    subject = models.ForeignKey(Subject, related_name="water_administrations", on_delete=models.CASCADE)
    date_time = Moment(null=True, blank=True, default=timezone.now)
    session = models.ForeignKey(
        Session, null=True, blank=True, on_delete=models.SET_NULL, related_name="wateradmin_session_related"
    )
    water_administered = models.FloatField(validators=NOT_NEGATIVE, null=True, blank=True)
    water_type = models.ForeignKey(WaterType, null=True, blank=True, on_delete=models.SET_NULL)
    adlib = models.BooleanField(default=False)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Store it, of the last restriction's type or plain water; after death a ValueError, in the API a 500."""
        if self.water_type is None:
            restriction = self.subject.actions_waterrestrictions.order_by("start_time").last()
            self.water_type = restriction.water_type if restriction else WaterType.objects.get(name="Water")
        if self.subject.death_date and self.date_time.date() > self.subject.death_date:
            raise ValueError("Water administration date after death date")
        super().save(*args, **kwargs)


class Note(Record):
    """A note on the page of a record."""

    user = models.ForeignKey(LabMember, on_delete=models.CASCADE)
    date_time = Moment(default=timezone.now)
    text = models.TextField(blank=True)
    content_type = models.CharField(max_length=100)
    object_id = models.UUIDField()


class DatasetType(NamedRecord):
    """What a dataset holds."""

    created_by = models.ForeignKey(LabMember, null=True, blank=True, on_delete=models.CASCADE)
    description = models.CharField(max_length=1023, blank=True)
    filename_pattern = models.CharField(max_length=255, unique=True, null=True, blank=True)


class Dataset(Record):
    """A file of a session. The sandbox keeps no file records, so none is ever online."""

    created_by = models.ForeignKey(LabMember, null=True, blank=True, on_delete=models.CASCADE)
    created_datetime = Moment(null=True, blank=True, default=timezone.now)
    session = models.ForeignKey(
        Session, null=True, blank=True, on_delete=models.CASCADE, related_name="data_dataset_session_related"
    )
    dataset_type = models.ForeignKey(DatasetType, on_delete=models.CASCADE)
    collection = models.CharField(max_length=255, blank=True)
    file_size = models.BigIntegerField(null=True, blank=True)
    hash = models.CharField(max_length=64, blank=True)
    version = models.CharField(max_length=64, blank=True)
    default_dataset = models.BooleanField(default=True)
    qc = models.IntegerField(default=0, choices=QC_CHOICES)
    auto_datetime = Moment(auto_now=True, blank=True, null=True)
