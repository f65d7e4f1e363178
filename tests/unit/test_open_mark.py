"""Who has a project open is seen by others, and forgotten when that process is gone, however it went."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pybpod_alyx_module.host.open_mark import OpenMark, open_elsewhere

OPENS = """
import sys
from pybpod_alyx_module.host.open_mark import OpenMark
mark = OpenMark(sys.argv[1])
mark.put()
print("open", flush=True)
sys.stdin.read()
"""


def test_a_project_is_open_until_each_who_opened_it_closed_it(tmp_path):
    first, second = OpenMark(str(tmp_path)), OpenMark(str(tmp_path))
    first.put()
    assert open_elsewhere(str(tmp_path), first) == []
    second.put()
    [other] = open_elsewhere(str(tmp_path), first)
    assert f"process {os.getpid()}" in other
    assert second.file.name in other
    second.take_away()
    second.take_away()
    assert open_elsewhere(str(tmp_path), first) == []
    first.take_away()
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_has_nothing_open(tmp_path):
    command = [sys.executable, "-c", OPENS, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"open\n"
        [other] = open_elsewhere(str(tmp_path))
        assert f"process {process.pid}" in other
        process.kill()
        process.wait()
    [left] = tmp_path.iterdir()
    assert left.name in other
    mark = OpenMark(str(tmp_path))
    mark.put()
    assert list(tmp_path.iterdir()) == [mark.file]
    left.touch()
    assert open_elsewhere(str(tmp_path), mark) == []
    mark.take_away()
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_ends_leaves_no_mark(tmp_path):
    ended = subprocess.run([sys.executable, "-c", OPENS, str(tmp_path)], input=b"", capture_output=True, check=True)
    assert ended.stdout == b"open\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix" or os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_takes_no_mark_can_be_opened(tmp_path):
    tmp_path.chmod(0o500)
    mark = OpenMark(str(tmp_path))
    mark.put()
    mark.take_away()
    assert open_elsewhere(str(tmp_path)) == []
