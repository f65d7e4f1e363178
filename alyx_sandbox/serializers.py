"""What the routes answer, but those of subjects and sessions: Alyx's own fields, in Alyx's order."""

# ruff: noqa: D106, RUF012 - the Meta classes of Django, and their lists

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from alyx_sandbox.models import (
    QC_CHOICES,
    DatasetType,
    Lab,
    LabLocation,
    LabMember,
    ProcedureType,
    Project,
    Session,
    Subject,
    WaterAdministration,
    WaterRestriction,
    WaterType,
    Weighing,
)
from alyx_sandbox.water import WaterControl, water_control


def slug(model: type[Any], field: str = "name", **options: Any) -> serializers.SlugRelatedField:
    """Make a field that shows, and takes, a related row by one of its fields."""
    return serializers.SlugRelatedField(slug_field=field, queryset=model.objects.all(), **options)


def current_user() -> serializers.SlugRelatedField:
    """Make a field for a user; without one it is the user who asks."""
    return slug(LabMember, "username", required=False, default=serializers.CurrentUserDefault())


class QcField(serializers.Field):
    """A QC outcome by its name."""

    def to_representation(self, value: int) -> str:
        """Show an outcome."""
        return dict(QC_CHOICES)[value]

    def to_internal_value(self, data: Any) -> int:
        """Take an outcome.

        Parameters
        ----------
        data
            Its name.

        Returns
        -------
        int
            Its number.

        Raises
        ------
        ValidationError
            There is none of that name.
        """
        for number, name in QC_CHOICES:
            if name == data:
                return number
        names = ", ".join(name for _, name in QC_CHOICES)
        raise serializers.ValidationError(f"Invalid {self.field_name}, choices are: {names}")


class WeighingSerializer(serializers.HyperlinkedModelSerializer):
    """A weighing."""

    water_rules: type[WaterControl] = WaterControl
    subject = slug(Subject, "nickname")
    user = current_user()

    def create(self, validated_data: dict[str, Any]) -> Weighing:
        """Store a weighing, then look at the subject's weight. If that fails the row is there, as on Alyx."""
        weighing: Weighing = super().create(validated_data)
        water_control(weighing.subject, self.water_rules)
        return weighing

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


class ProjectSerializer(serializers.HyperlinkedModelSerializer):
    """An Alyx project."""

    #: The default is one user and no list, which fails after the row is stored: so it does on Alyx.
    users = slug(LabMember, "username", many=True, required=False, default=serializers.CurrentUserDefault())

    class Meta:
        model = Project
        fields: tuple[str, ...] = ("name", "description", "users")


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

    repositories = serializers.SerializerMethodField("_repositories")

    def _repositories(self, lab: Lab) -> list[str]:
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

    def to_representation(self, instance: DatasetType) -> dict[str, Any]:
        """Show a dataset type.

        Returns: its row, with an empty text for no pattern.
        """
        row: dict[str, Any] = super().to_representation(instance)
        return {**row, "filename_pattern": row["filename_pattern"] or ""}

    class Meta:
        model = DatasetType
        fields: tuple[str, ...] = ("id", "name", "created_by", "description", "filename_pattern")
