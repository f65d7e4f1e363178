"""The routes of the sandbox that stands in for Alyx-Local: all of its API is below ``/api/``."""

from django.urls import include, path
from django.views.generic.base import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.authtoken.views import obtain_auth_token

from alyx_sandbox import notes
from alyx_sandbox import views as alyx
from alyx_sandbox.alyx_local import views

_api = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("", SpectacularSwaggerView.as_view(url_name="schema"), name="swagger-ui"),
    path("auth-token", obtain_auth_token),
    path("dataset-types", views.DatasetTypeList.as_view(), name="datasettype-list"),
    path("dataset-types/<str:name>", views.DatasetTypeDetail.as_view(), name="datasettype-detail"),
    path("datasets", views.DatasetList.as_view(), name="dataset-list"),
    path("datasets/<uuid:pk>", views.DatasetDetail.as_view(), name="dataset-detail"),
    path("labs", alyx.LabList.as_view(), name="lab-list"),
    path("labs/<str:name>", alyx.LabDetail.as_view(), name="lab-detail"),
    path("locations", views.LocationList.as_view(), name="location-list"),
    path("locations/<str:name>", views.LocationDetail.as_view(), name="location-detail"),
    path("notes", notes.NoteList.as_view(), name="note-list"),
    path("notes/<uuid:pk>", notes.NoteDetail.as_view(), name="note-detail"),
    path("procedures", views.ProcedureList.as_view(), name="procedures-list"),
    path("projects", views.ProjectList.as_view(), name="project-list"),
    path("projects/<str:name>", views.ProjectDetail.as_view(), name="project-detail"),
    path("server-info", views.ServerInfo.as_view(), name="server-info"),
    path("sessions", views.SessionList.as_view(), name="session-list"),
    path("sessions/<uuid:pk>", views.SessionDetail.as_view(), name="session-detail"),
    path("sessions/<path:name>", views.SessionDetailByName.as_view(), name="session-detail-by-name"),
    path("subjects", views.SubjectList.as_view(), name="subject-list"),
    path("subjects/<str:name>", views.SubjectDetail.as_view(), name="subject-detail"),
    path("users", views.UserList.as_view(), name="user-list"),
    path("users/<str:username>", views.UserDetail.as_view(), name="user-detail"),
    path("water-administrations", views.WaterAdministrationList.as_view(), name="wateradministration-list"),
    path(
        "water-administrations/<uuid:pk>",
        views.WaterAdministrationDetail.as_view(),
        name="wateradministration-detail",
    ),
    path("water-requirement/<str:name>", views.WaterRequirement.as_view(), name="water-requirement"),
    path("water-restricted-subjects", views.WaterRestrictedSubjectList.as_view(), name="water-restricted-subjects"),
    path("water-restriction", views.WaterRestrictionList.as_view(), name="water-restriction-list"),
    path("water-type", views.WaterTypeList.as_view(), name="watertype-list"),
    path("weighings", views.WeighingList.as_view(), name="weighing-list"),
    path("weighings/<uuid:pk>", views.WeighingDetail.as_view(), name="weighing-detail"),
]

urlpatterns = [
    path("", RedirectView.as_view(url="/admin")),
    path("admin/login/", alyx.login_page),
    path("api/", include(_api)),
]
