"""Filters of Alyx by what no row of the sandbox has: cages, tags, revisions, formats, brain regions.

They refuse what Alyx refuses and find what it finds in a lab without these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import django_filters
from django.contrib.contenttypes.models import ContentType
from django_filters import CharFilter, ChoiceFilter, ModelChoiceFilter, ModelMultipleChoiceFilter, NumberFilter
from django_filters import rest_framework as rest_filters

from alyx_sandbox.models import Dataset, Lab

if TYPE_CHECKING:
    from django.db.models import QuerySet

#: A table with ids in which nothing is.
_EMPTY = Lab.objects.none()
_SEVERITIES = [(number, str(number)) for number in range(1, 6)]
_LIGHT_CYCLES = [(0, "Normal"), (1, "Inverted")]


class _Absent(rest_filters.FilterSet):
    def _find_none(self, queryset: QuerySet, name: str, value: Any) -> QuerySet:
        # Nothing has it.
        return queryset.none()

    def _find_none_that_is(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        # All are without it.
        return queryset.none() if value else queryset

    def _find_no_probe(self, queryset: QuerySet, name: str, value: Any) -> QuerySet:
        # As on Alyx: what is not there is an error, not an empty list.
        raise ValueError("ProbeInsertion matching query does not exist.")


class AbsentOfSubjects(_Absent):
    """Filters of ``/subjects``."""

    actual_severity = ChoiceFilter(choices=_SEVERITIES)
    genotype_test = ModelMultipleChoiceFilter(queryset=_EMPTY)
    request = ModelChoiceFilter(queryset=_EMPTY)


class AbsentOfSessions(_Absent):
    """Filters of ``/sessions``."""

    atlas_acronym = CharFilter(method="_find_none")
    atlas_id = NumberFilter(method="_find_none")
    atlas_name = CharFilter(method="_find_none")
    tag = CharFilter(method="_find_none")


class AbsentOfDatasets(_Absent):
    """Filters of ``/datasets``."""

    content_type = ModelChoiceFilter(queryset=ContentType.objects.all(), method="_find_none")
    data_format = ModelChoiceFilter(queryset=_EMPTY)
    # Without a server that holds files, Alyx does not look at this either.
    exists = django_filters.BooleanFilter(method="_find_all")
    generating_software = CharFilter(method="_find_none")
    md5 = django_filters.UUIDFilter(method="_find_none")
    object_id = django_filters.UUIDFilter(method="_find_none")
    probe_insertion = django_filters.UUIDFilter(method="_find_no_probe")
    protected = django_filters.BooleanFilter(method="_find_none_that_is")
    provenance_directory = ModelChoiceFilter(queryset=Dataset.objects.all(), method="_find_none")
    public = django_filters.BooleanFilter(method="_find_none_that_is")
    revision = CharFilter(method="_find_none")
    tag = CharFilter(method="_find_none")
    tags = ModelMultipleChoiceFilter(queryset=_EMPTY)

    def _find_all(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        return queryset


class AbsentOfLabs(_Absent):
    """Filters of ``/labs``."""

    cage_cleaning_frequency_days = NumberFilter(method="_find_none")
    cage_type = ModelChoiceFilter(queryset=_EMPTY)
    enrichment = ModelChoiceFilter(queryset=_EMPTY)
    food = ModelChoiceFilter(queryset=_EMPTY)
    light_cycle = ChoiceFilter(choices=_LIGHT_CYCLES, method="_find_none")
    repositories = ModelMultipleChoiceFilter(queryset=_EMPTY)
