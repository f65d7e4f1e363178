"""The file: durable, with a full disk, in a bad folder, damaged, gone."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from pybpod_alyx_module.errors import OutboxError
from pybpod_alyx_module.outbox.items import State
from pybpod_alyx_module.outbox.outbox import Outbox
from pybpod_alyx_module.outbox.sqlite_file import VERSION
from tests.unit.outbox.test_outbox import WEIGHING

ADD = """
import os, signal, sys
from pathlib import Path
from pybpod_alyx_module.outbox.outbox import Outbox
from tests.unit.outbox.test_outbox import WEIGHING
outbox = Outbox(Path(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    print(outbox.add(WEIGHING).key, flush=True)
if sys.argv[3] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
"""


def add_in_another_process(path, count=1, end="killed", **options):
    command = [sys.executable, "-c", ADD, str(path), str(count), end]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def test_it_survives_a_kill_right_after_it_was_added(tmp_path):
    path = tmp_path / "outbox.sqlite"
    process = add_in_another_process(path, 3)
    keys = process.communicate(timeout=60)[0].split()
    assert process.returncode == -signal.SIGKILL
    assert len(keys) == 3
    assert [item.key for item in Outbox(path).items()] == keys


def test_each_commit_is_on_the_disk(outbox):
    with outbox._reading() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL


def test_several_processes_add_at_once(tmp_path):
    path = tmp_path / "outbox.sqlite"
    processes = [add_in_another_process(path, 20, "ended") for _ in range(4)]
    results = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, results
    keys = {key for out, _ in results for key in out.split()}
    items = Outbox(path).items()
    assert len(items) == 80
    assert {item.key for item in items} == keys
    assert len({item.values["date_time"] for item in items}) == 80


def limit_files():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))


def test_a_disk_that_is_full_is_told_and_nothing_is_lost(tmp_path):
    # A limit on the size of files ends a write as a full disk does, whoever the user is.
    path = tmp_path / "outbox.sqlite"
    process = add_in_another_process(path, 5000, "ended", preexec_fn=limit_files)
    out, err = process.communicate(timeout=120)
    keys = out.split()
    assert process.returncode == 1
    assert 5 < len(keys) < 5000
    told = err.strip().splitlines()[-1]
    assert "OutboxError" in told
    assert str(path) in told
    assert "Make room on the disk" in told
    outbox = Outbox(path)
    assert [item.key for item in outbox.items()] == keys
    assert outbox.add(WEIGHING).number == len(keys) + 1


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)], capture_output=True)
    if done.returncode:
        pytest.skip("this user may not mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_room_on_a_full_disk_makes_it_work_again(small_disk):
    outbox = Outbox(small_disk / "outbox.sqlite")
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 100_000)
    keys = []

    def fill():
        while len(keys) < 5000:
            keys.append(outbox.add(WEIGHING).key)

    with pytest.raises(OutboxError, match="Make room on the disk") as full:
        fill()
    assert str(outbox.path) in str(full.value)
    assert [item.key for item in outbox.items()] == keys
    ballast.unlink()
    keys.append(outbox.add(WEIGHING).key)
    assert [item.key for item in outbox.items()] == keys
    outbox.close()


def test_a_folder_that_cannot_be_made_is_told_and_later_it_works(tmp_path):
    place = tmp_path / "place"
    place.write_text("a file")
    for path in (place / "outbox.sqlite", place / "below" / "outbox.sqlite"):
        with pytest.raises(OutboxError, match="then try again") as told:
            Outbox(path)
        assert str(path) in str(told.value)
    assert place.read_text() == "a file"
    place.unlink()
    Outbox(place / "outbox.sqlite").add(WEIGHING)


def test_a_folder_in_place_of_the_file_is_told(tmp_path):
    path = tmp_path / "outbox.sqlite"
    path.mkdir()
    with pytest.raises(OutboxError, match="cannot be opened"):
        Outbox(path)
    assert path.is_dir()


def damage_text(path):
    path.write_bytes(b"this is not a database" * 100)


def damage_pages(path):
    content = bytearray(path.read_bytes())
    for start in range(4096, len(content), 4096):
        content[start : start + 100] = os.urandom(100)
    path.write_bytes(content)


def damage_half(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def damage_other(path):
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")


@pytest.mark.parametrize("damage", [damage_text, damage_pages, damage_half, damage_other])
def test_a_damaged_file_is_moved_aside_untouched_and_the_rig_goes_on(tmp_path, damage):
    path = tmp_path / "outbox.sqlite"
    outbox = Outbox(path)
    for _ in range(20):
        outbox.add(WEIGHING)
    outbox.close()
    damage(path)
    content = path.read_bytes()
    fresh = Outbox(path)
    [note] = fresh.notes
    [aside] = tmp_path.glob("outbox.damaged-*.sqlite")
    assert aside.read_bytes() == content
    assert str(path) in note
    assert str(aside) in note
    assert "compare with Alyx" in note
    assert fresh.items() == ()
    fresh.add(WEIGHING)
    assert Outbox(path).notes == ()


def test_two_damaged_files_are_both_kept(tmp_path):
    path = tmp_path / "outbox.sqlite"
    for content in (b"one" * 1000, b"two" * 1000):
        path.write_bytes(content)
        Outbox(path).close()
    assert {aside.read_bytes() for aside in tmp_path.glob("outbox.damaged-*.sqlite")} == {b"one" * 1000, b"two" * 1000}


def test_a_program_that_had_it_open_goes_on_in_the_new_file(outbox):
    outbox.add(WEIGHING)
    outbox.path.rename(outbox.path.with_name("aside"))
    later = outbox.add(WEIGHING)
    assert Outbox(outbox.path).items() == (later,)
    assert outbox.changed()


def test_a_file_of_a_newer_program_is_left_alone(tmp_path):
    path = tmp_path / "outbox.sqlite"
    Outbox(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version={VERSION + 1}")
    content = path.read_bytes()
    with pytest.raises(OutboxError, match="newer program"):
        Outbox(path)
    assert path.read_bytes() == content
    assert [found.name for found in tmp_path.glob("*damaged*")] == []


@pytest.mark.parametrize("version", [2, 3])
def test_a_file_of_an_older_version_keeps_its_times_which_are_lab_times(tmp_path, version):
    path = tmp_path / "outbox.sqlite"
    outbox = Outbox(path)
    old = outbox.add(WEIGHING)
    outbox.close()
    assert datetime.fromisoformat(old.values["date_time"]).tzinfo is None
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE items DROP COLUMN sent_as")
        connection.execute(f"PRAGMA user_version={version}")
    assert Outbox(path).items() == (old,)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_a_sender_whose_file_cannot_be_written_says_so_and_goes_on(outbox, make_sender, lab, animal):
    item = outbox.add(lab.weighing(animal))
    sender = make_sender(poll_s=0.01)
    with closing(sqlite3.connect(outbox.path, isolation_level=None)) as connection:
        # As a full disk does: no page more.
        connection.execute(
            "CREATE TRIGGER no_room BEFORE UPDATE ON items BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
        )
        with pytest.raises(OutboxError, match="Make room on the disk"):
            sender.run_once()
        assert lab.records("weighings", animal) == []
        connection.execute("DROP TRIGGER no_room")
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT
    assert len(lab.records("weighings", animal)) == 1


def test_what_arrived_but_could_not_be_noted_is_not_sent_again(outbox, sender, lab, animal, clock):
    item = outbox.add(lab.weighing(animal))
    with closing(sqlite3.connect(outbox.path, isolation_level=None)) as connection:
        connection.execute(
            "CREATE TRIGGER no_room BEFORE UPDATE ON items WHEN NEW.state = 'sent' "
            "BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
        )
        with pytest.raises(OutboxError, match="Make room on the disk"):
            sender.run_once()
        connection.execute("DROP TRIGGER no_room")
    assert outbox.item(item.key).state is State.SENDING
    sender.run_once()
    assert outbox.item(item.key).state is State.UNSURE
    clock.pass_by(300)
    sender.run_once()
    assert outbox.item(item.key).state is State.SENT
    assert len(lab.records("weighings", animal)) == 1


def test_no_file_is_written_beside_the_outbox(outbox):
    outbox.add(WEIGHING)
    names = {path.name for path in Path(outbox.path.parent).iterdir()}
    assert names <= {"outbox.sqlite", "outbox.sqlite-wal", "outbox.sqlite-shm", "outbox.sqlite.lock"}
