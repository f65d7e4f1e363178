"""Alyx-Local's settings, with the database, log and folders of a test. Nothing of the package is changed."""

import os
from pathlib import Path

# In a container Alyx-Local's settings want the file of the database's password; it is not used below.
os.environ.setdefault("POSTGRES_PASSWORD_FILE", __file__)

import alyx
from alyx.base.settings import *  # noqa: F403
from alyx.base.settings import TEMPLATES

FOLDER = Path(os.environ["ALYX_LOCAL_FOLDER"])
PACKAGE = Path(alyx.__file__).parent

# The migrations name a database "alyx" and a role "postgres".
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "alyx",
        "USER": "postgres",
        "HOST": str(FOLDER / "pg"),
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "ERROR"},
}
TEMPLATES[0]["DIRS"] = [str(PACKAGE / "templates")]
STATICFILES_DIRS = [str(PACKAGE / "static_overrides")]
STATIC_ROOT = str(FOLDER / "static")
MEDIA_ROOT = str(FOLDER / "media")
DISABLE_MAIL = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
