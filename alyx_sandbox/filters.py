"""The filters of the list routes. A filter that nobody knows is ignored, as on Alyx."""

# ruff: noqa: D106, RUF012 - the Meta classes of Django, and their lists

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_filters
from django.db import models
from django.db.models import Count, ExpressionWrapper, F, FloatField, Q, QuerySet
from django.utils import timezone
from django_filters import CharFilter
from django_filters import rest_framework as rest_filters

from alyx_sandbox.absent_filters import AbsentOfDatasets, AbsentOfLabs, AbsentOfSessions, AbsentOfSubjects
from alyx_sandbox.filter_values import parse_pairs
from alyx_sandbox.json_lookups import compare_like_postgresql
from alyx_sandbox.models import (
    QC_CHOICES,
    Dataset,
    Lab,
    LabMember,
    Session,
    Subject,
    WaterAdministration,
    WaterRestriction,
    Weighing,
)

if TYPE_CHECKING:
    from django.http import QueryDict

compare_like_postgresql()


class AlyxFilter(rest_filters.FilterSet):
    """Filters by field, and by any lookup of Django: ``django=start_time__date__gte,2024-01-01``."""

    base_filters: dict[str, django_filters.Filter]
    django = CharFilter(method="_filter_django")

    def __init__(self, data: QueryDict | None = None, *args: Any, **more: Any) -> None:
        # A form with dozens of fields takes longer than the answer; only the page for people shows one.
        if data is not None and more["request"].accepted_renderer.format == "json":
            self.base_filters = {name: one for name, one in self.base_filters.items() if name in data}
        super().__init__(data, *args, **more)

    def _filter_django(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        # Apply the pairs one after the other; a ``~`` before the name excludes.
        for lookup, wanted in parse_pairs(value).items():
            if lookup.startswith("~"):
                queryset = queryset.exclude(**{lookup[1:]: wanted})
            else:
                queryset = queryset.filter(**{lookup: wanted})
            queryset = queryset.distinct()
        # Rows without an order of their own come by id from Alyx too, once they are made distinct.
        return queryset if queryset.ordered else queryset.order_by("pk")

    def _filter_choice(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        # Filter a number by the name that stands for it.
        choices = queryset.model._meta.get_field(name).choices
        number = {label.lower(): key for key, label in choices}.get(value.lower().strip())
        if number is None:
            raise ValueError(f"Invalid{name}, choices are: {', '.join(label for _, label in choices)}")
        return queryset.filter(**{name: number})

    class Meta:
        filter_overrides = {models.JSONField: {"filter_class": CharFilter}}


class SubjectFilter(AbsentOfSubjects, AlyxFilter):
    """Filters of ``/subjects``."""

    alive = django_filters.BooleanFilter(method="_filter_alive")
    responsible_user = CharFilter("responsible_user__username")
    stock = django_filters.BooleanFilter(method="_filter_stock")
    water_restricted = django_filters.BooleanFilter(method="_filter_water_restricted")
    lab = CharFilter("lab__name")
    project = CharFilter("projects__name")

    def _filter_alive(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        # Keep those alive today, or those not.
        not_alive = Q(death_date__lte=timezone.now().date())
        return queryset.exclude(not_alive) if value else queryset.filter(not_alive)

    def _filter_stock(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        # Keep the subjects of stock managers, or those of others.
        stock = Q(responsible_user__is_stock_manager=True)
        return queryset.filter(stock) if value else queryset.exclude(stock)

    def _filter_water_restricted(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        # Keep those alive with a restriction that has no end, or those alive without one.
        restricted = Q(pk__in=WaterRestriction.objects.filter(end_time__isnull=True).values("subject"))
        queryset = queryset.filter(restricted) if value else queryset.exclude(restricted)
        return queryset.exclude(death_date__lte=timezone.now().date())

    class Meta(AlyxFilter.Meta):
        model = Subject
        exclude: list[str] = []


class ActionFilter(AlyxFilter):
    """Filters of what is done with a subject. Some name fields that not every table has: those fail, as on Alyx."""

    subject = CharFilter("subject__nickname", lookup_expr="iexact")
    nickname = CharFilter("subject__nickname", lookup_expr="iexact")
    users = CharFilter(method="_filter_users")
    date_range = CharFilter(method="_filter_date_range")
    lab = CharFilter("lab__name", lookup_expr="iexact")
    location = CharFilter("location__name", lookup_expr="icontains")
    json = CharFilter(method="_filter_json")

    def _filter_users(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        # Keep the rows that have every one of the users.
        users = value.split(",")
        queryset = queryset.filter(users__username__in=users).annotate(users_count=Count("users__username"))
        return queryset.filter(users_count__gte=len(users))

    def _filter_date_range(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        # Keep the rows that started on a day from the first to the last.
        days = value.split(",")
        return queryset.filter(start_time__date__gte=days[0], start_time__date__lte=days[1])

    def _filter_json(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        # Filter by what stands in a JSON field.
        return queryset.filter(**parse_pairs(value, prefix=f"{name}__"))


class SessionFilter(AbsentOfSessions, ActionFilter):
    """Filters of ``/sessions``."""

    dataset_types = CharFilter(method="_filter_dataset_types")
    datasets = CharFilter(method="_filter_datasets")
    dataset_qc_lte = CharFilter(method="_filter_dataset_qc_lte")
    histology = django_filters.BooleanFilter(method="_filter_histology")
    performance_gte = django_filters.NumberFilter(method="_filter_performance_gte")
    performance_lte = django_filters.NumberFilter(method="_filter_performance_lte")
    type = CharFilter(lookup_expr="iexact")
    task_protocol = CharFilter(lookup_expr="icontains")
    qc = CharFilter(method="_filter_choice")
    extended_qc = CharFilter(method="_filter_json")
    procedures = CharFilter("procedures__name", lookup_expr="icontains")
    projects = CharFilter("projects__name", lookup_expr="icontains")
    project = CharFilter("projects__name", lookup_expr="icontains")

    def _with_all(self, queryset: QuerySet, lookup: str, names: list[str]) -> QuerySet:
        found = queryset.filter(**{f"{lookup}__in": names}).annotate(found_count=Count(lookup, distinct=True))
        return found.filter(found_count__gte=len(names))

    def _filter_dataset_types(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        # Keep the sessions that have a dataset of every one of the types.
        return self._with_all(queryset, "data_dataset_session_related__dataset_type__name", value.split(","))

    def _filter_datasets(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        # Keep none: this is about datasets that are online, and the sandbox has none.
        _qc_number(self.data.get("dataset_qc_lte", "FAIL"))
        return queryset.none()

    def _filter_dataset_qc_lte(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        # Keep the sessions with a dataset that is at least so good; once for each, as on Alyx.
        if "datasets" in self.data:
            return queryset
        return queryset.filter(data_dataset_session_related__qc__lte=_qc_number(value))

    def _filter_histology(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        # Keep the sessions of subjects that have one of histology, or those of others.
        histology = Q(subject__actions_sessions__procedures__name="Histology")
        return (queryset.filter(histology) if value else queryset.exclude(histology)).distinct()

    def _with_performance(self, queryset: QuerySet) -> QuerySet:
        performance = ExpressionWrapper(100 * F("n_correct_trials") / F("n_trials"), output_field=FloatField())
        return queryset.exclude(n_trials__isnull=True).annotate(performance=performance)

    def _filter_performance_gte(self, queryset: QuerySet, name: str, value: Any) -> QuerySet:
        # Keep the sessions with at least so many percent of correct trials.
        return self._with_performance(queryset).filter(performance__gte=float(value))

    def _filter_performance_lte(self, queryset: QuerySet, name: str, value: Any) -> QuerySet:
        # Keep the sessions with at most so many percent of correct trials.
        return self._with_performance(queryset).filter(performance__lte=float(value))

    class Meta(AlyxFilter.Meta):
        model = Session
        exclude: list[str] = []


class WeighingFilter(ActionFilter):
    """Filters of ``/weighings``."""

    class Meta(AlyxFilter.Meta):
        model = Weighing
        exclude: list[str] = []


class WaterAdministrationFilter(ActionFilter):
    """Filters of ``/water-administrations``."""

    class Meta(AlyxFilter.Meta):
        model = WaterAdministration
        exclude: list[str] = []


class WaterRestrictionFilter(ActionFilter):
    """Filters of ``/water-restriction``."""

    class Meta(AlyxFilter.Meta):
        model = WaterRestriction
        exclude: list[str] = []


class UserFilter(AlyxFilter):
    """Filters of ``/users``."""

    class Meta(AlyxFilter.Meta):
        model = LabMember
        exclude = ["password"]


class LabFilter(AbsentOfLabs, AlyxFilter):
    """Filters of ``/labs``."""

    class Meta(AlyxFilter.Meta):
        model = Lab
        exclude = ["json"]


class DatasetFilter(AbsentOfDatasets, AlyxFilter):
    """Filters of ``/datasets``."""

    subject = CharFilter("session__subject__nickname")
    lab = CharFilter("session__lab__name")
    date = CharFilter("session__start_time__date")
    created_by = CharFilter("created_by__username")
    created_date = CharFilter("created_datetime__date")
    created_date_gte = django_filters.DateTimeFilter("created_datetime__date", lookup_expr="gte")
    created_date_lte = django_filters.DateTimeFilter("created_datetime__date", lookup_expr="lte")
    dataset_type = CharFilter("dataset_type__name")
    experiment_number = CharFilter("session__number")
    qc = CharFilter(method="_filter_choice")

    class Meta(AlyxFilter.Meta):
        model = Dataset
        exclude = ["json"]


def _qc_number(text: str) -> int:
    numbers = {label: number for number, label in QC_CHOICES}
    number = int(text) if text.isnumeric() else numbers.get(text.upper())
    if number is None or number not in numbers.values():
        raise ValueError(f"{text} is not a valid QC")
    return number
