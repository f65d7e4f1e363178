"""Where the manual is, and which part of it is about which window. No Qt."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

_PACKAGE: Final = Path(__file__).parents[2]
#: Installed within the package; in a copy of the repository beside it.
_PLACES: Final = (_PACKAGE / "docs", _PACKAGE.parent / "docs")


class Page(NamedTuple):
    """A part of the manual."""

    #: The file, without ``.md``.
    name: str
    #: The heading to begin at; empty for the beginning.
    heading: str = ""


RIG: Final = Page("rig-use")
_SESSIONS: Final = Page("rig-use", "Sessions")
_WEIGHT_AND_WATER: Final = Page("rig-use", "Weight and water")
_OUTBOX: Final = Page("rig-use", "The outbox")
_PEOPLE: Final = Page("rig-use", "Several people at one rig")
_SYNC: Final = Page("sync")
_UNDO: Final = Page("sync", "Undo the last sync")
TROUBLE: Final = Page("troubleshooting")

#: By the class of a window; of one that is not here the manual for the rig is shown.
_ABOUT: Final = {
    "CheckWindow": TROUBLE,
    "RegisterDialog": _SESSIONS,
    "SessionsWindow": _SESSIONS,
    "MoveDialog": _SESSIONS,
    "ChooseAnimalDialog": _SESSIONS,
    "WeightDialog": _WEIGHT_AND_WATER,
    "WaterDialog": _WEIGHT_AND_WATER,
    "TodayWindow": _WEIGHT_AND_WATER,
    "SheetDialog": _WEIGHT_AND_WATER,
    "InAdvanceDialog": _WEIGHT_AND_WATER,
    "WeighAllWindow": _WEIGHT_AND_WATER,
    "DetailsWindow": Page("rig-use", "Alyx details"),
    "RunCheckDialog": Page("rig-use", "Before Run"),
    "OutboxWindow": _OUTBOX,
    "EditDialog": _OUTBOX,
    "DiscardDialog": _OUTBOX,
    "ClosingQuestion": _OUTBOX,
    "LogInDialog": _PEOPLE,
    "LogOutWindow": _PEOPLE,
    "WhoQuestion": _PEOPLE,
    "RecordedByQuestion": _PEOPLE,
    "SyncWindow": _SYNC,
    "ReviewDialog": Page("sync", "The review"),
    "RemovalsDialog": _SYNC,
    "ChooseSubjectsDialog": _SYNC,
    "UsersWindow": Page("sync", "Users from Alyx"),
    "SyncsWindow": _UNDO,
    "UndoDialog": _UNDO,
    "NewSubjectWindow": Page("sync", "A new subject on Alyx"),
}


def page_about(window: type) -> Page:
    """Return the part of the manual that is about a window."""
    return next((_ABOUT[kind.__name__] for kind in window.__mro__ if kind.__name__ in _ABOUT), RIG)


def file_of(name: str) -> Path | None:
    """Return the file of a page, None where it is not installed."""
    return next((place / f"{name}.md" for place in _PLACES if (place / f"{name}.md").is_file()), None)


def anchor_of(heading: str) -> str:
    """Return how links name a heading, such as ``#the-outbox``."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
