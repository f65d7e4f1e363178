"""Takes a record of ours off an animal that is not its own."""

from __future__ import annotations

from pybpod_alyx_module.outbox.alyx_records import has_our_amount, is_ours
from pybpod_alyx_module.outbox.delivery.item_on_server import ItemOnServer
from pybpod_alyx_module.outbox.outcomes import HeldError, Outcome, Scope
from pybpod_alyx_module.outbox.states import Event

#: Records that belong to a session: if there are any, the session is not deleted.
_OF_A_SESSION = ("wateradmin_session_related", "data_dataset_session_related", "notes", "probe_insertion")


class Withdrawal(ItemOnServer):
    """Deletes the record of an item that is on another animal."""

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
