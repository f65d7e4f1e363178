"""What the routes of sessions and datasets answer."""

# ruff: noqa: D106 - the Meta classes of Django

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers

from alyx_sandbox.models import (
    Dataset,
    DatasetType,
    Lab,
    LabLocation,
    LabMember,
    ProcedureType,
    Project,
    Session,
    Subject,
    WaterAdministration,
)
from alyx_sandbox.notes import notes_of
from alyx_sandbox.serializers import QcField, current_user, slug

if TYPE_CHECKING:
    import datetime as dt


class Constant(serializers.ReadOnlyField):
    """What is the same for all rows: said in each answer, that of a PATCH too."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self._value = value

    def get_attribute(self, instance: Any) -> Any:
        """Return the value, whatever the row."""
        return self._value


class SessionWaterSerializer(serializers.ModelSerializer):
    """Water given in a session."""

    water_type = serializers.SlugRelatedField(slug_field="name", read_only=True)

    class Meta:
        model = WaterAdministration
        fields = ("id", "name", "water_type", "water_administered")


class SessionDatasetSerializer(serializers.HyperlinkedModelSerializer):
    """A dataset, as the detail of its session shows it."""

    dataset_type = serializers.SlugRelatedField(slug_field="name", read_only=True)
    data_url = Constant(None)
    revision = Constant("")
    default_revision = serializers.CharField(source="default_dataset")
    qc = QcField()

    class Meta:
        model = Dataset
        fields = (
            "id",
            "name",
            "dataset_type",
            "data_url",
            "url",
            "file_size",
            "hash",
            "version",
            "collection",
            "revision",
            "default_revision",
            "qc",
        )


class SessionListSerializer(serializers.HyperlinkedModelSerializer):
    """A row of ``/sessions``: eight fields."""

    subject = slug(Subject, "nickname")
    lab = slug(Lab, required=False)
    projects = slug(Project, many=True)

    class Meta:
        model = Session
        fields = ("id", "subject", "start_time", "number", "lab", "projects", "url", "task_protocol")


class SessionDetailSerializer(serializers.HyperlinkedModelSerializer):
    """The detail of a session."""

    subject = slug(Subject, "nickname")
    users = slug(LabMember, "username", many=True, required=False)
    location = slug(LabLocation, allow_null=True, required=False)
    procedures = slug(ProcedureType, many=True, required=False)
    lab = slug(Lab, required=False)
    projects = slug(Project, many=True, required=False)
    qc = QcField(required=False)
    wateradmin_session_related = SessionWaterSerializer(read_only=True, many=True)
    data_dataset_session_related = SessionDatasetSerializer(read_only=True, many=True)
    probe_insertion = serializers.SerializerMethodField("_probe_insertion")
    field_of_view = serializers.SerializerMethodField("_field_of_view")
    notes = serializers.SerializerMethodField("_notes")

    def _probe_insertion(self, session: Session) -> list[str]:
        return []

    def _field_of_view(self, session: Session) -> list[str]:
        return []

    def _notes(self, session: Session) -> list[dict[str, Any]]:
        return notes_of(session)

    def create(self, validated_data: dict[str, Any]) -> Session:
        """Store a session; without users it is that of the user who asks."""
        if not validated_data.get("users"):
            validated_data["users"] = [self.context["request"].user]
        return super().create(validated_data)

    class Meta:
        model = Session
        fields = (
            "subject",
            "users",
            "location",
            "procedures",
            "lab",
            "projects",
            "type",
            "task_protocol",
            "number",
            "start_time",
            "end_time",
            "narrative",
            "parent_session",
            "n_correct_trials",
            "n_trials",
            "url",
            "extended_qc",
            "qc",
            "wateradmin_session_related",
            "data_dataset_session_related",
            "auto_datetime",
            "id",
            "json",
            "probe_insertion",
            "field_of_view",
            "notes",
        )


class DatasetDetailSerializer(serializers.HyperlinkedModelSerializer):
    """The detail of a dataset. The sandbox keeps neither formats, revisions, tags nor file records.

    A new one names its session, or the session's subject, date and number.
    """

    name = serializers.CharField(max_length=255)
    created_by = current_user()
    dataset_type = slug(DatasetType)
    data_format = Constant("unknown")
    session = serializers.HyperlinkedRelatedField(
        required=False, view_name="session-detail", queryset=Session.objects.all()
    )
    file_size = serializers.IntegerField(required=False, allow_null=True)
    experiment_number = serializers.ReadOnlyField(source="session.number", default=None)
    file_records = Constant(())
    subject = slug(Subject, "nickname", write_only=True, required=False)
    date = serializers.DateField(required=False)
    number = serializers.IntegerField(required=False)
    revision = Constant("")
    default_dataset = serializers.BooleanField(required=False, allow_null=True)
    tags = Constant(())
    qc = QcField(required=False)

    def create(self, validated_data: dict[str, Any]) -> Dataset:
        """Store a dataset, which becomes the default one of its name unless it is said that it is not."""
        if not validated_data.get("session"):
            subject, date = (validated_data.pop(name, None) for name in ("subject", "date"))
            if subject and date:
                # Whoever made it becomes a user of the session, and is not named by the dataset.
                number, user = (validated_data.pop(name, None) for name in ("number", "created_by"))
                validated_data["session"] = _session_of(subject, date, number, user)
        if validated_data.get("session") and validated_data.get("default_dataset") is not False:
            alike = {name: validated_data.get(name, "") for name in ("session", "collection", "name")}
            Dataset.objects.filter(**alike, default_dataset=True).update(default_dataset=False)
            validated_data["default_dataset"] = True
        return super().create(validated_data)

    class Meta:
        model = Dataset
        fields: tuple[str, ...] = (
            "url",
            "name",
            "created_by",
            "created_datetime",
            "dataset_type",
            "data_format",
            "collection",
            "session",
            "file_size",
            "hash",
            "version",
            "experiment_number",
            "file_records",
            "subject",
            "date",
            "number",
            "auto_datetime",
            "revision",
            "default_dataset",
            "tags",
            "qc",
            "json",
        )


def _session_of(subject: Subject, date: dt.date, number: int | None, user: LabMember | None) -> Session:
    # Find the session that a dataset is of: its day needs a first session, which becomes the parent of the others.
    of_day = Session.objects.filter(subject=subject, start_time__date=date)
    base = of_day.filter(parent_session__isnull=True).first()
    if base is None:
        raise ValueError(f"A base session for {subject.nickname} on {date} does not exist")
    _add_user(base, user)
    session = of_day.filter(number=number).first()
    if session is None:
        if number is None:
            raise TypeError("%d format: a real number is required, not NoneType")
        raise ValueError(f"A session for {subject.nickname}/{number} on {date} does not exist")
    _add_user(session, user)
    if session.parent_session is None and session != base:
        session.parent_session = base
        session.save()
    return session


def _add_user(session: Session, user: LabMember | None) -> None:
    if user and user not in session.users.all():
        session.users.add(user)
        session.save()


class DatasetSerializer(DatasetDetailSerializer):
    """A row of ``/datasets``, which tells two things more than the detail."""

    protected = Constant(0)
    public = Constant(0)

    class Meta(DatasetDetailSerializer.Meta):
        fields = (
            *DatasetDetailSerializer.Meta.fields[:-3],
            "protected",
            "public",
            *DatasetDetailSerializer.Meta.fields[-3:],
        )
