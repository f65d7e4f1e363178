"""Whatever the server's clock, its zone and the moment of a change: no detail that changed before a search is shown."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from alyx_connector.cache.freshness import OVERLAP, Known, ServerClock, changed_names

ZONES = [
    *("UTC", "Europe/Paris", "Europe/London", "Africa/Cairo", "America/New_York", "America/St_Johns", "Asia/Kolkata"),
    *("Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Kiritimati", "Etc/GMT+12"),
]
#: Near changes to and from summer time, and far from them, UTC.
DAYS = [
    *("2026-03-29T00:10", "2026-10-25T00:10", "2026-11-01T05:10", "2026-10-24T22:40", "2026-04-04T14:40"),
    *("2026-10-29T20:30", "2026-01-15T12:00", "2026-07-15T23:50"),
]
SECOND = dt.timedelta(seconds=1)
MILLISECONDS = st.integers(0, 4000).map(lambda ms: dt.timedelta(milliseconds=ms))


@dataclass
class Server:
    """Rows that change, a clock in some zone, and a time that goes on with each request."""

    zone: ZoneInfo
    now: dt.datetime
    #: Of each row when each of its versions could be seen, and what it says of its change.
    rows: dict[str, list[tuple[dt.datetime, dt.datetime]]] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    def write(self, name, until_seen):
        stamp = self.now.replace(tzinfo=dt.timezone.utc).astimezone(self.zone).replace(tzinfo=None)
        self.rows.setdefault(name, []).append((self.now + until_seen, stamp))

    def version(self, name):
        return sum(seen <= self.now for seen, _ in self.rows[name]) - 1

    def answer(self, took, read):
        """Pass the time of a request; read what it answers half-way, return as of when it is true, and its Date."""
        end = self.now + took
        self.now += took / 2
        value = read()
        self.now = end
        date = end.replace(microsecond=0)
        return value, date - took, date

    def changed_since(self, moment):
        moment = moment.replace(microsecond=0)
        return {name for name in self.rows if self.rows[name][self.version(name)][1] >= moment}


@dataclass
class Kept:
    version: int
    changed: dt.datetime
    seen: dt.datetime
    answered: dt.datetime


def search(server, kept, took):
    """Search as `add_details` does."""
    names, as_of, _ = server.answer(took, lambda: list(server.rows))
    clock = ServerClock(as_of, [(one.changed, one.answered) for one in kept.values()])
    known = {name: Known(one.changed, one.seen) for name, one in kept.items()}
    changed = changed_names(known, lambda moment: server.answer(took, lambda: server.changed_since(moment))[0])
    missing = [name for name in names if name not in kept or name in changed]
    seen_as_of = dict.fromkeys(kept.keys() - changed, as_of)
    server.fetched = missing
    for name in missing:
        version, seen_as_of[name], date = server.answer(took, lambda name=name: server.version(name))
        stamp = server.rows[name][version][1]
        clock.learn(stamp, date)
        kept[name] = Kept(version, stamp, clock.seen(seen_as_of[name]), date)
    for name, moment in seen_as_of.items():
        kept[name].seen = max(kept[name].seen, clock.seen(moment))


@st.composite
def histories(draw):
    wait = st.one_of(
        st.integers(0, 20_000).map(lambda ms: dt.timedelta(milliseconds=ms)),
        st.integers(0, 7200).map(lambda seconds: dt.timedelta(seconds=seconds)),
        st.integers(0, 60).map(lambda hours: dt.timedelta(hours=hours)),
    )
    write = st.tuples(st.sampled_from("abc"), st.integers(0, 7).map(lambda seconds: seconds * SECOND))
    return draw(st.lists(st.tuples(wait, st.one_of(st.just("search"), write), MILLISECONDS), min_size=2, max_size=14))


#: A change in the hour that the clock shows a second time, and one that is seen some time after it got its time.
SECOND_HOUR = [(dt.timedelta(minutes=30), "search", SECOND), (dt.timedelta(minutes=40), ("a", 0 * SECOND), SECOND)]
LATE = [(SECOND, "search", SECOND), (SECOND, ("a", 7 * SECOND), SECOND), (SECOND, "search", SECOND)]


@given(st.sampled_from(ZONES), st.sampled_from(DAYS), histories(), st.booleans())
@example("Europe/Paris", DAYS[1], SECOND_HOUR, True)
@example("America/New_York", DAYS[2], SECOND_HOUR, True)
@example("Asia/Kolkata", DAYS[6], [*LATE, (20 * SECOND, "search", SECOND)], True)
def test_what_changed_before_a_search_is_never_shown_as_it_was(zone, day, history, busy):
    server, kept = Server(ZoneInfo(zone), dt.datetime.fromisoformat(day)), {}
    for name in "abc":
        server.write(name, dt.timedelta())
    for wait, event, took in [*history, (dt.timedelta(), "search", SECOND)]:
        server.now += wait
        if event == "search":
            if busy:  # something that changed just now tells the server's clock exactly
                server.write("busy", dt.timedelta())
            at_least = {name: server.version(name) for name in server.rows}
            search(server, kept, took)
            assert all(kept[name].version >= version for name, version in at_least.items())
        else:
            server.write(*event)


@given(
    st.sampled_from(ZONES),
    st.sampled_from(DAYS[-2:]),
    st.lists(st.integers(0, 300), min_size=1, max_size=8),
    st.integers(0, 9000),
)
def test_what_did_not_change_is_not_fetched_again(zone, day, quarters, later):
    # Whether the last change was just now or whole quarters of an hour ago in another zone, nobody can tell at first.
    server, kept = Server(ZoneInfo(zone), dt.datetime.fromisoformat(day)), {}
    start = server.now
    for number, quarter in enumerate(quarters):
        server.now = start - quarter * dt.timedelta(minutes=15) - dt.timedelta(minutes=1 + number)
        server.write(f"row {number}", dt.timedelta())
    server.now = start
    search(server, kept, SECOND)
    assert len(server.fetched) == len(quarters)
    for _ in range(2):
        server.now += dt.timedelta(minutes=later)
        search(server, kept, SECOND)
        assert server.fetched == []


@given(st.sampled_from(ZONES), st.integers(0, 23), st.integers(0, 3))
def test_what_changed_just_before_it_was_fetched_settles(zone, hour, ago):
    server, kept = Server(ZoneInfo(zone), dt.datetime(2026, 1, 15, hour)), {}  # noqa: DTZ001 - naive UTC
    server.write("a", dt.timedelta())
    server.now += ago * SECOND
    for expected in (["a"], ["a"], []):
        search(server, kept, SECOND)
        assert server.fetched == expected
        server.now += 2 * OVERLAP


def test_without_anything_kept_nothing_is_asked():
    assert changed_names({}, lambda moment: {"asked"}) == set()
