"""Which columns the rows of an endpoint have, in which order, and of what kind; nothing of pandas."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ACCOUNT",
    "DETAIL_ERROR",
    "ENDPOINT",
    "FILTER",
    "KIND_OF_FIELD",
    "QC_WORDS",
    "READ_LAST",
    "UNKNOWN",
    "WATER_REQUIREMENT",
    "Column",
    "Kind",
    "Layout",
    "in_reading_order",
    "known_layout",
    "read_first",
]


class Kind(str, Enum):
    """What a column holds, and so its dtype."""

    #: Text: ``string``.
    TEXT = "text"
    #: Whole numbers: ``Int64``.
    COUNT = "count"
    #: Numbers: ``Float64``.
    NUMBER = "number"
    #: True or False: ``boolean``.
    FLAG = "flag"
    #: Times and days: ``datetime64[ns]``, lab time.
    TIME = "time"
    #: A word of ``qc``: an ordered ``category``, from NOT_SET to CRITICAL.
    QC = "qc"
    #: A dict, a list or None, or what else somebody put there: ``object``.
    JSON = "json"
    #: Whatever Alyx nests in a record, mostly lists: ``object``.
    NESTED = "nested"


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    #: As Alyx calls the field.
    name: str
    #: What it holds.
    kind: Kind


@dataclass(frozen=True)
class Layout:
    """The columns of an endpoint."""

    #: Those of the list, in Alyx's order.
    listed: tuple[Column, ...]
    #: Those that only the detail of a record has, in Alyx's order; empty where the list tells everything.
    detailed: tuple[Column, ...] = ()

    @property
    def details_tell_much(self) -> bool:
        """Whether the details tell much that the list does not, as those of sessions: at least half as much again."""
        return bool(self.detailed) and 2 * len(self.detailed) >= len(self.listed)


#: The words of a ``qc`` from the best to the worst but for the first, with the number that stands for each.
QC_WORDS = ((0, "NOT_SET"), (10, "PASS"), (30, "WARNING"), (40, "FAIL"), (50, "CRITICAL"))

#: Why a record has no details: the last column of a search with details.
DETAIL_ERROR = Column("detail_error", Kind.TEXT)

#: The columns of `Connector.accounts`, `Connector.endpoints` and `Connector.filters`.
ACCOUNT = (
    Column("url", Kind.TEXT),
    Column("username", Kind.TEXT),
    Column("default_server", Kind.FLAG),
    Column("default_user", Kind.FLAG),
)
ENDPOINT = (
    Column("endpoint", Kind.TEXT),
    Column("details_by", Kind.TEXT),
    Column("details", Kind.FLAG),
    Column("details_add", Kind.NESTED),
    Column("filters", Kind.NESTED),
)
FILTER = (
    Column("filter", Kind.TEXT),
    Column("takes", Kind.TEXT),
    Column("match", Kind.TEXT),
    Column("usable", Kind.FLAG),
    Column("instead", Kind.TEXT),
    Column("description", Kind.TEXT),
)
#: Where neither we nor the server know the columns.
UNKNOWN = Layout((Column("id", Kind.TEXT),))

# What a field of this name holds on every endpoint; the schema calls most of these text. The rest is text.
_COUNTS = "number n_trials n_correct_trials file_size age_weeks experiment_number protected public"
_NUMBERS = (
    "weight weighing_at water_administered reference_weight expected_weight min_weight percentage_weight "
    "implant_weight expected_water remaining_water given_water_reward given_water_supplement given_water_total "
    "excess_water reference_weight_pct zscore_weight_pct"
)
_FLAGS = "alive adlib default_dataset is_water_restricted is_staff is_active is_superuser is_stock_manager"
_TIMES = (
    "start_time end_time auto_datetime date_time created_datetime date birth_date death_date last_water_restriction "
    "date_joined last_login"
)
_JSON = "json extended_qc"
_NESTED = (
    "projects session_projects users procedures genotype weighings water_administrations tags file_records notes "
    "wateradmin_session_related data_dataset_session_related probe_insertion field_of_view subjects_responsible lab_m "
    "allowed_users"
)
KIND_OF_FIELD = {
    name: kind
    for kind, names in (
        (Kind.COUNT, _COUNTS),
        (Kind.NUMBER, _NUMBERS),
        (Kind.FLAG, _FLAGS),
        (Kind.TIME, _TIMES),
        (Kind.QC, "qc"),
        (Kind.JSON, _JSON),
        (Kind.NESTED, _NESTED),
    )
    for name in names.split()
}


def _columns(names: str) -> tuple[Column, ...]:
    return tuple(Column(name, KIND_OF_FIELD.get(name, Kind.TEXT)) for name in names.split())


_LAYOUTS = {
    "sessions": Layout(
        _columns("id subject start_time number lab projects url task_protocol"),
        _columns(
            "users location procedures type end_time narrative parent_session n_correct_trials n_trials extended_qc qc "
            "wateradmin_session_related data_dataset_session_related auto_datetime json probe_insertion field_of_view "
            "notes"
        ),
    ),
    "subjects": Layout(
        _columns(
            "id nickname url responsible_user birth_date age_weeks death_date species sex litter strain source line "
            "projects session_projects lab genotype description alive reference_weight last_water_restriction "
            "expected_water remaining_water json"
        ),
        _columns("weighings water_administrations"),
    ),
    "weighings": Layout(_columns("id subject date_time weight user url")),
    "water-administrations": Layout(
        _columns("id subject date_time water_administered water_type user url session adlib")
    ),
    "datasets": Layout(
        _columns(
            "id url name created_by created_datetime dataset_type data_format collection session file_size hash "
            "version experiment_number file_records auto_datetime revision default_dataset protected public tags qc "
            "json"
        )
    ),
}
#: What a person reads first of a record; the order of columns, and the choice where there is no room for all.
_READ_FIRST = {
    endpoint: tuple(names.split())
    for endpoint, names in {
        "sessions": "subject start_time number task_protocol narrative n_trials lab projects qc",
        "subjects": "nickname lab responsible_user sex birth_date alive reference_weight remaining_water",
        "weighings": "subject date_time weight user",
        "water-administrations": "subject date_time water_administered water_type adlib user",
        "datasets": "name collection session file_size created_datetime qc",
    }.items()
}
#: What nobody reads.
READ_LAST = ("id", "url")
#: A day of ``/water-requirement``.
WATER_REQUIREMENT = _columns(
    "id date weight weighing_at reference_weight expected_weight min_weight percentage_weight given_water_reward "
    "given_water_supplement given_water_total expected_water excess_water is_water_restricted implant_weight"
)


def known_layout(endpoint: str) -> Layout | None:
    """Return the columns of an endpoint that every Alyx has.

    Returns: None for other endpoints: their columns are what the server says of them.
    """
    return _LAYOUTS.get(endpoint)


def read_first(endpoint: str) -> tuple[str, ...]:
    """Name the columns of an endpoint that a person reads first; empty where nobody chose."""
    return _READ_FIRST.get(endpoint, ())


def in_reading_order(endpoint: str, columns: Iterable[Column]) -> tuple[list[Column], list[Column]]:
    """Put columns into the order in which a person reads them.

    Returns: what is read first, then the others as they come; and, apart, what comes after all others: id and url.
    """
    named = {column.name: column for column in columns}
    last = [named.pop(name) for name in READ_LAST if name in named]
    first = [named.pop(name) for name in read_first(endpoint) if name in named]
    return [*first, *named.values()], last
