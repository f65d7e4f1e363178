"""A project that another PyBpod has open: who opens it is told, once, and not after that one is gone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.unit.test_open_mark import OPENS

PREDECESSOR = Path(__file__).parents[1] / "fixtures" / "predecessor" / "Mice"


def test_who_opens_a_project_that_is_open_elsewhere_is_told(tmp_path, open_project, dialogs):
    folder = shutil.copytree(PREDECESSOR, tmp_path / "Mice")
    command = [sys.executable, "-c", OPENS, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"open\n"
        open_project(folder).close(silent=True)
        [(_, text)] = dialogs.log
        assert f"process {other.pid}" in text
        other.kill()
    dialogs.log.clear()
    project = open_project(folder)
    open_project(folder)  # twice in one PyBpod: it shows both
    assert dialogs.log == []
    project.save()
