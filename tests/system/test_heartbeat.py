"""The heartbeat program drives the windows and prints its table; what it measures is nobody's business here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pybpodgui_plugin", reason="PyBpod is not installed")

STEPS = (
    "Sync to Alyx: subjects added",
    "the project saved",
    "Today: given",
    "Today: refreshed",
    "Alyx outbox: opened",
    "Alyx details: opened",
    "Record weight: opened",
)


@pytest.mark.timeout(130)
def test_every_step_is_in_the_table() -> None:
    command = [sys.executable, "-m", "benchmarks.heartbeat", "--animals", "3"]
    ended = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("3 animals: ")
    for step in STEPS:
        assert re.search(rf"^{step}( +\d+\.\d){{4}} +\d+ +\d+$", ended.stdout, re.MULTILINE), ended.stdout
    assert re.search(r"^  (met|missed): \d+\.\d ms \(aim: ours at most 20 ms\)$", ended.stdout, re.MULTILINE)
