"""What must hold between the entries of a lab file: names are there, and once."""

from __future__ import annotations

from typing import Any


class LabFileError(Exception):
    """A lab file cannot be read; the message names the place in it."""


def fail(place: str, what: str) -> LabFileError:
    """Return the error at a place in the file."""
    return LabFileError(f"{place or 'the top'}: {what}")


def _names(lab: dict[str, Any], key: str, by: str = "name") -> set[str]:
    names: set[str] = set()
    for index, entry in enumerate(lab[key]):
        _check_new(entry[by], names, f"{key}[{index}].{by}")
    return names


def _check_new(name: Any, seen: set[Any], place: str) -> None:
    if name in seen:
        raise fail(place, f"{str(name)!r} is there twice")
    if name is not None:
        seen.add(name)


def _check_unique_ids(subjects: list[dict[str, Any]]) -> None:
    ids: set[Any] = set()
    session_ids: set[Any] = set()
    for index, subject in enumerate(subjects):
        _check_new(subject["id"], ids, f"subjects[{index}].id")
        for number, session in enumerate(subject["sessions"]):
            place = f"subjects[{index}].sessions[{number}]"
            _check_new(session["id"], session_ids, f"{place}.id")
            files: set[Any] = set()
            for at, dataset in enumerate(session["datasets"]):
                _check_new(f"{dataset['collection']}/{dataset['name']}", files, f"{place}.datasets[{at}].name")


def check_names(lab: dict[str, Any]) -> None:
    """Refuse a lab in which a name is missing or there twice; its main user is filled in."""
    if not lab["users"]:
        raise fail("users", "the list is empty: a lab needs a user to log in")
    lab["main_user"] = lab["main_user"] or lab["users"][0]["username"]
    known = {
        "user": _names(lab, "users", "username"),
        "lab": _names(lab, "labs"),
        "location": _names(lab, "locations"),
        "project": _names(lab, "projects"),
        "procedure": _names(lab, "procedures"),
        "line": _names(lab, "lines"),
        "dataset type": _names(lab, "dataset_types"),
        "water type": {"Water", *lab["water_types"]},
    }

    def check(kind: str, name: str | None, place: str) -> None:
        if name is not None and name not in known[kind]:
            raise fail(place, f"no {kind} {name!r} in this file; there are {', '.join(sorted(known[kind])) or 'none'}")

    check("user", lab["main_user"], "main_user")
    for place, entry in _entries(lab, ""):
        for key, kind in _REFERENCES.items():
            names = entry.get(key)
            for name in names if isinstance(names, list) else [names]:
                if isinstance(name, str):
                    check(kind, name, f"{place}.{key}")
    _names(lab, "lines", "nickname")
    _names(lab, "dataset_types", "filename_pattern")
    _check_unique_subjects(lab["subjects"])
    _check_unique_ids(lab["subjects"])


#: What the texts below these keys name.
_REFERENCES = {
    "user": "user",
    "users": "user",
    "responsible_user": "user",
    "allowed_users": "user",
    "lab": "lab",
    "labs": "lab",
    "location": "location",
    "projects": "project",
    "procedures": "procedure",
    "line": "line",
    "dataset_type": "dataset type",
    "water_type": "water type",
}


def _entries(entry: dict[str, Any], place: str) -> list[tuple[str, dict[str, Any]]]:
    found = [(place, entry)] if place else []
    for key, value in entry.items():
        if isinstance(value, list) and key != "json" and key != "extended_qc":
            for index, item in enumerate(value):
                if isinstance(item, dict):
                    found.extend(_entries(item, f"{place}.{key}[{index}]".lstrip(".")))
    return found


def _check_unique_subjects(subjects: list[dict[str, Any]]) -> None:
    for owner in ("lab", "responsible_user"):
        seen: set[tuple[str, str]] = set()
        for index, subject in enumerate(subjects):
            key = (subject["nickname"], subject[owner])
            if key in seen:
                raise fail(f"subjects[{index}].nickname", f"{key[0]!r} is there twice for the {owner} {key[1]!r}")
            seen.add(key)
