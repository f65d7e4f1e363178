"""One look at an animal for its window: what Alyx says of its last weeks, and what the outbox holds of it."""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alyx_connector.errors import AlyxError, LoginRequiredError
from alyx_connector.progress import Cancelled
from pybpod_alyx_module.animals.alyx_access import fetch_with_unsent, find_client
from pybpod_alyx_module.animals.history.fetch_history import fetch_history
from pybpod_alyx_module.animals.history.session_details import fetch_session_details
from pybpod_alyx_module.animals.overview import unsent_items
from pybpod_alyx_module.deadline import cancel_after
from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.remedies import explain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.animals.alyx_access import AlyxAccess
    from pybpod_alyx_module.animals.alyx_subject import AlyxSubject
    from pybpod_alyx_module.animals.history.animal_history import AnimalHistory
    from pybpod_alyx_module.animals.history.session_details import SessionDetails
    from pybpod_alyx_module.outbox.items import Item

__all__ = ["Look", "fetch_details_for", "fetch_look", "known_look"]

#: How long Alyx has to answer, in seconds; what is known is shown meanwhile.
DEADLINE_S: Final = 20.0
#: Of how many animals the last answer is kept while PyBpod runs.
_KEPT: Final = 100
_last: OrderedDict[tuple[str, str], tuple[AnimalHistory, dt.datetime]] = OrderedDict()


@dataclass(frozen=True)
class Look:
    """What was seen of an animal."""

    #: As whom Alyx was asked, empty if nobody was ever connected there.
    username: str
    #: Of now, or the last that Alyx told while PyBpod runs; None if it has told none.
    history: AnimalHistory | None
    #: When Alyx told it.
    asked_at: dt.datetime | None
    #: What the outbox holds of the animal that is not in it.
    unsent: tuple[Item, ...]
    #: Why Alyx does not tell more, a sentence; empty if it has told everything now.
    problem: str = ""


def known_look(animal: AlyxSubject) -> Look | None:
    """Return what Alyx said last of an animal while PyBpod runs, without what waits in the outbox."""
    history, asked_at = _last.get(_key(animal), (None, None))
    return None if history is None else Look("", history, asked_at, ())


def fetch_look(access: AlyxAccess, animal: AlyxSubject, *, cancel: CancelToken, deadline_s: float = DEADLINE_S) -> Look:
    """Ask Alyx and the outbox about an animal; where Alyx cannot be asked, what it said last is shown.

    ``deadline_s``: seconds that Alyx has to answer.
    """
    outbox_problem = ""

    def read_unsent() -> tuple[Item, ...]:
        nonlocal outbox_problem
        try:
            items, outbox_problem = unsent_items(access.open(), animal), ""
        except OutboxError as error:
            items, outbox_problem = (), explain(error)
        return items

    username, client, problem = find_client(access, animal.server, animal.alyx_user)
    if client is not None:
        try:
            with cancel_after(deadline_s, cancel) as stop:
                history, unsent = fetch_with_unsent(
                    lambda: fetch_history(client, animal.subject_id, animal.name, cancel=stop), read_unsent
                )
        except AlyxError as error:
            problem = explain(error)
        except Cancelled:
            cancel.raise_if_cancelled()
            problem = f"{animal.where} did not answer within {deadline_s:g} s."
        else:
            now = dt.datetime.now(dt.timezone.utc)
            _keep(_key(animal), history, now)
            return Look(username, history, now, unsent, outbox_problem)
    known, asked_at = _last.get(_key(animal), (None, None))
    return Look(username, known, asked_at, read_unsent(), " ".join(part for part in (problem, outbox_problem) if part))


def _key(animal: AlyxSubject) -> tuple[str, str]:
    return animal.server, animal.subject_id


def _keep(key: tuple[str, str], history: AnimalHistory, now: dt.datetime) -> None:
    _last[key] = history, now
    _last.move_to_end(key)
    while len(_last) > _KEPT:
        _last.popitem(last=False)


def fetch_details_for(
    access: AlyxAccess, animal: AlyxSubject, session_ids: Sequence[str], *, cancel: CancelToken, report: Report
) -> tuple[dict[str, SessionDetails], str]:
    """Ask for the details of some of an animal's sessions; see `fetch_session_details`."""
    _username, client, problem = find_client(access, animal.server, animal.alyx_user)
    if client is None:
        raise LoginRequiredError(problem, hint="")
    return fetch_session_details(client, session_ids, cancel=cancel, report=report)
