"""Tells where a nickname that was searched for stands for several animals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alyx_connector.ids import is_id
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.search.fetch_details import only_waits
from alyx_connector.search.subject_filter import any_of, is_quotable
from alyx_connector.warning import AlyxWarning

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from alyx_connector.search.add_details import Work
    from alyx_connector.search.listing import Listed

__all__ = ["animals_to_count", "tell_namesakes"]

#: Lists whose rows name an animal, and not its lab.
_WITHOUT_LAB = frozenset({"weighings", "water-administrations"})


def animals_to_count(endpoint: str, wanted: Any) -> list[dict[str, str]]:
    """Return the requests of ``/subjects`` whose rows are to be counted for `tell_namesakes`.

    How many animals there are costs little, their rows much: the server reckons the water of each.

    ``wanted``: the filter of subjects, as `plain_filters` returns it.
    """
    names = filter(is_quotable, _names(wanted)) if endpoint in _WITHOUT_LAB else ()
    return [{"django": lookup} for lookup in any_of("nickname", names)]


def tell_namesakes(work: Work, endpoint: str, listed: Listed, wanted: Any, absent: Collection[str]) -> None:
    """Tell where rows may be of several animals of one nickname, with their labs.

    ``listed``: with the count of what `animals_to_count` returned.
    ``wanted``: the filter of subjects, as `plain_filters` returns it.
    ``absent``: names that the server is known not to have.
    """
    if endpoint == "sessions":
        doubtful = _in_sessions(listed.rows, _names(wanted))
    else:
        there = [name for name in _names(wanted) if is_quotable(name) and name not in absent]
        doubtful = there if endpoint in _WITHOUT_LAB and listed.rows and listed.counted > len(there) else []
    subjects = _subjects(work, doubtful)
    for folded in dict.fromkeys(name.casefold() for name in doubtful):
        of_one = [subject for subject in subjects if str(subject["nickname"]).casefold() == folded]
        if len(of_one) > 1:
            named = ", ".join(sorted(f"{subject['nickname']} of {subject['lab']}" for subject in of_one))
            work.tell(
                AlyxWarning(
                    f"These {endpoint} belong to several animals with the same nickname: {named}.",
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


def _names(wanted: Any) -> list[str]:
    several = wanted if isinstance(wanted, list) else [wanted]
    return list(dict.fromkeys(str(one) for one in several if not is_id(one)))


def _subjects(work: Work, names: Sequence[str]) -> list[dict[str, Any]]:
    report = only_waits(work.report)
    asked = [{"django": lookup} for lookup in any_of("nickname", filter(is_quotable, names))]
    asked += [{"nickname": name} for name in names if not is_quotable(name)]
    return [row for one in asked for row in work.client.list("subjects", one, cancel=work.cancel, report=report)]
