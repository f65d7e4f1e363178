"""A project in memory that keeps the contract of `ProjectPort`; `tests/port_contract.py` holds it to the real one's."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.sync.details import COMPARED, Details
from pybpod_alyx_module.sync.snapshot import LocalSubject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pybpod_alyx_module.sync.audit import Row


@dataclass
class MemorySubject:
    key: str
    name: str
    record: dict[str, Any] | None = None
    hold: str = ""
    setups: tuple[str, ...] = ()


@dataclass
class MemoryProject:
    """Subjects in a list; `broken` names subjects whose change fails."""

    items: list[MemorySubject] = field(default_factory=list)
    broken: frozenset[str] = frozenset()
    noted: list[Row] = field(default_factory=list)
    _next: int = 0

    def put(self, name: str, record: dict[str, Any] | None = None, **more: Any) -> MemorySubject:
        self._next += 1
        subject = MemorySubject(f"k{self._next}", name, record, **more)
        self.items.append(subject)
        return subject

    def state(self) -> list[MemorySubject]:
        return copy.deepcopy(self.items)

    def subjects(self) -> tuple[LocalSubject, ...]:
        return tuple(self._freeze(subject) for subject in self.items)

    def names(self) -> Mapping[str, str]:
        return {subject.key: subject.name for subject in self.items}

    def read(self, key: str) -> LocalSubject | None:
        found = [subject for subject in self.items if subject.key == key]
        return self._freeze(found[0]) if found else None

    def add(self, name: str, alyx_id: str, record: Mapping[str, Any]) -> Callable[[], None]:
        self._check(name)
        subject = self.put(name, {**record, "alyx_id": alyx_id})
        return lambda: self.items.remove(subject)

    def update(self, key: str, name: str, record: Mapping[str, Any]) -> Callable[[], None]:
        self._check(name)
        subject = next(item for item in self.items if item.key == key)
        before = (subject.name, copy.deepcopy(subject.record))
        subject.name, subject.record = name, {**(subject.record or {}), **record}

        def undo() -> None:
            subject.name, subject.record = before

        return undo

    def remove(self, key: str) -> Callable[[], None]:
        index = next(index for index, item in enumerate(self.items) if item.key == key)
        self._check(self.items[index].name)
        subject = self.items.pop(index)
        return lambda: self.items.insert(index, subject)

    def note(self, rows: Sequence[Row]) -> None:
        self.noted.extend(rows)

    def _check(self, name: str) -> None:
        if name in self.broken:
            raise SyncError(f"the project cannot take {name}")

    @staticmethod
    def _freeze(subject: MemorySubject) -> LocalSubject:
        record = subject.record
        if record is None:
            return LocalSubject(subject.key, subject.name, hold=subject.hold)
        return LocalSubject(
            subject.key,
            subject.name,
            record.get("alyx_id"),
            record.get("alyx_server"),
            record.get("url"),
            Details.of(record, COMPARED),
            subject.hold,
        )
