"""Which animals somebody means: nicknames, ids, rows of a search, or lists, columns and frames of them."""

from __future__ import annotations

from typing import Any

from alyx_connector.errors import ConfigurationError
from alyx_connector.ids import is_id
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.search.filters import is_many, plain_value

__all__ = ["is_several", "named_animals"]


def is_several(subject: Any) -> bool:
    """Tell whether several animals are meant."""
    return _is_frame(subject) or (is_many(subject) and not _is_row(subject))


def named_animals(subject: Any) -> tuple[list[str], str | None]:
    """Say which animals are meant.

    Returns: nicknames or ids, each once, and the lab of the row of a search; None where none is named by it.
    """
    if _is_frame(subject):
        column = "id" if "nickname" in subject else "subject"
        return [_name(one) for one in subject[column].dropna().unique()], None
    if not is_several(subject):
        lab = subject.get("lab") if _is_row(subject) and not _own_id(subject) else None
        return [_name(subject)], lab if isinstance(lab, str) else None
    return list(dict.fromkeys(_name(one) for one in subject)), None


def _is_frame(subject: Any) -> bool:
    return getattr(subject, "ndim", 0) == 2 and hasattr(subject, "columns")


def _is_row(subject: Any) -> bool:
    return hasattr(subject, "get") and ("nickname" in subject or "subject" in subject)


def _own_id(row: Any) -> str:
    # A row of subjects has the id of the animal, others have their own.
    return str(row["id"]) if "nickname" in row and is_id(row.get("id")) else ""


def _name(subject: Any) -> str:
    named = (_own_id(subject) or subject.get("subject")) if _is_row(subject) else plain_value(subject)
    if named is None or isinstance(named, bool | float) or not str(named).strip():
        raise ConfigurationError(
            f"{named!r} is not a subject.", hint=Remedy(RemedyKind.LIST_SUBJECTS), setting="subject"
        )
    return str(named)
