"""The outbox of this PyBpod and its sender: one of each a process, whatever the projects."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from AnyQt.QtCore import QObject, Qt, Signal

from alyx_connector.errors import AlyxError
from alyx_connector.private_file import home_folder
from pybpod_alyx_module.connect import Logins
from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.gui.guard import show_error, slot
from pybpod_alyx_module.gui.outlook import Outlook
from pybpod_alyx_module.gui.task import Task
from pybpod_alyx_module.log_file import where_is_log
from pybpod_alyx_module.outbox.items import OPEN, State, WaitsFor
from pybpod_alyx_module.outbox.outbox import FILE_NAME, Outbox
from pybpod_alyx_module.outbox.sender import Sender
from pybpod_alyx_module.outbox.words import unclaimed_words
from pybpod_alyx_module.read_settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.outbox.items import Counts, Draft, Item

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: How long a request may still arrive at the server after nobody waits for it, in seconds.
LIFE_S: Final = 300.0

#: How often to look whether the outbox was changed, for example by another PyBpod, in seconds.
LOOK_S: Final = 1.0

#: How often to look whether another PyBpod logged out; a keyring may be asked then.
LOGINS_LOOK_S: Final = 5.0

#: How long a request that is under way may take when PyBpod ends, and how long PyBpod waits at most, in seconds.
GRACE_S: Final = 2.0
STOP_S: Final = 4.0


class RunningOutbox(QObject):
    """The outbox of this machine as this PyBpod uses it, with the sender that works in the background.

    Only `client`, `account_for` and `open`, which belong to worker threads, wait for a disk, a keyring or the network.

    ``life_s``: how long a request may still arrive at the server after nobody waits for it, in seconds.
    """

    #: Something in the outbox changed, here or in another PyBpod; sent on the GUI thread.
    changed = Signal()
    #: Somebody logged in or out, or said who is at the rig.
    users_changed = Signal()
    #: An account was logged out, here or in another PyBpod: server and user.
    logged_out = Signal(str, str)

    _outlook_changed = Signal(object)
    _logged_out_elsewhere = Signal(str, str)

    def __init__(self, life_s: float = LIFE_S) -> None:
        super().__init__()
        self._life_s = life_s
        self._outlook = Outlook()
        self._outbox: Outbox | None = None
        self._sender: Sender | None = None
        self._opening = threading.Lock()
        #: Who is logged in where.
        self.logins = Logins(_rig_account)
        #: Keys of what was recorded or changed in this PyBpod before anybody said who is at the rig.
        self._unclaimed: set[str] = set()
        self._times_unclaimed = 0
        self._read_notes: tuple[str, ...] = ()
        #: Whether something changed since the watcher read it.
        self._stale = False
        self._look = threading.Event()
        self._stopped = threading.Event()
        self._outlook_changed.connect(self._on_outlook, Qt.QueuedConnection)
        self._logged_out_elsewhere.connect(self._on_logged_out, Qt.QueuedConnection)
        self._watcher = threading.Thread(target=self._watch, name="alyx-outbox-watch", daemon=True)

    @property
    def outlook(self) -> Outlook:
        """How the outbox stood when it was last read."""
        return self._outlook

    @property
    def counts(self) -> Counts:
        """How many items had yet to reach Alyx when it was last read."""
        return self._outlook.counts

    def hold(self, server: str | None, subject_id: str) -> str:
        """Say why an animal must stay in a PyBpod project, as it was at the last look; see `Outlook.hold`."""
        return self._outlook.hold(server, subject_id)

    def start(self) -> None:
        """Begin to watch the outbox, and to send what an earlier PyBpod left in it."""
        self._watcher.start()

    def stop(self) -> None:
        """End sending; what has not been sent waits on the disk. What is under way may be unsure afterwards.

        It waits a few seconds at most.
        """
        self._stopped.set()
        self._outlook = Outlook()  # who still shows it has nothing to warn of
        self._look.set()
        closing = threading.Thread(target=self._close, name="alyx-outbox-stop", daemon=True)
        closing.start()
        closing.join(STOP_S)

    def add(self, *drafts: Draft) -> Task:
        """Make the task that puts items into the outbox, in this order.

        Returns: not started yet; it gives the items, as a tuple, once they are on the disk. It fails with an
        OutboxError where one cannot be kept: none of them is in the outbox then.
        """
        return self.read(lambda outbox: outbox.add_all(*drafts), name="alyx-outbox-add")

    def items(self) -> Task:
        """Make the task that lists what is in the outbox.

        Returns: not started yet; it gives a tuple of items, empty where there is no outbox yet: none is made.
        """

        def work(report: Report, cancel: CancelToken) -> tuple[Item, ...]:
            del report, cancel
            return self.open().items() if self._exists() else ()

        return Task(work, "alyx-outbox-list")

    def read(self, function: Callable[[Outbox], T], *, name: str = "alyx-outbox") -> Task:
        """Make the task that does something with the outbox, which is made where there is none.

        ``function``: takes the outbox, in a thread of its own.
        ``name``: name of that thread.
        """

        def work(report: Report, cancel: CancelToken) -> T:
            del report, cancel
            outbox = self.open()
            try:
                result = function(outbox)
                if self._unclaimed:  # somebody may have said so while this was being written
                    with suppress(AlyxError):  # it is written, whatever becomes of this
                        self._release(outbox)
                return result
            finally:
                if (sender := self._sender) is not None:
                    sender.look()
                self._look.set()

        return Task(work, name)

    def wake(self, *logged_in: tuple[str, str]) -> None:
        """End all pauses: try now what waits.

        ``logged_in``: server and user of the connection that a window made: this PyBpod sends for them from now on.
        """
        sender = self._sender
        if sender is not None:
            sender.wake(*logged_in)
        self._look.set()

    def acknowledge(self) -> None:
        """Take away the notes: the user has read them."""
        self._read_notes = self._outlook.notes
        self._look.set()

    def remember(self, client: AlyxClient, *, stored: bool = False) -> None:
        """Let the sender use a window's connection until a log-out; ``stored``: whether the token store has it."""
        self.logins.remember(client, stored=stored)
        self.users_changed.emit()
        self.wake(*[(client.url, client.username)] if client.username is not None else [])

    def log_out(self, server: str, username: str) -> Task:
        """Make the task that forgets the token of an account, here and in the token store.

        Returns: not started yet. What waits for this user stays in the outbox; what is being sent is sent.
        """

        def work(report: Report, cancel: CancelToken) -> None:
            del report, cancel
            self.logins.log_out(server, username)

        task = Task(work, "alyx-log-out")
        task.succeeded.connect(partial(self._on_logged_out, server, username))
        return task

    @slot
    def _on_logged_out(self, server: str, username: str) -> None:
        if not self._stopped.is_set():
            self.logged_out.emit(server, username)
            self.users_changed.emit()
            self.wake()

    def claim(self, server: str, username: str) -> None:
        """Take note that this user is at the rig: what was recorded at that server before anybody said so is theirs."""
        self.logins.is_at_rig(server, username)
        self.users_changed.emit()
        if not self._unclaimed:
            return
        task = self.read(self._release, name="alyx-outbox-claim")
        task.finished.connect(self.wake)
        task.failed.connect(show_error)
        task.start()

    def _release(self, outbox: Outbox) -> None:
        for item in outbox.items((State.PARKED,)):
            username = self.logins.at_rig(item.server)
            if username and item.key in self._unclaimed:
                outbox.claim(item.key, username)
                self._unclaimed.discard(item.key)

    def _why_unclaimed(self, item: Item) -> str:
        # asked by the outbox, in a worker thread
        if self.logins.somebody_is_at_rig(item.server):
            return ""
        self._unclaimed.add(item.key)
        self._times_unclaimed += 1
        return unclaimed_words(item)

    def asks_who_recorded(self, item: Item) -> bool:
        """Tell whether an item waits until somebody says who is at the rig: it was recorded in this PyBpod."""
        return item.key in self._unclaimed

    def client(self, server: str, username: str) -> AlyxClient:
        """Return a client for an account, see `Logins.client`; for worker threads."""
        return self.logins.client(server, username)

    def account_for(self, server: str, alyx_user: str) -> str:
        """Say as whom something is written to a server, see `Logins.account_for`; for worker threads."""
        return self.logins.account_for(server, alyx_user)

    def open(self) -> Outbox:
        """Open the outbox and start its sender, once; for worker threads.

        Returns
        -------
        Outbox
            The outbox.

        Raises
        ------
        OutboxError
            If the file cannot be opened or made, or PyBpod is closing.
        """
        with self._opening:
            if self._stopped.is_set():
                raise OutboxError("PyBpod is closing; the Alyx outbox takes nothing more.", hint="Open PyBpod again.")
            if self._outbox is None:
                outbox = Outbox(unclaimed=self._why_unclaimed)
                self._sender = Sender(
                    outbox, self.logins.client_or_none, life_s=self._life_s, on_change=self._on_change
                )
                self._sender.start()
                self._outbox = outbox
            return self._outbox

    def _close(self) -> None:
        with self._opening:
            sender, outbox = self._sender, self._outbox
            self._sender = self._outbox = None
        if sender is not None:
            sender.stop(GRACE_S)
        if outbox is not None:
            outbox.close()
        self.logins.close()

    def _on_change(self, item: Item) -> None:
        if item.wants_login:
            self.logins.refused(*item.account)
        self._look.set()

    @staticmethod
    def _exists() -> bool:
        return (home_folder() / FILE_NAME).exists()

    def _watch(self) -> None:
        last, look_at_logins = Outlook(), 0.0
        while not self._stopped.is_set():
            self._look.clear()
            if time.monotonic() >= look_at_logins:
                self._look_at_logins()
                look_at_logins = time.monotonic() + LOGINS_LOOK_S
            try:
                changed, now = self._read_outbox(last)
            except AlyxError as error:
                changed, now = False, replace(last, problem=str(error))
            except Exception as error:
                logger.exception("The outbox could not be watched")
                text = f"The outbox could not be read ({type(error).__name__}); see {where_is_log()}."
                changed, now = False, replace(last, problem=text)
            if (changed or now != last) and not self._stopped.is_set():
                last = now
                self._publish(now)
            self._look.wait(LOOK_S)

    def _look_at_logins(self) -> None:
        try:
            for account in self.logins.log_out_as_elsewhere():
                self._logged_out_elsewhere.emit(*account)
        except AlyxError as error:  # who cannot be looked up stays logged in
            logger.debug("Who is logged in could not be looked up: %s", error)
        except RuntimeError:  # PyBpod is ending and Qt's half of this is gone
            logger.debug("Somebody logged out after PyBpod ended")

    def _read_outbox(self, last: Outlook) -> tuple[bool, Outlook]:
        if self._outbox is None and not self._exists():
            return False, Outlook()
        outbox = self.open()
        trouble = self._sender.trouble if self._sender is not None else ""
        notes = tuple(note for note in outbox.notes if note not in self._read_notes)
        self._stale |= outbox.changed()
        if not self._stale:
            return False, replace(last, problem=trouble, notes=notes)
        items = outbox.items(OPEN)
        self._stale = False
        waiting = [item for item in items if item.waits_for is WaitsFor.USER and item.key in self._unclaimed]
        unclaimed = tuple(dict.fromkeys(item.account for item in waiting))
        now = Outlook.of(items)
        times = self._times_unclaimed
        return True, replace(now, problem=trouble, notes=notes, unclaimed=unclaimed, times_unclaimed=times)

    def _publish(self, outlook: Outlook) -> None:
        try:
            self._outlook_changed.emit(outlook)
        except RuntimeError:  # PyBpod is ending and Qt's half of this is gone: nobody listens any more
            logger.debug("The outbox changed after PyBpod ended")

    @slot
    def _on_outlook(self, outlook: Outlook) -> None:
        if not self._stopped.is_set():
            self._outlook = outlook
            self.changed.emit()


def _rig_account() -> tuple[str, str]:
    settings = read_settings()
    return settings.address, settings.username


_running: list[RunningOutbox] = []


def running_outbox() -> RunningOutbox:
    """Return the outbox of this PyBpod, started at first use."""
    if not _running:
        outbox = RunningOutbox()
        _running.append(outbox)
        outbox.start()
    return _running[0]


def stop_outbox() -> None:
    """End the outbox of this PyBpod: when PyBpod quits."""
    while _running:
        _running.pop().stop()
