"""The tree of errors is one tree, as its docstring draws it."""

from __future__ import annotations

import copy
import pickle

import pytest

import alyx_connector
from alyx_connector import errors, progress

TREE = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("kind", TREE)
def test_every_error_is_in_the_tree_and_survives_a_queue(kind):
    error = kind("At https://lab.org something happened.", hint="Do this.")
    error.extra = {"weight": ["too low"]}
    assert isinstance(error, errors.AlyxError)
    assert not isinstance(error, RuntimeError)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is kind
        assert twin.message == "At https://lab.org something happened."
        assert str(twin) == "At https://lab.org something happened. Do this."
        assert vars(twin) == vars(error)


def test_the_docstring_draws_every_class_below_its_base():
    drawn = [line for line in errors.__doc__.splitlines() if "Error" in line and "  " in line.strip()]
    names = [line.strip(" │├└─").split()[0] for line in drawn]
    depths = [len(line) - len(line.lstrip(" │├└─")) for line in drawn]
    assert sorted(names) == sorted(errors.__all__)
    path: list[tuple[int, str]] = []
    for name, depth in zip(names, depths, strict=True):
        path = [(above, ancestor) for above, ancestor in path if above < depth]
        if path:
            assert getattr(errors, name).__bases__ == (getattr(errors, path[-1][1]),)
        path.append((depth, name))


def test_all_errors_are_exported():
    assert set(errors.__all__) <= set(alyx_connector.__all__)


def test_cancelling_is_not_an_error():
    assert not issubclass(progress.Cancelled, errors.AlyxError)


def test_fields_are_a_copy():
    fields = {"weight": ("too low",)}
    error = errors.InvalidDataError("Refused.", fields=fields)
    assert error.fields == {"weight": ["too low"]}
    error.fields["weight"].append("x")
    assert fields == {"weight": ("too low",)}
