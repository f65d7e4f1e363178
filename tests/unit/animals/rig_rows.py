"""What the server answers of one subject, made small: for the pure tests of the rig."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pybpod_alyx_module.animals.requirement import Requirement, read_requirement
from pybpod_alyx_module.animals.rows import SessionSeen
from pybpod_alyx_module.animals.subject_state import SubjectState
from pybpod_alyx_module.animals.water import water_today

DAY = dt.date(2026, 11, 20)
#: 25 g reference with a 3 g implant: the record of 2026-11-20 in recordings/water_requirement_implant_1.json.
IMPLANT = {
    "date": "2026-11-20",
    "weight": 19.45,
    "weighing_at": None,
    "reference_weight": 22.0,
    "expected_weight": 25.0,
    "min_weight": 21.7,
    "percentage_weight": 74.77272727272727,
    "given_water_reward": 0,
    "given_water_supplement": 0,
    "given_water_total": 0,
    "expected_water": 0.8225,
    "excess_water": -0.8225,
    "is_water_restricted": True,
    "implant_weight": 3.0,
}


def requirement(*, by_reference: float = 0.85, by_zscore: float = 0.0, **changes: Any) -> Requirement:
    """Return the requirement of one day, with some of its numbers changed."""
    return read_requirement(
        {
            "subject": "implant_1",
            "implant_weight": 3.0,
            "reference_weight_pct": by_reference,
            "zscore_weight_pct": by_zscore,
            "records": [{**IMPLANT, **changes}],
        }
    )


def state(name: str = "implant_1", **changes: Any) -> SubjectState:
    """Return a subject about which nothing is to be said, with some parts changed."""
    needs = changes.pop(
        "needs", requirement(weighing_at=24.0, weight=24.0, given_water_supplement=1.0, given_water_total=1.0)
    )
    parts: dict[str, Any] = {
        "found": True,
        "alive": True,
        "may_handle": True,
        "to_be_culled": False,
        "sessions_today": (),
        "weighings": (),
        "requirement": needs,
        "water": water_today(needs) if needs else None,
        "day": DAY,
    }
    return SubjectState("2076dbdc-5382-47d6-a9c8-5a0f548120e2", name, **{**parts, **changes})


def session(hour: int, protocol: str = "wait_task") -> SessionSeen:
    """Return a session of that day."""
    return SessionSeen("s", dt.datetime.combine(DAY, dt.time(hour)), 1, protocol)
