"""A project in memory that keeps the contract of `ProjectPort`; `tests/port_contract.py` holds it to the real one's."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.sync.details import COMPARED, Details
from pybpod_alyx_module.sync.plan import Listed, Place, SubjectCopy
from pybpod_alyx_module.sync.snapshot import LocalSubject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pybpod_alyx_module.sync.audit import Row
    from pybpod_alyx_module.sync.last_sync import LastSync
    from pybpod_alyx_module.sync.plan import Change, Former


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
    last: LastSync | None = None
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
        subject = self._find(key)
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

    def copy_of(self, key: str) -> SubjectCopy:
        subject = self._find(key)
        return SubjectCopy(subject.name, None if subject.record is None else json.dumps(subject.record))

    def place_of(self, key: str) -> Place:
        subject = self._find(key)
        setups = tuple(Listed(name, name, 0) for name in subject.setups)
        return Place(subject.key, self.items.index(subject), setups=setups)

    def use(self, key: str) -> str:
        subject = self._find(key)
        return subject.hold or ", ".join(subject.setups)

    def put_back(self, key: str, former: Former) -> Callable[[], None]:
        self._check(former.name)
        subject = self._find(key)
        before = (subject.name, copy.deepcopy(subject.record))
        kept = {name: value for name, value in (subject.record or {}).items() if name not in former.dropped}
        subject.record = None if former.unlinked else {**kept, **json.loads(former.fields)}
        subject.name = former.name

        def undo() -> None:
            subject.name, subject.record = before

        return undo

    def bring_back(self, change: Change) -> Callable[[], None]:
        before, place = change.before, change.place
        assert before is not None
        assert place is not None
        self._check(before.name)
        setups = tuple(setup.name for setup in place.setups)
        subject = MemorySubject(place.uuid4, before.name, before.fields(), setups=setups)
        self.items.insert(place.index, subject)
        return lambda: self.items.remove(subject)

    def note(self, rows: Sequence[Row], last: LastSync) -> None:
        self.noted.extend(rows)
        self.last = last

    def _find(self, key: str) -> MemorySubject:
        return next(item for item in self.items if item.key == key)

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
