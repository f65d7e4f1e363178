"""One record as a page: a field a line, nested values as a tree; as text and as HTML, nothing of pandas."""

from __future__ import annotations

import html
import textwrap
from typing import TYPE_CHECKING, Any

from alyx_connector.frames.text import text_of, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["is_nested", "record_html", "record_text", "record_title", "tree_lines"]

#: Of one field, so many lines are shown.
_LINES = 40
_INDENT = "    "
_MISSING = "<NA>"
_EMPTY = "Nothing in:"


def record_title(endpoint: str, record: Mapping[str, Any]) -> str:
    """Say which record it is: a session by subject, day and number, others by name.

    ``record``: plain values, as of `records_of`.
    """
    subject, start, number = (record.get(name) for name in ("subject", "start_time", "number"))
    if endpoint == "sessions" and subject and start and number is not None:
        return f"{endpoint} {subject}/{start[:10]}/{number:03}"
    return f"{endpoint} {record.get('nickname') or record.get('name') or record.get('id')}"


def tree_lines(value: Any) -> list[str]:
    """Write a nested value, a key a line; lists of plain values on one line.

    Returns: lines without control characters; a line that says how many more there are ends a long one.
    """
    lines = [f"{_INDENT * depth}{visible(key)}: {visible(text)}".rstrip() for depth, key, text in _branches(value)]
    more = len(lines) - _LINES
    return lines if more <= 1 else [*lines[:_LINES], f"… {more} more lines"]


def record_text(title: str, record: Mapping[str, Any], width: int) -> str:
    """Write a record as text, ``width`` letters wide."""
    told, empty = _told(record)
    names = max(map(len, map(visible, told)), default=0) + 2
    lines = [visible(title)]
    for name, value in told.items():
        label = visible(name).ljust(names)
        if is_nested(value):
            lines += [label.rstrip(), *(f"{_INDENT}{line}" for line in tree_lines(value))]
            continue
        said = textwrap.wrap(_leaf(value), max(20, width - names), break_on_hyphens=False)
        lines += [f"{label}{said[0]}", *(" " * names + line for line in said[1:])]
    if empty:
        lines += textwrap.wrap(f"{_EMPTY} {empty}", max(40, width), break_on_hyphens=False)
    return "\n".join(lines)


def record_html(title: str, record: Mapping[str, Any]) -> str:
    """Write a record as HTML: a table, in which nested values open."""
    told, empty = _told(record)
    rows = "".join(
        f'<tr><th style="text-align: left; vertical-align: top">{_escaped(name)}</th>'
        f'<td style="text-align: left">{_html(value)}</td></tr>'
        for name, value in told.items()
    )
    if empty:
        rows += f'<tr><td colspan="2" style="text-align: left">{_EMPTY} {_escaped(empty)}</td></tr>'
    return f'<p><b>{_escaped(title)}</b></p><table class="dataframe"><tbody>{rows}</tbody></table>'


def is_nested(value: Any) -> bool:
    """Tell whether a value has branches: it is no list of plain values, and not empty."""
    return isinstance(value, dict | list) and bool(value) and not _is_plain_list(value)


def _is_plain_list(value: Any) -> bool:
    return isinstance(value, list) and not any(isinstance(one, dict | list) for one in value)


def _told(record: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    # What holds something, and the names of what does not.
    told = {name: value for name, value in record.items() if value is not None and value not in ("", [], {})}
    return told, ", ".join(visible(name) for name in record if name not in told)


def _leaf(value: Any) -> str:
    if value is None:
        return _MISSING
    if isinstance(value, list) and value and _is_plain_list(value):
        return ", ".join(visible(text_of(one)) for one in value)
    return visible(text_of(value))


def _children(value: Any) -> list[tuple[str, Any]]:
    pairs = value.items() if isinstance(value, dict) else ((f"[{place}]", one) for place, one in enumerate(value))
    return [(str(key), one) for key, one in pairs]


def _branches(value: Any, depth: int = 0) -> Iterator[tuple[int, str, str]]:
    # Depth, key, and the value where it has no branches of its own.
    for key, one in _children(value):
        if is_nested(one):
            yield depth, key, ""
            yield from _branches(one, depth + 1)
        else:
            yield depth, key, _leaf(one)


def _html(value: Any) -> str:
    if not is_nested(value):
        return _escaped(_leaf(value))
    if isinstance(value, dict) and sum(1 for _ in _branches(value)) <= _LINES:
        return _list_html(value)
    count = f"{len(value)} {'keys' if isinstance(value, dict) else 'entries'}"
    return f"<details><summary>{count}</summary>{_list_html(value)}</details>"


def _list_html(value: Any) -> str:
    rows = "".join(
        f"<li><details open><summary>{_escaped(key)}</summary>{_list_html(one)}</details></li>"
        if is_nested(one)
        else f"<li>{_escaped(key)}: {_escaped(_leaf(one))}</li>"
        for key, one in _children(value)
    )
    return f'<ul style="list-style: none; padding-left: 1.2em; margin: 0">{rows}</ul>'


def _escaped(text: str) -> str:
    return html.escape(visible(str(text)))
