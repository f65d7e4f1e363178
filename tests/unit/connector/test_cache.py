"""The file that keeps what searches brought: its bound, its damages, and disks that refuse it."""

from __future__ import annotations

import datetime as dt
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from alyx_connector.cache.cache import Cache
from alyx_connector.cache.cache_store import KeptDetail, KeptList

NOW = dt.datetime(2026, 3, 1, 12)  # noqa: DTZ001 - naive UTC
EARLIER = NOW - dt.timedelta(hours=1)


def detail(number, size=0):
    return KeptDetail({"id": number, "text": random.Random(number).randbytes(size // 2).hex()}, NOW, EARLIER)


@pytest.fixture
def told():
    return []


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache" / "records.sqlite", 10_000_000)


def test_what_is_kept_comes_back(cache, told):
    with cache.opened(told.append) as store:
        store.put_detail("sessions", "a", detail(1))
        store.put_detail("sessions", "b", KeptDetail({"id": 2}, NOW, NOW))
        store.put_list("sessions", "search", KeptList([{"id": "a"}], NOW))
    with cache.opened(told.append) as store:
        assert store.details("sessions", ["b", "a", "nobody"]) == {"a": detail(1), "b": KeptDetail({"id": 2}, NOW, NOW)}
        assert store.details("subjects", ["a"]) == {}
        assert store.listed("sessions", "search") == KeptList([{"id": "a"}], NOW)
        assert store.listed("sessions", "other") is None
        many = [f"name {number}" for number in range(1200)]
        for name in many:
            store.put_detail("subjects", name, detail(1))
        assert store.details("subjects", many).keys() == set(many)
    assert told == []


def test_when_a_detail_was_checked_is_kept_and_stays_where_it_was_only_used(cache, told):
    with cache.opened(told.append) as store:
        store.put_detail("sessions", "a", detail(1))
        for moment, expected in [(None, EARLIER), (NOW, NOW), (None, NOW), (EARLIER, EARLIER)]:
            store.mark("sessions", ["a", "nobody"], moment)
            assert store.details("sessions", ["a"])["a"].checked == expected


def test_the_file_of_an_older_version_is_removed(tmp_path, told, monkeypatch):
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))
    cache = Cache.of_account("http://alyx.example", "jose")
    other = Cache.of_account("http://alyx.example", "ana")
    older = [Path(str(one.path).replace("-v2.", "-v1.")) for one in (cache, other)]
    cache.path.parent.mkdir()
    for path in older:
        path.write_bytes(b"old")
    with cache.opened(told.append) as store:
        assert store.details("sessions", ["a"]) == {}
    assert [path.exists() for path in older] == [False, True]
    assert told == []


def test_what_was_not_used_for_longest_goes_first(tmp_path, told):
    cache = Cache(tmp_path / "records.sqlite", 400_000)
    with cache.opened(told.append) as store:
        for number in range(32):
            store.put_detail("sessions", f"{number}", detail(number, 10_000))
        everything = [f"{number}" for number in range(32)]
        store.mark("sessions", ["3", "4"])
        for number in range(100, 200):
            store.put_detail("sessions", f"{number}", detail(number, 10_000))
        left = store.details("sessions", [*everything, *(f"{number}" for number in range(100, 200))])
    assert "199" in left
    assert "0" not in left
    assert 0 < cache.size < 900_000
    with cache.opened(told.append) as store:
        store.mark("sessions", dict.fromkeys(["199"]))
        store.put_list("sessions", "search", KeptList([detail(1, 100_000).body], NOW))
        assert store.details("sessions", ["199"])
        assert store.listed("sessions", "search")
    assert cache.size < 500_000
    assert told == []


def test_a_cleared_cache_is_empty_and_small(cache, told):
    cache.clear()
    assert not cache.path.exists(), "there was nothing to clear"
    with cache.opened(told.append) as store:
        for number in range(100):
            store.put_detail("sessions", f"{number}", detail(number, 10_000))
        assert cache.size > 400_000
        cache.clear()
        assert store.details("sessions", ["1"]) == {}
        store.put_detail("sessions", "1", detail(1))
        assert store.details("sessions", ["1"])
    assert cache.size < 100_000


def test_a_removed_cache_is_gone_and_one_that_is_in_use_is_empty(cache, told):
    with cache.opened(told.append) as store:
        store.put_detail("sessions", "a", detail(1))
        cache.remove()
        assert store.details("sessions", ["a"]) == {}
    cache.remove()
    assert not cache.path.exists()
    assert cache.size == 0


def garbage(path):
    path.write_bytes(b"not a database" * 1000)


def torn(path):
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


def of_a_newer_program(path):
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize("damage", [garbage, torn, of_a_newer_program])
def test_a_damaged_file_is_begun_anew_and_told(cache, told, damage):
    with cache.opened(told.append) as store:
        for number in range(20):
            store.put_detail("sessions", f"{number}", detail(number, 1000))
    damage(cache.path)
    with cache.opened(told.append) as store:
        assert store.details("sessions", ["1"]) == {}
        store.put_detail("sessions", "1", detail(1))
    assert len(told) == 1
    assert f"{cache.path} was damaged" in told[0]
    with cache.opened(told.append) as store:
        assert store.details("sessions", ["1"]) == {"1": detail(1)}
    assert len(told) == 1


def test_a_file_that_is_damaged_while_it_is_used(cache, told):
    with cache.opened(told.append) as store:
        for number in range(20):
            store.put_detail("sessions", f"{number}", detail(number, 1000))
    with cache.opened(told.append) as store:
        assert store.details("sessions", ["0"])
        torn(cache.path)
        store.close()
        assert store.details("sessions", ["1"]) == {}
    assert len(told) == 1


def test_a_damaged_file_can_be_cleared(cache, told):
    cache.path.parent.mkdir()
    garbage(cache.path)
    cache.clear()
    with cache.opened(told.append) as store:
        assert store.details("sessions", ["1"]) == {}
    assert told == []


def test_a_damaged_record_is_as_if_it_were_not_kept(cache, told):
    with cache.opened(told.append) as store:
        store.put_detail("sessions", "a", detail(1))
        with closing(sqlite3.connect(cache.path)) as database, database:
            database.execute("UPDATE kept SET body = x'00'")
        assert store.details("sessions", ["a"]) == {}


@pytest.mark.parametrize("column", ["fetched", "checked"])
@pytest.mark.parametrize("value", ["", b"\xff", "2024-05-01T10:00:00+02:00"])
def test_a_damaged_time_is_as_if_that_record_were_not_kept(cache, told, column, value):
    sound = KeptDetail({"id": 1}, NOW, NOW)
    with cache.opened(told.append) as store:
        store.put_detail("sessions", "damaged", sound)
        store.put_detail("sessions", "sound", sound)
        store.put_list("sessions", "all", KeptList([{"id": 1}], NOW))
    with closing(sqlite3.connect(cache.path)) as database, database:
        database.execute(f"UPDATE kept SET {column} = ? WHERE name != 'sound'", [value])
    with cache.opened(told.append) as store:
        assert store.details("sessions", ["damaged", "sound"]) == {"sound": sound}
        assert (store.listed("sessions", "all") is None) == (column == "fetched")
    assert not told


def test_a_folder_that_cannot_be_written_is_told_once(tmp_path, told):
    (tmp_path / "cache").write_text("in the way", encoding="utf-8")
    with Cache(tmp_path / "cache" / "records.sqlite", 1000).opened(told.append) as store:
        store.put_detail("sessions", "a", detail(1))
        assert store.details("sessions", ["a"]) == {}
    assert len(told) == 1
    assert "cannot be used (Not a directory); the search continues without it" in told[0]


FULL = """
import resource, sys
from pathlib import Path
from alyx_connector.cache.cache import Cache
from tests.unit.connector.test_cache import detail
told = []
with Cache(Path(sys.argv[1]), 10_000_000).opened(told.append) as store:
    store.put_detail("sessions", "a", detail(1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    for number in range(100):
        store.put_detail("sessions", str(number), detail(number, 10_000))
print(told)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for the size of a file")
def test_a_full_disk_is_told_once(tmp_path):
    command = [sys.executable, "-c", FULL, str(tmp_path / "records.sqlite")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.count("cannot be used") == 1, done.stdout


def test_no_cache_at_all(tmp_path, told):
    cache = Cache(tmp_path / "cache" / "records.sqlite", 0)
    with cache.opened(told.append) as store:
        store.put_detail("sessions", "a", detail(1))
        assert store.details("sessions", ["a"]) == {}
    assert told == []
    assert not cache.path.parent.exists()
