"""A lab of a few animals for the tests of the rig: what each of them is like today."""

from __future__ import annotations

import datetime as dt
import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

USER, PASSWORD = "jose", "jose-demo"
#: A user name that the server's filters would take for a number.
DIGITS = "007"
RESTRICTED = [{"start_time": "today-14T10:00:00", "reference_weight": 25.0, "water_type": "Hydrogel"}]
WEIGHED = [{"date_time": f"today-{day}T18:00:00", "weight": 24.0 - day / 10} for day in (6, 3, 2, 1)]


def animal(nickname: str, user: str = USER, lab: str = "home", **more: Any) -> dict[str, Any]:
    return {"nickname": nickname, "lab": lab, "responsible_user": user, **more}


def restricted(nickname: str, user: str = USER, lab: str = "home", **more: Any) -> dict[str, Any]:
    return animal(nickname, user, lab, **{"water_restrictions": RESTRICTED, "weighings": WEIGHED, **more})


SUBJECTS = [
    restricted("thirsty", surgeries=[{"start_time": "today-20T10:00:00", "implant_weight": 3.0}]),
    restricted("watered", weighings=[*WEIGHED, {"date_time": "todayT00:00:00", "weight": 22.5}]),
    restricted("culled", to_be_culled=True),
    restricted("never_weighed", weighings=[]),
    restricted("dead", death_date="today-1"),
    restricted("east", lab="east"),
    restricted("twin"),
    animal("free", weighings=WEIGHED),
    animal(
        "released",
        water_restrictions=[{**RESTRICTED[0], "end_time": "today-2T10:00:00"}],
        weighings=WEIGHED,
    ),
    restricted("twin", "priya", "away", weighings=[{"date_time": "today-1T18:00:00", "weight": 31.0}]),
    restricted("delegated", "priya", "away"),
    restricted("numbered", DIGITS),
    restricted("annas", "ana"),
]
LAB = {
    "server_timezone": "UTC",
    "main_user": USER,
    "users": [
        {"username": USER, "password": PASSWORD, "labs": ["home"]},
        {"username": "priya", "password": "priya-demo", "labs": ["away"], "allowed_users": [USER]},
        {"username": DIGITS, "password": "007-demo", "labs": ["home"], "allowed_users": [USER]},
        {"username": "ana", "password": "ana-demo", "labs": ["home"]},
    ],
    "labs": [
        {"name": "home", "timezone": "UTC", "reference_weight_pct": 0.85},
        {"name": "away", "timezone": "UTC"},
        {"name": "east", "timezone": "Pacific/Kiritimati", "reference_weight_pct": 0.85},
    ],
    "water_types": ["Water", "Hydrogel"],
    "subjects": SUBJECTS,
}


#: No lab begins so shortly before midnight: what it says of today would be of yesterday before its tests are over.
END_OF_DAY_S = 90


def write_lab(folder: Path) -> Path:
    """Write the lab file; shortly before midnight (UTC, the lab's zone), wait for it."""
    now = dt.datetime.now(dt.timezone.utc)
    midnight = dt.datetime.combine(now.date() + dt.timedelta(days=1), dt.time(), dt.timezone.utc)
    if (left := (midnight - now).total_seconds()) < END_OF_DAY_S:
        time.sleep(left + 1)
    path = folder / "rig_lab.json"
    path.write_text(json.dumps(LAB), encoding="utf-8")
    return path
