"""The sender: brings what waits in the outbox to the server, in the background, each item once."""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from alyx_connector.errors import AlyxError
from alyx_connector.progress import Cancelled, CancelToken
from pybpod_alyx_module.log_file import where_is_log
from pybpod_alyx_module.outbox.back_off import Pauses
from pybpod_alyx_module.outbox.delivery.by_kind import delivery_of, is_client_of
from pybpod_alyx_module.outbox.delivery.withdrawal import Withdrawal
from pybpod_alyx_module.outbox.items import OPEN, State, WaitsFor
from pybpod_alyx_module.outbox.outcomes import HeldError, Outcome, Scope
from pybpod_alyx_module.outbox.sqlite_file import NEXT_POLL_S, SenderLocks, Watch
from pybpod_alyx_module.outbox.states import Event, heads, move, stays_behind
from pybpod_alyx_module.outbox.words import ENDED, logged, login_hint, look_hint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from alyx_connector import AlyxClient
    from pybpod_alyx_module.outbox.items import Item
    from pybpod_alyx_module.outbox.outbox import Outbox

    #: Gives the client of a server and a user, logged in; None where that user has to log in first.
    Clients = Callable[[str, str], AlyxClient | None]

LOG = logging.getLogger(__name__)
#: How often a user who has to log in is asked for again without `Sender.wake`, in seconds.
LOGIN_POLL_S = 30.0


