"""Tab completion in IPython and Jupyter: lists and filters, out of what the server of that `Connector` says.

Where the object is there, IPython asks for no stub but for its signature, which is the same for all lists, and it
completes no texts. So it is given a matcher.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from alyx_connector.schema.description import Schema

    #: Lists by name, with their filters; of each the words that it takes, empty where any will do.
    Lists = Mapping[str, Mapping[str, Sequence[str]]]

__all__ = ["Offer", "complete_in_ipython", "known_lists", "offer"]

_NAME = "alyx_connector"
#: Methods whose first argument is the name of a list.
_METHODS = ("search", "filters", "create", "update", "update_json")
_CALL = re.compile(r"(?<![\w.)\]])([A-Za-z_]\w*)\.(\w+)\s*\Z")
_PIECE = re.compile(
    r"""(?P<text>\"{3}.*?\"{3}|'{3}.*?'{3}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?P<begun>["'])|\#[^\n]*|"""
    r"""(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<comma>,)""",
    re.DOTALL,
)
_ARGUMENT = re.compile(r"(?:\s|#[^\n]*\n)*(?:(\w+)\s*=(?!=)\s*)?(.*)", re.DOTALL)


@dataclass(frozen=True)
class Offer:
    """What may follow."""

    #: What stands there already, which each of the words begins with.
    begun: str
    #: The words.
    words: tuple[str, ...]
    #: Whether they stand in a text, where nothing else can follow.
    in_text: bool


def complete_in_ipython(kind: type, lists_of: Callable[[Any], Lists]) -> None:
    """Have the IPython of this process, if there is one, offer lists and filters behind the Tab key.

    ``kind``: class of the objects whose calls are completed.
    ``lists_of``: takes such an object; must not ask the server.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    matchers = getattr(getattr(shell, "Completer", None), "custom_matchers", None)
    completion = getattr(sys.modules.get("IPython.core.completer"), "SimpleCompletion", None)
    if shell is None or matchers is None or completion is None:  # or it is older than 8.6
        return
    if any(getattr(one, "matcher_identifier", "") == _NAME for one in matchers):
        return

    def match(context: Any) -> Any:
        lines = context.full_text.split("\n")[: context.cursor_line + 1]
        lines[-1] = lines[-1][: context.cursor_position]

        def lists(name: str) -> Lists | None:
            found = shell.user_ns.get(name)
            return lists_of(found) if isinstance(found, kind) else None

        offered = offer("\n".join(lines), lists)
        return {
            "completions": [completion(word, type="param") for word in offered.words],
            "matched_fragment": offered.begun,
            "suppress": offered.in_text and bool(offered.words),
        }

    match.matcher_identifier = _NAME  # type: ignore[attr-defined]
    match.matcher_api_version = 2  # type: ignore[attr-defined]
    matchers.append(match)


def known_lists(schema: Schema | None) -> Lists:
    """Give the lists of a server with their filters; where it has said nothing yet, those that some Alyx has."""
    if schema is not None:
        return {
            name: {one.name: one.choices for one in endpoint.filters.values() if one.usable}
            for name, endpoint in schema.endpoints.items()
        }
    kept = resources.files("alyx_connector.schema").joinpath("known_filters.json").read_text(encoding="utf-8")
    return {
        name: {one: kind if isinstance(kind, list) else () for one, kind in filters.items()}
        for name, filters in json.loads(kept).items()
    }


def offer(typed: str, lists: Callable[[str], Lists | None]) -> Offer:
    """Say what may follow what somebody has typed.

    ``typed``: all that stands before the cursor.
    ``lists``: takes the name of an object and gives its lists; None where it has none.
    """
    nothing = Offer("", (), in_text=False)
    arguments, before = _open_call(typed)
    call = _CALL.search(before)
    known = lists(call[1]) if call and call[2] in _METHODS else None
    if not call or known is None:
        return nothing
    *earlier, current = [_ARGUMENT.fullmatch(one) for one in arguments]
    given = {match[1] or number: match[2].strip() for number, match in enumerate(earlier) if match}
    if current is None:
        return nothing
    name, value = current[1], current[2]
    filters = known.get(_endpoint(given), {}) if call[2] == "search" else {}
    if value[:1] in {'"', "'"}:
        is_endpoint = name == "endpoint" or (name is None and not given)
        words = tuple(known) if is_endpoint else tuple(filters.get(name or "", ()))
        return Offer(value[1:], tuple(word for word in words if word.startswith(value[1:])), in_text=True)
    if name is None and re.fullmatch(r"\w*", value):
        names = [f"{one}=" for one in filters if one.startswith(value) and one not in given]
        return Offer(value, tuple(names), in_text=False)
    return nothing


def _endpoint(given: Mapping[str | int, str]) -> str:
    written = given.get("endpoint", given.get(0, '"sessions"'))
    try:
        return str(ast.literal_eval(written))
    except (ValueError, SyntaxError):
        return ""  # an expression, whose value only running it would tell


def _open_call(typed: str) -> tuple[list[str], str]:
    # The arguments of the innermost call that is open, the last one as far as it goes, and what stands before it.
    brackets: list[tuple[int, list[int]]] = []
    for piece in _PIECE.finditer(typed):
        if piece["begun"]:
            break
        if piece["open"]:
            brackets.append((piece.start(), [piece.end()]))
        elif piece["close"] and brackets:
            brackets.pop()
        elif piece["comma"] and brackets:
            brackets[-1][1].append(piece.end())
    if not brackets or typed[brackets[-1][0]] != "(":
        return [""], ""
    place, begins = brackets[-1]
    ends = [*(begin - 1 for begin in begins[1:]), len(typed)]
    return [typed[begin:end] for begin, end in zip(begins, ends, strict=True)], typed[:place]
