"""Brings a new session, weighing or water to the server: sends it, reads it back, looks for what may have arrived."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pybpod_alyx_module.outbox.alyx_records import (
    KEY_IN_JSON,
    UUID_IN_JSON,
    differences,
    has_our_amount,
    has_time,
    is_ours,
    key_of,
    payload,
    record_id,
    uuid_in,
)
from pybpod_alyx_module.outbox.delivery.item_on_server import ItemOnServer, Parcel
from pybpod_alyx_module.outbox.delivery.item_times import filters_to_find
from pybpod_alyx_module.outbox.items import Kind
from pybpod_alyx_module.outbox.outcomes import HeldError, Outcome, Scope
from pybpod_alyx_module.outbox.states import Event

if TYPE_CHECKING:
    from collections.abc import Mapping


class NewRecord(ItemOnServer):
    """Creates the record of an item, once, on its animal."""

    def prepare(self) -> Parcel:
        """Look up what the record needs; nothing is written.

        Returns: to be given to `send` at once.
        """
        self._convert_times()
        fields = payload(self._item, self._subject(), self._session_id)
        if self._item.kind is Kind.SESSION:
            self._refuse_a_second(fields)
            fields["number"] = self._number(fields)
        return Parcel(fields)

    def send(self, parcel: Parcel) -> Outcome:
        """Write the record, and read it back; whatever has to wait for that ends it: it is said to be on its way."""
        self._alyx.patience_s = 0.0
        try:
            answer = self._alyx.create(self._route, parcel.fields)
        except HeldError as held:
            return self._refused(held.outcome, parcel.fields.get("subject"))
        record = record_id(answer)
        if record is None or not is_ours(self._item, answer):
            return Outcome(Event.LOSE, f"{self._alyx.server} confirmed another record than the one that was sent.")
        try:
            where = self._locate(record)
        except HeldError as held:
            # Stored, but it is not known on which animal.
            return replace(held.outcome, event=Event.LOSE, server_id=record, fault=False)
        return self._compared(where, parcel.fields, answer)

    def look(self) -> Outcome:
        """Look whether an unsure item arrived.

        Returns: ``MISS`` only where the server said that it has no such record.
        """
        try:
            self._convert_times()
            records = [self._item.server_id] if self._item.server_id else self._find()
            if not records:
                return Outcome(Event.MISS, "It did not arrive and will be sent again.")
            places = [self._locate(record) for record in records]
            right = [place for place in places if place.event is Event.ARRIVE]
            if len(places) > 1 and right:
                return self._doubled([str(place.server_id) for place in places])
            place = (right or places)[0]
            if place.event is not Event.ARRIVE or place.server_id is None:
                return place
            got = self._read(place.server_id)
            return self._compared(place, self._expected(got), got)
        except HeldError as held:
            if held.outcome.event is not Event.PARK:
                return replace(held.outcome, event=Event.POSTPONE, fault=False)
            # What may be on Alyx is not parked: it could then be sent again without a look.
            return replace(held.outcome, event=Event.POSTPONE, scope=Scope.ITEM)

    def _refuse_a_second(self, fields: Mapping[str, Any]) -> None:
        # A copy of the PyBpod project on another computer may have registered the same session meanwhile.
        session = uuid_in(fields)
        if session is None:
            return
        for record in _ids(self._alyx.rows(self._route, {"django": f"json__{'__'.join(UUID_IN_JSON)},{session}"})):
            if key_of(self._alyx.detail(self._route, record)) != self._item.key:
                reason = f"This PyBpod session is already on {self._alyx.server}, registered elsewhere ({record})."
                hint = "Discard this one; then the session's menu can update the record on Alyx."
                raise HeldError(Outcome(Event.PARK, reason, hint))

    def _number(self, fields: Mapping[str, Any]) -> int:
        # The one that was typed; else the next of the subject's day. A server that names its sessions by the number
        # refuses one that is taken, and there a try that failed may have been refused for a name that is not listed.
        typed: int | None = fields.get("number")
        is_name = self._alyx.dialect().names_sessions
        if typed is not None and not is_name:
            return typed
        taken = self._taken(str(fields["start_time"]))
        free = 1 + max(taken, default=0) + (self._item.faults if is_name else 0)
        if typed in taken:
            reason = f"{self._item.subject_name} has a session {typed} of that day already on {self._alyx.server}."
            raise HeldError(Outcome(Event.PARK, reason, f"Correct the number: {free} is free."))
        return free if typed is None else typed

    def _locate(self, record: str) -> Outcome:
        # The truth about the animal: names may have been swapped between the look-up and the request.
        item = self._item
        if self._is_there(f"pk,{record},subject__pk,{item.subject_id}"):
            return Outcome(Event.ARRIVE, server_id=record)
        if self._is_there(f"pk,{record}"):
            reason = f"Names changed on {self._alyx.server} while this was sent: it was recorded on another animal."
            return Outcome(Event.MISPLACE, f"{reason} It will be withdrawn and sent again.", server_id=record)
        return Outcome(Event.LOSE, f"{self._alyx.server} confirmed it, but does not show it.")

    def _find(self) -> list[str]:
        item = self._item
        if item.kind is Kind.SESSION:
            rows = self._alyx.rows(self._route, {"django": f"json__{'__'.join(KEY_IN_JSON)},{item.key}"})
            found = _ids(rows)
            for record in found:
                if key_of(self._alyx.detail(self._route, record)) != item.key:
                    raise self._alyx.nonsense(self._route)
            return found
        candidates: dict[str, dict[str, Any]] = {}  # by id: a name may change between two of these requests
        for chosen in filters_to_find(self._recorded, self._alyx, self._animal):
            answered = self._alyx.rows(self._route, {"django": chosen})
            if not all(has_time(item, row) for row in answered):
                raise self._alyx.nonsense(self._route)
            candidates |= {known: row for row in answered if (known := record_id(row))}
        mine = [row for row in candidates.values() if is_ours(item, row)]
        # Another value: it was corrected on Alyx where it is on our animal, else it is not ours to withdraw.
        exact = [row for row in mine if has_our_amount(item, row)]
        others = [row for row in mine if row not in exact]
        here = [record for record in _ids(others) if self._is_here(record)]
        return _ids(exact) + here

    def _expected(self, got: Mapping[str, Any]) -> dict[str, Any]:
        fields = payload(self._item, "", self._session_id)
        if "date_time" in fields and has_time(self._item, got):
            fields["date_time"] = got["date_time"]  # it may have been sent with another offset
        if self._item.kind is Kind.SESSION:
            # People may add to a session meanwhile; that it is ours and when it began is what must hold.
            return {name: fields[name] for name in ("start_time", "json") if name in fields}
        return fields

    def _compared(self, place: Outcome, sent: Mapping[str, Any], got: Mapping[str, Any]) -> Outcome:
        if place.event is not Event.ARRIVE:
            return place
        wrong = differences(sent, got)
        if not wrong:
            return place
        reason = f"{self._alyx.server} has it ({self._route}/{place.server_id}), but with {'; '.join(wrong)}."
        hint = "Correct the record on Alyx, then retry; or discard it here, which leaves it on Alyx."
        return Outcome(Event.DIFFER, reason, hint, server_id=place.server_id)

    def _doubled(self, records: list[str]) -> Outcome:
        reason = f"{self._alyx.server} has it {len(records)} times: {', '.join(records)}."
        return Outcome(Event.DIFFER, reason, "Delete all but one of them on Alyx, then retry.", server_id=records[0])


def _ids(rows: list[dict[str, Any]]) -> list[str]:
    return [record for record in map(record_id, rows) if record]
