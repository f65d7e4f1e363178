"""Makes the Alyx session of what PyBpod recorded."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from alyx_connector._version import __version__
from alyx_connector.zones.moments import lab_zone
from pybpod_alyx_module.lab_time import lab_moments, lab_span
from pybpod_alyx_module.outbox.alyx_records import with_sentence
from pybpod_alyx_module.outbox.items import COMPUTER_TIME
from pybpod_alyx_module.sessions.run_settings import RunSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import tzinfo
    from decimal import Decimal

    from pybpod_alyx_module.rig_settings import SessionSettings
    from pybpod_alyx_module.sessions.on_rig import Animal
    from pybpod_alyx_module.sessions.session_csv import SessionFile


#: Where a session's ``json`` on Alyx holds what is ours, and the outbox's key in it.
OURS: Final = "pybpod"
OUTBOX_KEY: Final = "outbox_key"

#: Field of ``django=…`` that finds a PyBpod session on Alyx, whichever rig registered it.
FIND_BY_UUID: Final = f"json__{OURS}__session_uuid"

#: Alyx's limit for ``task_protocol``.
_LONGEST_PROTOCOL: Final = 1023

#: What an update leaves as it is on Alyx where we have nothing to say.
_LEFT_IF_EMPTY: Final = ("lab", "location", "projects", "procedures", "type", "task_protocol", "narrative")


@dataclass(frozen=True)
class SessionDraft:
    """A session that can be put into the outbox."""

    #: Alyx id of the animal; its nickname is looked up when the session is sent.
    subject_id: str
    #: Its nickname now, for people only.
    subject_name: str
    #: What ``POST /sessions`` takes, but for ``subject`` and the outbox's key in ``json["pybpod"]["outbox_key"]``.
    #: ``number`` is None: the next of that day, which is looked up when it is sent.
    values: Mapping[str, Any] = field(hash=False)
    #: Which PyBpod session it is.
    origin: Mapping[str, Any] = field(hash=False)
    #: When it ended, with its offset, ISO.
    end: str

    def update_values(self, current_json: Any, outbox_key: str) -> dict[str, Any]:
        """Make what ``PATCH /sessions/<id>`` takes, to update the record of an earlier registration.

        Returns: neither number nor users, which people may have corrected on Alyx, and nothing that is empty here.
        ``current_json``: ``json`` of the record as it is on Alyx: what others put there stays.
        ``outbox_key``: the key of the first registration: it goes on finding the record.
        """
        values = {
            name: value
            for name, value in self.values.items()
            if name not in {"number", "users"} and not (name in _LEFT_IF_EMPTY and not value)
        }
        others = current_json if isinstance(current_json, dict) else {}
        if current_json and not others:  # a list, or a text that holds JSON
            others = {"before_pybpod": current_json}
        values["json"] = {**others, OURS: {**self.values["json"][OURS], OUTBOX_KEY: outbox_key}}
        return values

    def water_values(self, amount: Decimal, water_type: str) -> dict[str, Any]:
        """Make the water administration that goes with the session; the outbox adds the session's id.

        Returns: what ``POST /water-administrations`` takes, but for ``subject``, ``user`` and ``session``. Its time
        is the session's end, with its offset.
        """
        return {
            "water_administered": float(amount),
            "water_type": water_type,
            "date_time": self.end,
            "adlib": False,
        }


def make_session_draft(
    file: SessionFile,
    animal: Animal,
    username: str,
    settings: SessionSettings,
    *,
    host: str,
    lab_timezone: str | None = None,
    rig_zone: tzinfo | None = None,
    narrative: str = "",
    run: RunSettings | None = None,
    listed: Sequence[str] | None = None,
) -> SessionDraft:
    """Make the Alyx session of a session file.

    Returns: its values hold only what JSON and PostgreSQL can store.
    ``username``: the Alyx user who is logged in, and becomes the session's only user.
    ``lab_timezone``: ``timezone`` of the animal's lab on Alyx. Times are converted into it; where it is missing or
    unknown they have the rig's offset, and are converted when they are sent, if Alyx tells the zone by then.
    ``rig_zone``: None for the zone that this computer is set to.
    ``run``: the settings of the run, from `read_run_settings`.
    ``listed``: the names that the file has, where a person said that it was another animal; both are kept.
    """
    run = run or RunSettings()
    zone = lab_zone(lab_timezone)
    moments = lab_moments(file.started, file.end, zone, rig_zone)
    start, end = moments if zone is None else lab_span(file.started, file.end, zone, rig_zone)
    versions = {**file.versions, "pybpod-gui-plugin-alyx": __version__}
    if run.firmware:
        versions.setdefault("firmware", run.firmware)
    recorded = {
        "project": file.project,
        "experiment": file.experiment,
        "setup": file.setup,
        "board": file.board,
        "serial_port": file.serial_port,
        "session": file.name,
        "session_uuid": file.uuid,
        "file": file.path.name,
        "host": host,
        "sha256": file.sha256,
        "size": file.size,
        "versions": versions,
    }
    ours = json_value(recorded)
    reported = {name: variable.value for name, variable in file.variables.items()}
    ours["variables"] = task_variables(reported, run.variables)
    if listed is not None:
        ours["listed"] = [clean_text(name) for name in listed]
        narrative = with_sentence(narrative, _correction(ours["listed"], animal.nickname))
    values = {
        "users": [username],
        "lab": animal.lab,
        "location": settings.location,
        "projects": list(animal.projects if settings.projects is None else settings.projects),
        "procedures": list(settings.procedures),
        "type": settings.type,
        "task_protocol": clean_text(file.protocol)[:_LONGEST_PROTOCOL],
        "number": None,
        "start_time": start.isoformat(),
        "end_time": end.isoformat(),
        "n_trials": file.n_trials,
        "narrative": clean_text(narrative),
        "json": {OURS: ours},
    }
    origin = {name: ours[name] for name in ("project", "experiment", "setup", "session", "session_uuid", "file")}
    if zone is None:
        origin.update(COMPUTER_TIME)
    end_text = moments[1].isoformat()
    return SessionDraft(animal.id, animal.nickname, MappingProxyType(values), MappingProxyType(origin), end_text)


def values_for_animal(
    values: Mapping[str, Any], old: Animal, new: Animal, listed: Sequence[str] | None
) -> dict[str, Any]:
    """Return what of the values of a session that waits is another where it is given to another animal.

    ``listed``: the names that the file has, where it does not have that animal's.
    """
    ours = dict(values["json"][OURS])
    narrative = str(values.get("narrative") or "")
    if (before := ours.pop("listed", None)) is not None:
        narrative = narrative.replace(_correction(before, old.nickname), "").strip()
    if listed is not None:
        ours["listed"] = [clean_text(name) for name in listed]
        narrative = with_sentence(narrative, _correction(ours["listed"], new.nickname))
    projects = list(new.projects if values.get("projects") == list(old.projects) else values.get("projects") or ())
    narrative = clean_text(narrative)
    return {"lab": new.lab, "projects": projects, "narrative": narrative, "json": {**values["json"], OURS: ours}}


def _correction(listed: Sequence[str], nickname: str) -> str:
    return f"The session file names {', '.join(listed) or 'no animal'}; registered for {nickname}."


#: How much of a text, a list or a set of variables is kept.
LONGEST_TEXT: Final = 1000
MOST_ITEMS: Final = 200
DEEPEST: Final = 5

#: Beyond this, programs that read JSON round whole numbers.
_LARGEST_WHOLE: Final = 2**53


def clean_text(text: str, longest: int | None = None) -> str:
    """Take out what PostgreSQL refuses in a text: NUL, and halves of surrogate pairs.

    ``longest``: how many characters to keep; None for all.
    """
    if longest is not None and len(text) > longest:
        text = f"{text[:longest]}… ({len(text)} characters)"
    return "".join("\ufffd" if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in text)


def json_value(value: Any, depth: int = 0) -> Any:
    """Make a value that JSON and PostgreSQL can hold.

    Returns: None, a truth value, a finite number, a text, or a list or dict of such. Anything else (NaN, bytes, a
    whole number that others would round, what lies too deep) becomes a text; long ones are cut.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _LARGEST_WHOLE else clean_text(_written(value), LONGEST_TEXT)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return clean_text(value, LONGEST_TEXT)
    if depth < DEEPEST and isinstance(value, list | tuple):
        return [json_value(item, depth + 1) for item in value[:MOST_ITEMS]]
    if depth < DEEPEST and isinstance(value, dict):
        return json_object(value.items(), depth + 1)
    return clean_text(_written(value), LONGEST_TEXT)


