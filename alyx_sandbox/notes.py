"""Notes on the pages of subjects and other records: what the routes answer, and their behaviour."""

# ruff: noqa: D106, RUF012 - the Meta classes of Django, and their lists

from __future__ import annotations

from typing import Any, Final

from django.core.exceptions import ObjectDoesNotExist
from rest_framework import generics, serializers

from alyx_sandbox import models
from alyx_sandbox.api import PERMISSIONS
from alyx_sandbox.filters import AlyxFilter
from alyx_sandbox.serializers import slug

#: What a note may be about, by the name that Alyx's tables have.
_ABOUT: Final[dict[str, type[models.Record]]] = {
    "subjects.subject": models.Subject,
    "actions.session": models.Session,
    "actions.weighing": models.Weighing,
    "actions.wateradministration": models.WaterAdministration,
    "data.dataset": models.Dataset,
}


class _About(serializers.Field):
    # Takes the name of a table, with its application or without.

    def to_representation(self, value: str) -> str:
        return value

    def to_internal_value(self, data: Any) -> str:
        application, _, table = str(data).rpartition(".")
        for name in _ABOUT:
            if name.endswith(f".{table}") and (not application or name == data):
                return name
        raise ObjectDoesNotExist("ContentType matching query does not exist.")


class NoteSerializer(serializers.ModelSerializer):
    """A note. The sandbox keeps no pictures."""

    user = slug(models.LabMember, "username")
    content_type = _About(label="Python model class name")
    image = serializers.SerializerMethodField("_image")

    def _image(self, note: models.Note) -> str | None:
        return None

    def save(self, **kwargs: Any) -> models.Note:
        """Store a note about a record that is there."""
        _ABOUT[self.validated_data["content_type"]].objects.get(id=self.validated_data["object_id"])
        note: models.Note = super().save(**kwargs)
        return note

    class Meta:
        model = models.Note
        fields = ("id", "user", "date_time", "content_type", "object_id", "text", "image", "json")


def notes_of(record: models.Record) -> list[dict[str, Any]]:
    """Return the notes on the page of a record, as rows."""
    rows: list[dict[str, Any]] = NoteSerializer(models.Note.objects.filter(object_id=record.pk), many=True).data
    return rows


class NoteFilter(AlyxFilter):
    """Filters of ``/notes``: any lookup of Django, and no field by itself."""

    class Meta(AlyxFilter.Meta):
        model = models.Note
        fields: list[str] = []


class NoteList(generics.ListCreateAPIView):
    """Lists or creates notes."""

    queryset = models.Note.objects.select_related("user")
    serializer_class = NoteSerializer
    permission_classes = PERMISSIONS
    filterset_class = NoteFilter


class NoteDetail(generics.RetrieveUpdateDestroyAPIView):
    """One note; only a whole one replaces it, as on Alyx."""

    queryset = models.Note.objects.all()
    serializer_class = NoteSerializer
    permission_classes = PERMISSIONS
