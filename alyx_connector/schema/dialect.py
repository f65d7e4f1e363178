"""In what servers differ that say the same: one frozen value, made from a server's own description."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alyx_connector.address import last_part
from alyx_connector.frames.columns import QC_WORDS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["Dialect", "dialect_from_dict", "read_dialect"]

#: A line of an enumeration's description: "* `50` - CRITICAL".
_CHOICE = re.compile(r"^\s*\*\s+`(\d+)`\s+-\s+(\S+)\s*$", re.MULTILINE)

_ONE_SUBJECT = re.compile(r"/subjects/\{(\w+)\}$")


@dataclass(frozen=True)
class Dialect:
    """In what a server may differ from others; as it stands, it is Alyx."""

    #: The field of a subject by which its address, weighings and water name it: ``nickname`` or ``name``.
    subject_key: str = "nickname"
    #: The words of a ``qc``, with the number that stands for each.
    qc_words: tuple[tuple[int, str], ...] = QC_WORDS
    #: Whether records of this server hold these numbers, and not the words.
    qc_is_number: bool = False
    #: Whether a session has a name, made of subject, day and number, that no other session may have.
    names_sessions: bool = False
    #: Whether users say who else may handle their subjects.
    tells_allowed_users: bool = True
    #: Whether it tells by what share of which weight a lab judges its animals, and so their minimum weights.
    tells_minimum_weights: bool = True

    def subject_name(self, row: Mapping[str, Any]) -> str:
        """Return by what a subject is called in its address, in weighings and in water; sessions take its nickname.

        ``row``: of ``/subjects``; its url says it also where the server does not describe itself, or no longer so.
        """
        url = row.get("url")
        return (last_part(url) if isinstance(url, str) else "") or str(row.get(self.subject_key) or row["nickname"])

    def qc_word(self, value: Any) -> Any:
        """Return the word of a ``qc``; what has none stays what it is."""
        return dict(self.qc_words).get(value, value) if type(value) is int else value

    def qc_to_send(self, value: Any) -> int | str | None:
        """Return what a record of this server takes for a word of ``qc``, or its number; None if it is neither."""
        word = self.qc_word(value)
        numbers = {word: number for number, word in self.qc_words}
        named = word.upper() if isinstance(word, str) else None
        if named not in numbers:
            return None
        return numbers[named] if self.qc_is_number else named


def read_dialect(paths: Collection[str], components: Mapping[str, Any]) -> Dialect:
    """Read in what a server differs.

    ``paths``, ``components``: of its OpenAPI description.
    """
    keys = [match[1] for path in paths if (match := _ONE_SUBJECT.search(path))]
    names_sessions = any(path.endswith("/sessions/{name}") for path in paths)
    session = components.get("SessionDetail", {}).get("properties", {})
    named = str(session.get("qc", {}).get("$ref", "")).rpartition("/")[2]
    described = components.get(named, {}) if named else session.get("qc", {})
    words = sorted((int(number), word) for number, word in _CHOICE.findall(str(described.get("description", ""))))
    user = components.get("User", {}).get("properties")
    restricted = components.get("WaterRestrictedSubjectList", {}).get("properties")
    return Dialect(
        keys[0] if keys else Dialect.subject_key,
        tuple(words) or Dialect.qc_words,
        described.get("type") == "integer",
        names_sessions,
        user is None or "allowed_users" in user,
        restricted is None or "reference_weight_pct" in restricted,
    )


def dialect_from_dict(content: Mapping[str, Any]) -> Dialect:
    """Make a dialect of plain JSON, as it is kept."""
    words = tuple((int(number), str(word)) for number, word in content["qc_words"])
    return Dialect(
        str(content["subject_key"]),
        words,
        bool(content["qc_is_number"]),
        bool(content["names_sessions"]),
        bool(content["tells_allowed_users"]),
        bool(content["tells_minimum_weights"]),
    )
