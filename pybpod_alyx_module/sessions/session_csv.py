"""Reads what PyBpod wrote of a session: who, which animals, when, how many trials, the values of its variables."""

from __future__ import annotations

import ast
import hashlib
import json
import math
import os
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pybpod_alyx_module.errors import RigError
from pybpod_alyx_module.sessions.csv_row_parser import RowReader

if TYPE_CHECKING:
    from collections.abc import Mapping


#: Rows of software versions: the name in the file, and the name in the record.
VERSIONS: Final = MappingProxyType({"BPOD-API-VERSION": "pybpod-api", "BPOD-GUI-VERSION": "pybpod-gui"})

#: Longest text that is taken for a name or a list.
_LONGEST_NAME: Final = 10_000

#: So many bytes of a file are read for its start; more where that is not among them.
_HEADS: Final = (1 << 16, 1 << 22)

#: A time beyond these is not valid.
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2200


@dataclass(frozen=True)
class Creator:
    """The user whom PyBpod named as the session's creator."""

    name: str
    uuid: str | None = None
    #: Where PyBpod knew the user from: ``"local"`` or ``"ALYX"``.
    connection: str = ""


@dataclass(frozen=True)
class SessionSubject:
    """A subject of the session's setup, as PyBpod knew it when the session began."""

    name: str
    uuid: str | None = None


@dataclass(frozen=True)
class Variable:
    """What the file says of one variable, as text; None where it says nothing."""

    #: Before the session began: the setting of a task variable.
    initial: str | None = None
    #: The last value that the protocol reported while it ran.
    reported: str | None = None
    #: After the session ended: PyBpod writes each task variable once more, changed or not.
    final: str | None = None
    #: Whether a reported number was ever smaller than the one before.
    fell: bool = False
    #: How often one was larger than the one before.
    rises: int = 0
    #: How often the protocol reported it while it ran.
    times: int = 0
    #: The sum of the reported numbers; what is not a number does not count.
    sum: float = 0
    #: How many trials had begun when it was last reported.
    trial: int = 0

    @property
    def value(self) -> str:
        """The last value that means something: PyBpod's repetition of a setting is not a new value."""
        if self.final is not None and self.final != self.initial:
            return self.final
        for text in (self.reported, self.final, self.initial):
            if text is not None:
                return text
        return ""

    @property
    def changed(self) -> bool:
        """Whether the protocol gave it a value."""
        return self.reported is not None or (self.final is not None and self.final != self.initial)


@dataclass(frozen=True)
class SessionFile:
    """What a session file holds. Times are the clock of the PC that wrote it, without a zone; absent text is empty."""

    path: Path
    #: The session's name when it was recorded; renaming it in PyBpod changes only the file's name.
    name: str
    #: PyBpod's identity of the session; the same in every copy of the project.
    uuid: str | None
    protocol: str
    creator: Creator | None
    project: str
    experiment: str
    setup: str
    board: str
    serial_port: str
    subjects: tuple[SessionSubject, ...]
    started: datetime
    #: None where the protocol was killed, crashed or still runs.
    ended: datetime | None
    #: Time of the last complete row.
    last_time: datetime
    #: Trials that ended by themselves; one that Stop or Kill broke off, which PyBpod ends alike, does not count.
    n_trials: int
    #: Trials that began.
    n_begun: int
    #: Whether the last trial was broken off by Stop or Kill, which the file does not tell apart.
    interrupted: bool
    variables: Mapping[str, Variable] = field(hash=False)
    versions: Mapping[str, str] = field(hash=False)
    #: Checksum of the bytes that were read, in hex.
    sha256: str
    #: How many bytes were read.
    size: int
    #: False where something was no complete row, as the last one of a PC that was switched off.
    whole: bool

    @property
    def killed(self) -> bool:
        """Whether the file does not say that the session ended."""
        return self.ended is None

    @property
    def end(self) -> datetime:
        """When it ended, as far as known: the last row's time where the end was not written."""
        return self.last_time if self.ended is None else self.ended

    @property
    def duration(self) -> timedelta:
        """From start to end by the PC's clock; negative where that was put back meanwhile."""
        return self.end - self.started


def read_session_file(path: str | os.PathLike[str]) -> SessionFile:
    """Read a session's CSV, once: also an old one, one that is being written to, or one whose end is missing.

    Nothing in it is executed. A million rows take some seconds: call it in a worker thread.
    """
    file = Path(path)
    content = _read(file)
    rows, found = RowReader(content), _Content()
    for row in rows:
        found.add(row)
    started = _start_of(file, content, found)
    return SessionFile(
        path=file,
        name=found.info.get("SESSION-NAME", "") or file.stem,
        uuid=found.uuid,
        protocol=found.info.get("PROTOCOL-NAME", ""),
        creator=_creator(found.info.get("CREATOR-NAME", "")),
        project=found.info.get("PROJECT-NAME", ""),
        experiment=found.info.get("EXPERIMENT-NAME", ""),
        setup=found.info.get("SETUP-NAME", ""),
        board=found.info.get("BOARD-NAME", ""),
        serial_port=found.info.get("SERIAL-PORT", ""),
        subjects=tuple(dict.fromkeys(read_subject(text) for text in found.subjects if text)),
        started=started,
        ended=found.ended,
        last_time=found.last_time or started,
        n_trials=found.n_ended - found.interrupted,
        n_begun=found.n_begun,
        interrupted=found.interrupted,
        variables=MappingProxyType(found.variables),
        versions=MappingProxyType(found.versions),
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        whole=rows.whole,
    )


