"""The other animals that a user may handle, with their last weights: a doubtful weight may be one of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pybpod_alyx_module.animals.handled_animals import fetch_all, list_owners, list_subjects, rows_of_each
from pybpod_alyx_module.animals.rows import current_clock, weighings, zones_of_labs
from pybpod_alyx_module.animals.weight_plausibility import OtherAnimal

if TYPE_CHECKING:
    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken

__all__ = ["fetch_other_animals"]


def fetch_other_animals(
    client: AlyxClient, username: str, subject_id: str, *, cancel: CancelToken
) -> tuple[OtherAnimal, ...]:
    """Ask for the living animals that a user may handle and that were weighed in the last days.

    Returns: by name, each with its newest weight, empty if there is none.
    ``subject_id``: Alyx id of the animal that is left out.
    """
    others: list[OtherAnimal] = []
    for owner in list_owners(client, username, cancel):
        others += _weighed_animals(client, owner, cancel)
    return tuple(sorted((one for one in others if one.subject_id != subject_id), key=lambda one: one.name.casefold()))


def _weighed_animals(client: AlyxClient, owner: str, cancel: CancelToken) -> list[OtherAnimal]:
    subjects, weights = fetch_all(
        cancel,
        lambda stop: list_subjects(client, owner, {"alive": "True"}, stop),
        rows_of_each(client, owner, "weighings", "date_time"),
    )
    others = []
    clock, zones = current_clock(client, cancel), zones_of_labs(client, subjects, cancel)
    for row in subjects:
        newest = weighings(weights(row), zones[row.get("lab")], clock)[-1:]
        others += [OtherAnimal(row["id"], row["nickname"], one) for one in newest]
    return others
