"""What the routes of sessions and datasets answer."""

# ruff: noqa: D106 - the Meta classes of Django

from __future__ import annotations

from typing import Any

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
from alyx_sandbox.serializers import QcField, current_user, slug


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

    def _notes(self, session: Session) -> list[str]:
        return []

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
    """The detail of a dataset. The sandbox keeps neither formats, revisions, tags nor file records."""

    created_by = current_user()
    dataset_type = slug(DatasetType)
    data_format = Constant("unknown")
    experiment_number = serializers.ReadOnlyField(source="session.number", default=None)
    file_records = Constant(())
    revision = Constant("")
    tags = Constant(())
    qc = QcField(required=False)

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
            "auto_datetime",
            "revision",
            "default_dataset",
            "tags",
            "qc",
            "json",
        )


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