def json_object(items: Iterable[tuple[Any, Any]], depth: int = 0) -> dict[str, Any]:
    """Make an object of JSON.

    Returns: the first `MOST_ITEMS`, made by `json_value`.
    """
    found: dict[str, Any] = {}
    for name, value in items:
        if len(found) == MOST_ITEMS:
            break
        found[clean_text(_written(name, str), LONGEST_TEXT)] = json_value(value, depth)
    return found


def number_or_text(text: str) -> Any:
    """Read a value as a session file has it."""
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:  # Python also refuses whole numbers of thousands of digits
            continue
        if str(number) == text and math.isfinite(number):
            return number
    return text


def task_variables(reported: Mapping[str, str], set_before: Mapping[str, Any]) -> dict[str, Any]:
    """Put together the task variables of a session.

    ``reported``: the last value of each variable in the session file, as text.
    ``set_before``: the variables of the run's settings.
    """
    values: dict[str, Any] = dict(set_before)
    for name, text in reported.items():
        if name not in set_before or _written(set_before[name], str) != text:
            values[name] = number_or_text(text)
    return json_object(values.items())


def _written(value: Any, write: Callable[[Any], str] = repr) -> str:
    try:
        return write(value)
    except (ValueError, RecursionError):  # a whole number of thousands of digits in it, or no end of depth
        return f"({type(value).__name__}, too large to write)"
