"""What every delivery needs: the animal of an item, found by its id, and whether a record is there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from alyx_connector.writing.session_numbers import days_around, numbers_taken
from pybpod_alyx_module.outbox.alyx_records import ROUTES, is_named_by, record_id
from pybpod_alyx_module.outbox.delivery.item_times import times_to_send
from pybpod_alyx_module.outbox.delivery.reliable_answers import ReliableClient
from pybpod_alyx_module.outbox.items import Kind
from pybpod_alyx_module.outbox.outcomes import HeldError, Outcome, Scope
from pybpod_alyx_module.outbox.states import Event

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from alyx_connector import AlyxClient
    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.outbox.items import Item


@dataclass(frozen=True)
class Parcel:
    """An item made ready to be sent at once."""

    #: What is sent.
    fields: Mapping[str, Any]
    #: Id of the record that is changed; None where one is created.
    record: str | None = None


class ItemOnServer:
    """One item and its server; writes nothing into the outbox.

    ``client``: of the item's server and user.
    ``session_id``: id on Alyx of the session that the item follows.
    ``cancel``: ends every method by raising `Cancelled`.
    """

    def __init__(self, client: AlyxClient, item: Item, session_id: str | None, cancel: CancelToken) -> None:
        self._alyx = ReliableClient(client, cancel)
        #: As the outbox has it, and with the times that the server takes.
        self._recorded = self._item = item
        self._session_id = session_id
        self._route = ROUTES[item.kind]

    def _convert_times(self) -> None:
        sent = times_to_send(self._recorded, self._alyx, self._animal)
        self._item = replace(self._recorded, values={**self._recorded.values, **sent})

    def _animal(self) -> Mapping[str, Any]:
        rows = self._alyx.rows("subjects", {"django": f"pk,{self._item.subject_id}"})
        if any(row.get("id") != self._item.subject_id for row in rows):
            raise self._alyx.nonsense("subjects")
        return rows[0] if rows else {}

    def _subject(self) -> str:
        # By what the server names the animal now, if that is this one alone.
        subject_id, name = self._item.subject_id, self._item.subject_name
        rows = self._alyx.rows("subjects", {"django": f"pk,{subject_id}"})
        if not rows:
            reason = f"{self._alyx.server} has no subject with the id of {name} ({subject_id}), or does not show it."
            raise HeldError(Outcome(Event.PARK, reason, "Ask who runs the server; retry when it is there again."))
        nickname = rows[0].get("nickname")
        if len(rows) > 1 or rows[0].get("id") != subject_id or not isinstance(nickname, str) or not nickname:
            raise self._alyx.nonsense("subjects")
        named = is_named_by(self._item, rows[0], self._alyx.dialect())
        if named == nickname:
            self._refuse_namesakes(nickname)
        return named

    def _refuse_namesakes(self, nickname: str) -> None:
        alike = self._alyx.rows("subjects", {"nickname": nickname})
        if any(str(row.get("nickname")).lower() != nickname.lower() for row in alike):
            raise self._alyx.nonsense("subjects")
        if all(row.get("id") != self._item.subject_id for row in alike):
            raise HeldError(self._renamed())
        if len(alike) > 1:
            labs = " and ".join(str(row.get("lab")) for row in alike)
            reason = f"{self._alyx.server} has {len(alike)} subjects named {nickname}, in {labs}: it could be either."
            raise HeldError(Outcome(Event.PARK, reason, "Have one of them renamed on Alyx, then retry."))

    def _refused(self, outcome: Outcome, subject: Any) -> Outcome:
        # A refused subject may have been renamed since the look-up: then the next attempt looks it up anew.
        if "subject" not in outcome.fields:
            return outcome
        try:
            if self._subject() == subject:
                return outcome
        except HeldError as held:
            return held.outcome
        return self._renamed()

    def _renamed(self) -> Outcome:
        reason = f"{self._item.subject_name} was renamed on {self._alyx.server} while this was sent."
        return Outcome(Event.POSTPONE, reason, scope=Scope.ITEM)

    def _taken(self, start: str, but: str = "") -> Collection[int]:
        # the numbers of the subject's sessions of a day, but for one session
        first, last = days_around(start)
        days = f"start_time__date__gte,{first},start_time__date__lte,{last}"
        rows = self._alyx.all_rows("sessions", {"django": f"subject__pk,{self._item.subject_id},{days}"})
        return numbers_taken(start, [row for row in rows if record_id(row) != but])

    def _is_there(self, chosen: str) -> bool:
        # Not by its row: an old answer about the record (by its time) holds the same row whatever the animal.
        number = self._alyx.count(self._route, {"django": chosen})
        if number > 1:
            raise self._alyx.nonsense(self._route)
        return number == 1

    def _is_here(self, record: str) -> bool:
        return self._is_there(f"pk,{record},subject__pk,{self._item.subject_id}")

    def _read(self, record: str) -> dict[str, Any]:
        if self._item.kind is Kind.SESSION:
            return self._alyx.detail(self._route, record)
        rows = self._alyx.rows(self._route, {"django": f"pk,{record}"})
        if len(rows) != 1 or record_id(rows[0]) != record:
            raise self._alyx.nonsense(self._route)
        return rows[0]
