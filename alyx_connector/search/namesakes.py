"""Tells where a nickname that was searched for stands for several animals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alyx_connector.ids import is_id
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.search.fetch_details import only_waits
from alyx_connector.search.subject_filter import any_of, is_quotable
from alyx_connector.warning import AlyxWarning

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alyx_connector.search.add_details import Work

__all__ = ["tell_namesakes"]

#: Lists whose rows name an animal, and not its lab.
_WITHOUT_LAB = frozenset({"weighings", "water-administrations"})


def tell_namesakes(work: Work, endpoint: str, rows: Sequence[Mapping[str, Any]], wanted: Any) -> None:
    """Tell where rows may be of several animals of one nickname, with their labs.

    ``wanted``: the filter of subjects, as `plain_filters` returns it.
    """
    several = wanted if isinstance(wanted, list) else [wanted]
    names = list(dict.fromkeys(str(one) for one in several if not is_id(one)))
    if endpoint == "sessions":
        doubtful = _in_sessions(rows, names)
    elif endpoint in _WITHOUT_LAB and rows:
        doubtful = _in_actions(work, rows, names)
    else:
        return
    subjects = _subjects(work, doubtful)
    for folded in dict.fromkeys(name.casefold() for name in doubtful):
        of_one = [subject for subject in subjects if str(subject["nickname"]).casefold() == folded]
        if len(of_one) > 1:
            listed = ", ".join(sorted(f"{subject['nickname']} of {subject['lab']}" for subject in of_one))
            work.tell(
                AlyxWarning(
                    f"These {endpoint} belong to several animals with the same nickname: {listed}.",
                    Remedy(RemedyKind.ADD_LAB),
                )
            )


def _in_sessions(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    # Asked for only where rows of several labs, or several spellings, came for one nickname.
    folded = {name.casefold() for name in names}
    behind: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        nickname = str(row.get("subject"))
        if nickname.casefold() in folded:
            behind.setdefault(nickname.casefold(), set()).add((nickname, str(row.get("lab"))))
    return sorted({nickname for found in behind.values() if len(found) > 1 for nickname, _ in found})


def _in_actions(work: Work, rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    # How many animals there are costs little, their rows much: the server reckons the water of each.
    plain = [name for name in names if is_quotable(name)]
    lookups = any_of("nickname", plain)
    report = only_waits(work.report)
    counts = [
        work.client.get("subjects", {"django": lookup, "limit": "1"}, cancel=work.cancel, report=report)["count"]
        for lookup in lookups
    ]
    return plain if sum(counts) > len(plain) else []


def _subjects(work: Work, names: Sequence[str]) -> list[dict[str, Any]]:
    report = only_waits(work.report)
    asked = [{"django": lookup} for lookup in any_of("nickname", filter(is_quotable, names))]
    asked += [{"nickname": name} for name in names if not is_quotable(name)]
    return [row for one in asked for row in work.client.list("subjects", one, cancel=work.cancel, report=report)]
