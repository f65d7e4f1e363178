"""The jobs of an analyst: each as one writes it with `Connector`, and with ONE-api's client (``one.alyx``).

The bodies are what is counted as lines of code, so nothing is in them that is not the job. All end with a frame; ONE's
keeps the texts that Alyx sends, where `Connector` has times and numbers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from alyx_connector import AlyxClient, Connector

__all__ = ["CHANGED", "KEPT", "OURS", "Job", "Lab", "find_lab", "jobs_of", "month"]

OURS = "Connector"
ONE = "ONE-api"
EXPERT = "ONE-api, django= by hand"

NEWEST = 28
#: Animals at once in the jobs that say no number, as far as the server has them.
COHORT = 50

#: What was done before a job that is done again (all others find nothing cached): the same search, and since then
AGAIN = "nothing changed"
KEPT = "nothing is asked"
CHANGED = "a few changed"

_SESSION = ("id", "subject", "start_time", "number", "narrative")
_DETAIL = (*_SESSION, "end_time", "lab", "location", "task_protocol", "n_trials", "n_correct_trials", "users", "json")
_WATER = ("id", "subject", "given_water_total", "expected_water")


@dataclass(frozen=True)
class Lab:
    """What the jobs ask for: names and days that the server has."""

    name: str
    #: First and last day of the month.
    month: tuple[str, str]
    #: Nicknames that one animal has.
    animals: list[str]
    #: The last seven days with sessions, and animals that had some in them.
    week: tuple[str, str]
    trained: list[str]
    #: A session with datasets; empty: the server has none.
    session: str


@dataclass(frozen=True)
class Job:
    """A job in several hands: each takes a client and a `Lab`, and returns a frame."""

    title: str
    ours: Callable[[Connector, Lab], pd.DataFrame]
    theirs: Callable[[Any, Lab], pd.DataFrame]
    #: Columns that must hold the same.
    compared: tuple[str, ...]
    #: ONE-api once more, by somebody who knows Alyx's database.
    expert: Callable[[Any, Lab], pd.DataFrame] | None = None
    #: What was done before; empty: nothing. All of these search again for the sessions of the month.
    before: str = ""

    @property
    def hands(self) -> dict[str, Callable[[Any, Lab], pd.DataFrame]]:
        """Who does it, by name, and how."""
        found = {OURS: self.ours, ONE: self.theirs}
        return {**found, EXPERT: self.expert} if self.expert else found


def newest(connector: Connector, lab: Lab) -> pd.DataFrame:
    return connector.search(limit=NEWEST)


def newest_one(alyx: Any, lab: Lab) -> pd.DataFrame:
    rows = alyx.rest("sessions", "list", limit=NEWEST)[:NEWEST]
    return pd.DataFrame([alyx.rest("sessions", "read", id=row["id"]) for row in rows])


def month(connector: Connector, lab: Lab) -> pd.DataFrame:
    """Search for a lab's sessions of a month; three jobs do so again."""
    return connector.search(lab=lab.name, date_range=lab.month)


def month_one(alyx: Any, lab: Lab) -> pd.DataFrame:
    rows = alyx.rest("sessions", "list", lab=lab.name, date_range=list(lab.month))
    return pd.DataFrame([alyx.rest("sessions", "read", id=row["id"]) for row in rows])


def month_kept(connector: Connector, lab: Lab) -> pd.DataFrame:
    return connector.search(lab=lab.name, date_range=lab.month, offline=True)


def weights(connector: Connector, lab: Lab, number: int) -> pd.DataFrame:
    return connector.weights(lab.animals[:number])


def weights_one(alyx: Any, lab: Lab, number: int) -> pd.DataFrame:
    rows = [row for animal in lab.animals[:number] for row in alyx.rest("weighings", "list", nickname=animal)]
    return pd.DataFrame(rows)


def weights_expert(alyx: Any, lab: Lab, number: int) -> pd.DataFrame:
    names = ",".join(f"'{animal}'" for animal in lab.animals[:number])
    return pd.DataFrame(list(alyx.rest("weighings", "list", django=f"subject__nickname__in,[{names}]")))


def cohort(connector: Connector, lab: Lab) -> pd.DataFrame:
    return connector.search(subject=lab.animals[:COHORT], date_range=lab.month, details=False)


def cohort_one(alyx: Any, lab: Lab) -> pd.DataFrame:
    rows = []
    for animal in lab.animals[:COHORT]:
        rows += alyx.rest("sessions", "list", subject=animal, date_range=list(lab.month))
    return pd.DataFrame(rows)


def cohort_expert(alyx: Any, lab: Lab) -> pd.DataFrame:
    names = ",".join(f"'{animal}'" for animal in lab.animals[:COHORT])
    django = f"subject__nickname__in,[{names}]"
    return pd.DataFrame(list(alyx.rest("sessions", "list", django=django, date_range=list(lab.month))))


