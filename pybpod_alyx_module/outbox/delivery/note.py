"""Brings a note to the page of an animal; a server without notes is left alone."""

from __future__ import annotations

from pybpod_alyx_module.outbox.alyx_records import KEY_IN_JSON, record_id
from pybpod_alyx_module.outbox.delivery.item_on_server import Parcel
from pybpod_alyx_module.outbox.delivery.new_record import NewRecord
from pybpod_alyx_module.outbox.outcomes import HeldError, Outcome
from pybpod_alyx_module.outbox.states import Event


class Note(NewRecord):
    """Creates a note, once. It names its animal by id, so it cannot be on another one."""

    def prepare(self) -> Parcel:
        """Look whether the server has notes; nothing is written."""
        if not self._alyx.has_list(self._route):
            reason = f"{self._alyx.server} does not take notes: the move is told in the session's narrative alone."
            raise HeldError(Outcome(Event.GIVE_UP, reason))
        return Parcel(self._expected({}))

    def _locate(self, record: str) -> Outcome:
        if self._is_there(f"pk,{record},object_id,{self._item.subject_id}"):
            return Outcome(Event.ARRIVE, server_id=record)
        return Outcome(Event.LOSE, f"{self._alyx.server} confirmed it, but does not show it.")

    def _find(self) -> list[str]:
        rows = self._alyx.rows(self._route, {"django": f"json__{'__'.join(KEY_IN_JSON)},{self._item.key}"})
        return [record for record in map(record_id, rows) if record]
