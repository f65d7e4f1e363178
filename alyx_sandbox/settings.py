"""The settings of Django for one run of the sandbox."""

from __future__ import annotations

import secrets
import warnings
from typing import TYPE_CHECKING

import django
from django.conf import settings

if TYPE_CHECKING:
    from pathlib import Path

    from alyx_sandbox.options import Options


def configure(options: Options, folder: Path, server_zone: str) -> None:
    """Set Django up. Comes before any import of the tables.

    ``server_zone``: the zone of the server's clock, which decides the day of a naive time, unless an option names one.
    """
    kind = options.kind
    # A naive time in a filter is one of the server's zone, as it is on a real one.
    warnings.filterwarnings("ignore", r"DateTimeField .* received a naive datetime", RuntimeWarning)
    settings.configure(
        DEBUG=False,
        SECRET_KEY=secrets.token_urlsafe(),
        ALLOWED_HOSTS=["127.0.0.1", "localhost"],
        ROOT_URLCONF=kind.urls,
        AUTH_USER_MODEL="alyx_sandbox.LabMember",
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "rest_framework",
            "rest_framework.authtoken",
            "django_filters",
            "drf_spectacular",
            "alyx_sandbox",
            *kind.apps,
        ],
        # Tables are made from the models: a sandbox has no past to migrate from.
        MIGRATION_MODULES=dict.fromkeys(["contenttypes", "auth", "authtoken", "alyx_sandbox", "alyx_local"]),
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        # The passwords stand in a file that everybody can read: a slow hash would protect nothing.
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": folder / "alyx.sqlite3",
                "CONN_MAX_AGE": None,
                "OPTIONS": {
                    "timeout": 30,
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
                },
            }
        },
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        STATIC_URL="/static/",
        USE_I18N=False,
        USE_TZ=kind.keeps_offsets,
        TIME_ZONE=options.time_zone or server_zone,
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": [
                # First, so that a missing token is a 403 and not a 401.
                "rest_framework.authentication.SessionAuthentication",
                "rest_framework.authentication.TokenAuthentication",
            ],
            "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
            "DEFAULT_RENDERER_CLASSES": [
                "rest_framework.renderers.JSONRenderer",
                *["rest_framework.renderers.BrowsableAPIRenderer"] * kind.renders_pages,
            ],
            "DEFAULT_PAGINATION_CLASS": "alyx_sandbox.api.Pages",
            "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
            "DEFAULT_THROTTLE_CLASSES": ["alyx_sandbox.throttle.SharedUserThrottle"],
            "DEFAULT_THROTTLE_RATES": {"burst": options.throttle},
            "EXCEPTION_HANDLER": "alyx_sandbox.api.answer_error",
            "STRICT_JSON": False,
        },
        # What the schema cannot tell is a text, as in the schema of Alyx; nobody needs to read that at every start.
        SPECTACULAR_SETTINGS={
            "DISABLE_ERRORS_AND_WARNINGS": True,
            "DEFAULT_GENERATOR_CLASS": "alyx_sandbox.description.Description",
            **kind.schema,
        },
        ALYX_SANDBOX_PAGE_LIMIT=kind.page_limit,
        ALYX_SANDBOX_COUNTER=folder / "throttle.sqlite3",
    )
    django.setup()
