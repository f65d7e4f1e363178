"""How every route answers: pages, permissions, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from rest_framework import permissions
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

if TYPE_CHECKING:
    from rest_framework.request import Request


class Pages(LimitOffsetPagination):
    """Pages of 250 rows by default; what they have at most is the kind of server's affair."""

    default_limit = 250
    max_limit = settings.ALYX_SANDBOX_PAGE_LIMIT


class NotPublic(permissions.BasePermission):
    """A public user only reads."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether the request reads, or its user may write."""
        return request.method == "GET" or not request.user.is_public_user


#: Who may use a route: logged-in users; public ones only to read.
PERMISSIONS = (permissions.IsAuthenticated & NotPublic,)


def answer_error(error: Exception, context: dict[str, Any]) -> Response:
    """Return the answer to an error.

    Returns: the framework's with ``status_code`` in it, else a 500 with the error's text.
    """
    response = exception_handler(error, context)
    if response is None:
        return Response({"status_code": 500, "detail": str(error)}, status=500)
    response.data["status_code"] = response.status_code
    return response
