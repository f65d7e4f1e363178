"""The routes' behaviour: which rows, which methods."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import F
from django.http import HttpResponse
from django.utils import dateformat, timezone
from rest_framework import generics
from rest_framework.response import Response
from rest_framework.views import APIView

from alyx_sandbox import filters
from alyx_sandbox import serializers as rows
from alyx_sandbox import session_serializers as session_rows
from alyx_sandbox import subject_serializers as subject_rows
from alyx_sandbox.api import PERMISSIONS
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
    WaterRestriction,
    WaterType,
    Weighing,
)
from alyx_sandbox.water import noon, water_control

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request
    from rest_framework.serializers import BaseSerializer

_SUBJECTS = Subject.objects.select_related(
    "responsible_user", "species", "strain", "line", "litter", "source", "lab"
).prefetch_related("projects", "zygosity_set__allele", "line__alleles")


def login_page(_request: HttpRequest) -> HttpResponse:
    """Show the page of Alyx's own forms on which one logs in: it says how far the server's clock is ahead of UTC (s).

    Nothing in the hour that comes twice, as on Alyx.
    """
    now = timezone.localtime() if settings.USE_TZ else datetime.now()  # noqa: DTZ005 - of the server's zone, as Alyx
    offset = dateformat.format(now, "Z")
    page = f'<!DOCTYPE html><title>Log in</title><body class=" login"\n  data-admin-utc-offset="{offset}"></body>'
    return HttpResponse(page)


class SubjectList(generics.ListCreateAPIView):
    """Lists or creates subjects."""

    queryset = _SUBJECTS
    serializer_class = subject_rows.SubjectSerializer
    permission_classes = PERMISSIONS
    filterset_class = filters.SubjectFilter


class SubjectDetail(generics.RetrieveUpdateDestroyAPIView):
    """One subject, by nickname."""

    queryset = _SUBJECTS
    serializer_class = subject_rows.SubjectDetailSerializer
    permission_classes = PERMISSIONS
    lookup_field = "nickname"


class WaterRestrictedSubjectList(generics.ListAPIView):
    """Lists the subjects with a water restriction that has no end."""

    queryset = Subject.objects.select_related("lab").filter(
        pk__in=WaterRestriction.objects.filter(end_time__isnull=True).values("subject")
    )
    serializer_class = subject_rows.WaterRestrictedSubjectSerializer
    permission_classes = PERMISSIONS


class ProjectList(generics.ListCreateAPIView):
    """Lists or creates Alyx projects."""

    queryset = Project.objects.prefetch_related("users")
    serializer_class = rows.ProjectSerializer
    permission_classes = PERMISSIONS


class ProjectDetail(generics.RetrieveUpdateDestroyAPIView):
    """One Alyx project."""

    queryset = Project.objects.all()
    serializer_class = rows.ProjectSerializer
    permission_classes = PERMISSIONS
    lookup_field = "name"


class UserList(generics.ListCreateAPIView):
    """Lists or creates users."""

    queryset = LabMember.objects.prefetch_related("subjects_responsible", "allowed_users")
    serializer_class = rows.UserSerializer
    permission_classes = PERMISSIONS
    filterset_class = filters.UserFilter


class UserDetail(generics.RetrieveUpdateDestroyAPIView):
    """One user."""

    queryset = LabMember.objects.all()
    serializer_class = rows.UserSerializer
    permission_classes = PERMISSIONS
    lookup_field = "username"


class LabList(generics.ListCreateAPIView):
    """Lists or creates labs."""

    queryset = Lab.objects.all()
    serializer_class = rows.LabSerializer
    permission_classes = PERMISSIONS
    filterset_class = filters.LabFilter


class LabDetail(generics.RetrieveUpdateDestroyAPIView):
    """One lab."""

    queryset = Lab.objects.all()
    serializer_class = rows.LabSerializer
    permission_classes = PERMISSIONS
    lookup_field = "name"


class LocationList(generics.ListAPIView):
    """Lists lab locations."""

    queryset = LabLocation.objects.select_related("lab")
    serializer_class = rows.LocationSerializer
    permission_classes = PERMISSIONS


class LocationDetail(generics.RetrieveUpdateAPIView):
    """One lab location."""

    queryset = LabLocation.objects.all()
    serializer_class = rows.LocationSerializer
    permission_classes = PERMISSIONS
    lookup_field = "name"


class ProcedureList(generics.ListCreateAPIView):
    """Lists or creates procedure types."""

    queryset = ProcedureType.objects.all()
    serializer_class = rows.ProcedureSerializer
    permission_classes = PERMISSIONS


class _ListOfOtherRows(generics.ListCreateAPIView):
    # The rows of its list are others than the answer to a new one.

    detail_serializer_class: type[BaseSerializer]

    def get_serializer_class(self) -> type[BaseSerializer]:
        """Return what shows a row of the list, or a new record."""
        is_new = self.request and self.request.method == "POST"
        return self.detail_serializer_class if is_new else super().get_serializer_class()


class SessionList(_ListOfOtherRows):
    """Lists or creates sessions; the newest stands first, in short."""

    queryset = (
        Session.objects.select_related("subject", "lab")
        .prefetch_related("projects")
        .order_by(F("start_time").desc(nulls_first=True))
    )
    serializer_class = session_rows.SessionListSerializer
    detail_serializer_class = session_rows.SessionDetailSerializer
    permission_classes = PERMISSIONS
    filterset_class = filters.SessionFilter


class SessionDetail(generics.RetrieveUpdateDestroyAPIView):
    """One session."""

    queryset = Session.objects.all()
    serializer_class = session_rows.SessionDetailSerializer
    permission_classes = PERMISSIONS


class WeighingList(generics.ListCreateAPIView):
    """Lists or creates weighings."""

    queryset = Weighing.objects.select_related("subject", "user")
    serializer_class = rows.WeighingSerializer
    permission_classes = PERMISSIONS
    filterset_class = filters.WeighingFilter


class WeighingDetail(generics.RetrieveDestroyAPIView):
    """One weighing."""

    queryset = Weighing.objects.all()
    serializer_class = rows.WeighingSerializer
    permission_classes = PERMISSIONS


class WaterTypeList(generics.ListCreateAPIView):
    """Lists or creates water types."""

    queryset = WaterType.objects.all()
    serializer_class = rows.WaterTypeSerializer
    permission_classes = PERMISSIONS


class WaterAdministrationList(generics.ListCreateAPIView):
    """Lists or creates water administrations."""

    queryset = WaterAdministration.objects.select_related("subject", "user", "session", "water_type")
    serializer_class = rows.WaterAdministrationSerializer
    permission_classes = PERMISSIONS
    filterset_class = filters.WaterAdministrationFilter


class WaterAdministrationDetail(generics.RetrieveUpdateDestroyAPIView):
    """One water administration."""

    queryset = WaterAdministration.objects.all()
    serializer_class = rows.WaterAdministrationSerializer
    permission_classes = PERMISSIONS


class WaterRestrictionList(generics.ListAPIView):
    """Lists water restrictions."""

    queryset = WaterRestriction.objects.select_related("subject", "water_type").order_by(
        F("end_time").desc(nulls_first=True), F("start_time").desc(nulls_first=True)
    )
    serializer_class = rows.WaterRestrictionSerializer
    permission_classes = PERMISSIONS
    filterset_class = filters.WaterRestrictionFilter


class WaterRequirement(APIView):
    """What a subject weighed, should weigh, drank and should drink, day by day."""

    permission_classes = PERMISSIONS

    def get(self, request: Request, nickname: str) -> Response:
        """Answer with the records of the days from ``start_date`` to ``end_date``."""
        start = request.query_params.get("start_date")
        control = water_control(Subject.objects.select_related("lab").get(nickname=nickname))
        records = list(control.records(start, request.query_params.get("end_date")))
        answer: dict[str, Any] = {
            "subject": nickname,
            "implant_weight": control.reference_implant_weight(noon(start) if start else None),
            "reference_weight_pct": control.reference_weight_pct,
            "zscore_weight_pct": control.zscore_weight_pct,
            "records": records,
        }
        return Response(answer)


class DatasetTypeList(generics.ListCreateAPIView):
    """Lists or creates dataset types."""

    queryset = DatasetType.objects.select_related("created_by")
    serializer_class = rows.DatasetTypeSerializer
    permission_classes = PERMISSIONS


class DatasetTypeDetail(generics.RetrieveUpdateDestroyAPIView):
    """One dataset type."""

    queryset = DatasetType.objects.all()
    serializer_class = rows.DatasetTypeSerializer
    permission_classes = PERMISSIONS
    lookup_field = "name"


class DatasetList(_ListOfOtherRows):
    """Lists or creates datasets; a row of the list tells more than the answer to a new one."""

    queryset = Dataset.objects.select_related("created_by", "dataset_type", "session")
    serializer_class = session_rows.DatasetSerializer
    detail_serializer_class = session_rows.DatasetDetailSerializer
    permission_classes = PERMISSIONS
    filterset_class = filters.DatasetFilter


class DatasetDetail(generics.RetrieveUpdateDestroyAPIView):
    """One dataset."""

    queryset = Dataset.objects.all()
    serializer_class = session_rows.DatasetDetailSerializer
    permission_classes = PERMISSIONS