def good(connector: Connector, lab: Lab) -> pd.DataFrame:
    found = connector.search(extended_qc={"pass": True, "noise_uV__lt": 5}, expand="extended_qc")
    return found.rename(columns={"extended_qc.noise_uV": "noise"})


def good_one(alyx: Any, lab: Lab) -> pd.DataFrame:
    rows = list(alyx.rest("sessions", "list", extended_qc="pass,True,noise_uV__lt,5"))
    details = [alyx.rest("sessions", "read", id=row["id"]) for row in rows]
    return pd.DataFrame(rows).assign(noise=[detail["extended_qc"]["noise_uV"] for detail in details])


def watered(connector: Connector, lab: Lab) -> pd.DataFrame:
    sessions = connector.search(subject=lab.trained, date_range=lab.week, details=False)
    water = connector.water_requirement(lab.trained, *lab.week).reset_index(drop=True)
    sessions["date"] = sessions["start_time"].dt.normalize()
    return sessions.merge(water, on=["subject", "date"])


def watered_one(alyx: Any, lab: Lab) -> pd.DataFrame:
    sessions, water = [], []
    first, last = lab.week
    for animal in lab.trained:
        sessions += alyx.rest("sessions", "list", subject=animal, date_range=[first, last])
        answer = alyx.get(f"/water-requirement/{animal}?start_date={first}&end_date={last}")
        water += [{"subject": animal, **day} for day in answer["records"]]
    with_day = pd.DataFrame(sessions)
    with_day["date"] = with_day["start_time"].str[:10]
    return with_day.merge(pd.DataFrame(water), on=["subject", "date"])


def datasets(connector: Connector, lab: Lab) -> pd.DataFrame:
    return connector.datasets(lab.session)


def datasets_one(alyx: Any, lab: Lab) -> pd.DataFrame:
    return pd.DataFrame(list(alyx.rest("datasets", "list", session=lab.session)))


def jobs_of(lab: Lab, numbers: Sequence[int]) -> list[Job]:
    """Name the jobs that a server can be asked for.

    ``numbers``: of animals whose weights are asked for.
    """
    several = dict.fromkeys(min(number, len(lab.animals)) for number in numbers)
    of_month = f"Sessions of {lab.name} from {lab.month[0]} to {lab.month[1]}, with details"
    return [
        Job(f"The {NEWEST} newest sessions, with narrative", newest, newest_one, _SESSION),
        Job(of_month, month, month_one, _DETAIL),
        *(
            Job(
                f"Weights of {number} animals",
                partial(weights, number=number),
                partial(weights_one, number=number),
                ("subject", "date_time", "weight"),
                partial(weights_expert, number=number),
            )
            for number in several
        ),
        Job(
            f"Sessions of {min(COHORT, len(lab.animals))} animals in that month, listed",
            cohort,
            cohort_one,
            ("id", "subject", "start_time", "number"),
            cohort_expert,
        ),
        Job("Sessions that pass, noise below 5 uV", good, good_one, ("id", "noise")),
        Job("Sessions of the last week, with the water of the day", watered, watered_one, _WATER),
        *([Job("Datasets of a session", datasets, datasets_one, ("name", "file_size"))] if lab.session else []),
        Job(f"{of_month}, again", month, month_one, _DETAIL, before=AGAIN),
        Job(f"{of_month}, again, from what was kept", month_kept, month_one, _DETAIL, before=KEPT),
        Job(f"{of_month}, after a few changed", month, month_one, _DETAIL, before=CHANGED),
    ]


def find_lab(client: AlyxClient, month: str) -> Lab:
    """Choose what the jobs ask a server for, from what it has.

    ``month``: as ``2024-01``.
    """
    first = date.fromisoformat(f"{month}-01")
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    days = (first.isoformat(), last.isoformat())
    labs = Counter(row["lab"] for row in client.list("sessions", {"date_range": ",".join(days)}))
    if not labs:
        raise SystemExit(f"{client.url} has no sessions in {month}: name another --month.")
    named = Counter(row["nickname"] for row in client.list("subjects"))
    newest_day = date.fromisoformat(client.get("sessions", {"limit": 1})["results"][0]["start_time"][:10])
    week = ((newest_day - timedelta(days=6)).isoformat(), newest_day.isoformat())
    trained = {row["subject"] for row in client.list("sessions", {"date_range": ",".join(week)})}
    animals = [name for name, times in named.items() if times == 1]
    of_sessions = [row["session"] for row in client.get("datasets", {"limit": 1})["results"] if row["session"]]
    return Lab(
        labs.most_common(1)[0][0],
        days,
        animals,
        week,
        [name for name in animals if name in trained][:COHORT],
        of_sessions[0].rpartition("/")[2] if of_sessions else "",
    )
