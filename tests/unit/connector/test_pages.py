"""A listing is complete or an error, whatever happens to the rows between its pages."""

from __future__ import annotations

import itertools
import random
import threading

import pytest

from alyx_connector import Cancelled, CancelToken, ProtocolError
from alyx_connector.http import pages
from alyx_connector.http.pages import list_completely, page_offsets


class Table:
    """A list endpoint in memory, with an edit before each page that it serves."""

    def __init__(self, size, edits=(), cap=1000, key="id"):
        self.rows = [{key: f"r{number:04}"} for number in range(size)]
        self.edits = list(edits)
        self.cap = cap
        self.asked = []
        #: Ids of the rows that were there whenever a page was served.
        self.throughout = {row.get("id") for row in self.rows}
        self.lock = threading.Lock()

    def __call__(self, offset, limit, cancel, report):
        with self.lock:
            self.asked.append((offset, limit))
            if self.edits:
                self.edits.pop(0)(self.rows)
            self.throughout &= {row.get("id") for row in self.rows}
            rows = self.rows[offset : offset + min(limit, self.cap)]
            more = "http://evil.example" if offset + limit < len(self.rows) else None
            return {"count": len(self.rows), "next": more, "previous": None, "results": list(rows)}


def read(fetch, page_size=10, workers=4, cancel=None, report=lambda progress: None):
    return list_completely(
        fetch,
        what="rows at https://lab.org",
        page_size=page_size,
        workers=workers,
        cancel=cancel or CancelToken(),
        report=report,
    )


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(pages, "PAUSES_S", (0.0, 0.0, 0.0))


@pytest.mark.parametrize("count", range(45))
@pytest.mark.parametrize("step", [2, 3, 10])
def test_pages_overlap_by_a_row_and_reach_the_end(count, step):
    offsets = [0, *page_offsets(count, step)] if count > step else [0]
    held = [set(range(offset, min(offset + step, count))) for offset in offsets]
    assert set().union(*held) == set(range(count))
    assert all(len(one & other) == 1 for one, other in itertools.pairwise(held))
    assert all(held[1:])


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 19, 20, 28, 29, 137])
@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize("key", ["id", "url", "name"])
def test_a_list_that_stays_is_read_once_in_order(size, workers, key):
    table = Table(size, key=key)
    assert read(table, workers=workers) == table.rows
    assert sorted(offset for offset, _ in table.asked) == [0, *page_offsets(size, 10)] if size > 10 else [0]


def test_a_server_that_gives_smaller_pages_is_followed():
    table = Table(100, cap=7)
    assert read(table, page_size=1000) == table.rows
    assert {limit for _, limit in table.asked} == {1000, 7}


def test_a_bare_list_is_returned_as_it_is():
    assert read(lambda *_: [1, {"a": 2}]) == [1, {"a": 2}]


def delete(number):
    return lambda rows: rows.pop(number)


def nothing(rows):
    return None


@pytest.mark.parametrize(
    "edit",
    [
        delete(0),
        delete(15),
        lambda rows: rows.insert(0, {"id": "new"}),
        lambda rows: (rows.pop(0), rows.append({"id": "new"})),
        lambda rows: rows.clear(),
    ],
)
def test_a_list_that_changed_once_is_read_again(edit):
    table = Table(25, [nothing, edit])
    told = []
    assert read(table, workers=1, report=told.append) == table.rows
    assert any("changed while" in progress.message for progress in told)


def test_a_list_that_always_changes_is_an_error():
    table = Table(200, [lambda rows: rows.insert(0, {"id": f"new{len(rows)}"})] * 1000)
    with pytest.raises(ProtocolError, match=r"rows at https://lab\.org changed each of the 4 times"):
        read(table, workers=1)


def test_a_row_that_is_new_behind_the_last_page_is_not_missed():
    table = Table(19, [nothing, lambda rows: rows.append({"id": "s"})])
    assert len(read(table, workers=1)) == 20


def test_a_page_that_is_short_is_not_taken_for_the_end():
    def short(offset, limit, cancel, report):
        rows = [{"id": str(number)} for number in range(offset, min(offset + limit, 25))]
        return {"count": 25, "results": rows[:-1] if offset + limit > 25 else rows}

    with pytest.raises(ProtocolError, match="24 rows came, but the count is 25"):
        read(short)


