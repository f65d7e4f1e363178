"""What is remembered beside a session's file."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from pybpod_alyx_module.errors import RigError
from pybpod_alyx_module.sessions.registration_note import (
    FILE_NAME,
    Registration,
    find_registration,
    has_note,
    read_registrations,
    write_registration,
)

UUID = "ee935a67-4af0-41b6-ad3f-d4053a99ad71"
FIRST = Registration("https://alyx.lab.org", None, "animal 1", "2026-11-21T10:00:00+00:00", "key 1", "rig1")


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "20261121-110000"
    place.mkdir()
    return place


def test_nothing_was_registered(folder):
    assert read_registrations(folder, UUID) == ()


def test_a_note_that_only_reading_can_tell_of_counts_as_one(folder):
    assert not has_note(folder)
    assert not has_note(folder / "gone")
    write_registration(folder, UUID, FIRST)
    assert has_note(folder)
    assert has_note(folder / FILE_NAME)  # a file in the folder's place
    with pytest.raises(RigError, match="cannot be read"):
        read_registrations(folder / FILE_NAME, UUID)


def test_it_survives_a_rename_of_the_session(folder):
    write_registration(folder, UUID, FIRST)
    moved = shutil.move(folder, folder.with_name("renamed"))
    assert read_registrations(moved, UUID) == (FIRST,)
    assert [path.name for path in folder.with_name("renamed").iterdir()] == [FILE_NAME]


def test_sent_takes_the_place_of_waiting(folder):
    write_registration(folder, UUID, FIRST)
    sent = replace(FIRST, session_id="session 1")
    write_registration(folder, UUID, sent)
    assert read_registrations(folder, UUID) == (sent,)


def test_other_animals_and_servers_stay(folder):
    others = (FIRST, replace(FIRST, subject_id="animal 2"), replace(FIRST, server="https://copy.lab.org"))
    for one in others:
        write_registration(folder, UUID, one)
    found = read_registrations(folder, UUID)
    assert found == others
    assert find_registration(found, "http://alyx.lab.org", "animal 2") == others[1]
    assert find_registration(found, "https://alyx.lab.org:8000", "animal 1") is None


def test_what_another_session_left_does_not_count(folder):
    write_registration(folder, UUID, FIRST)
    assert read_registrations(folder, "another") == ()
    assert read_registrations(folder, None) == ()


def test_the_file_is_for_everybody_in_the_lab(folder):
    write_registration(folder, UUID, FIRST)
    other = folder / "other"
    other.write_text("")
    assert (folder / FILE_NAME).stat().st_mode == other.stat().st_mode


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"version": 1}',
        json.dumps({"version": 1, "session_uuid": UUID, "registrations": [{}]}).encode(),
        json.dumps({"version": 1, "session_uuid": UUID, "registrations": [FIRST.__dict__ | {"key": 5}]}).encode(),
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_not_taken_for_nothing(folder, content):
    (folder / FILE_NAME).write_bytes(content)
    with pytest.raises(RigError, match="damaged") as caught:
        read_registrations(folder, UUID)
    assert str(folder) in caught.value.message
    with pytest.raises(RigError, match="damaged"):
        write_registration(folder, UUID, FIRST)
    assert (folder / FILE_NAME).read_bytes() == content


def test_a_newer_plugin_wrote_it(folder):
    (folder / FILE_NAME).write_text(json.dumps({"version": 2}))
    with pytest.raises(RigError, match="newer version") as caught:
        read_registrations(folder, UUID)
    assert "Update" in caught.value.hint


def test_it_cannot_be_read(folder):
    (folder / FILE_NAME).mkdir()
    with pytest.raises(RigError, match="cannot be read"):
        read_registrations(folder, UUID)


def test_the_folder_is_gone(folder):
    folder.rmdir()
    with pytest.raises(RigError, match="there is no folder"):
        write_registration(folder, UUID, FIRST)
    assert not folder.exists()


def test_a_disk_that_refuses(folder, monkeypatch):
    write_registration(folder, UUID, FIRST)

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RigError, match="No space left on device") as caught:
        write_registration(folder, UUID, replace(FIRST, session_id="session 1"))
    assert "The session is registered" in caught.value.message
    assert read_registrations(folder, UUID) == (FIRST,)
