"""No tooltip shows what a server sent as HTML: Qt would, where it looks like it, and load what it names."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pybpod_alyx_module
from pybpod_alyx_module.gui.words import html_tip, plain_tip

PLUGIN = Path(pybpod_alyx_module.__file__).parent
SOURCES = sorted(path for room in ("gui", "models") for path in (PLUGIN / room).rglob("*.py"))
#: Names that hold a text of the program's own.
OWN = {"self._legend[name]", "what", "self._name.help"}


def is_own(text: ast.expr) -> bool:
    """Tell whether an expression is a text of the program's own, or one that is shown as it is."""
    if isinstance(text, ast.IfExp):
        return is_own(text.body) and is_own(text.orelse)
    if isinstance(text, ast.Constant):
        return isinstance(text.value, str)
    if isinstance(text, ast.Name) and text.id.isupper():
        return True
    if isinstance(text, ast.Call) and isinstance(text.func, ast.Name):
        return text.func.id in {"plain_tip", "html_tip"}
    return ast.unparse(text) in OWN


def foreign_tips(source: str) -> list[str]:
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    tips = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "setToolTip"]
    return [ast.unparse(tip) for tip in tips if not is_own(tip.args[-1])]


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(PLUGIN)) for path in SOURCES])
def test_what_is_not_our_own_is_shown_as_it_is(path):
    assert foreign_tips(path.read_text("utf-8")) == [], "wrap it in plain_tip"


def test_one_that_is_not_wrapped_is_found():
    assert foreign_tips("a.setToolTip('x'); a.setToolTip(0, plain_tip(name)); a.setToolTip(0, name)") == [
        "a.setToolTip(0, name)"
    ]
    assert foreign_tips("a.setToolTip(f'{name}' if name else '')")


def test_a_picture_stays_text():
    assert plain_tip("ea04, weighed today") == "ea04, weighed today"
    assert plain_tip("<img src=//host/x>") == html_tip("<img src=//host/x>")
    assert "<img" not in plain_tip("a <img src=//host/x> & b")
    assert "&lt;img src=//host/x&gt; &amp; b" in plain_tip("a <img src=//host/x> & b")
