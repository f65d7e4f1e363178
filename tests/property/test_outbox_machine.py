"""The outbox against a server that loses, stores and loses, fails and is slow: each item once, on its animal, in order.

The outbox, its file, its sender and its delivery are the real ones. The server is a model in memory, with a clock that
only the rules move; a request that is slow is carried out later, up to the life that the sender counts on.
"""

from __future__ import annotations

import datetime as dt
import re
import shutil
import tempfile
import uuid
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from alyx_connector.errors import (
    InvalidDataError,
    LoginRequiredError,
    NotFoundError,
    RateLimitedError,
    ServerFaultError,
    UnreachableError,
)
from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.outbox.back_off import Pauses
from pybpod_alyx_module.outbox.items import OPEN, Draft, Kind, State
from pybpod_alyx_module.outbox.outbox import Outbox
from pybpod_alyx_module.outbox.sender import Sender

SERVER, USER, OTHER = "http://127.0.0.1:9", "jose", "anna"
LIFE_S = 300.0
ANIMALS = [str(uuid.UUID(int=number)) for number in (1, 2, 3)]
ROUTES = {Kind.SESSION: "sessions", Kind.WEIGHING: "weighings", Kind.WATER: "water-administrations"}
#: What happens to a question, and what to a request that writes; "ok" stands for nothing.
READING = [*["ok"] * 12, "drop", "500", "503", "429", "login", "swap", "killed"]
WRITING = ["ok", "ok", "drop", "store and drop", "slow", "500", "store and 500", "503", "429", "login", "refuse"]
WRITING += ["swap", "swap", "killed", "killed after", "swap and drop", "swap and be killed"]
ROOM = Path("/dev/shm") if Path("/dev/shm").is_dir() else None


class KilledError(BaseException):
    """The sender's process is gone, in the middle of a request."""


def _same_moment(stored, asked):
    """Whether a server that keeps UTC finds a naive time by one with an offset, or without."""
    moment = dt.datetime.fromisoformat(asked)
    if moment.tzinfo is not None:
        moment = moment.astimezone(dt.timezone.utc).replace(tzinfo=None)
    return bool(stored) and dt.datetime.fromisoformat(stored) == moment


