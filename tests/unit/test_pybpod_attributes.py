"""The windows read of PyBpod's objects what is listed, and nothing else: what they rely on can be looked up."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[2] / "pybpod_alyx_module"

#: Names that stand for PyBpod's objects, also with an underscore before them, and their classes in the list.
OBJECTS = {
    "project": ("Project",),
    "experiment": ("Experiment",),
    "setup": ("Setup",),
    "subject": ("Subject",),
    "session": ("Session",),
    "owner": ("Project", "Setup"),
}
SOURCES = [path for room in ("gui", "animals") for path in (PLUGIN / room).rglob("*.py")]


def listed() -> dict[str, set[str]]:
    """Return the attributes of each class in the list."""
    tree = ast.parse((PLUGIN / "host" / "pybpod_objects.py").read_text(encoding="utf-8"))
    return {
        kind.name: {
            member.name if isinstance(member, ast.FunctionDef) else member.target.id
            for member in kind.body
            if isinstance(member, ast.FunctionDef | ast.AnnAssign)
        }
        for kind in tree.body
        if isinstance(kind, ast.ClassDef)
    }


def read_attributes(source: str) -> set[tuple[str, str]]:
    """Return what is read of PyBpod's objects: the name that the object has there, and the attribute."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            name = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            if name.lstrip("_") in OBJECTS and not node.attr.startswith("alyx_"):
                found.add((name.lstrip("_"), node.attr))
    return found


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(PLUGIN)) for path in SOURCES])
def test_only_what_is_listed_is_read(path):
    attributes = listed()
    read = read_attributes(path.read_text(encoding="utf-8"))
    allowed = {(name, attribute) for name, kinds in OBJECTS.items() for kind in kinds for attribute in attributes[kind]}
    assert read <= allowed, f"list it in host/pybpod_objects.py, or read it in host/: {sorted(read - allowed)}"


def test_what_is_not_listed_is_found():
    assert read_attributes("self._project.tree.clear(); subject.alyx_key; session._runs; other.node") == {
        ("project", "tree"),
        ("session", "_runs"),
    }
