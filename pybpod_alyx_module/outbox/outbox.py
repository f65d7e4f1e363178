"""The outbox as windows and the command line see it."""

from __future__ import annotations

import socket
import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from alyx_connector.private_file import home_folder
from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.outbox.drafts import checked_id, checked_server, checked_values
from pybpod_alyx_module.outbox.export import export_csv
from pybpod_alyx_module.outbox.items import Item
from pybpod_alyx_module.outbox.sqlite_file import Watch
from pybpod_alyx_module.outbox.states import Event, move
from pybpod_alyx_module.outbox.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pybpod_alyx_module.outbox.items import Counts, Draft, State


#: Name of the file in the folder of `alyx_connector.private_file.home_folder`.
FILE_NAME = "outbox.sqlite"


class Outbox:
    """What this machine writes to Alyx; one file for all programs of its user, and for all threads.

    Parameters
    ----------
    path : Path, optional
        The file, made where there is none; the usual one if left out. A damaged one is moved aside, which `notes`
        tell: it may hold what was never sent.

    Raises
    ------
    OutboxError
        If it cannot be opened or made; says which file, and what to do.
    """

    def __init__(self, path: Path | None = None) -> None:
        #: The table beneath; for `Sender`.
        self.store = Store(path or home_folder() / FILE_NAME)
        self._watch = Watch(self.store.path)

    @property
    def path(self) -> Path:
        """The file."""
        return self.store.path

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user must be told about the file: a sentence each; usually none."""
        return tuple(self.store.notes)

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        self._watch.close()
        self.store.close()

    def add(self, draft: Draft) -> Item:
        """Put something into the outbox; when this returns it survives a crash and a loss of power.

        Parameters
        ----------
        draft : Draft
            What is to be written to Alyx.

        Returns
        -------
        Item
            As it is kept: waiting.

        Raises
        ------
        OutboxError
            If it makes no sense, or the file cannot be written: it is not in the outbox then.
        """
        return self.add_all(draft)[0]

    def add_all(self, *drafts: Draft) -> tuple[Item, ...]:
        """Put several things into the outbox at once: after a crash, too, either all of them are there or none.

        Parameters
        ----------
        *drafts : Draft
            What is to be written to Alyx, in this order. One may follow an earlier one of them, see `Draft`.

        Returns
        -------
        tuple of Item
            As they are kept: waiting.

        Raises
        ------
        OutboxError
            If one makes no sense, or the file cannot be written: none is in the outbox then.
        """
        keys = [str(uuid.uuid4()) for _ in drafts]
        return self.store.add(
            *(
                _new_item(draft, key, keys[draft.follows] if isinstance(draft.follows, int) else draft.follows)
                for draft, key in zip(drafts, keys, strict=True)
            )
        )

    def items(self, states: Sequence[State] | None = None, subject: str | None = None) -> tuple[Item, ...]:
        """Return what is in the outbox, also what was sent.

        Parameters
        ----------
        states : sequence of State, optional
            Only items in one of these.
        subject : str, optional
            Only those of the subject with this id on Alyx.

        Returns
        -------
        tuple of Item
            In the order in which they were added; empty if there is none.

        Raises
        ------
        OutboxError
            If the file cannot be read.
        """
        return self.store.select(states, subject)

    def item(self, key: str) -> Item:
        """Return one item.

        Parameters
        ----------
        key : str
            Its key.

        Returns
        -------
        Item
            As it is now.

        Raises
        ------
        OutboxError
            If there is none, or the file cannot be read.
        """
        return self.store.get(key)

    def retry(self, key: str) -> Item:
        """Have a parked item sent again; a waiting one stays as it is (`Sender.wake` ends its pause).

        Parameters
        ----------
        key : str
            Of the item.

        Returns
        -------
        Item
            Waiting; or unsure where it is on Alyx already, but differed: it is then compared again.

        Raises
        ------
        OutboxError
            If its state does not allow it, or the file cannot be written.
        """
        return self.store.change(key, lambda item: move(item, Event.RETRY))

    def edit(self, key: str, values: Mapping[str, Any]) -> Item:
        """Correct a waiting or parked item; a parked one waits to be sent after that.

        Parameters
        ----------
        key : str
            Of the item.
        values : mapping
            All of its values, see `Draft`.

        Returns
        -------
        Item
            Waiting.

        Raises
        ------
        OutboxError
            If its state does not allow it, a value is unusable, or the file cannot be written.
        """
        return self.store.change(
            key, lambda item: move(item, Event.EDIT, values=checked_values(item.kind, values, item.follows))
        )

    def discard(self, key: str, *, even_if_unsure: bool = False) -> Item:
        """Give an item up; it stays listed.

        Parameters
        ----------
        key : str
            Of the item.
        even_if_unsure : bool
            Whether the person was told that it may be on Alyx, and stay there.

        Returns
        -------
        Item
            Discarded.

        Raises
        ------
        OutboxError
            If its state does not allow it, or the file cannot be written.
        """
        return self.store.change(key, lambda item: move(item, Event.DISCARD, even_if_unsure=even_if_unsure))

    def counts(self) -> Counts:
        """Count what still has to reach Alyx.

        Returns
        -------
        Counts
            By state; ``open`` is their sum.

        Raises
        ------
        OutboxError
            If the file cannot be read.
        """
        return self.store.counts()

    def open_for(self, server: str, subject_id: str) -> int:
        """Count what of one subject still has to reach Alyx.

        Parameters
        ----------
        server : str
            Address of its server.
        subject_id : str
            Its id there.

        Returns
        -------
        int
            0 if nothing waits.

        Raises
        ------
        OutboxError
            If the file cannot be read, or the address is none.
        """
        return self.store.count_open(checked_server(server), subject_id)

    def changed(self) -> bool:
        """Tell whether anybody, in any program, changed the outbox since this was last asked: cheap.

        Returns
        -------
        bool
            True the first time.

        Raises
        ------
        OutboxError
            If the file cannot be read.
        """
        return self._watch.changed()

    def export(self, path: str | Path) -> int:
        """Write all items to a CSV, sent and discarded ones, too; return how many.

        Raises ConfigurationError where the CSV cannot be written, OutboxError where the outbox cannot be read.
        """
        items = self.items()
        export_csv(items, path)
        return len(items)


def _new_item(draft: Draft, key: str, follows: str | None) -> Item:
    if not draft.username.strip():
        raise OutboxError("An item of the outbox needs a user who sends it.", hint="Connect to Alyx first.")
    return Item(
        number=0,
        key=key,
        kind=draft.kind,
        server=checked_server(draft.server),
        username=draft.username,
        subject_id=checked_id(draft.subject_id, draft.subject_name),
        subject_name=draft.subject_name,
        values=checked_values(draft.kind, draft.values, follows),
        follows=follows,
        created=datetime.now(timezone.utc),
        rig=socket.gethostname(),
        origin=dict(draft.origin),
    )
