"""What the routes of sessions and datasets of Alyx-Local answer."""

# ruff: noqa: D106 - the Meta classes of Django, and their lists

from __future__ import annotations

from typing import Any
from uuid import UUID  # noqa: TC003 - the schema is made from it

from rest_framework import serializers

from alyx_sandbox import models as tables
from alyx_sandbox import session_serializers as alyx
from alyx_sandbox.alyx_local.filters import name_of_dataset, object_and_attribute
from alyx_sandbox.alyx_local.models import REPOSITORY, Repository, Session
from alyx_sandbox.alyx_local.serializers import admin_url
from alyx_sandbox.database import made_id
from alyx_sandbox.notes import notes_of
from alyx_sandbox.serializers import current_user, slug


def repository_of(subject: tables.Subject) -> Repository | None:
    """Return where the files of a subject's sessions are: where those of its project are."""
    return REPOSITORY if subject.projects.all() else None


class SessionWaterAdminSerializer(alyx.SessionWaterSerializer):
    """Water given in a session."""


def _extension(dataset: tables.Dataset) -> str:
    return dataset.name.removeprefix(name_of_dataset(dataset.dataset_type, ""))


class _FormatField(serializers.Field):
    """The format of a dataset by its extension, ``.pqt``: of those that there are."""

    def to_representation(self, value: tables.Dataset) -> str:
        """Show the extension of a dataset's file."""
        return _extension(value)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """Take an extension that a stored dataset has.

        Raises
        ------
        ValidationError
            None has it.
        """
        if data not in ["", *map(_extension, tables.Dataset.objects.select_related("dataset_type"))]:
            raise serializers.ValidationError(f"Object with file_extension={data} does not exist.")
        return {"extension": data}


