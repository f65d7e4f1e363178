"""What the routes of Alyx-Local answer, but those of sessions: what its schema calls by these names."""

# ruff: noqa: D106, RUF012 - the Meta classes of Django, and their lists

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - the schema is made from it
from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from alyx_sandbox import models as tables
from alyx_sandbox import serializers as alyx
from alyx_sandbox import subject_serializers as alyx_subjects
from alyx_sandbox.alyx_local.filters import object_and_attribute
from alyx_sandbox.alyx_local.models import SOURCE, Subject, WaterAdministration
from alyx_sandbox.alyx_local.water import AlyxLocalWaterControl
from alyx_sandbox.serializers import slug

_BY_NAME = {"url": {"view_name": "subject-detail", "lookup_field": "name"}}
_NICKNAME = RegexValidator(r"^[-._~\+\*\w]+$", "Nicknames must only contain letters, numbers, or any of -._~.")


class WeighingDetailSerializer(alyx.WeighingSerializer):
    """A weighing."""

    water_rules = AlyxLocalWaterControl
    subject = slug(Subject)


class WaterAdministrationDetailSerializer(alyx.WaterAdministrationSerializer):
    """A water administration."""

    subject = slug(Subject)

    class Meta(alyx.WaterAdministrationSerializer.Meta):
        model = WaterAdministration


class WaterRestrictionListSerializer(alyx.WaterRestrictionSerializer):
    """A water restriction."""

    subject = serializers.SlugRelatedField(slug_field="name", read_only=True)


class WaterTypeDetailSerializer(serializers.HyperlinkedModelSerializer):
    """A water type. Its address cannot be made, for there is no such route: no row of it can be answered."""

    class Meta:
        model = tables.WaterType
        fields = ("url", "json", "name")
        extra_kwargs = {"url": {"view_name": "watertype-detail", "lookup_field": "name"}}


class ProjectSerializer(alyx.ProjectSerializer):
    """An Alyx project."""

    class Meta(alyx.ProjectSerializer.Meta):
        fields = (*alyx.ProjectSerializer.Meta.fields, "json")


class UserSerializer(serializers.ModelSerializer):
    """A user."""

    subjects_responsible = slug(Subject, many=True)

    class Meta:
        model = tables.LabMember
        fields = ("id", "username", "email", "subjects_responsible", "lab")


class LabLocationSerializer(alyx.LocationSerializer):
    """A lab location."""


class ProcedureTypeSerializer(alyx.ProcedureSerializer):
    """A procedure type."""


class DatasetTypeSerializer(alyx.DatasetTypeSerializer):
    """A dataset type."""

    object = serializers.SerializerMethodField("_object")
    attribute = serializers.SerializerMethodField("_attribute")
    admin_url = serializers.SerializerMethodField("_admin_url")

    def _object(self, row: tables.DatasetType) -> str:
        return object_and_attribute(row.name)[0]

    def _attribute(self, row: tables.DatasetType) -> str:
        return object_and_attribute(row.name)[1]

    def _admin_url(self, row: tables.DatasetType) -> str:
        return admin_url("data/datasettype", row)

    class Meta(alyx.DatasetTypeSerializer.Meta):
        fields = (*alyx.DatasetTypeSerializer.Meta.fields, "object", "attribute", "admin_url")


def admin_url(table: str, row: Any) -> str:
    """Return where the admin pages of Alyx-Local show a row."""
    return f"/admin/{table}/{row.pk}/change/"


class _Water(alyx_subjects.WaterSerializer):
    water_rules = AlyxLocalWaterControl
    last_water_restriction = serializers.SerializerMethodField("_last_start")

    def _last_start(self, subject: Subject) -> datetime | None:
        # In UTC, unlike all other times.
        return self._control(subject).last_water_restriction()


class WaterRestrictedSubjectListSerializer(_Water):
    """A row of ``/water-restricted-subjects``."""

    class Meta:
        model = Subject
        list_serializer_class = alyx_subjects.ManySubjects
        fields = ("name", "url", "expected_water", "remaining_water", "reference_weight", "last_water_restriction")
        extra_kwargs = _BY_NAME


class ZygosityListSerializer(alyx_subjects.ZygositySerializer):
    """An allele of a subject, as the detail shows it."""


class SubjectListSerializer(_Water, alyx_subjects.SubjectSerializer):
    """A row of ``/subjects``: all but weighings, water administrations and the alleles one by one."""

    species = slug(tables.Species, allow_null=True, required=False)

    def create(self, validated_data: dict[str, Any]) -> Subject:
        """Store a subject; without a source it comes from the lab itself."""
        validated_data.setdefault("source", tables.Source.objects.get(name=SOURCE))
        return super().create(validated_data)

    class Meta(alyx_subjects.SubjectSerializer.Meta):
        model = Subject
        fields: tuple[str, ...] = (
            "nickname",
            "name",
            *(name for name in alyx_subjects.SubjectSerializer.Meta.fields if name not in {"nickname", "json"}),
        )
        extra_kwargs = {**_BY_NAME, "nickname": {"validators": [_NICKNAME]}}


class SubjectDetailSerializer(SubjectListSerializer):
    """The detail of a subject."""

    weighings = WeighingDetailSerializer(many=True, read_only=True)
    water_administrations = WaterAdministrationDetailSerializer(many=True, read_only=True)
    genotype = ZygosityListSerializer(source="zygosity_set", many=True, read_only=True)

    class Meta(SubjectListSerializer.Meta):
        fields = (*SubjectListSerializer.Meta.fields, "weighings", "water_administrations")


class ServerInfoSerializer(serializers.Serializer):
    """What the server says about itself."""

    alyx_version = serializers.CharField(read_only=True)
    django_version = serializers.CharField(read_only=True)
    server_uptime = serializers.CharField(read_only=True)


class WaterRequirementSerializer(serializers.Serializer):
    """What the schema says of a water requirement, which nobody gets."""

    subject = serializers.CharField()
    implant_weight = serializers.FloatField(allow_null=True, required=False)
    records = serializers.JSONField()