def read_start(path: str | os.PathLike[str]) -> datetime:
    """Read when a session began, as `read_session_file` does, from the beginning of its file."""
    file = Path(path)
    for most in _HEADS:
        content, found = _read(file, most), _Content()
        for row in RowReader(content):
            found.add(row)
            if found.started is not None:
                return found.started
        if len(content) < most:
            break
    return _start_of(file, content, found)


def _read(file: Path, most: int | None = None) -> bytes:
    try:
        with file.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size  # not what is written meanwhile
            return stream.read(size if most is None else min(size, most))
    except OSError as error:
        raise RigError(
            f"The session file {file} cannot be read: {error.strerror or error}.",
            hint="Check whether it was moved or renamed, and whether you may read it.",
        ) from error
    except MemoryError as error:
        raise RigError(
            f"The session file {file} is too large for this computer's memory.",
            hint="Close other programs, or register it on a computer with more memory.",
        ) from error


def _start_of(file: Path, content: bytes, found: _Content) -> datetime:
    started = found.started or found.created or found.first_time
    if started is None:
        raise RigError(
            f"The file {file} does not say when a session began: "
            + (
                "it is empty."
                if not content
                else "it is not a session file of PyBpod, or only its beginning was written."
            ),
            hint="Nothing can be registered from it. If there is a backup of the file, put it in place.",
        )
    return started


class _Content:
    """What the rows say, added one after the other."""

    def __init__(self) -> None:
        self.uuid: str | None = None
        self.created: datetime | None = None
        self.first_time: datetime | None = None
        self.last_time: datetime | None = None
        self.started: datetime | None = None
        self.ended: datetime | None = None
        self.info: dict[str, str] = {}
        self.subjects: list[str] = []
        self.versions: dict[str, str] = {}
        self.variables: dict[str, Variable] = {}
        self.n_ended = self.n_begun = 0
        #: After each trial that was not broken off PyBpod writes how long it took.
        self._timed = self._untimed_end = False

    @property
    def interrupted(self) -> bool:
        # A file in which no trial has a time is of a PyBpod that wrote none, but for a single one.
        return self._untimed_end and (self._timed or self.n_ended == 1)

    def add(self, row: list[str]) -> None:
        kind = row[0]
        if kind.startswith("__"):
            self._add_metadata(kind, row)
            return
        time = _time(row[1]) if len(row) > 1 else None
        if time is None:  # the column heads, or no row of PyBpod
            return
        self.last_time = time
        if kind == "INFO" and len(row) > 5:
            self.first_time = self.first_time or time
            self._add_info(row[4], row[5])
        elif kind == "VAL" and len(row) > 5:
            self._add_value(row[4], row[5])
        elif kind == "TRIAL":
            self.n_begun += 1
        elif kind == "END-TRIAL":
            self.n_ended += 1
            self._untimed_end = True

    def _add_metadata(self, kind: str, row: list[str]) -> None:
        text = row[1] if len(row) > 1 else ""
        if kind == "__UUID4__":
            self.uuid = text or None
        elif kind == "__CREATED-ON__":
            self.created = _time(text)
        elif kind == "__SOFTWARE__" and text:
            self.versions.setdefault("software", text)

    def _add_info(self, name: str, text: str) -> None:
        if name == "SUBJECT-NAME":
            self.subjects.append(text)
        elif name == "SESSION-STARTED":
            self.started = _time(text) or self.started
        elif name == "SESSION-ENDED":
            self.ended = _time(text) or self.last_time
        elif name == "TRIAL-BPOD-TIME":
            self._timed, self._untimed_end = True, False
        elif name in VERSIONS:
            if text:
                self.versions[VERSIONS[name]] = text
        else:
            self.info[name] = text

    def _add_value(self, name: str, text: str) -> None:
        before = self.variables.get(name, Variable())
        if self.ended is not None:
            after = replace(before, final=text)
        elif self.started is None:
            after = replace(before, initial=text)
        else:
            number, last = _number(text), _number(before.reported)
            after = Variable(
                before.initial,
                text,
                before.final,
                fell=before.fell or number < last,
                rises=before.rises + (number > last),
                times=before.times + 1,
                sum=before.sum + (0 if math.isnan(number) else number),
                trial=self.n_begun,
            )
        self.variables[name] = after


def _time(text: str) -> datetime | None:
    # Python 3.11 reads more forms than 3.10: only those that PyBpod writes are taken.
    if len(text) < 19 or text[10] != " ":
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not _FIRST_YEAR <= time.year <= _LAST_YEAR:  # the ends of the calendar have no other time zones
        return None
    return time.replace(tzinfo=None) if time.tzinfo else time


def _number(text: str | None) -> float:
    # NaN, which is neither smaller nor larger than anything, where it is not a number
    try:
        return math.nan if text is None else float(text)
    except ValueError:
        return math.nan


def _creator(text: str) -> Creator | None:
    if text in {"", "None", "null"}:
        return None
    match _names(text):
        case [str(name), str(uuid), str(connection), *_]:
            return Creator(name, uuid, connection)
        case [str(name), str(uuid), *_]:
            return Creator(name, uuid)
        case _:
            return Creator(text)


def read_subject(text: str) -> SessionSubject:
    """Read a subject as PyBpod writes it: ``['name', 'uuid']``; else the text is taken for its name."""
    match _names(text):
        case [str(name), str(uuid), *_]:
            return SessionSubject(name, uuid)
        case _:
            return SessionSubject(text)


def _names(text: str) -> Any:
    if len(text) > _LONGEST_NAME:
        return None
    for read in (json.loads, ast.literal_eval):  # PyBpod writes the creator as JSON and the subjects as Python
        try:
            return read(text.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            continue
    return None
