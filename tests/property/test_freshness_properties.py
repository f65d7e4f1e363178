"""Whatever the clocks of server, proxy and this computer show: no detail that changed before a search is shown."""

from __future__ import annotations

import ast
import datetime as dt
from dataclasses import dataclass, field

from hypothesis import example, given
from hypothesis import strategies as st

from alyx_connector.cache.freshness import SET_BACK, Known, changed_names, read_change

START = dt.datetime(2026, 10, 25, 0, 10)  # noqa: DTZ001 - of a server that writes no offsets
SECOND, HOUR = dt.timedelta(seconds=1), dt.timedelta(hours=1)
#: So long that one time fits into a request, three, and all there are.
ROOMS = (1, 150, 100_000)


@dataclass
class Server:
    """Rows with the time of their last change by a clock that may be set, and the real time."""

    offset: dt.timezone | None = None
    real: dt.datetime = START
    #: What the clock that writes ``auto_datetime`` shows is ahead of the real time by this.
    ahead: dt.timedelta = dt.timedelta()
    #: Of each row how often it was written, and its ``auto_datetime``.
    rows: dict[str, tuple[int, str]] = field(default_factory=dict)
    asked: int = 0
    _writes: int = 0

    def write(self, name, earlier=0 * SECOND):
        self._writes += 1
        # No two writes have the same microsecond.
        stamp = (self.real + self.ahead - earlier).replace(microsecond=self._writes)
        self.rows[name] = (self._writes, stamp.replace(tzinfo=self.offset).isoformat())

    def ask(self, conditions):
        self.asked += len(conditions)
        return {name for condition in conditions for name in self.rows if self._meets(condition, name)}

    def _meets(self, condition, name):
        lookup, _, value = condition.partition(",")
        changed = self.changed(name)
        if lookup == "auto_datetime__in":
            return changed in [dt.datetime.fromisoformat(one) for one in ast.literal_eval(value)]
        assert lookup == "auto_datetime__gte"
        return changed >= dt.datetime.fromisoformat(value)

    def changed(self, name):
        return read_change({"auto_datetime": self.rows[name][1]})


def search(server, kept, room, own_clock):
    """Search as `add_details` does; return what was fetched."""
    known = {name: Known(read_change({"auto_datetime": text}), checked) for name, (_, text, checked) in kept.items()}
    changed = changed_names(known, room, server.ask)
    fetched = [name for name in server.rows if name not in kept or name in changed]
    for name, row in server.rows.items():
        kept[name] = (*(row if name in fetched else kept[name][:2]), own_clock)
    return fetched


def assert_shown_as_it_is(server, kept):
    assert {name: row[0] for name, row in kept.items()} == {name: row[0] for name, row in server.rows.items()}


AHEAD = st.one_of(
    st.just(dt.timedelta()),
    st.integers(-15 * 3600, 15 * 3600).map(lambda seconds: seconds * SECOND),
    st.integers(-90_000, 90_000).map(lambda ms: dt.timedelta(milliseconds=ms)),
)
NAMES = st.sampled_from("abcdefgh")
EVENTS = st.one_of(
    st.just(("search",)),
    st.tuples(st.just("write"), NAMES, st.integers(0, 240).map(lambda seconds: seconds * SECOND)),
    st.tuples(st.just("import"), st.integers(1, 8)),
    st.tuples(st.just("set"), AHEAD),
)
WAITS = st.one_of(
    st.integers(0, 20_000).map(lambda ms: dt.timedelta(milliseconds=ms)),
    st.integers(0, 60).map(lambda hours: hours * HOUR),
)
OFFSETS = st.sampled_from([None, dt.timezone.utc, dt.timezone(2 * HOUR), dt.timezone(-11 * HOUR)])
#: The clock that serves where the server's is no help may be wrong by years.
OWN = st.sampled_from([0, 0, 26, -26, 24 * 900, -24 * 900]).map(lambda hours: hours * HOUR)
BACK_AN_HOUR = [(0 * SECOND, ("import", 8)), (SECOND, ("search",)), (600 * SECOND, ("set", -HOUR))]


@given(OFFSETS, st.sampled_from(ROOMS), OWN, st.lists(st.tuples(WAITS, EVENTS), max_size=20))
@example(None, 150, 0 * HOUR, [*BACK_AN_HOUR, (SECOND, ("write", "a", 0 * SECOND))])
@example(None, 1, 24 * 900 * HOUR, [*BACK_AN_HOUR, (3001 * SECOND, ("write", "a", 0 * SECOND))])
def test_whatever_the_clocks_show_a_search_shows_what_the_server_has(offset, room, own_ahead, history):
    server, kept = Server(offset), {}
    for name in "abcdefgh":
        server.real += 20 * HOUR
        server.write(name)
    for wait, (event, *details) in [*history, (SECOND, ("search",))]:
        server.real += wait
        if event == "search":
            search(server, kept, room, server.real + own_ahead)
            assert_shown_as_it_is(server, kept)
        elif event == "write":
            server.write(*details)  # a transaction that ends some time after it took its time
        elif event == "import":
            for name in "abcdefgh"[: details[0]]:
                server.write(name)
        else:
            (server.ahead,) = details


@given(st.sampled_from(ROOMS), st.integers(1, 900), st.lists(WAITS, min_size=1, max_size=6))
def test_a_time_far_in_the_future_hides_no_change_while_this_computers_clock_is_about_right(room, days, waits):
    server, kept = Server(), {}
    for name in "abcdefgh":
        server.real += 50 * HOUR
        server.write(name)
    server.ahead = days * 24 * HOUR
    server.write("h")
    server.ahead = dt.timedelta()
    for wait in [0 * SECOND, *waits]:
        search(server, kept, room, server.real)
        assert_shown_as_it_is(server, kept)
        server.real += wait
        server.write("a")
    search(server, kept, room, server.real)
    assert_shown_as_it_is(server, kept)


@given(OFFSETS, st.sampled_from(ROOMS), OWN, st.lists(WAITS, max_size=8))
def test_what_did_not_change_is_not_fetched_again(offset, room, own_ahead, waits):
    server, kept = Server(offset), {}
    for name, wait in zip("abcdefgh", waits, strict=False):
        server.real += wait
        server.write(name)
    assert search(server, kept, room, server.real + own_ahead) == list(server.rows)
    for _ in range(2):
        server.real += HOUR
        assert search(server, kept, room, server.real + own_ahead) == []


def test_what_is_asked_for_grows_with_what_changed_lately_not_with_all():
    server, kept = Server(), {}
    for number in range(1000):
        server.real += SET_BACK / 4
        server.write(f"row {number}")
    search(server, kept, 1000, server.real)
    server.asked = 0
    assert search(server, kept, 1000, server.real) == []
    assert server.asked == 2


def test_times_with_and_without_an_offset_do_not_mix():
    server, kept = Server(), {}
    server.write("a")
    search(server, kept, 1000, server.real)
    server.offset = dt.timezone.utc
    server.write("b")
    kept["b"] = (*server.rows["b"], server.real)
    server.rows["a"] = (1, server.changed("a").replace(tzinfo=dt.timezone.utc).isoformat())
    assert search(server, kept, 1000, server.real) == ["a"]


def test_without_anything_kept_nothing_is_asked():
    assert changed_names({}, 1000, lambda conditions: {"asked"}) == set()
