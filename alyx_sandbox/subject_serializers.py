"""What the routes of subjects answer."""

# ruff: noqa: D106, RUF012 - the Meta classes of Django, and their lists

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from alyx_sandbox.models import Allele, Lab, Line, Litter, Project, Source, Species, Strain, Subject, Zygosity
from alyx_sandbox.serializers import WaterAdministrationSerializer, WeighingSerializer, current_user, slug
from alyx_sandbox.water import WaterControl, water_control, water_controls


class ManySubjects(serializers.ListSerializer):
    """A page of subjects, whose water and weight are computed with four queries."""

    def to_representation(self, data: Any) -> list[Any]:
        """Show a page."""
        subjects = list(data)
        controls = water_controls(subjects, self.child.water_rules)
        for subject in subjects:
            subject.water_control = controls[subject.pk]
        return super().to_representation(subjects)


class WaterSerializer(serializers.HyperlinkedModelSerializer):
    """What the server computes about the water of a subject."""

    water_rules: type[WaterControl] = WaterControl
    expected_water = serializers.SerializerMethodField("_expected_water")
    remaining_water = serializers.SerializerMethodField("_remaining_water")
    reference_weight = serializers.SerializerMethodField("_reference_weight")
    last_water_restriction = serializers.SerializerMethodField("_last_water_restriction")
    reference_weight_pct = serializers.FloatField(source="lab.reference_weight_pct", read_only=True)
    zscore_weight_pct = serializers.FloatField(source="lab.zscore_weight_pct", read_only=True)

    def _control(self, subject: Subject) -> WaterControl:
        if not hasattr(subject, "water_control"):
            subject.water_control = water_control(subject, self.water_rules)
        return subject.water_control

    def _expected_water(self, subject: Subject) -> float:
        return self._control(subject).expected_water()

    def _remaining_water(self, subject: Subject) -> float:
        return self._control(subject).remaining_water()

    def _reference_weight(self, subject: Subject) -> float:
        return self._control(subject).reference_weight()

    def _last_water_restriction(self, subject: Subject) -> str | None:
        start = self._control(subject).last_water_restriction()
        return serializers.DateTimeField().to_representation(start) if start else None


class WaterRestrictedSubjectSerializer(WaterSerializer):
    """A row of ``/water-restricted-subjects``."""

    class Meta:
        model = Subject
        list_serializer_class = ManySubjects
        fields = (
            "nickname",
            "url",
            "expected_water",
            "remaining_water",
            "reference_weight",
            "last_water_restriction",
            "reference_weight_pct",
            "zscore_weight_pct",
        )
        extra_kwargs = {"url": {"view_name": "subject-detail", "lookup_field": "nickname"}}


class ZygositySerializer(serializers.ModelSerializer):
    """An allele of a subject, as the detail shows it."""

    allele = slug(Allele, "nickname", required=False)

    class Meta:
        model = Zygosity
        fields = ("allele", "zygosity")


class SubjectSerializer(WaterSerializer):
    """A row of ``/subjects``: all but weighings, water administrations and the alleles one by one."""

    responsible_user = current_user()
    species = slug(Species, "nickname", allow_null=True, required=False)
    litter = slug(Litter, allow_null=True, required=False)
    strain = slug(Strain, allow_null=True, required=False)
    source = slug(Source, allow_null=True, required=False)
    line = slug(Line, allow_null=True, required=False)
    projects = slug(Project, many=True, required=False)
    session_projects = serializers.SlugRelatedField(slug_field="name", many=True, read_only=True)
    lab = slug(Lab)
    genotype = serializers.ListField(source="zygosity_strings", read_only=True)

    class Meta:
        model = Subject
        list_serializer_class = ManySubjects
        fields: tuple[str, ...] = (
            "nickname",
            "url",
            "id",
            "responsible_user",
            "birth_date",
            "age_weeks",
            "death_date",
            "species",
            "sex",
            "litter",
            "strain",
            "source",
            "line",
            "projects",
            "session_projects",
            "lab",
            "genotype",
            "description",
            "alive",
            "reference_weight",
            "last_water_restriction",
            "expected_water",
            "remaining_water",
            "json",
        )
        extra_kwargs: dict[str, Any] = {"url": {"view_name": "subject-detail", "lookup_field": "nickname"}}


class SubjectDetailSerializer(SubjectSerializer):
    """The detail of a subject."""

    weighings = WeighingSerializer(many=True, read_only=True)
    water_administrations = WaterAdministrationSerializer(many=True, read_only=True)
    genotype = ZygositySerializer(source="zygosity_set", many=True, read_only=True)

    class Meta(SubjectSerializer.Meta):
        fields = (*SubjectSerializer.Meta.fields, "weighings", "water_administrations")
