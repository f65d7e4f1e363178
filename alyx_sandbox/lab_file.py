"""Lab files: a lab as JSON that a person can read and edit.

A lab file is one object. Only `users` and `labs` must be there; a name that is used must be defined in the same file,
but for species, strains, sources and litters, which need no more than their name.

::

    {
      "server_timezone": "UTC",            the clock of the server, which writes naive times
      "main_user": "jose",                 named in the ready message; default: the first user
      "users": [{"username": "jose", "password": "jose-demo", "email": "", "labs": ["champalimaud"],
                 "allowed_users": ["ana"], "is_stock_manager": false, "is_public_user": false}],
      "labs": [{"name": "champalimaud", "timezone": "Europe/Lisbon", "institution": "", "address": "",
                "reference_weight_pct": 0.85, "json": null}],
      "locations": [{"name": "rig_1", "lab": "champalimaud"}],
      "projects": [{"name": "WaitTask", "description": "", "users": ["jose"]}],
      "water_types": ["Water"],            "Water" is always there
      "procedures": [{"name": "Behavior training/tasks", "description": ""}],
      "lines": [{"name": "Drd1-Cre;Ai32", "nickname": "Drd1-Ai32", "alleles": ["Drd1-Cre", "Ai32"]}],
      "dataset_types": [{"name": "trials.table", "description": "", "filename_pattern": "*trials.table*"}],
      "subjects": [{
        "nickname": "jo001", "lab": "champalimaud", "responsible_user": "jose",
        "id": "<uuid>",                    default: made from lab and nickname, the same in every run
        "birth_date": "today-120", "death_date": null, "sex": "M", "species": "Laboratory mouse",
        "strain": null, "source": null, "line": null, "litter": null, "projects": [], "description": "",
        "cage": null, "json": null, "to_be_culled": false,
        "genotype": [{"allele": "Ai32", "zygosity": "+/-"}],
        "surgeries": [{"start_time": "today-20T10:00:00", "implant_weight": 3.0}],
        "water_restrictions": [{"start_time": "today-14T10:00:00", "end_time": null,
                                "reference_weight": 25.0, "water_type": "Water"}],
        "weighings": [{"date_time": "today-1T18:00:00", "weight": 22.4, "user": "jose"}],
        "water_administrations": [{"date_time": "today-1T18:30:00", "water_administered": 0.8,
                                   "water_type": "Water", "user": "jose", "adlib": false}],
        "sessions": [{"start_time": "2024-01-01T10:00:00", "end_time": null, "number": 1, "id": "<uuid>",
                      "users": ["jose"], "location": "rig_1", "projects": [], "procedures": [], "type": null,
                      "task_protocol": "", "narrative": "", "n_trials": null, "n_correct_trials": null,
                      "qc": "NOT_SET", "extended_qc": null, "json": null,
                      "datasets": [{"name": "trials.table.pqt", "dataset_type": "trials.table",
                                    "collection": "alf", "file_size": null}]}]
      }]
    }

Days are ISO dates, or ``today``, ``today-3``, ``today+14``; times are days with a time of day behind a ``T``. Times are
naive, by the clock of the server. What is left out has the value shown above, or none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta, timezone
from importlib import resources
from typing import TYPE_CHECKING, Any
from uuid import UUID

from alyx_sandbox.lab_checks import LabFileError, check_names, fail
from alyx_sandbox.options import DEMO_LAB

if TYPE_CHECKING:
    from pathlib import Path

Parser = Callable[[Any, str], Any]

_DAY = re.compile(r"today(?:([+-])(\d{1,5}))?")
_REQUIRED = object()
_JSON_NAMES = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
}


def read_lab(path: Path | None) -> dict[str, Any]:
    """Return a lab, checked and with every default filled in.

    Parameters
    ----------
    path
        The lab file; None: the demo lab.

    Returns
    -------
    dict
        As the file has it, with dates, times and UUIDs in the place of texts.

    Raises
    ------
    LabFileError
        The file cannot be read, is not JSON, or something in it is missing, unknown or of a wrong kind.
    """
    source = path or resources.files(DEMO_LAB[0]).joinpath(DEMO_LAB[1])
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LabFileError(f"the lab file {source} cannot be read: {error}") from error
    try:
        content = json.loads(text)
    except ValueError as error:
        raise LabFileError(f"the lab file {source} is not JSON: {error}") from error
    try:
        lab: dict[str, Any] = _LAB(content, "")
        check_names(lab)
    except LabFileError as error:
        raise LabFileError(f"the lab file {source}, at {error}") from None
    return lab


def _of_kind(*kinds: type) -> Parser:
    def parse(value: Any, place: str) -> Any:
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise fail(place, f"{value!r} is not {_JSON_NAMES[kinds[0]]}")
        return value

    return parse


def _optional(parser: Parser) -> Parser:
    return lambda value, place: None if value is None else parser(value, place)


def _anything(value: Any, place: str) -> Any:
    return value


def _choice(*choices: str) -> Parser:
    def parse(value: Any, place: str) -> Any:
        if value not in choices:
            raise fail(place, f"{value!r} is not one of {', '.join(choices)}")
        return value

    return parse


def _list_of(parser: Parser) -> Parser:
    def parse(value: Any, place: str) -> list[Any]:
        return [parser(item, f"{place}[{index}]") for index, item in enumerate(_of_kind(list)(value, place))]

    return parse


def _record(**fields: tuple[Parser, Any] | Parser) -> Parser:
    def parse(value: Any, place: str) -> dict[str, Any]:
        found: Mapping[str, Any] = _of_kind(dict)(value, place)
        for key in found:
            if key not in fields:
                raise fail(place, f"unknown key {key!r}; known are {', '.join(fields)}")
        result = {}
        for key, field in fields.items():
            parser, default = field if isinstance(field, tuple) else (field, _REQUIRED)
            if key in found:
                result[key] = parser(found[key], f"{place}.{key}".lstrip("."))
            elif default is _REQUIRED:
                raise fail(place, f"{key!r} is missing")
            else:
                result[key] = [] if default == [] else default
        return result

    return parse


def _day(value: Any, place: str) -> date:
    text = _text(value, place)
    relative = _DAY.fullmatch(text)
    try:
        if relative:
            days = int(relative[2] or 0) * (-1 if relative[1] == "-" else 1)
            return datetime.now(timezone.utc).date() + timedelta(days=days)
        return date.fromisoformat(text)
    except ValueError:
        raise fail(place, f"{text!r} is not a day such as 2024-01-31, today or today-3") from None


def _moment(value: Any, place: str) -> datetime:
    day, _, clock = _text(value, place).partition("T")
    try:
        return datetime.combine(_day(day, place), time.fromisoformat(clock or "00:00:00"))
    except ValueError:
        raise fail(place, f"{value!r} is not a time such as 2024-01-31T10:00:00 or today-3T10:00:00") from None


def _uuid(value: Any, place: str) -> UUID:
    try:
        return UUID(_text(value, place))
    except ValueError:
        raise fail(place, f"{value!r} is not a UUID") from None


def _fraction(value: Any, place: str) -> float:
    number: float = _number(value, place)
    if not 0 <= number <= 1:
        raise fail(place, f"{value!r} is not between 0 and 1")
    return number


def _no_zscore(value: Any, place: str) -> float:
    if _number(value, place) != 0:
        raise fail(place, "the sandbox cannot judge weights by z-score: use reference_weight_pct")
    return 0.0


_text = _of_kind(str)
_number = _of_kind(int, float)
_integer = _of_kind(int)
_flag = _of_kind(bool)
_texts: tuple[Parser, list[str]] = (_list_of(_text), [])
_free = (_anything, None)
_maybe_text = (_optional(_text), None)

_DATASET = _record(name=_text, dataset_type=_text, collection=(_text, ""), file_size=(_optional(_integer), None))
_SESSION = _record(
    id=(_optional(_uuid), None),
    start_time=_moment,
    end_time=(_optional(_moment), None),
    number=(_optional(_integer), None),
    users=_texts,
    location=_maybe_text,
    projects=_texts,
    procedures=_texts,
    type=_maybe_text,
    task_protocol=(_text, ""),
    narrative=(_text, ""),
    n_trials=(_optional(_integer), None),
    n_correct_trials=(_optional(_integer), None),
    qc=(_choice("CRITICAL", "FAIL", "WARNING", "NOT_SET", "PASS"), "NOT_SET"),
    extended_qc=_free,
    json=_free,
    datasets=(_list_of(_DATASET), []),
)
_SUBJECT = _record(
    nickname=_text,
    lab=_text,
    responsible_user=_text,
    id=(_optional(_uuid), None),
    birth_date=(_optional(_day), None),
    death_date=(_optional(_day), None),
    sex=(_choice("M", "F", "U"), "U"),
    species=(_text, "Laboratory mouse"),
    strain=_maybe_text,
    source=_maybe_text,
    line=_maybe_text,
    litter=_maybe_text,
    projects=_texts,
    description=(_text, ""),
    cage=_maybe_text,
    json=_free,
    to_be_culled=(_flag, False),
    genotype=(_list_of(_record(allele=_text, zygosity=_choice("-/-", "+/-", "+/+", "+"))), []),
    surgeries=(_list_of(_record(start_time=_moment, implant_weight=_number)), []),
    water_restrictions=(
        _list_of(
            _record(
                start_time=_moment,
                end_time=(_optional(_moment), None),
                reference_weight=_number,
                water_type=(_text, "Water"),
            )
        ),
        [],
    ),
    weighings=(_list_of(_record(date_time=_moment, weight=_number, user=_maybe_text)), []),
    water_administrations=(
        _list_of(
            _record(
                date_time=_moment,
                water_administered=(_optional(_number), None),
                water_type=(_text, "Water"),
                user=_maybe_text,
                adlib=(_flag, False),
            )
        ),
        [],
    ),
    sessions=(_list_of(_SESSION), []),
)
_LAB = _record(
    server_timezone=(_text, "UTC"),
    main_user=_maybe_text,
    users=_list_of(
        _record(
            username=_text,
            password=_text,
            email=(_text, ""),
            labs=_texts,
            allowed_users=_texts,
            is_stock_manager=(_flag, False),
            is_public_user=(_flag, False),
        )
    ),
    labs=_list_of(
        _record(
            name=_text,
            timezone=(_text, "Europe/London"),
            institution=(_text, ""),
            address=(_text, ""),
            reference_weight_pct=(_fraction, 0.0),
            zscore_weight_pct=(_no_zscore, 0.0),
            json=_free,
        )
    ),
    locations=(_list_of(_record(name=_text, lab=_text)), []),
    projects=(_list_of(_record(name=_text, description=(_text, ""), users=_texts)), []),
    water_types=_texts,
    procedures=(_list_of(_record(name=_text, description=(_text, ""))), []),
    lines=(_list_of(_record(name=_text, nickname=_text, alleles=_texts)), []),
    dataset_types=(_list_of(_record(name=_text, description=(_text, ""), filename_pattern=_maybe_text)), []),
    subjects=(_list_of(_SUBJECT), []),
)
