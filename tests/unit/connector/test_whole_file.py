"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import filelock
import pandas as pd
import pytest

from alyx_connector import ConfigurationError, private_file, write_parquet
from alyx_connector import whole_file as whole
from alyx_connector.private_file import JsonFile
from alyx_connector.whole_file import check_target, replace_file, whole_file
from pybpod_alyx_module.host.subject_file import staged
from pybpod_alyx_module.outbox.export import export_csv


def test_a_failure_half_way_leaves_what_was_there(tmp_path):
    target = tmp_path / "rows.csv"
    target.write_text("old")

    def fail():
        with whole_file(target) as file:
            file.write_text("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_stays_a_link_and_modes_stay_as_they_were(tmp_path):
    target, link = tmp_path / "rows.csv", tmp_path / "link.csv"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    with whole_file(link) as file:
        file.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    before = os.umask(0o027)
    try:
        with whole_file(tmp_path / "fresh.csv") as file:
            file.write_text("new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "fresh.csv").stat().st_mode) == 0o640


def test_what_is_no_file_is_never_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/null"), tmp_path, tmp_path / "missing" / "rows.csv"):
        with pytest.raises(ConfigurationError, match="cannot be written"):
            check_target(path)
        with pytest.raises(ConfigurationError, match="cannot be written"), whole_file(path):
            pass
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_file_that_another_program_has_open_is_put_in_place_a_little_later(tmp_path, monkeypatch):
    source, target = tmp_path / "new", tmp_path / "rows.csv"
    source.write_text("new")
    target.write_text("old")
    held = Held(monkeypatch, times=3)
    replace_file(source, target)
    assert (target.read_text(), held.refused) == ("new", 3)


def test_a_file_that_stays_open_is_left_as_it_was(tmp_path, monkeypatch):
    source, target = tmp_path / "new", tmp_path / "rows.csv"
    source.write_text("new")
    target.write_text("old")
    held = Held(monkeypatch, times=1_000)
    with pytest.raises(PermissionError):
        replace_file(source, target)
    assert (target.read_text(), held.refused) == ("old", whole.TRIES)


def write_json(path):
    JsonFile(path, lambda _content: None).change(lambda content: content.update(a=1))


def write_subject(path):
    with staged(path.parent) as staging:
        (staging / path.name).write_text("{}")


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(write_json, id="accounts and tokens"),
        pytest.param(write_subject, id="a subject"),
        pytest.param(lambda path: write_parquet(pd.DataFrame({"a": [1]}), path), id="parquet"),
        pytest.param(lambda path: export_csv([], path), id="the outbox as CSV"),
    ],
)
def test_every_file_that_is_replaced_waits_for_the_other_program(tmp_path, monkeypatch, write):
    path = tmp_path / "folder" / "file"
    path.parent.mkdir()
    held = Held(monkeypatch, times=2)
    write(path)
    assert path.stat().st_size
    assert held.refused == 2


class Held:
    """Windows refuses to replace a file that a virus scanner has open."""

    def __init__(self, monkeypatch, times):
        self.refused, self._times, self._replace = 0, times, os.replace
        monkeypatch.setattr(whole, "TRIES", 20)
        monkeypatch.setattr(whole, "PAUSE_S", 0)
        monkeypatch.setattr(os, "replace", self._refuse)

    def _refuse(self, source, target):
        if self.refused < self._times:
            self.refused += 1
            raise PermissionError(13, "The process cannot access the file")
        self._replace(source, target)


def test_who_reads_a_file_waits_for_nobody_who_writes_it(tmp_path, monkeypatch):
    monkeypatch.setattr(private_file, "LOCK_TIMEOUT_S", 0.01)
    file = JsonFile(tmp_path / "zones.json", lambda content: None)
    file.change(lambda content: content.update(lab="Europe/Paris"))
    with filelock.FileLock(tmp_path / "zones.json.lock"):
        assert file.read() == {"lab": "Europe/Paris"}
        file.path.write_text("{")
        with pytest.raises(ConfigurationError):  # a damaged one is moved aside, which is a change
            file.read()
    assert file.read() == {}
    assert len(file.notes) == 1
