"""The behaviour of the routes of Alyx-Local."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import django
from django.db.models import F
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics
from rest_framework.response import Response
from rest_framework.views import APIView

from alyx_sandbox import models as tables
from alyx_sandbox import views as alyx
from alyx_sandbox.alyx_local import filters
from alyx_sandbox.alyx_local import serializers as rows
from alyx_sandbox.alyx_local import session_serializers as session_rows
from alyx_sandbox.alyx_local.models import Session, Subject, WaterAdministration, implant_weight
from alyx_sandbox.api import PERMISSIONS

if TYPE_CHECKING:
    from rest_framework.request import Request

_STARTED = time.monotonic()
#: The version that the sandbox answers like.
VERSION = "3.1.8"
_SUBJECTS = (
    Subject.objects.select_related("responsible_user", "species", "strain", "line", "litter", "source", "lab")
    .prefetch_related("projects", "zygosity_set__allele", "line__alleles")
    .alias(implant_weight=implant_weight())
)


class SubjectList(alyx.SubjectList):
    """Lists or creates subjects."""

    queryset = _SUBJECTS
    serializer_class = rows.SubjectListSerializer
    filterset_class = filters.SubjectFilter


class SubjectDetail(alyx.SubjectDetail):
    """One subject, by its name."""

    queryset = _SUBJECTS
    serializer_class = rows.SubjectDetailSerializer
    lookup_field = "name"


class WaterRestrictedSubjectList(alyx.WaterRestrictedSubjectList):
    """Lists the subjects with a water restriction that has no end."""

    queryset = Subject.objects.select_related("lab").filter(
        pk__in=tables.WaterRestriction.objects.filter(end_time__isnull=True).values("subject")
    )
    serializer_class = rows.WaterRestrictedSubjectListSerializer


class ProjectList(alyx.ProjectList):
    """Lists or creates Alyx projects."""

    serializer_class = rows.ProjectSerializer


class ProjectDetail(alyx.ProjectDetail):
    """One Alyx project."""

    serializer_class = rows.ProjectSerializer


class UserList(generics.ListAPIView):
    """Lists users: all of them, no filter is known."""

    queryset = tables.LabMember.objects.prefetch_related("subjects_responsible")
    serializer_class = rows.UserSerializer
    permission_classes = PERMISSIONS
    filter_backends = ()


class UserDetail(generics.RetrieveAPIView):
    """One user."""

    queryset = tables.LabMember.objects.all()
    serializer_class = rows.UserSerializer
    permission_classes = PERMISSIONS
    lookup_field = "username"


class LocationList(alyx.LocationList):
    """Lists lab locations."""

    serializer_class = rows.LabLocationSerializer


class LocationDetail(alyx.LocationDetail):
    """One lab location."""

    serializer_class = rows.LabLocationSerializer


class ProcedureList(alyx.ProcedureList):
    """Lists or creates procedure types."""

    serializer_class = rows.ProcedureTypeSerializer


class SessionList(alyx.SessionList):
    """Lists or creates sessions; the newest stands first, in short."""

    queryset = (
        Session.objects.select_related("subject")
        .prefetch_related("projects", "users", "procedures", "subject__projects")
        .order_by(F("start_time").desc(nulls_first=True))
    )
    serializer_class = session_rows.SessionListSerializer
    detail_serializer_class = session_rows.SessionDetailSerializer
    filterset_class = filters.SessionFilter


def _session_operations(suffix: str) -> dict[str, Any]:
    names = {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "delete"}
    return {method: extend_schema(operation_id=f"session_{name}{suffix}") for method, name in names.items()}


@extend_schema_view(**_session_operations(""))
class SessionDetail(generics.RetrieveUpdateDestroyAPIView):
    """One session."""

    queryset = Session.objects.all()
    serializer_class = session_rows.SessionDetailSerializer
    permission_classes = PERMISSIONS


@extend_schema_view(**_session_operations("_by_name"))
class SessionDetailByName(SessionDetail):
    """One session, by the name that it has now."""

    lookup_field = "name"


class WeighingList(alyx.WeighingList):
    """Lists or creates weighings."""

    serializer_class = rows.WeighingDetailSerializer
    filterset_class = filters.WeighingFilter


class WeighingDetail(alyx.WeighingDetail):
    """One weighing."""

    serializer_class = rows.WeighingDetailSerializer


class WaterTypeList(alyx.WaterTypeList):
    """Lists or creates water types: fails as soon as there is one."""

    serializer_class = rows.WaterTypeDetailSerializer


class WaterAdministrationList(alyx.WaterAdministrationList):
    """Lists or creates water administrations."""

    queryset = WaterAdministration.objects.select_related("subject", "user", "session", "water_type")
    serializer_class = rows.WaterAdministrationDetailSerializer
    filterset_class = filters.WaterAdministrationFilter


class WaterAdministrationDetail(alyx.WaterAdministrationDetail):
    """One water administration."""

    queryset = WaterAdministration.objects.all()
    serializer_class = rows.WaterAdministrationDetailSerializer


class WaterRestrictionList(alyx.WaterRestrictionList):
    """Lists water restrictions."""

    serializer_class = rows.WaterRestrictionListSerializer
    filterset_class = filters.WaterRestrictionFilter


class WaterRequirement(APIView):
    """What a subject should drink: it fails for everybody."""

    permission_classes = PERMISSIONS
    serializer_class = rows.WaterRequirementSerializer

    def get(self, request: Request, name: str) -> Response:
        """Fail in the words of Alyx-Local, whose view does not take the parameter of its route."""
        raise TypeError("WaterRequirement.get() got an unexpected keyword argument 'name'")


class ServerInfo(APIView):
    """What the server says about itself."""

    permission_classes = PERMISSIONS
    serializer_class = rows.ServerInfoSerializer

    def get(self, request: Request) -> Response:
        """Answer with versions, and for how long the server runs."""
        minutes, seconds = divmod(int(time.monotonic() - _STARTED), 60)
        uptime = f"{minutes // 60:02}h:{minutes % 60:02}m:{seconds:02}s"
        versions = {"alyx_version": VERSION, "django_version": django.__version__}
        return Response({**versions, "server_uptime": uptime})


class DatasetTypeList(alyx.DatasetTypeList):
    """Lists or creates dataset types."""

    queryset = tables.DatasetType.objects.select_related("created_by").order_by("name")
    serializer_class = rows.DatasetTypeSerializer


class DatasetTypeDetail(alyx.DatasetTypeDetail):
    """One dataset type."""

    serializer_class = rows.DatasetTypeSerializer


class DatasetList(generics.ListCreateAPIView):
    """Lists or creates datasets."""

    queryset = tables.Dataset.objects.select_related("created_by", "dataset_type", "session")
    permission_classes = PERMISSIONS
    serializer_class = session_rows.DatasetSerializer
    filterset_class = filters.DatasetFilter


class DatasetDetail(alyx.DatasetDetail):
    """One dataset."""

    serializer_class = session_rows.DatasetSerializer