class DatasetSerializer(serializers.HyperlinkedModelSerializer):
    """A dataset. The sandbox keeps no file records, so none is ever shown."""

    admin_url = serializers.SerializerMethodField("_admin_url")
    created_by = current_user()
    data_repository = serializers.SerializerMethodField("_data_repository")
    version = serializers.CharField(required=False, allow_null=True)
    file_size = serializers.IntegerField(required=False, allow_null=True)
    dataset_type = slug(tables.DatasetType, required=False)
    default_dataset = serializers.BooleanField(required=False, allow_null=True)
    tags = alyx.Constant(())
    session = slug(Session, required=False)
    data_format = _FormatField(source="*", required=False)
    data_repository_pk = serializers.SerializerMethodField("_data_repository_pk")
    data_format_pk = serializers.SerializerMethodField("_data_format_pk")
    revision_pk = alyx.Constant(None)
    dataset_type_pk = serializers.PrimaryKeyRelatedField(
        source="dataset_type", required=False, queryset=tables.DatasetType.objects.all()
    )
    session_pk = serializers.PrimaryKeyRelatedField(source="session", required=False, queryset=Session.objects.all())
    collection = serializers.CharField(required=False, allow_blank=True, max_length=255)
    remote_root = alyx.Constant(REPOSITORY.data_path)
    subject = slug(tables.Subject, "nickname", write_only=True, required=False)
    date = serializers.DateField(write_only=True, required=False)
    number = serializers.IntegerField(write_only=True, required=False)
    extension = serializers.SerializerMethodField("_data_format")
    revision = alyx.Constant("")
    object = serializers.SerializerMethodField("_object")
    attribute = serializers.SerializerMethodField("_attribute")
    file_records = alyx.Constant(())

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Find the session, where it is not named itself, by subject, day and number."""
        keys = [attrs.pop(name, None) for name in ("subject", "date", "number")]
        if attrs.get("session") is None and None not in keys:
            subject, date, number = keys
            attrs["session"] = Session.objects.get(subject=subject, start_time__date=date, number=number)
        return attrs

    def create(self, validated_data: dict[str, Any]) -> tables.Dataset:
        """Store a dataset.

        Raises
        ------
        ValueError
            It has no session, or its subject no project whose repository it would be in; the API makes it a 500.
        """
        session, extension = validated_data.get("session"), validated_data.pop("extension", "")
        if session is None:
            raise ValueError("{'session': ['A dataset must be attached to a session']}")
        if repository_of(session.subject) is None:
            raise ValueError("'NoneType' object has no attribute 'default_data_repository'")
        kind = validated_data.setdefault("dataset_type", tables.DatasetType.objects.get(name="unknown"))
        return super().create({**validated_data, "name": name_of_dataset(kind, extension)})

    def update(self, instance: tables.Dataset, validated_data: dict[str, Any]) -> tables.Dataset:
        """Store a change of a dataset."""
        kind = validated_data.get("dataset_type", instance.dataset_type)
        extension = validated_data.pop("extension", _extension(instance))
        return super().update(instance, {**validated_data, "name": name_of_dataset(kind, extension)})

    def to_representation(self, instance: tables.Dataset) -> dict[str, Any]:
        """Show a dataset: nothing for no version."""
        row: dict[str, Any] = super().to_representation(instance)
        return {**row, "version": row["version"] or None}

    def _admin_url(self, row: tables.Dataset) -> str:
        return admin_url("data/dataset", row)

    def _data_repository(self, row: tables.Dataset) -> str:
        return REPOSITORY.name

    def _data_repository_pk(self, row: tables.Dataset) -> UUID:
        return REPOSITORY.pk

    def _data_format(self, row: tables.Dataset) -> str:
        return _extension(row)

    def _data_format_pk(self, row: tables.Dataset) -> UUID:
        return made_id("format", self._data_format(row))

    def _object(self, row: tables.Dataset) -> str:
        return object_and_attribute(row.dataset_type.name)[0]

    def _attribute(self, row: tables.Dataset) -> str:
        return object_and_attribute(row.dataset_type.name)[1]

    class Meta:
        model = tables.Dataset
        fields = (
            "id",
            "url",
            "admin_url",
            "name",
            "created_by",
            "created_datetime",
            "data_repository",
            "file_size",
            "version",
            "auto_datetime",
            "dataset_type",
            "default_dataset",
            "tags",
            "session",
            "data_format",
            "data_repository_pk",
            "data_format_pk",
            "revision_pk",
            "dataset_type_pk",
            "session_pk",
            "remote_root",
            "subject",
            "date",
            "number",
            "collection",
            "revision",
            "object",
            "attribute",
            "extension",
            "file_records",
        )


class _Action(serializers.HyperlinkedModelSerializer):
    subject = slug(tables.Subject, "nickname")
    users = slug(tables.LabMember, "username", many=True, required=False)
    procedures = slug(tables.ProcedureType, many=True, required=False, allow_null=True)
    projects = slug(tables.Project, many=True, required=False)
    admin_url = serializers.SerializerMethodField("_admin_url")

    def _admin_url(self, session: Session) -> str:
        return admin_url("actions/session", session)

    def _repository_path(self, session: Session) -> str | None:
        repository = repository_of(session.subject)
        return repository and repository.data_path

    def create(self, validated_data: dict[str, Any]) -> Session:
        """Store a session; where nothing is said of users it is that of the user who asks."""
        validated_data.setdefault("users", [self.context["request"].user])
        return super().create(validated_data)


class SessionListSerializer(_Action):
    """A row of ``/sessions``: neither lab nor task protocol."""

    default_data_repository = serializers.SerializerMethodField("_repository_path")

    class Meta:
        model = Session
        fields = (
            "id",
            "name",
            "subject",
            "start_time",
            "number",
            "projects",
            "users",
            "url",
            "admin_url",
            "procedures",
            "default_data_repository",
        )


class SessionDetailSerializer(_Action):
    """The detail of a session, whose QC outcome is a number."""

    location = slug(tables.LabLocation, allow_null=True, required=False)
    lab = slug(tables.Lab, required=False)
    qc = serializers.ChoiceField(required=False, choices=tables.QC_CHOICES)
    wateradmin_session_related = SessionWaterAdminSerializer(read_only=True, many=True)
    data_dataset_session_related = DatasetSerializer(read_only=True, many=True)
    path = serializers.SerializerMethodField("_path")
    probe_insertion = serializers.SerializerMethodField("_nothing")
    notes = serializers.SerializerMethodField("_notes")
    default_data_repository_path = serializers.SerializerMethodField("_repository_path")
    default_data_repository_name = serializers.SerializerMethodField("_repository_name")
    default_data_repository_pk = serializers.SerializerMethodField("_repository_pk")
    rel_path = serializers.CharField(source="alias", read_only=True)

    def _path(self, session: Session) -> str:
        repository = repository_of(session.subject)
        return f"{repository.data_path}/{session.alias}" if repository else ""

    def _notes(self, session: Session) -> list[dict[str, Any]]:
        return notes_of(session)

    def _nothing(self, session: Session) -> list[str]:
        return []

    def _repository_name(self, session: Session) -> str | None:
        repository = repository_of(session.subject)
        return repository and repository.name

    def _repository_pk(self, session: Session) -> UUID | None:
        repository = repository_of(session.subject)
        return repository and repository.pk

    class Meta:
        model = Session
        fields = (
            "id",
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
            "alias",
            "u_alias",
            "path",
            "name",
            "json",
            "probe_insertion",
            "notes",
            "default_data_repository_path",
            "default_data_repository_name",
            "default_data_repository_pk",
            "rel_path",
            "admin_url",
        )