class ModelServer:
    """Alyx, as far as the outbox asks it; stands in for `AlyxClient`."""

    url, username, token = SERVER, USER, "t" * 40

    def __init__(self, clock):
        self._clock = clock
        self.names = {animal: f"animal_{number}" for number, animal in enumerate(ANIMALS)}
        self.rows = {route: {} for route in ROUTES.values()}
        self.reading, self.writing = [], []
        self.later = []
        self.order = []

    def catch_up(self, all_of_it=False):
        # What was slow arrives.
        ripe = [late for late in self.later if all_of_it or late[0] <= self._clock()]
        self.later = [late for late in self.later if late not in ripe]
        for _, route, fields in sorted(ripe, key=lambda late: late[0]):
            self._store(route, fields)

    def swap(self, one, other):
        self.names[one], self.names[other] = self.names[other], self.names[one]

    def get(self, endpoint, params=None, **_):
        self.catch_up()
        self._meet_fault(reading=True)
        if not isinstance(endpoint, str):
            route, record = endpoint
            if record not in self.rows[route]:
                raise NotFoundError(f"no {record}", status=404)
            return self._shown(self.rows[route][record])
        found = [row for row in self._table(endpoint) if self._matches(row, params)]
        params = params or {}
        skipped = int(params.get("offset", 0))
        before = f"{SERVER}/{endpoint}?asked={params.get('asked', '')}" if skipped else None
        return {"count": len(found), "next": None, "previous": before, "results": found[skipped:]}

    def login_page(self, **_):
        self._meet_fault(reading=True)
        return '<body data-admin-utc-offset="0">'

    def openapi(self, **_):
        raise NotFoundError("no description", status=404)

    def list(self, endpoint, params=None, **_):
        return self.get(endpoint, params)["results"]

    def post(self, route, fields, *, success=None, cancel=None, report=None):
        assert success == 201
        self.catch_up()
        fault = self._meet_fault(reading=False)
        if fault == "slow":
            self.later.append((self._clock() + LIFE_S - 1, route, dict(fields)))
            raise UnreachableError("slow", maybe_processed=True)
        row = self._store(route, fields)
        if fault in {"store and drop", "swap and drop"}:
            raise UnreachableError("dropped", maybe_processed=True)
        if fault == "store and 500":
            raise ServerFaultError("failed", status=500)
        if fault in {"killed after", "swap and be killed"}:
            raise KilledError
        return self._shown(row)

    def delete(self, endpoint, **_):
        self.catch_up()
        self._meet_fault(reading=True)
        route, record = endpoint
        if record not in self.rows[route]:
            raise NotFoundError("gone", status=404)
        del self.rows[route][record]

    def _meet_fault(self, *, reading):
        faults = self.reading if reading else self.writing
        fault = faults.pop(0) if faults else "ok"
        if fault.startswith("swap"):
            self.swap(ANIMALS[0], ANIMALS[1])
        errors = {
            "drop": UnreachableError("dropped", maybe_processed=not reading),
            "500": ServerFaultError("failed", status=500),
            "503": ServerFaultError("busy", status=503),
            "429": RateLimitedError("throttled", status=429, retry_after=90.0),
            "login": LoginRequiredError("revoked"),
            "refuse": InvalidDataError("refused", status=400),
            "killed": KilledError(),
        }
        if fault in errors:
            raise errors[fault]
        return fault

    def _store(self, route, fields):
        animal = next(animal for animal, name in self.names.items() if name == fields["subject"])
        row = {**fields, "id": str(uuid.uuid4()), "animal": animal}
        self.rows[route][row["id"]] = row
        self.order.append((animal, row["id"]))
        return row

    def _table(self, endpoint):
        if endpoint == "subjects":
            return [{"id": animal, "nickname": name, "lab": "lab"} for animal, name in self.names.items()]
        if endpoint == "labs":
            return [{"id": "lab", "name": "lab", "timezone": "UTC"}]
        if endpoint == "water-restriction":
            return []
        return [self._shown(row) for row in self.rows[endpoint].values()]

    def _shown(self, row):
        return {**row, "subject": self.names[row["animal"]]}

    @staticmethod
    def _matches(row, params):
        params = params or {}
        if "nickname" in params:
            return row["nickname"] == params["nickname"]
        lookups = params.get("django") or ""
        times = re.search(r",?(date_time|start_time)__in,\[([^]]*)\]", lookups)
        if times is not None:
            stored = row.get(times[1]) or ""
            if not any(_same_moment(stored, time.strip("'")) for time in times[2].split(",")):
                return False
            lookups = lookups.replace(times[0], "").strip(",")
        words = lookups.split(",") if lookups else []
        key = row.get("json", {}).get("pybpod", {}).get("outbox_key") if isinstance(row.get("json"), dict) else None
        known = {"pk": row["id"], "subject__pk": row.get("animal")}
        known |= {"json__pybpod__outbox_key": key}
        pairs = dict(zip(words[::2], words[1::2], strict=True))
        first, last = (pairs.pop(f"start_time__date__{end}", None) for end in ("gte", "lte"))
        day = str(row.get("start_time"))[:10]
        for time in ("start_time", "date_time"):
            stored = row.get(time) or ""
            if time in pairs and not _same_moment(stored, pairs.pop(time)):
                return False
            least, most = pairs.pop(f"{time}__gte", ""), pairs.pop(f"{time}__lte", "9")
            if not least <= stored <= most:
                return False
        return (first is None or first <= day <= last) and all(known[name] == value for name, value in pairs.items())


class ModelClient:
    """What one user asks that server with."""

    def __init__(self, server, username):
        self._server, self.username = server, username

    def __getattr__(self, name):
        return getattr(self._server, name)


DRAFTS = st.tuples(
    st.sampled_from(list(ROUTES)), st.sampled_from(ANIMALS), st.integers(1, 3), st.sampled_from([USER, USER, OTHER])
)


class OutboxMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=ROOM))
        self.now = 0.0
        self.server = ModelServer(lambda: self.now)
        self.outbox = Outbox(self.folder / "outbox.sqlite")
        self.sender = None
        self.clients = {name: ModelClient(self.server, name) for name in (USER, OTHER)}
        self.logged_in = {USER, OTHER}
        self.added = {}
        self.sessions = []
        self.discarded = set()
        self.parked = False

    @initialize(drafts=st.lists(DRAFTS, min_size=1, max_size=6))
    def start(self, drafts):
        self.new_sender()
        for draft in drafts:
            self.put(*draft)

    def new_sender(self):
        if self.sender is not None:
            self.sender.stop()
        clock = lambda: self.now  # noqa: E731
        self.sender = Sender(self.outbox, self.client, life_s=LIFE_S, clock=clock, pauses=Pauses(clock, 1.0, 60.0))

    def client(self, _server, username):
        return self.clients[username] if username in self.logged_in else None

    def send(self):
        before = {item.key: item for item in self.outbox.items()}
        try:
            self.sender.run_once()
        except KilledError:
            self.new_sender()
        for item in self.outbox.items():
            old = before[item.key]
            assert item.values == old.values, "the sender edits nothing"
            assert old.state not in {State.SENT, State.DISCARDED} or item == old
            self.parked |= item.state is State.PARKED

    @rule(draft=DRAFTS)
    def add(self, draft):
        self.put(*draft)

    def put(self, kind, animal, number, username):
        values = {"date_time": "2026-11-21T12:00:00"}
        follows = None
        if kind is Kind.SESSION:
            values = {"start_time": f"2026-11-21T12:00:0{number}"}
        elif kind is Kind.WEIGHING:
            values["weight"] = number
        else:
            values["water_administered"] = number
            follows = next((item.key for item in self.sessions if item.subject_id == animal), None)
        draft = Draft(kind, SERVER, username, animal, "at that time", values, follows)
        if follows in self.discarded:
            return
        item = self.outbox.add(draft)
        self.added[item.key] = item
        if kind is Kind.SESSION:
            self.sessions.append(item)

    @rule(
        reading=st.lists(st.sampled_from(READING), max_size=12),
        writing=st.lists(st.sampled_from(WRITING), min_size=1, max_size=4),
        seconds=st.sampled_from([0.0, 31.0, LIFE_S - 1, LIFE_S]),
        between=st.sampled_from(["", "wake", "wake", "swap", "restart"]),
    )
    def send_in_trouble(self, reading, writing, seconds, between):
        self.server.reading, self.server.writing = list(reading), list(writing)
        self.send()
        self.now += seconds
        if between == "wake":
            self.sender.wake()
        elif between == "swap":
            self.server.swap(ANIMALS[1], ANIMALS[2])
        elif between == "restart":
            self.new_sender()

    @rule(username=st.sampled_from([USER, OTHER, OTHER]), wake=st.booleans())
    def log_in_or_out(self, username, wake):
        self.logged_in ^= {username}
        if wake:
            self.sender.wake()
        self.server.reading, self.server.writing = [], []
        self.send()
        for item in self.outbox.items(OPEN):
            if item.username not in self.logged_in:
                assert item.state is not State.SENDING
            elif item.behind is not None and item.state is State.WAITING:
                # another user's login is waited for only by what belongs to that session
                assert not item.behind.wants_login or item.behind.username == item.username or item.follows

    @rule(seconds=st.sampled_from([LIFE_S - 1, LIFE_S]))
    def send_in_peace(self, seconds):
        self.server.reading, self.server.writing = [], []
        self.send()
        self.now += seconds

    def pick(self, which):
        return self.outbox.item(list(self.added)[which % len(self.added)])

    @rule(which=st.integers(0, 11), number=st.integers(1, 3))
    def edit(self, which, number):
        item = self.pick(which)
        values = {**item.values, "n_trials" if item.kind is Kind.SESSION else "x": number}
        try:
            edited = self.outbox.edit(item.key, values)
        except OutboxError:
            assert item.state not in {State.WAITING, State.PARKED} or item.misplaced or item.server_id
            assert self.outbox.item(item.key) == item
        else:
            assert item.state in {State.WAITING, State.PARKED}
            self.added[item.key] = edited

    @rule(which=st.integers(0, 11))
    def retry_or_discard(self, which):
        item = self.pick(which)
        followed = any(other.follows == item.key for other in self.added.values())
        try:
            if item.state is State.PARKED or followed:
                self.outbox.retry(item.key)
            else:
                self.outbox.discard(item.key)
                self.discarded.add(item.key)
        except OutboxError:
            assert self.outbox.item(item.key) == item

    def teardown(self):
        try:
            self.come_to_rest()
            self.check()
        finally:
            self.sender.stop()
            self.outbox.close()
            shutil.rmtree(self.folder)

    def come_to_rest(self):
        self.logged_in = {USER, OTHER}
        self.server.reading, self.server.writing = [], []
        for _ in range(40):
            for item in self.outbox.items((State.PARKED,)):
                self.outbox.retry(item.key)
            self.sender.wake()
            self.send()
            self.now += LIFE_S
            if not self.outbox.items(OPEN):
                break
        self.server.catch_up(all_of_it=True)

    def check(self):
        items = {item.key: item for item in self.outbox.items()}
        assert set(items) == set(self.added), "never lost"
        on_server = {}
        for route, rows in self.server.rows.items():
            for row in rows.values():
                on_server[row["id"]] = (route, row["animal"])
        wanted = {}
        for item in items.values():
            assert item.state is (State.DISCARDED if item.key in self.discarded else State.SENT), item
            assert item.values == self.added[item.key].values
            if item.state is State.SENT:
                wanted[item.server_id] = (ROUTES[item.kind], item.subject_id)
        assert on_server == wanted, "each once, on its own animal, and nothing else"
        assert len(wanted) == len(items) - len(self.discarded)
        for animal in ANIMALS:
            for username in (USER, OTHER):
                # another user's items may pass, and this one's what belongs to a session of another
                numbers = {
                    item.server_id: item.number
                    for item in items.values()
                    if item.username == username and item.follows is None
                }
                order = [
                    numbers[record] for owner, record in self.server.order if owner == animal and record in numbers
                ]
                if not self.parked:  # a parked item lets the later ones pass
                    assert order == sorted(order), "in order for each subject and user"


OutboxMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=12, deadline=None)
TestOutbox = pytest.mark.timeout(300)(OutboxMachine.TestCase)
