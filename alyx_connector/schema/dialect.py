"""In what servers differ that say the same: one frozen value, made from a server's own description."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Dialect", "dialect_from_dict", "read_dialect"]

#: A line of an enumeration's description: "* `50` - CRITICAL".
_CHOICE = re.compile(r"^\s*\*\s+`(\d+)`\s+-\s+(\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Dialect:
    """In what a server may differ from others; as it stands, it is Alyx."""

    #: The field of a subject by which its address, weighings and water name it: ``nickname`` or ``name``.
    subject_key: str = "nickname"
    #: The numbers that stand for the words of a session's ``qc``; empty where the server says the words themselves.
    qc_words: tuple[tuple[int, str], ...] = ()
    #: Whether users say who else may handle their subjects.
    tells_allowed_users: bool = True

    def subject_name(self, row: Mapping[str, Any]) -> str:
        """Return by what a subject is called in its address, in weighings and in water.

        ``row``: of ``/subjects``.
        """
        return str(row.get(self.subject_key) or row["nickname"])

    def qc_word(self, value: Any) -> Any:
        """Return the word of a ``qc``; what has none stays what it is."""
        return dict(self.qc_words).get(value, value) if type(value) is int else value

    def qc_number(self, value: Any) -> Any:
        """Return what the server takes for a word of ``qc``; what is none stays what it is."""
        numbers = {word: number for number, word in self.qc_words}
        return numbers.get(value.upper(), value) if isinstance(value, str) else value


def read_dialect(subject_key: str, components: Mapping[str, Any]) -> Dialect:
    """Read in what a server differs.

    ``subject_key``: by what a single subject is asked for; empty if none can be.
    ``components``: the ``schemas`` of its OpenAPI description.
    """
    session = components.get("SessionDetail", {}).get("properties", {})
    named = str(session.get("qc", {}).get("$ref", "")).rpartition("/")[2]
    described = components.get(named, {}) if named else session.get("qc", {})
    words = str(described.get("description", "")) if described.get("type") == "integer" else ""
    user = components.get("User", {}).get("properties")
    return Dialect(
        subject_key or Dialect.subject_key,
        tuple(sorted((int(number), word) for number, word in _CHOICE.findall(words))),
        user is None or "allowed_users" in user,
    )


def dialect_from_dict(content: Mapping[str, Any]) -> Dialect:
    """Make a dialect of plain JSON, as it is kept."""
    words = tuple((int(number), str(word)) for number, word in content["qc_words"])
    return Dialect(str(content["subject_key"]), words, bool(content["tells_allowed_users"]))