def test_a_row_that_comes_twice_is_never_returned():
    def doubled(offset, limit, cancel, report):
        rows = [{"id": str(number)} for number in (0, 1, 2, 1, 4)]
        return {"count": 5, "results": rows[offset : offset + limit]}

    for page_size in (5, 3):
        with pytest.raises(ProtocolError, match="twice"):
            read(doubled, page_size=page_size)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"count": 1},
        {"results": []},
        {"count": "1", "results": [{}]},
        {"count": True, "results": [{}]},
        {"count": -1, "results": []},
        {"count": 1, "results": {}},
        {"count": 1, "results": ["x"]},
        None,
        "x",
        3,
    ],
)
def test_an_answer_that_is_no_page_is_an_error_at_once(body):
    asked = []

    def fetch(offset, limit, cancel, report):
        asked.append(offset)
        return body

    with pytest.raises(ProtocolError, match=r"rows at https://lab\.org"):
        read(fetch)
    assert asked == [0]


@pytest.mark.parametrize("body", [{"count": 5, "results": []}, {"count": 1, "results": [{"id": "a"}, {"id": "b"}]}])
def test_a_first_page_that_contradicts_its_count_is_an_error(body):
    with pytest.raises(ProtocolError, match="the count is"):
        read(lambda *_: body)


def test_a_huge_count_over_empty_pages_ends_at_once():
    asked = []

    def empty(offset, limit, cancel, report, count=1_000_000):
        asked.append(offset)
        rows = [{"id": str(number)} for number in range(limit)] if offset == 0 else []
        return {"count": count, "results": rows}

    with pytest.raises(ProtocolError, match="no row 9 came"):
        read(empty, workers=1)
    assert len(asked) < 200_000  # not all the 444,444 pages of four times
    asked.clear()
    with pytest.raises(ProtocolError, match="has 10000000000 rows"):
        read(lambda *arguments: empty(*arguments, count=10**10))
    assert asked == [0]


@pytest.mark.parametrize("size", [10, 19])
def test_a_count_that_is_too_small_is_not_believed(size):
    def one_less(offset, limit, cancel, report):
        rows = [{"id": str(number)} for number in range(offset, min(offset + limit, size))]
        return {"count": size, "next": f"http://lab.example/?offset={size}", "results": rows}

    with pytest.raises(ProtocolError, match="there is another page"):
        read(one_less)


def test_an_error_of_one_page_ends_the_list_and_stops_the_others():
    table, stopped = Table(100), threading.Event()

    def fetch(offset, limit, cancel, report):
        if offset == 18:
            raise ProtocolError("Page 18 is broken.")
        if offset > 18:
            cancel.wait(60)
            stopped.set()
            cancel.raise_if_cancelled()
        return table(offset, limit, cancel, report)

    with pytest.raises(ProtocolError, match="Page 18"):
        read(fetch, workers=4)
    assert stopped.wait(20)


@pytest.mark.timeout(20)
def test_a_cancel_ends_a_list_whose_pages_hang():
    cancel, table, over = CancelToken(), Table(100), threading.Event()

    def fetch(offset, limit, stop, report):
        if offset:
            cancel.cancel()
            over.wait(600)
        return table(offset, limit, stop, report)

    with pytest.raises(Cancelled):
        read(fetch, cancel=cancel)
    over.set()


def test_progress_grows_on_the_thread_that_called():
    told, threads = [], set()

    def report(progress):
        told.append(progress)
        threads.add(threading.current_thread())

    read(Table(95), report=report)
    assert [progress.total for progress in told] == [95] * len(told)
    assert [progress.done for progress in told] == sorted(progress.done for progress in told)
    assert told[-1].done == 95
    assert (told[0].left_s > 0, told[-1].left_s) == (True, 0)
    assert threads == {threading.current_thread()}


def random_edit(chance):
    def edit(rows):
        what = chance.random()
        if (what < 0.25 or 0.5 <= what < 0.65) and rows:
            rows.pop(chance.randrange(len(rows)))
        if 0.25 <= what < 0.65:
            rows.append({"id": f"r{chance.randrange(10**6):06}x"})
            rows.sort(key=lambda row: row["id"])

    return edit


@pytest.mark.parametrize("workers", [1, 5])
def test_no_listing_under_churn_lacks_a_row_that_was_there_throughout(workers):
    """Random edits between pages: what is returned holds every row that never went away, each once and in order."""
    chance = random.Random(20)
    complete = 0
    for _ in range(400):
        table = Table(40, [random_edit(chance)] * 9)
        try:
            listed = [row["id"] for row in read(table, workers=workers)]
        except ProtocolError:
            continue
        complete += 1
        assert table.throughout <= set(listed)
        assert listed == sorted(set(listed))
    assert complete > 100
