"""Which names a server knows, as it told them last: kept on this computer, so that a name is checked offline, too."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import AlyxError, ConfigurationError
from alyx_connector.nearest import did_you_mean
from alyx_connector.private_file import JsonFile, home_folder
from pybpod_alyx_module.animals.alyx_access import is_untold
from pybpod_alyx_module.animals.subject_state import fetch_water_types

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken

LOG = logging.getLogger(__name__)

#: In the folder of `alyx_connector.private_file.home_folder`.
FILE_NAME: Final = "alyx_names.json"

#: Fields of records whose values must be names that the server knows, and what one of each is called.
NOUNS: Final = MappingProxyType(
    {
        "location": "location",
        "projects": "project",
        "procedures": "procedure",
        "users": "user",
        "water_type": "type of water",
    }
)
#: The list that has the names of a field, and where each of its rows has the name; types of water are asked for apart.
LISTS: Final = MappingProxyType(
    {
        "location": ("locations", "name"),
        "projects": ("projects", "name"),
        "procedures": ("procedures", "name"),
        "users": ("users", "username"),
    }
)


@dataclass(frozen=True)
class AlyxNames:
    """Names of one server, by field."""

    by_field: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    #: The fields whose names the server told just now: it refuses any other.
    fresh: frozenset[str] = frozenset()
    #: The fields of which it told only the names that are in use: it may have others.
    partial: frozenset[str] = frozenset()

    def of(self, name: str) -> tuple[str, ...]:
        """Return the names that a field may have; empty where that is not known."""
        return self.by_field.get(name, ())

    def wrong(self, name: str, values: Iterable[str]) -> tuple[str, ...]:
        """Return those of the values of a field that the server does not know; none where not all are known."""
        known = self.of(name)
        return tuple(value for value in values if value not in known) if known and name not in self.partial else ()

    def complaint(self, name: str, values: Iterable[str]) -> str:
        """Say which values the server does not know, and which may have been meant; empty where it knows all."""
        last = "" if name in self.fresh else ", as far as this computer knows"
        return " ".join(
            f"There is no {NOUNS[name]} {value} on Alyx{last}.{did_you_mean(value, self.of(name))}"
            for value in self.wrong(name, values)
        )

    def refused(self, name: str, values: Iterable[str]) -> str:
        """Say the same where the server told its names just now, so that it would refuse these."""
        return self.complaint(name, values) if name in self.fresh else ""


@dataclass(frozen=True)
class Told:
    """What a server told of the names of one field."""

    names: tuple[str, ...]
    #: Whether these are all; else those that are in use.
    complete: bool = True


def fetch_list(client: AlyxClient, name: str, cancel: CancelToken) -> Told:
    """Ask a server for the names that a field may have."""
    if name == "water_type":
        types = fetch_water_types(client, cancel=cancel)
        return Told(types, complete=not is_untold(client, "water types"))
    endpoint, key = LISTS[name]
    rows = client.list(endpoint, cancel=cancel)
    return Told(tuple(row[key] for row in rows if isinstance(row.get(key), str) and row[key]))


def fetch_names(client: AlyxClient, fields: Iterable[str], cancel: CancelToken) -> AlyxNames:
    """Ask a server for the names that fields may have, and keep them.

    Returns: for what it does not tell, what it told last.
    """
    told: dict[str, Told] = {}
    for name in fields:
        try:
            told[name] = fetch_list(client, name, cancel)
        except AlyxError as error:
            LOG.debug("names of %s at %s: %s", name, client.url, error)
    return told_now(client.url, told)


def told_now(server: str, told: Mapping[str, Told]) -> AlyxNames:
    """Keep what a server told just now, where it told all.

    Returns: with what it told earlier of other fields.
    """
    last = last_names(server).by_field
    complete = {name: one.names for name, one in told.items() if one.complete and one.names}
    partial = {name: one.names for name, one in told.items() if not one.complete and one.names}
    known = {**last, **complete}
    if known != last:
        try:
            _file().change(lambda content: content.update({server: {name: list(known[name]) for name in known}}))
        except ConfigurationError as error:
            LOG.warning("%s", error)
    return AlyxNames({**known, **partial}, frozenset(complete), frozenset(partial))


def last_names(server: str) -> AlyxNames:
    """Return the names that a server told last, without asking."""
    try:
        kept = _file().read().get(server, {})
    except ConfigurationError as error:
        LOG.warning("%s", error)
        kept = {}
    return AlyxNames({name: tuple(names) for name, names in kept.items() if name in NOUNS})


def _file() -> JsonFile:
    return JsonFile(home_folder() / FILE_NAME, _check)


def _check(content: Any) -> None:
    for lists in content.values():
        for names in lists.values():
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise TypeError("not lists of names")
