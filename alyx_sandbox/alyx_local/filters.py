"""The filters of Alyx-Local. A filter that nobody knows is ignored, as on Alyx."""

# ruff: noqa: D106, RUF012 - the Meta classes of Django, and their lists

from __future__ import annotations

import json
import re
from typing import Any

import django_filters
from django.db.models import Count, Q, QuerySet
from django_filters import CharFilter
from rest_framework.exceptions import ParseError

from alyx_sandbox import filters
from alyx_sandbox import models as tables
from alyx_sandbox.absent_filters import AbsentOfSessions
from alyx_sandbox.alyx_local.models import REPOSITORY, Session, Subject, WaterAdministration

#: Keys hold letters, digits, ``_``, space and ``+``.
_PAIR = re.compile(r"([\w +]+),(.*)")


class _Fields(filters.AlyxFilter.Meta):
    exclude = ["json"]


class SubjectFilter(filters.SubjectFilter):
    """Filters of ``/subjects``."""

    implant_weight = django_filters.NumberFilter()

    def _filter_alive(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        # Keep those without a death date, be it one to come, or those with one.
        return queryset.filter(death_date__isnull=value)

    def _filter_water_restricted(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        running = tables.WaterRestriction.objects.filter(end_time__isnull=True).values("subject")
        restricted = Q(pk__in=running)
        queryset = queryset.filter(restricted) if value else queryset.exclude(restricted)
        return queryset.filter(death_date__isnull=True)

    class Meta(_Fields):
        model = Subject


class SessionFilter(AbsentOfSessions, filters.AlyxFilter):
    """Filters of ``/sessions``. Those of types of datasets name a field that sessions have not, and fail."""

    subject = CharFilter("subject__nickname", method="_filter_any")
    users = CharFilter("users__username", method="_filter_any")
    dataset_types = CharFilter("dataset_types", method="_filter_any")
    date_range = CharFilter(method="_filter_date_range")
    lab = CharFilter("lab__name", lookup_expr="iexact")
    location = CharFilter("location__name", lookup_expr="icontains")
    type = CharFilter(lookup_expr="iexact")
    task_protocol = CharFilter(lookup_expr="icontains")
    qc = CharFilter(method="_filter_any")
    json = CharFilter(method="_filter_json")
    extended_qc = CharFilter(method="_filter_json")
    projects = CharFilter("projects__name", lookup_expr="icontains")
    project = CharFilter("projects__name", lookup_expr="icontains")
    procedures = CharFilter(method="_filter_procedures")
    exclude_procedures = CharFilter(method="_filter_exclude_procedures")
    performance_gte = django_filters.NumberFilter(method="_filter_performance_gte")
    performance_lte = django_filters.NumberFilter(method="_filter_performance_lte")
    histology = django_filters.BooleanFilter(method="_filter_histology")
    data_repository = CharFilter(method="_filter_data_repository")
    default_data_repository = CharFilter(method="_filter_default_data_repository")
    object = CharFilter(method="_filter_object")
    attribute = CharFilter(method="_filter_attribute")

    _with_performance = filters.SessionFilter._with_performance
    _filter_performance_gte = filters.SessionFilter._filter_performance_gte
    _filter_performance_lte = filters.SessionFilter._filter_performance_lte
    _filter_histology = filters.SessionFilter._filter_histology
    _filter_date_range = filters.ActionFilter._filter_date_range

    def _filter_any(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        # Keep what is any of the words, but nothing that is one of those after a ``~``.
        wanted, unwanted = Q(), Q()
        for word in filter(None, map(str.strip, value.split(","))):
            if word.startswith("~"):
                unwanted |= Q(**{name: _meaning(name, word[1:])})
            else:
                wanted |= Q(**{name: _meaning(name, word)})
        queryset = queryset.filter(wanted)
        return queryset.exclude(unwanted) if unwanted else queryset

    def _filter_json(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        # Keep the rows of which all pairs hold: a value is JSON, else a text.
        for pair in value.split(";"):
            parts = _PAIR.match(pair)
            if parts is None:
                raise ParseError(f"{name} filter {pair} was not parseable.")
            keys, wanted = parts[1], _json_or_text(parts[2])
            if keys.endswith("__isnull") and not isinstance(wanted, bool):
                raise ValueError("The QuerySet value for an isnull lookup must be True or False.")
            keep = queryset.exclude if "__not" in keys else queryset.filter
            queryset = keep(**{f"{name}__{keys.replace('__not', '')}": wanted})
        return queryset

    def _filter_procedures(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        # Keep the rows with a procedure that has all of the words in its name.
        held = Q()
        for word in value.split(","):
            held &= Q(procedures__name__icontains=word)
        return queryset.filter(held)

    def _filter_exclude_procedures(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        held = Q()
        for word in value.split(","):
            held |= Q(procedures__name__icontains=word)
        return queryset.exclude(held)

    def _filter_object(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return self._with_types(queryset, lambda object_, attribute: object_, value.split(","))

    def _filter_attribute(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return self._with_types(queryset, lambda object_, attribute: attribute, value.split(","))

    def _filter_data_repository(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        # Keep the sessions with datasets there.
        held = queryset.filter(data_dataset_session_related__isnull=False)
        return held if value == REPOSITORY.name else queryset.none()

    def _filter_default_data_repository(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        # Keep the sessions whose files would go there.
        of_projects = Session.objects.filter(subject__projects__isnull=False).values("pk")
        return queryset.filter(pk__in=of_projects) if value == REPOSITORY.name else queryset.none()

    def _with_types(self, queryset: QuerySet, part: Any, words: list[str]) -> QuerySet:
        # Keep the sessions with as many types of datasets as there are words.
        names = tables.DatasetType.objects.values_list("name", flat=True)
        wanted = [name for name in names if part(*object_and_attribute(name)) in words]
        lookup = "data_dataset_session_related__dataset_type"
        found = queryset.filter(**{f"{lookup}__name__in": wanted}).annotate(types=Count(lookup, distinct=True))
        return found.filter(types__gte=len(words))

    class Meta(_Fields):
        model = Session


def object_and_attribute(dataset_type: str) -> tuple[str, str]:
    """Return the two parts of the name of a type of datasets."""
    object_, _, attribute = dataset_type.partition(".")
    return (object_, attribute) if attribute else ("__undefined", "__undefined")


def name_of_dataset(dataset_type: tables.DatasetType, extension: str) -> str:
    """Return the name that a dataset gets at each save."""
    return ".".join(object_and_attribute(dataset_type.name)) + extension


def _meaning(name: str, word: str) -> str | int:
    if name != "qc":
        return word
    numbers = {label.lower(): number for number, label in tables.QC_CHOICES}
    if word.lower().strip() not in numbers:
        raise ValueError(f"Invalid{word}, choices are: {', '.join(label for _, label in tables.QC_CHOICES)}")
    return numbers[word.lower().strip()]


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


class WeighingFilter(filters.AlyxFilter):
    """Filters of ``/weighings``."""

    nickname = CharFilter("subject__nickname", lookup_expr="iexact")

    class Meta(_Fields):
        model = tables.Weighing


class WaterAdministrationFilter(filters.AlyxFilter):
    """Filters of ``/water-administrations``."""

    nickname = CharFilter("subject__nickname", lookup_expr="iexact")

    class Meta(_Fields):
        model = WaterAdministration


class DatasetFilter(filters.DatasetFilter):
    """Filters of ``/datasets``."""

    qc = content_type = object_id = None

    class Meta(_Fields):
        model = tables.Dataset
        exclude = ["json", "qc"]


class WaterRestrictionFilter(filters.AlyxFilter):
    """Filters of ``/water-restriction``."""

    subject = CharFilter("subject__nickname", lookup_expr="iexact")

    class Meta(_Fields):
        model = tables.WaterRestriction
