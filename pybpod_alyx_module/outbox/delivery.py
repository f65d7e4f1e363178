"""Brings one item to the server: finds the subject by its id, sends, reads back, looks for what may have arrived."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from alyx_connector.writing.record_fields import merged
from alyx_connector.writing.session_numbers import days_around, numbers_taken
from pybpod_alyx_module.outbox.alyx_records import (
    KEY_IN_JSON,
    ROUTES,
    UUID_IN_JSON,
    differences,
    fields_of_move,
    has_our_amount,
    has_time,
    is_named_by,
    is_ours,
    key_of,
    payload,
    record_id,
    uuid_in,
)
from pybpod_alyx_module.outbox.item_times import filters_to_find, times_to_send
from pybpod_alyx_module.outbox.items import MOVES, Kind
from pybpod_alyx_module.outbox.outcomes import HeldError, Outcome, Scope
from pybpod_alyx_module.outbox.reliable_answers import ReliableClient
from pybpod_alyx_module.outbox.states import Event

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from alyx_connector import AlyxClient
    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.outbox.items import Item

#: Records that belong to a session: if there are any, the session is not deleted.
_OF_A_SESSION = ("wateradmin_session_related", "data_dataset_session_related", "notes", "probe_insertion")


@dataclass(frozen=True)
class Parcel:
    """An item made ready to be sent at once."""

    #: What is sent.
    fields: Mapping[str, Any]
    #: Id of the record that is changed; None where one is created.
    session_id: str | None = None


class Delivery:
    """Brings one item to the server; writes nothing into the outbox.

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

    def prepare(self) -> Parcel:
        """Look up what the record needs; nothing is written.

        Returns: to be given to `send` at once.
        """
        self._convert_times()
        if self._item.kind is Kind.SESSION_UPDATE:
            return self._prepare_update()
        if self._item.kind in MOVES:
            return self._prepare_move()
        fields = payload(self._item, self._subject(), self._session_id)
        if self._item.kind is Kind.SESSION:
            self._refuse_a_second(fields)
            fields["number"] = self._number(fields)
        return Parcel(fields)

    def send(self, parcel: Parcel) -> Outcome:
        """Write the record, and read it back; whatever has to wait for that ends it: it is said to be on its way."""
        self._alyx.patience_s = 0.0
        try:
            if parcel.session_id is not None:
                change = self._moved if self._item.kind in MOVES else self._update
                return change(parcel.session_id, parcel.fields)
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
            if self._item.kind is Kind.SESSION_UPDATE:
                return self._look_for_update()
            if self._item.kind in MOVES:
                return self._look_for_move()
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
            return self._staying_unsure(held.outcome)

    def withdraw(self, record: str) -> Outcome:
        """Delete a record of ours that is on another animal.

        Returns: ``WITHDRAW`` where it is gone; ``PARK`` where it cannot be deleted.
        """
        why = "" if "moved_from" in self._item.origin else ", because names were changed there while it was sent"
        loud = (
            f"The {self._item.kind.value} of {self._item.subject_name} was recorded on another animal on "
            f"{self._alyx.server} (record {self._route}/{record}){why}. "
            "That record cannot be withdrawn:"
        )
        hint = "Delete that record on Alyx, then retry."
        try:
            self._convert_times()
            if self._alyx.rows(self._route, {"django": f"pk,{record}"}):
                found = self._read(record)
                if not is_ours(self._item, found) or not has_our_amount(self._item, found):
                    return Outcome(Event.PARK, f"{loud} it was changed by somebody else.", hint)
                if any(found.get(name) for name in _OF_A_SESSION):
                    return Outcome(Event.PARK, f"{loud} other records belong to it.", hint)
                self._alyx.remove(self._route, record)
                if self._is_there(f"pk,{record}"):
                    reason = f"{self._alyx.server} confirmed that {self._route}/{record} is deleted, but still has it."
                    return Outcome(Event.POSTPONE, reason, scope=Scope.ITEM)
        except HeldError as held:
            if held.outcome.event is Event.PARK:
                return Outcome(Event.PARK, f"{loud} {held.outcome.reason}", hint)
            return held.outcome
        return Outcome(Event.WITHDRAW)

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

    def _taken(self, start: str, but: str = "") -> Collection[int]:
        # the numbers of the subject's sessions of a day, but for one session
        first, last = days_around(start)
        days = f"start_time__date__gte,{first},start_time__date__lte,{last}"
        rows = self._alyx.all_rows("sessions", {"django": f"subject__pk,{self._item.subject_id},{days}"})
        return numbers_taken(start, [row for row in rows if record_id(row) != but])

    def _locate(self, record: str) -> Outcome:
        # The truth about the animal: names may have been swapped between the look-up and the request.
        item = self._item
        if self._is_there(f"pk,{record},subject__pk,{item.subject_id}"):
            return Outcome(Event.ARRIVE, server_id=record)
        if self._is_there(f"pk,{record}"):
            reason = f"Names changed on {self._alyx.server} while this was sent: it was recorded on another animal."
            return Outcome(Event.MISPLACE, f"{reason} It will be withdrawn and sent again.", server_id=record)
        return Outcome(Event.LOSE, f"{self._alyx.server} confirmed it, but does not show it.")

    def _is_there(self, chosen: str) -> bool:
        # Not by its row: an old answer about the record (by its time) holds the same row whatever the animal.
        number = self._alyx.count(self._route, {"django": chosen})
        if number > 1:
            raise self._alyx.nonsense(self._route)
        return number == 1

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

    def _is_here(self, record: str) -> bool:
        return self._is_there(f"pk,{record},subject__pk,{self._item.subject_id}")

    def _read(self, record: str) -> dict[str, Any]:
        if self._item.kind is Kind.SESSION:
            return self._alyx.detail(self._route, record)
        rows = self._alyx.rows(self._route, {"django": f"pk,{record}"})
        if len(rows) != 1 or record_id(rows[0]) != record:
            raise self._alyx.nonsense(self._route)
        return rows[0]

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

    def _session_to_change(self) -> str:
        record = str(self._session_id or self._item.values.get("id"))
        if not self._is_here(record):
            reason = f"{self._alyx.server} has no session {record} of {self._item.subject_name}."
            raise HeldError(Outcome(Event.PARK, reason, "It was deleted, or given to another subject: look on Alyx."))
        return record

    def _prepare_update(self) -> Parcel:
        record = self._session_to_change()
        fields = {name: value for name, value in self._item.values.items() if name != "id"}
        if isinstance(fields.get("json"), dict):
            old = self._alyx.detail(self._route, record).get("json")
            if old is not None and not isinstance(old, dict):
                reason = f"The json of session {record} on {self._alyx.server} is not a JSON object and would be lost."
                raise HeldError(Outcome(Event.PARK, reason, "Correct it on Alyx, then retry."))
            fields["json"] = merged(old or {}, fields["json"])
        return Parcel(fields, record)

    def _update(self, record: str, fields: Mapping[str, Any]) -> Outcome:
        answer = self._alyx.update(self._route, record, fields)
        if record_id(answer) != record:
            return Outcome(Event.LOSE, f"{self._alyx.server} confirmed another record than the one that was changed.")
        wrong = differences(fields, answer)
        if wrong:
            reason = f"{self._alyx.server} changed {self._route}/{record}, but has {'; '.join(wrong)}."
            return Outcome(Event.PARK, reason, "Correct it, or retry.")
        return Outcome(Event.ARRIVE, server_id=record)

    def _look_for_update(self) -> Outcome:
        record = self._session_to_change()
        found = self._alyx.detail(self._route, record)
        fields = {name: value for name, value in self._item.values.items() if name != "id"}
        if not differences(fields, found):
            return Outcome(Event.ARRIVE, server_id=record)
        return Outcome(Event.MISS, "The session has not been changed yet; the change will be sent again.")

    def _prepare_move(self) -> Parcel:
        values, what = self._item.values, "session" if self._item.kind is Kind.SESSION_MOVE else "water"
        record = str(values["id"])
        if not self._is_here(record) and not self._is_there(f"pk,{record},subject__pk,{values['from_id']}"):
            reason = f"{self._alyx.server} has no {what} {record} of {values['from_name']}."
            raise HeldError(Outcome(Event.PARK, reason, "It was deleted, or given to another subject: look on Alyx."))
        fields: dict[str, Any] = {"subject": self._subject()}
        if self._item.kind is Kind.SESSION_MOVE:
            old = self._alyx.detail(self._route, record)
            fields |= fields_of_move(self._item, old, self._taken(str(old["start_time"]), record))
        return Parcel(fields, record)

    def _moved(self, record: str, fields: Mapping[str, Any]) -> Outcome:
        outcome = self._update(record, fields)
        if outcome.event is not Event.ARRIVE:
            return outcome
        try:
            return outcome if self._is_here(record) else self._renamed()
        except HeldError as held:  # changed, but it is not known for which animal
            return replace(held.outcome, event=Event.LOSE, fault=False)

    def _look_for_move(self) -> Outcome:
        record = str(self._item.values["id"])
        if self._is_here(record):
            return Outcome(Event.ARRIVE, server_id=record)
        return Outcome(Event.MISS, "It has not been moved yet; that will be sent again.")

    def _staying_unsure(self, outcome: Outcome) -> Outcome:
        if outcome.event is not Event.PARK:
            return replace(outcome, event=Event.POSTPONE, fault=False)
        if self._item.kind is Kind.SESSION_UPDATE or self._item.kind in MOVES:
            return replace(outcome, event=Event.DIFFER)  # to change a record twice does no harm
        # What may be on Alyx is not parked: it could then be sent again without a look.
        return replace(outcome, event=Event.POSTPONE, scope=Scope.ITEM)


def _ids(rows: list[dict[str, Any]]) -> list[str]:
    return [record for record in map(record_id, rows) if record]
