"""What asks which day it is, with the clock set: around midnight here and in a lab far away, when clocks change.

`make test` takes two moments and the tests that ask for the day; ``TEST_HOURS=all`` takes all moments and whole files.
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

#: Tests that ask what day it is, by file; those of windows by name, as most of theirs do not.
FEW = {
    "tests/contract/test_rig_numbers.py": (),
    "tests/gui/test_run_check.py": (
        "test_each_check_warns_and_blocks",
        "test_below_the_minimum_weight_warns_and_blocks",
        "test_nothing_found_runs_at_once",
        "test_a_weight_that_waits_in_the_outbox_counts",
    ),
    "tests/gui/test_today.py": (
        "test_all_that_still_need_water_none_ticked",
        "test_what_is_ticked_is_given_and_nothing_else",
        "test_what_waits_is_counted",
        "test_what_was_ticked_and_is_no_longer_due_is_named",
        "test_what_remains_changed_under_a_tick_is_said",
        "test_a_weight_below_the_minimum_has_its_colour_and_says_so",
        "test_the_tree_marks_the_animals_that_are_too_light",
        "test_the_mark_is_in_the_projects_copy_and_goes_with_the_restriction",
        "test_the_too_light_come_first_where_the_table_is_sorted_by_weight",
    ),
    "tests/gui/test_weigh_all.py": (
        "test_ten_animals_are_ten_times_a_value_and_enter",
        "test_it_goes_on_where_it_stopped_also_after_another_start",
        "test_without_alyx_it_is_kept_and_sent_later_and_resumed",
        "test_below_the_minimum_is_asked_and_shown_in_words_and_colour",
    ),
    "tests/unit/animals/test_weigh_round.py": (),
}
MORE = (
    "tests/gui/test_details_now.py",
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
    "midnight": ("2026-11-28T23:59:54", "America/New_York"),
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
    few = [f"{file}::{name}" if name else file for file, names in FEW.items() for name in names or ("",)]
    result = subprocess.run(
        [*command, *((*FEW, *MORE) if ALL else few)],
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
