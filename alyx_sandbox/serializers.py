"""What the routes answer: Alyx's own fields, in Alyx's order."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from alyx_sandbox.models import (
    QC_CHOICES,
    Allele,
    DatasetType,
    Lab,
    LabLocation,
    LabMember,
    Line,
    Litter,
    ProcedureType,
    Project,
    Session,
    Source,
    Species,
    Strain,
    Subject,
    WaterAdministration,
    WaterRestriction,
    WaterType,
    Weighing,
    Zygosity,
)
from alyx_sandbox.water import WaterControl, water_controls


def slug(model: type, field: str = "name", **options: Any) -> serializers.SlugRelatedField:
    """Return a field that shows, and takes, a related row by one of its fields."""
    return serializers.SlugRelatedField(slug_field=field, queryset=model.objects.all(), **options)


def current_user() -> serializers.SlugRelatedField:
    """Return a field for a user; without one it is the user who asks."""
    return slug(LabMember, "username", required=False, default=serializers.CurrentUserDefault())


class QcField(serializers.Field):
    """A QC outcome by its name."""

    def to_representation(self, value: int) -> str:
        """Return the name of an outcome."""
        return dict(QC_CHOICES)[value]

    def to_internal_value(self, data: Any) -> int:
        """Return the number of an outcome."""
        for number, name in QC_CHOICES:
            if name == data:
                return number
        names = ", ".join(name for _, name in QC_CHOICES)
        raise serializers.ValidationError(f"Invalid {self.field_name}, choices are: {names}")


class ManySubjects(serializers.ListSerializer):
    """A page of subjects, whose water and weight are computed with four queries."""

    def to_representation(self, data: Any) -> list[Any]:
        """Return the rows of the page."""
        subjects = list(data)
        controls = water_controls(subjects)
        for subject in subjects:
            subject.water_control = controls[subject.pk]
        return super().to_representation(subjects)


class WaterSerializer(serializers.HyperlinkedModelSerializer):
    """What the server computes about the water of a subject."""

    expected_water = serializers.SerializerMethodField()
    remaining_water = serializers.SerializerMethodField()
    reference_weight = serializers.SerializerMethodField()
    last_water_restriction = serializers.SerializerMethodField()
    reference_weight_pct = serializers.FloatField(source="lab.reference_weight_pct", read_only=True)
    zscore_weight_pct = serializers.FloatField(source="lab.zscore_weight_pct", read_only=True)

    def _control(self, subject: Subject) -> WaterControl:
        if not hasattr(subject, "water_control"):
            subject.water_control = water_controls([subject])[subject.pk]
        return subject.water_control

    def get_expected_water(self, subject: Subject) -> float:
        """Return the water that the subject needs today (mL)."""
        return self._control(subject).expected_water()

    def get_remaining_water(self, subject: Subject) -> float:
        """Return the water that the subject still needs today (mL)."""
        return self._control(subject).remaining_water()

    def get_reference_weight(self, subject: Subject) -> float:
        """Return the reference weight (g)."""
        return self._control(subject).reference_weight()

    def get_last_water_restriction(self, subject: Subject) -> str | None:
        """Return when the restriction that runs today started."""
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


class WeighingSerializer(serializers.HyperlinkedModelSerializer):
    """A weighing."""

    subject = slug(Subject, "nickname")
    user = current_user()

    class Meta:
        model = Weighing
        fields = ("subject", "date_time", "weight", "user", "url")


class WaterAdministrationSerializer(serializers.HyperlinkedModelSerializer):
    """A water administration."""

    subject = slug(Subject, "nickname")
    user = current_user()
    water_type = slug(WaterType, required=False)
    session = slug(Session, "id", required=False)

    class Meta:
        model = WaterAdministration
        fields = (
            "subject",
            "date_time",
            "water_administered",
            "water_type",
            "user",
            "url",
            "session",
            "adlib",
        )


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
        extra_kwargs = {"url": {"view_name": "subject-detail", "lookup_field": "nickname"}}


class SubjectDetailSerializer(SubjectSerializer):
    """The detail of a subject."""

    weighings = WeighingSerializer(many=True, read_only=True)
    water_administrations = WaterAdministrationSerializer(many=True, read_only=True)
    genotype = ZygositySerializer(source="zygosity_set", many=True, read_only=True)

    class Meta(SubjectSerializer.Meta):
        fields = (*SubjectSerializer.Meta.fields, "weighings", "water_administrations")


class ProjectSerializer(serializers.HyperlinkedModelSerializer):
    """An Alyx project."""

    users = slug(LabMember, "username", many=True, required=False)

    class Meta:
        model = Project
        fields = ("name", "description", "users")


class UserSerializer(serializers.ModelSerializer):
    """A user."""

    subjects_responsible = slug(Subject, "nickname", many=True)
    allowed_users = slug(LabMember, "username", many=True)

    class Meta:
        model = LabMember
        fields = (
            "id",
            "username",
            "email",
            "subjects_responsible",
            "lab",
            "allowed_users",
            "is_stock_manager",
        )


class LabSerializer(serializers.ModelSerializer):
    """A lab. The sandbox has no data repositories."""

    repositories = serializers.SerializerMethodField()

    def get_repositories(self, lab: Lab) -> list[str]:
        """Return the data repositories: none."""
        return []

    def validate_zscore_weight_pct(self, value: float) -> float:
        """Refuse z-scores, which the sandbox cannot compute."""
        if value:
            raise serializers.ValidationError("The sandbox cannot judge weights by z-score: only 0 is possible.")
        return value

    class Meta:
        model = Lab
        fields = (
            "name",
            "institution",
            "address",
            "timezone",
            "repositories",
            "reference_weight_pct",
            "zscore_weight_pct",
            "json",
        )


class LocationSerializer(serializers.ModelSerializer):
    """A lab location."""

    lab = slug(Lab, required=False)

    class Meta:
        model = LabLocation
        fields = ("name", "lab", "json")


class ProcedureSerializer(serializers.ModelSerializer):
    """A procedure type."""

    class Meta:
        model = ProcedureType
        fields = ("id", "name", "json", "description")


class WaterTypeSerializer(serializers.HyperlinkedModelSerializer):
    """A water type."""

    class Meta:
        model = WaterType
        fields = ("url", "json", "name")
        extra_kwargs = {"url": {"view_name": "watertype-detail", "lookup_field": "name"}}


class WaterRestrictionSerializer(serializers.ModelSerializer):
    """A water restriction."""

    subject = serializers.SlugRelatedField(slug_field="nickname", read_only=True)
    water_type = serializers.SlugRelatedField(slug_field="name", read_only=True)

    class Meta:
        model = WaterRestriction
        fields = ("subject", "start_time", "end_time", "water_type", "reference_weight")


class DatasetTypeSerializer(serializers.ModelSerializer):
    """A dataset type."""

    created_by = slug(LabMember, "username", allow_null=True, required=False, default=serializers.CurrentUserDefault())

    class Meta:
        model = DatasetType
        fields = ("id", "name", "created_by", "description", "filename_pattern")
