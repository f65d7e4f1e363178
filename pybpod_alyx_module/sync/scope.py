"""Which subjects of a server *Get Subjects* lists: a choice that each project keeps. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Kind(str, Enum):
    """What the subjects have in common. Print ``.value``."""

    #: Their responsible user is who is connected.
    MINE = "mine"
    #: Who is connected may handle them: the responsible user, or one whom that user allows.
    HANDLED = "handled"
    LAB = "lab"
    #: Of an Alyx project, which has nothing to do with a PyBpod project.
    PROJECT = "project"
    #: In the PyBpod project already: nothing is added.
    KNOWN = "known"


#: Kinds that need a name.
NAMED: Final = (Kind.LAB, Kind.PROJECT)


@dataclass(frozen=True)
class Scope:
    """Which subjects are listed."""

    kind: Kind = Kind.MINE
    #: Of the lab or the Alyx project; empty for other kinds.
    name: str = ""
    #: Only those that are water-restricted.
    water_restricted: bool = False
    #: Without those that are kept for breeding.
    without_stock: bool = False

    @classmethod
    def of(cls, kept: Any) -> Scope:
        """Return what `as_record` made; the usual scope where it is something else."""
        try:
            kind, name = Kind(kept["kind"]), kept.get("name", "")
            named = kind in NAMED
            if not isinstance(name, str) or named != bool(name):
                return cls()
            return cls(kind, name, kept.get("water_restricted") is True, kept.get("without_stock") is True)
        except (AttributeError, KeyError, TypeError, ValueError):
            return cls()

    def as_record(self) -> dict[str, Any]:
        """Return what is kept in the project's file."""
        return {
            "kind": self.kind.value,
            "name": self.name,
            "water_restricted": self.water_restricted,
            "without_stock": self.without_stock,
        }

    @property
    def asks_which(self) -> bool:
        """Whether a person chooses who is added: there may be hundreds that are of no concern."""
        return self.kind in {Kind.HANDLED, *NAMED}

    def filters(self, owners: Sequence[str]) -> dict[str, str]:
        """Return the parameters of ``GET /subjects``; `Kind.KNOWN` has no list.

        ``owners``: whose subjects, for those of responsible users.
        """
        found: dict[str, str] = {}
        if self.kind is Kind.MINE:
            found["responsible_user"] = owners[0]
        elif self.kind is Kind.HANDLED:
            listed = ",".join(f"'{name}'" for name in owners)
            found["django"] = f"responsible_user__username__in,[{listed}]"
        elif self.kind in NAMED:
            found[self.kind.value] = self.name
        if self.water_restricted:
            found["water_restricted"] = "True"
        if self.without_stock:
            found["stock"] = "False"
        return found

    def holds(self, row: Mapping[str, Any], owners: Sequence[str]) -> bool:
        """Tell whether a row that a server listed belongs there; True also where the row cannot tell."""
        if self.kind in {Kind.MINE, Kind.HANDLED}:
            return row.get("responsible_user") in owners
        if self.kind is Kind.PROJECT:
            return self.name in (row.get("projects") or ())
        return self.kind is not Kind.LAB or row.get("lab") == self.name

    def words(self, username: str) -> str:
        """Name the subjects in a sentence."""
        whose = {
            Kind.MINE: f"the subjects of {username}",
            Kind.HANDLED: f"the subjects that {username} may handle",
            Kind.LAB: f"the subjects of the lab {self.name}",
            Kind.PROJECT: f"the subjects of the Alyx project {self.name}",
            Kind.KNOWN: "the subjects of this PyBpod project",
        }[self.kind]
        if self.kind is Kind.KNOWN:
            return whose
        more = [
            *(["water-restricted"] if self.water_restricted else []),
            *(["not stock"] if self.without_stock else []),
        ]
        return f"{whose} that are {' and '.join(more)}" if more else whose


#: What is listed where a project keeps no choice.
USUAL: Final = Scope()
