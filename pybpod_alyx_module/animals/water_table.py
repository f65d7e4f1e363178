"""The water table: which of a user's animals still need water today, what the outbox holds counted in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from alyx_connector.accounts import Accounts
from alyx_connector.errors import ConfigurationError, LoginRequiredError
from alyx_connector.schema.source import dialect_of
from alyx_connector.zones.lab_zones import zones_of
from alyx_connector.zones.moments import lab_zone
from pybpod_alyx_module.animals.alyx_access import fetch_with_unsent, find_client, no_minimum_weights
from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.animals.restricted_animals import fetch_restricted_animals
from pybpod_alyx_module.animals.rows import new_day_note, utc_day_note
from pybpod_alyx_module.animals.unsent import unsent_sentences, with_unsent_water
from pybpod_alyx_module.animals.weight import note_of
from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.lab_time import lab_now, with_zone
from pybpod_alyx_module.outbox.items import OPEN, Draft, Item

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.animals.alyx_access import AlyxAccess
    from pybpod_alyx_module.animals.restricted_animals import RestrictedAnimal
    from pybpod_alyx_module.animals.weight import WeightNote
    from pybpod_alyx_module.outbox.outbox import Outbox
    from pybpod_alyx_module.rig_settings import SessionSettings


@dataclass(frozen=True)
class TableRow:
    """One animal that needs water."""

    animal: RestrictedAnimal
    #: Time zone of its lab, None if it is not known.
    lab_timezone: str | None
    #: What is not on Alyx yet, a sentence each.
    unsent: tuple[str, ...] = ()

    def lab_now(self) -> dt.datetime:
        """Return what time it is in its lab; naive; by this computer's zone where the lab's is not known."""
        return lab_now(lab_zone(self.lab_timezone))

    def time_values(self) -> dict[str, str]:
        """Return that time as a record has it: with its offset."""
        zone = lab_zone(self.lab_timezone)
        return {"date_time": with_zone(lab_now(zone), zone).isoformat()}


@dataclass(frozen=True)
class WaterTable:
    """The animals of a user that still need water today."""

    server: str
    username: str
    rows: tuple[TableRow, ...]
    #: All that are water-restricted.
    restricted: tuple[RestrictedAnimal, ...]
    #: What one must know of this server, a sentence each.
    notes: tuple[str, ...] = ()

    @cached_property
    def seen_weights(self) -> Mapping[str, WeightNote | None]:
        """What was seen of the last weights, by Alyx id; None for an animal that was not weighed lately."""
        return {animal.subject_id: _weight_note(animal) for animal in self.restricted}


def fetch_water_table(
    access: AlyxAccess, server: str, alyx_user: str, settings: SessionSettings, *, cancel: CancelToken
) -> WaterTable:
    """Ask Alyx and the outbox which animals still need water today.

    ``server``: server of the project's subjects; empty: the one used last.
    ``alyx_user``: the Alyx user who is logged in to the PyBpod project, empty if none is.
    ``settings``: test subjects are left out.
    """
    username, client, problem = find_client(access, server or _last_server(), alyx_user)
    if client is None:
        raise LoginRequiredError(problem, hint="")

    def fetch() -> list[RestrictedAnimal]:
        animals = fetch_restricted_animals(client, username, cancel=cancel)
        return [animal for animal in animals if not settings.is_test_subject(animal.name)]

    def read_unsent() -> tuple[Item, ...]:
        return tuple(item for item in access.open().items(states=OPEN) if item.server == client.url)

    animals, unsent = fetch_with_unsent(fetch, read_unsent)
    zones = zones_of(client).names({animal.lab for animal in animals}, cancel=cancel)
    rows = [_row(animal, _valid(zones.get(animal.lab)), unsent) for animal in animals]
    due = tuple(row for row in rows if row.animal.needs_water)
    days = [utc_day_note(lab_zone(row.lab_timezone)) for row in rows if row.animal.is_counted_in_utc]
    labs = {row.animal.lab: lab_zone(row.lab_timezone) for row in rows}
    new = [new_day_note(client, lab, zone, cancel) for lab, zone in labs.items()]
    limits = "" if dialect_of(client, cancel=cancel).tells_minimum_weights else no_minimum_weights(client.url)
    notes = tuple(note for note in dict.fromkeys((*days, *new, limits, _whose(client, cancel))) if note)
    return WaterTable(client.url, username, due, tuple(animals), notes)


def _weight_note(animal: RestrictedAnimal) -> WeightNote | None:
    last, judged = animal.last_weight, animal.judged
    return None if last is None or judged is None else note_of(last, judged.level, judged.text)


def give_water(outbox: Outbox, drafts: tuple[Draft, ...]) -> tuple[Item | OutboxError, ...]:
    """Put several amounts of water into the outbox, each by itself."""
    results: list[Item | OutboxError] = []
    for draft in drafts:
        try:
            results.append(outbox.add(draft))
        except OutboxError as error:
            results.append(error)
    return tuple(results)


def _row(animal: RestrictedAnimal, zone: str | None, unsent: tuple[Item, ...]) -> TableRow:
    its_own = [item for item in unsent if item.subject_id == animal.subject_id]
    row = TableRow(animal, zone, unsent_sentences(its_own))
    water = with_unsent_water(animal.water, its_own, row.lab_now().date(), lab_zone(zone))
    return replace(row, animal=replace(animal, water=water))


def _whose(client: AlyxClient, cancel: CancelToken) -> str:
    if dialect_of(client, cancel=cancel).tells_allowed_users:
        return ""
    return f"{server_name(client.url)} does not tell who allows whom: these are the animals you are responsible for."


def _last_server() -> str:
    last = Accounts().last_used()
    if last is None:
        raise ConfigurationError(
            "This computer has not been connected to an Alyx server yet.",
            hint="Right-click the project, choose Sync to Alyx, and connect.",
        )
    return last.url


def _valid(zone: str | None) -> str | None:
    # The table says so where the zone of a lab is not known.
    return zone if lab_zone(zone) is not None else None
