"""What the table of water asks of Alyx and of the outbox, in threads. No Qt."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from alyx_connector.accounts import Accounts
from alyx_connector.errors import AlyxError, ConfigurationError, LoginRequiredError
from pybpod_alyx_module.animals.ask_alyx import log_in, nobody_at
from pybpod_alyx_module.animals.unsent import unsent_sentences, with_unsent_water
from pybpod_alyx_module.animals.water_table import fetch_table
from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.lab_time import lab_zone, to_lab_time
from pybpod_alyx_module.outbox.items import OPEN, Draft, Item

if TYPE_CHECKING:
    from collections.abc import Callable

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.animals.ask_alyx import Desk
    from pybpod_alyx_module.animals.water_table import TableRow
    from pybpod_alyx_module.outbox.outbox import Outbox
    from pybpod_alyx_module.rig_settings import SessionSettings

#: How often it is asked again where an item of the outbox reached Alyx in between.
_ROUNDS = 2


@dataclass(frozen=True)
class Thirsty:
    """One animal that needs water, what the outbox holds counted in."""

    row: TableRow
    #: Time zone of its lab; None where it is not known.
    lab_timezone: str | None
    #: What is not on Alyx yet, a sentence each.
    unsent: tuple[str, ...] = ()

    def lab_now(self) -> dt.datetime:
        """Return what time it is in its lab; naive; by this computer's zone where the lab's is not known."""
        here = dt.datetime.now().astimezone().replace(tzinfo=None, microsecond=0)
        return to_lab_time(here, lab_zone(self.lab_timezone))


@dataclass(frozen=True)
class WaterTable:
    """The animals of a user that still need water today."""

    server: str
    username: str
    rows: tuple[Thirsty, ...]
    #: How many are water-restricted in all.
    restricted: int


def asking_table(
    desk: Desk, server: str, alyx_user: str, settings: SessionSettings
) -> Callable[[Report, CancelToken], WaterTable]:
    """Make the work that asks for the animals that still need water today.

    Returns: work for a task; returns a `WaterTable`, raises an `AlyxError`.
    ``server``: server of the project's subjects; empty: the one used last.
    ``alyx_user``: the Alyx user who is logged in to the PyBpod project; empty where none is.
    ``settings``: test subjects are left out.
    """

    def work(report: Report, cancel: CancelToken) -> WaterTable:
        del report
        where = server
        if not where:
            last = Accounts().last_used()
            if last is None:
                raise ConfigurationError(
                    "It is not known at which Alyx server to look.",
                    hint="Right-click the project, choose Sync to Alyx, and connect.",
                )
            where = last.url
        username, client, problem = log_in(desk, where, alyx_user)
        if client is None:
            raise LoginRequiredError(problem or nobody_at(where), hint="")
        return _ask(desk, client, username, settings, cancel)

    return work


def _ask(desk: Desk, client: AlyxClient, username: str, settings: SessionSettings, cancel: CancelToken) -> WaterTable:
    before = _open_items(desk, client.url)
    for _round in range(_ROUNDS):
        rows = [row for row in fetch_table(client, username, cancel=cancel) if not settings.is_test_subject(row.name)]
        after = _open_items(desk, client.url)
        still = {item.key for item in after}
        if all(item.key in still for item in before):
            break
        before = after  # one reached Alyx meanwhile: whether it is in this answer cannot be told
    zones = {lab: _zone(client, lab, cancel) for lab in sorted({row.lab for row in rows})}
    found = []
    for row in rows:
        mine = [item for item in after if item.subject_id == row.subject_id]
        thirsty = Thirsty(row, zones[row.lab], unsent_sentences(mine))
        water = with_unsent_water(row.water, mine, thirsty.lab_now().date())
        found.append(replace(thirsty, row=replace(row, water=water)))
    return WaterTable(client.url, username, tuple(one for one in found if one.row.needs_water), len(found))


def giving(drafts: tuple[Draft, ...]) -> Callable[[Outbox], tuple[Item | OutboxError, ...]]:
    """Make the function that keeps several amounts of water, each by itself."""

    def give(outbox: Outbox) -> tuple[Item | OutboxError, ...]:
        kept: list[Item | OutboxError] = []
        for draft in drafts:
            try:
                kept.append(outbox.add(draft))
            except OutboxError as error:
                kept.append(error)
        return tuple(kept)

    return give


def _open_items(desk: Desk, server: str) -> tuple[Item, ...]:
    return tuple(item for item in desk.open().items(states=OPEN) if item.server == server)


def _zone(client: AlyxClient, lab: str, cancel: CancelToken) -> str | None:
    if not lab:
        return None
    try:
        answer: Any = client.get(("labs", lab), cancel=cancel)
    except AlyxError:  # the lab's zone is not known then, which the table says
        return None
    zone = answer.get("timezone") if isinstance(answer, dict) else None
    return zone if isinstance(zone, str) and lab_zone(zone) is not None else None
