"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from alyx_connector import ConfigurationError
from alyx_connector.private_file import check_target, whole_file


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
