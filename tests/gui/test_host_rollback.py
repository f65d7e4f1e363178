"""A change that fails in its middle, in PyBpod or in another plugin, leaves nothing of itself."""

from __future__ import annotations

import pytest

from tests.gui.test_host_port import key_of, mice, port, state, subject_named

__all__ = ["mice", "port"]


class BoomError(Exception):
    """What another plugin raises."""


def boom(*_args, **_known):
    raise BoomError("boom")


@pytest.fixture
def breaks(monkeypatch, mice):
    """Make a property or method of the composed class fail for ea04, once it has done its work."""
    kind = type(subject_named(mice, "ea04"))
    failures = []

    def fail_once():
        if not failures:
            failures.append(1)
            boom()

    def property_of(name):
        original = getattr(kind, name)

        def set_it(self, value):
            original.fset(self, value)
            fail_once()

        monkeypatch.setattr(kind, name, property(original.fget, set_it), raising=False)

    def method_of(owner, name):
        original = getattr(owner, name)

        def call(self, *args):
            result = original(self, *args)
            fail_once()
            return result

        monkeypatch.setattr(owner, name, call)

    return property_of, method_of, kind, failures


@pytest.mark.parametrize("name", ["alyx", "name"])
def test_an_update_that_fails_is_taken_back(mice, port, breaks, name):
    before = state(mice)
    breaks[0](name)
    with pytest.raises(BoomError):
        port.update(key_of(port, "ea04"), "renamed", {"sex": "M"})
    assert breaks[3], "nothing was broken"
    assert state(mice) == before


@pytest.mark.parametrize("what", ["remove", "setup", "setups"])
def test_a_removal_that_fails_is_taken_back(mice, port, breaks, what):
    before = state(mice)
    property_of, method_of, kind, failures = breaks
    if what == "remove":
        method_of(kind, "remove")
    elif what == "setup":
        property_of("setup")
    else:
        method_of(type(mice.experiments[0].setups[0]), "__sub__")
    with pytest.raises(BoomError):
        port.remove(key_of(port, "ea04"))
    assert failures, "nothing was broken"
    assert state(mice) == before
