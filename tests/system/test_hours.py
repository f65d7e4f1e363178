"""What asks which day it is, with the clock set: around midnight here and in a lab far away, when clocks change.

`make test` takes two moments and the tests that have failed at some hour; ``TEST_HOURS=all`` takes all of them.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALL = os.environ.get("TEST_HOURS") == "all"

#: Tests that ask what day it is.
FEW = ("tests/contract/test_rig_numbers.py", "tests/gui/test_run_check.py", "tests/gui/test_water_table.py")
MORE = (
    "tests/gui/test_details_window.py",
    "tests/gui/test_register_run.py",
    "tests/gui/test_water_dialog.py",
    "tests/gui/test_weight_dialog.py",
    "tests/property",
    "tests/system/outbox/test_lost_answers.py",
    "tests/system/animals",
    "tests/system/test_sandbox_labs.py",
    "tests/unit",
)

#: Moments (UTC), and the zone of this computer.
TWO = {
    "night": ("2026-11-28T03:00:00", "UTC"),
    "midnight": ("2026-11-28T23:59:45", "America/New_York"),
}
OTHERS = {
    "after midnight": ("2026-11-28T00:00:30", "Europe/Lisbon"),
    "midnight in the lab that is 14 hours ahead": ("2026-11-28T09:58:30", "UTC"),
    "midnight of this computer": ("2026-11-28T14:58:30", "Asia/Tokyo"),
    "the new year": ("2026-12-31T23:58:30", "UTC"),
    "a leap day": ("2028-02-29T12:00:00", "UTC"),
    "clocks go forward": ("2026-03-29T00:58:30", "Europe/Lisbon"),
    "the evening after": ("2026-03-29T22:30:00", "Europe/Lisbon"),
    "clocks go back": ("2026-10-25T00:58:30", "Europe/Lisbon"),
    "the hour that is there twice": ("2026-10-25T01:30:00", "Europe/Lisbon"),
    "clocks go back in New York": ("2026-11-01T05:58:30", "America/New_York"),
}
MOMENTS = TWO | (OTHERS if ALL else {})


def with_clock(shift: dt.timedelta, **more: str) -> dict[str, str]:
    """Return an environment in which Python's clock is ahead."""
    path = os.pathsep.join([str(ROOT / "tests" / "clock"), str(ROOT)])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return {**kept, "PYTHONPATH": path, "TEST_CLOCK_SHIFT_S": str(shift.total_seconds()), **more}


@pytest.mark.timeout(1800 if ALL else 600)
@pytest.mark.parametrize("when", MOMENTS)
def test_the_suite_does_not_depend_on_the_hour(when, tmp_path):
    moment, zone = MOMENTS[when]
    shift = dt.datetime.fromisoformat(f"{moment}+00:00") - dt.datetime.now(dt.timezone.utc)
    # The clock of a real Alyx-Local cannot be set.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--server", "sandbox"]
    command.append(f"--basetemp={tmp_path / 'there'}")
    result = subprocess.run(
        [*command, *FEW, *(MORE if ALL else ())],
        cwd=ROOT,
        env=with_clock(shift, TZ=zone),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-10_000:]


def test_the_clock_is_really_set():
    show = "import datetime as dt; print(dt.datetime.now(dt.timezone.utc).isoformat())"
    environment = with_clock(dt.timedelta(days=400))
    result = subprocess.run([sys.executable, "-c", show], env=environment, capture_output=True, text=True, check=True)
    ahead = dt.datetime.fromisoformat(result.stdout.strip()) - dt.datetime.now(dt.timezone.utc)
    assert ahead > dt.timedelta(days=399)
