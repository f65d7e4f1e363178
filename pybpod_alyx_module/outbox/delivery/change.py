"""Changes a session that is on the server, or gives a record there to another animal; to do it twice does no harm."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from alyx_connector.writing.record_fields import merged
from pybpod_alyx_module.outbox.alyx_records import differences, fields_of_move, moved_by, record_id
from pybpod_alyx_module.outbox.delivery.item_on_server import ItemOnServer, Parcel
from pybpod_alyx_module.outbox.items import Kind
from pybpod_alyx_module.outbox.outcomes import HeldError, Outcome
from pybpod_alyx_module.outbox.states import Event

if TYPE_CHECKING:
    from collections.abc import Mapping


class Change(ItemOnServer):
    """Changes fields of a session."""

    def prepare(self) -> Parcel:
        """Look up what the change needs; nothing is written.

        Returns: to be given to `send` at once.
        """
        self._convert_times()
        record = self._session_to_change()
        fields = {name: value for name, value in self._item.values.items() if name != "id"}
        if isinstance(fields.get("json"), dict):
            old = self._alyx.detail(self._route, record).get("json")
            if old is not None and not isinstance(old, dict):
                reason = f"The json of session {record} on {self._alyx.server} is not a JSON object and would be lost."
                raise HeldError(Outcome(Event.PARK, reason, "Correct it on Alyx, then retry."))
            fields["json"] = merged(old or {}, fields["json"])
        return Parcel(fields, record)

    def send(self, parcel: Parcel) -> Outcome:
        """Write the change, and compare the answer; whatever has to wait for that ends it."""
        self._alyx.patience_s = 0.0
        try:
            return self._change(str(parcel.record), parcel.fields)
        except HeldError as held:
            return self._refused(held.outcome, parcel.fields.get("subject"))

    def look(self) -> Outcome:
        """Look whether an unsure change arrived."""
        try:
            self._convert_times()
            return self._where()
        except HeldError as held:
            if held.outcome.event is Event.PARK:
                return replace(held.outcome, event=Event.DIFFER, server_id=self._may_be_changed())
            return replace(held.outcome, event=Event.POSTPONE, fault=False)

    def _change(self, record: str, fields: Mapping[str, Any]) -> Outcome:
        answer = self._alyx.update(self._route, record, fields)
        if record_id(answer) != record:
            return Outcome(Event.LOSE, f"{self._alyx.server} confirmed another record than the one that was changed.")
        wrong = differences(fields, answer)
        if wrong:
            reason = f"{self._alyx.server} changed {self._route}/{record}, but has {'; '.join(wrong)}."
            return Outcome(Event.PARK, reason, "Correct it, or retry.")
        return Outcome(Event.ARRIVE, server_id=record)

    def _where(self) -> Outcome:
        record = self._session_to_change()
        found = self._alyx.detail(self._route, record)
        fields = {name: value for name, value in self._item.values.items() if name != "id"}
        if not differences(fields, found):
            return Outcome(Event.ARRIVE, server_id=record)
        return Outcome(Event.MISS, "The session has not been changed yet; the change will be sent again.")

    def _may_be_changed(self) -> str | None:
        # to change a session twice does no harm
        return None

    def _session_to_change(self) -> str:
        record = str(self._session_id or self._item.values.get("id"))
        if not self._is_here(record):
            reason = f"{self._alyx.server} has no session {record} of {self._item.subject_name}."
            raise HeldError(Outcome(Event.PARK, reason, "It was deleted, or given to another subject: look on Alyx."))
        return record


class Move(Change):
    """Gives a session or water to another animal."""

    def prepare(self) -> Parcel:
        """Look up what the move needs; nothing is written.

        Returns: to be given to `send` at once.
        """
        values, what = self._item.values, "session" if self._item.kind is Kind.SESSION_MOVE else "water"
        record = str(values["id"])
        known = self._is_here(record) or self._is_there(f"pk,{record},subject__pk,{values['from_id']}")
        if not known and not self._strayed(record):
            reason = f"{self._alyx.server} has no {what} {record} of {values['from_name']}."
            raise HeldError(Outcome(Event.PARK, reason, "It was deleted, or given to another subject: look on Alyx."))
        fields: dict[str, Any] = {"subject": self._subject()}
        if self._item.kind is Kind.SESSION_MOVE:
            old = self._alyx.detail(self._route, record)
            fields |= fields_of_move(self._item, old, self._taken(str(old["start_time"]), record))
        return Parcel(fields, record)

    def _change(self, record: str, fields: Mapping[str, Any]) -> Outcome:
        outcome = super()._change(record, fields)
        if outcome.event is Event.PARK:  # it is on the other animal: not to be taken for one that was not moved
            return replace(outcome, event=Event.DIFFER, server_id=record)
        if outcome.event is not Event.ARRIVE:
            return outcome
        try:
            return outcome if self._is_here(record) else self._renamed()
        except HeldError as held:  # changed, but it is not known for which animal
            return replace(held.outcome, event=Event.LOSE, fault=False)

    def _where(self) -> Outcome:
        record = str(self._item.values["id"])
        if self._is_here(record):
            return Outcome(Event.ARRIVE, server_id=record)
        return Outcome(Event.MISS, "It has not been moved yet; that will be sent again.")

    def _strayed(self, record: str) -> bool:
        # Names were swapped while it was sent: this very move gave it to a third animal.
        if not self._item.attempts or not self._is_there(f"pk,{record}"):
            return False
        return self._item.kind is Kind.WATER_MOVE or moved_by(self._item, self._alyx.detail(self._route, record))

    def _may_be_changed(self) -> str | None:
        return str(self._item.values["id"])