class Sender:
    """Sends what waits; of all senders of one outbox, in all programs, one is at work at a time.

    The items of an account are sent by one that is logged in as its user, as long as it is there, so that pauses are
    kept; the next takes over. Where none is, any of them says so in the items.

    ``clients``: takes server and user and returns a client that is logged in as that user there, or None. Called for
    every item, on the sender's thread: keep the clients.
    ``life_s``: how long a request may be under way at most, in seconds: only after that a request without an answer
    is looked for. Longer than any time-out of the server and of what stands before it.
    ``poll_s``: how often to look whether another program added something, or the other sender is gone, in seconds.
    ``on_change``: called with each item that changed, on the sender's thread.
    ``clock``: monotonic clock, in seconds: setting the computer's clock changes nothing.
    ``pauses``: how long to wait after failures; 1 s to 5 min if left out.
    """

    def __init__(
        self,
        outbox: Outbox,
        clients: Clients,
        *,
        life_s: float = 300.0,
        poll_s: float = 1.0,
        on_change: Callable[[Item], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        pauses: Pauses | None = None,
    ) -> None:
        self._outbox = outbox
        self._clients = clients
        self._life_s = life_s
        self._poll_s = poll_s
        self._on_change = on_change
        self._clock = clock
        self._pauses = pauses or Pauses(clock)
        self._locks = SenderLocks(outbox.path)
        #: Accounts that were logged in to here: to be taken before anything of them waits.
        self._logged_in: set[tuple[str, str]] = set()
        self._missed_turn = False
        self._watch = Watch(outbox.path)
        #: By key and attempt: since when an item is unsure, as far as this sender knows.
        self._since: dict[tuple[str, int], float] = {}
        #: By account: the token that the server refused, None where there was none, and when to ask for another.
        self._refused: dict[tuple[str, str], tuple[str | None, float]] = {}
        #: By key of an item: server and user (None: all of the server) whose trouble its reason tells.
        self._explained: dict[str, tuple[str, str | None]] = {}
        self._trouble = ""
        self._working = threading.Lock()
        self._cancel = CancelToken()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._woken = False
        self._thread: threading.Thread | None = None

    @property
    def trouble(self) -> str:
        """Why nothing is sent, for example because the file cannot be written; empty if all is well."""
        return self._trouble

    @property
    def leads(self) -> bool:
        """Whether this is the sender that is at work now."""
        return self._locks.has_turn

    def start(self) -> None:
        """Begin to send, on a thread of its own; once begun, this does nothing."""
        if self._thread is not None:
            return
        self._cancel = CancelToken()
        self._stopping.clear()
        self._thread = threading.Thread(target=self._work, name="alyx-outbox", daemon=True)
        self._thread.start()

    def stop(self, grace_s: float = 2.0) -> None:
        """Stop sending, and let another program send.

        ``grace_s``: how long a request that is under way may still take, in seconds. After that it is given up, and
        its item is unsure.
        """
        self._stopping.set()
        self._wake.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(grace_s)
            self._cancel.cancel()
            thread.join()
        self._watch.close()
        self._locks.leave_all()

    def wake(self, *logged_in: tuple[str, str]) -> None:
        """Try everything again now: somebody logged in, corrected an item, or mended the network.

        ``logged_in``: servers and users that this program is logged in to.
        """
        self._logged_in.update(logged_in)
        self._woken = True
        self._wake.set()

    def look(self) -> None:
        """Look now whether something was added; pauses stay."""
        self._wake.set()

    def run_once(self) -> bool:
        """Send what can be sent now, on this thread; for programs that do not `start`.

        Where another program waits for its turn, that comes in between. Returns: False if another is sending; nothing
        was done then.
        """
        with self._working:
            self._note_wake()
            if not self._locks.take_turn():
                return False
            try:
                while self._round()[0] and not self._locks.must_end_turn():
                    pass
            finally:
                self._locks.end_turn()
                if self._thread is None:
                    self._locks.leave_all()
        return True

    def _work(self) -> None:
        due = 0.0
        try:
            while not self._stopping.is_set():
                with self._working:
                    due = self._tick(due)
                self._wake.wait(max(0.001, min(self._poll_s, due - self._clock())))
                self._wake.clear()
        finally:
            self._locks.leave_all()

    def _tick(self, due: float) -> float:
        # Returns when to try again, by the clock.
        try:
            woken, changed = self._note_wake(), self._watch.changed()
            if not (woken or changed or self._missed_turn or self._locks.one_is_free()) and self._clock() < due:
                return due
            self._missed_turn = not self._locks.take_turn()
            if self._missed_turn:
                self._trouble = ""
                return self._clock() + min(self._poll_s, NEXT_POLL_S)
            busy, wait = True, 0.0
            try:
                while busy and not (self._stopping.is_set() or self._locks.must_end_turn()):
                    busy, wait = self._round()
            finally:
                self._locks.end_turn()
            self._trouble = ""
            return self._clock() + wait
        except AlyxError as error:
            self._trouble = str(error)
        except Exception as error:  # the sender must outlive its own mistakes
            LOG.exception("the sender of the outbox failed")
            self._trouble = f"Sending failed ({type(error).__name__}) and will be tried again; see {where_is_log()}."
        return self._clock() + max(self._poll_s, 5.0)

    def _note_wake(self) -> bool:
        woken, self._woken = self._woken, False
        if woken:
            self._pauses.clear()
            self._refused.clear()
            self._leave_logged_out()
        return woken

    def _leave_logged_out(self) -> None:
        for account in self._locks.held:
            with contextlib.suppress(AlyxError):  # it is asked for, and told, where it is needed
                if self._clients(*account) is None:
                    self._logged_in.discard(account)
                    self._locks.leave(account)

    def _round(self) -> tuple[bool, float]:
        # Returns whether anything was done, and after how many seconds there may be something to do.
        items = self._outbox.items(OPEN)
        for item in items:
            if item.state is State.SENDING:
                # Only who has the turn sends, and this one is not sending now.
                self._move(item, Event.ABANDON, reason=ENDED)
                return True, 0.0
        unsure = {(item.key, item.attempts) for item in items if item.state is State.UNSURE}
        self._since = {key: since for key, since in self._since.items() if key in unsure}
        for account in tuple(self._logged_in):
            self._may_send(account, items)
        busy, wait = False, math.inf
        for item in heads(items):
            if self._stopping.is_set() or self._locks.must_end_turn():
                return True, 0.0
            left = self._left(item)
            if left <= 0 and not self._may_send(item.account, items):
                continue
            if left <= 0 and self._handle(item):
                busy = True
                left = 0.0
            wait = min(wait, max(left, 0.0) or self._poll_s)
        return busy, wait

    def _may_send(self, account: tuple[str, str], items: tuple[Item, ...]) -> bool:
        if account in self._locks.held:
            return True
        if not self._locks.take(account):
            return False
        # What the program said that sent for it before: its pauses are not ours.
        said = [item for item in items if item.account == account and item.reason and not item.wants_login]
        self._forget_reasons(item.key for item in said if self._pauses.left(item) <= 0)
        return True

    def _left(self, item: Item) -> float:
        left = self._pauses.left(item)
        if item.account in self._refused and item.wants_login:
            left = max(left, self._refused[item.account][1] - self._clock())
        if item.state is State.UNSURE:
            # Also where another sender sent it: by our clock, from when we first saw it.
            since = self._since.setdefault((item.key, item.attempts), self._clock())
            if item.server_id is None:
                left = max(left, since + self._life_s - self._clock())
        return left

    def _handle(self, item: Item) -> bool:
        first = None if item.follows is None else self._outbox.item(item.follows)
        if first is not None and stays_behind(item, first):
            reason, hint = "Its session was discarded.", "Discard it too, or record it again without a session."
            return self._move(item, Event.PARK, reason=reason, hint=hint)
        client = self._client(item)
        if client is None:
            return not item.wants_login  # what it held up may go now
        known = client, item, first.server_id if first is not None else None, self._cancel
        delivery = delivery_of(*known)
        try:
            if item.state is State.UNSURE:
                return self._conclude(item, delivery.look(), client)
            if item.misplaced is not None:
                return self._conclude(item, Withdrawal(*known).withdraw(item.misplaced), client)
            try:
                parcel = delivery.prepare()
            except HeldError as held:
                return self._conclude(item, held.outcome, client)
        except Cancelled:
            return False
        self._stop_explaining(item)
        claimed = move(item, Event.CLAIM, sent_as=parcel.fields.get("date_time"))
        if not self._outbox.replace(item, claimed):
            return True  # edited or discarded meanwhile
        self._report(claimed)
        try:
            outcome = delivery.send(parcel)
        except Cancelled:
            outcome = Outcome(Event.LOSE, "PyBpod was closed while it was being sent.")
        return self._conclude(claimed, outcome, client)

    def _client(self, item: Item) -> AlyxClient | None:
        reason = f"{item.username} is not logged in at {item.server}."
        try:
            client = self._clients(*item.account)
        except AlyxError as error:
            client, reason = None, error.message
        if client is not None and not is_client_of(client, item):
            client, reason = None, f"Nobody is logged in at {item.server} as {item.username}."
        token = client.token if client is not None else None
        refused = self._refused.get(item.account)
        if client is None or token is None or (refused is not None and token == refused[0]):
            self._await_login(item, token, reason)
            return None
        self._refused.pop(item.account, None)
        if item.wants_login:
            self._outbox.forget_login(*item.account)
        return client

    def _await_login(self, item: Item, token: str | None, reason: str) -> None:
        # Where another program is logged in as that user, it sends from now on.
        self._refused[item.account] = (token, self._clock() + LOGIN_POLL_S)
        self._logged_in.discard(item.account)
        self._locks.leave(item.account)
        if not reason or item.wants_login:
            return
        if item.state is State.WAITING and item.misplaced is None:
            self._explain(item, item.username, reason, login_hint(item), WaitsFor.LOGIN)
        else:
            self._move(item, Event.POSTPONE, reason=reason, hint=login_hint(item), waits_for=WaitsFor.LOGIN)

    def _conclude(self, item: Item, outcome: Outcome, client: AlyxClient) -> bool:
        # Returns whether the state is another now.
        reason, hint = outcome.reason, outcome.hint
        if outcome.scope is Scope.LOGIN:
            hint = login_hint(item)
            self._await_login(item, client.token, "")
        elif outcome.scope is not Scope.NONE:
            pause = self._pauses.hold(item, outcome.scope, outcome.retry_after)
            at = (datetime.now().astimezone() + timedelta(seconds=pause)).strftime("%H:%M:%S")
            if outcome.event is Event.POSTPONE or outcome.server_id is not None:
                reason = f"{reason} It will be tried again at {at}."
        elif outcome.event in {Event.ARRIVE, Event.MISS, Event.WITHDRAW}:
            self._pauses.went_well(item)
        if outcome.event is Event.LOSE and item.state is State.UNSURE:
            self._pauses.hold(item, Scope.ITEM, None)
        if outcome.event is Event.LOSE and outcome.server_id is None:
            hint = look_hint(self._life_s)
            if item.state is State.SENDING:
                self._since[item.key, item.attempts] = self._clock()
        moved = self._move(
            item,
            outcome.event,
            reason=reason,
            hint=hint,
            waits_for=outcome.waits_for,
            server_id=outcome.server_id,
            fault=outcome.fault,
        )
        if outcome.event is Event.POSTPONE and outcome.scope in {Scope.LOGIN, Scope.ACCOUNT, Scope.SERVER}:
            username = None if outcome.scope is Scope.SERVER else item.username
            self._explain(item, username, reason, hint, outcome.waits_for)
        return moved and outcome.event is not Event.POSTPONE

    def _move(
        self,
        item: Item,
        event: Event,
        *,
        reason: str = "",
        hint: str = "",
        waits_for: WaitsFor = WaitsFor.NOTHING,
        server_id: str | None = None,
        fault: bool = False,
    ) -> bool:
        now = datetime.now(timezone.utc)
        changed = move(
            item, event, reason=reason, hint=hint, waits_for=waits_for, server_id=server_id, fault=fault, now=now
        )
        self._explained.pop(item.key, None)
        if not self._outbox.replace(item, changed):
            return True  # somebody changed it: look again
        self._report(changed)
        return True

    def _explain(self, item: Item, username: str | None, reason: str, hint: str, waits_for: WaitsFor) -> None:
        changed = self._outbox.explain(item.server, username, reason, hint, waits_for)
        self._explained.update(dict.fromkeys([item.key, *changed], (item.server, username)))
        if changed:
            self._report(self._outbox.item(item.key))

    def _stop_explaining(self, item: Item) -> None:
        over = {(item.server, None), (item.server, item.username)}
        self._forget_reasons(key for key, whose in self._explained.items() if whose in over)

    def _forget_reasons(self, keys: Iterable[str]) -> None:
        told = list(keys)
        if told:
            self._outbox.forget_reasons(told)
        for key in told:
            self._explained.pop(key, None)

    def _report(self, item: Item) -> None:
        LOG.info("outbox: %s", logged(item))
        if self._on_change is None:
            return
        try:
            self._on_change(item)
        except Exception:  # what listens must not stop what sends
            LOG.exception("a listener of the outbox failed")
