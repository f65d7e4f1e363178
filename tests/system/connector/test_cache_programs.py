"""Several programs with one cache, one that is killed, and disks that refuse it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing

import pytest

from alyx_connector import Connector
from tests.fault_proxy import FaultProxy
from tests.strict_warnings import strict_warnings
from tests.system.connector.cached_lab import PASSWORD, Lab, age, told

SEARCH = """
import sys
from alyx_connector import Connector
Connector().search(subject="ea04", report=lambda progress: print(progress.stage, progress.done, flush=True))
"""
MANY = """
import sys, warnings
from alyx_connector import Connector
warnings.simplefilter("error")
sys.stdin.readline()
for number in range(6):
    connector = Connector()
    frame = connector.search(subject=["ea04", "jo006"])
    assert frame["detail_error"].isna().all(), frame["detail_error"]
    assert frame["narrative"].notna().any()
    if sys.argv[1] == "clears" and number % 2:
        connector.cache.clear()
print(len(frame))
"""
SETS_UP = """
import sys, warnings
from alyx_connector import Connector
warnings.simplefilter("error")
url, username = sys.argv[1:]
sys.stdin.readline()
for number in range(4):
    connector = Connector.setup(url=url, username=username, password=f"{username}-demo", make_default=False)
    assert len(connector.search(subject="ea04")) == 25
    if username == "ana" and number == 2:
        Connector.forget(url, username)
"""


@pytest.fixture
def proxy(aged):
    with FaultProxy(aged.url) as proxy:
        yield proxy


@pytest.fixture
def connector(aged, proxy, home):
    age(aged)
    with (
        strict_warnings(),
        closing(Connector.setup(url=proxy.url, username="jose", password=PASSWORD, make_default=True)) as connector,
    ):
        connector.search("labs", details=False)
        yield connector


def start(code, *arguments):
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ)


def test_a_search_that_was_killed_goes_on_where_it_was(connector, proxy, aged):
    lab = Lab(aged, proxy)
    listed = connector.search(subject="ea04", details=False)
    late = sorted(listed["id"].iloc[12:])
    for name in late:
        proxy.fault("hold", path=f"/sessions/{name}")
    killed = start(SEARCH)
    assert any(line == "details 12\n" for line in killed.stdout)
    killed.kill()
    assert killed.wait(30) != 0
    killed.stdin.close()
    killed.stdout.close()
    proxy.release()
    lab.asked()
    assert connector.search(subject="ea04")["detail_error"].isna().all()
    assert lab.asked() == (2, late)


def finish(programs):
    for program in programs:
        program.stdin.write("go\n")
        program.stdin.flush()
    for program in programs:
        output, _ = program.communicate(timeout=150)
        assert program.returncode == 0
        yield output


def test_programs_that_search_and_clear_at_once_all_get_their_rows(connector):
    programs = [start(MANY, what) for what in ("searches", "clears", "searches", "clears")]
    counts = {int(output) for output in finish(programs)}
    frame = connector.search(subject=["ea04", "jo006"])
    assert counts == {len(frame)}


def test_programs_that_write_accounts_and_caches_at_once(connector, home):
    programs = [start(SETS_UP, connector.url, username) for username in ("jose", "ana", "priya")]
    list(finish(programs))
    assert sorted(Connector.accounts()["username"]) == ["ana", "jose", "priya"]
    with told("was not asked", "are from the cache"):
        assert len(Connector(connector.url, "priya").search(subject="ea04", offline=True)) == 25
    assert not list(home.rglob("*.damaged*"))


def test_a_damaged_cache_is_begun_anew_and_told(connector, proxy, aged):
    first = connector.search(subject="ea04")
    connector.cache.path.write_bytes(b"not a database" * 1000)
    with told("was damaged"):
        assert connector.search(subject="ea04").equals(first)
    lab = Lab(aged, proxy)
    lab.asked()
    assert connector.search(subject="ea04").equals(first)
    assert lab.asked() == (2, [])


def test_a_cache_that_cannot_be_written_is_gone_without(connector, home):
    first = connector.search(subject="ea04")
    for path in (home / "cache").iterdir():
        path.unlink()
    (home / "cache").rmdir()
    (home / "cache").write_text("in the way", encoding="utf-8")
    with told("cannot be used"):
        assert connector.search(subject="ea04").equals(first)


def test_searches_of_several_threads_share_the_cache(connector, proxy, aged):
    from concurrent.futures import ThreadPoolExecutor

    first = connector.search(subject="ea04")
    with ThreadPoolExecutor(4) as pool:
        frames = list(pool.map(lambda _: connector.search(subject="ea04", report=lambda progress: None), range(8)))
    assert all(frame.equals(first) for frame in frames)
    assert proxy.count(path=f"/sessions/{first['id'].iloc[0]}") == 1


def test_two_servers_do_not_share_a_cache(connector, aged):
    with FaultProxy(aged.url) as other:
        first = connector.search(subject="ea04")
        there = Connector.setup(url=other.url, username="jose", password=PASSWORD, make_default=False)
        assert there.cache.path != connector.cache.path
        assert there.search(subject="ea04")["narrative"].equals(first["narrative"])
        assert other.count(path=f"/sessions/{first['id'].iloc[0]}") == 1
        there.close()
