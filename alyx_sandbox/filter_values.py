"""The little language of the ``django=``, ``json=`` and ``extended_qc=`` filters: pairs separated by commas.

Alyx evaluates what stands in brackets, as Python. The sandbox reads it: quoted strings, numbers, True, False and None,
separated by commas, and nothing else. One of them alone in round brackets is that value, as in Python: ``(-5)``.
"""

from __future__ import annotations

import re
from typing import Any

_BRACKETS = {"[": "]", "(": ")"}
_ITEM = re.compile(
    r"""\s*(?:'(?P<single>[^'\\]*)'|"(?P<double>[^"\\]*)"|(?P<number>-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)|(?P<word>True|False|None))\s*"""
)
_WORDS = {"True": True, "False": False, "None": None}


def parse_pairs(text: str, prefix: str = "") -> dict[str, Any]:
    """Return the lookups that a filter value names.

    Parameters
    ----------
    text
        For example ``pk__in,['<uuid>','<uuid>']`` or ``noise__lt,15,pass,False``.
    prefix
        Stands before each name, for example ``json__``.

    Returns
    -------
    dict
        Values by lookup.

    Raises
    ------
    IndexError
        A name has no value. The message is Alyx's, which answers 500 with it.
    ValueError
        A name comes twice, or what stands in brackets is no list of plain values.
    """
    parts = split_outside_brackets(text)
    pairs: dict[str, Any] = {}
    for position in range(0, len(parts), 2):
        if position + 1 == len(parts):
            raise IndexError("list index out of range")
        name = prefix + parts[position]
        if name in pairs:
            raise ValueError(f'Duplicated fields in "{text}"')
        pairs[name] = _value(parts[position + 1])
    return pairs


def split_outside_brackets(text: str) -> list[str]:
    """Split a text at its commas, but for those inside of a pair of brackets."""
    parts = [""]
    closing = ""
    for character in text:
        if character == "," and not closing:
            parts.append("")
            continue
        if character in _BRACKETS:
            closing = _BRACKETS[character]
        elif character == closing:
            closing = ""
        parts[-1] += character
    return parts


def _value(text: str) -> Any:
    words = {"none": None, "true": True, "false": False}
    if text == "None" or text.lower() in {"true", "false"}:
        return words[text.lower()]
    if text.replace(".", "", 1).isdigit():
        return float(text)
    if text[:1] in _BRACKETS and text[-1:] in _BRACKETS.values():
        values = _list(text)
        return values[0] if text[0] == "(" and len(values) == 1 and not text[:-1].rstrip().endswith(",") else values
    return text


def _list(text: str) -> list[Any]:
    inside = text[1:-1].strip().removesuffix(",")
    values: list[Any] = []
    position = 0
    while position < len(inside):
        item = _ITEM.match(inside, position)
        if not item or (item.end() < len(inside) and inside[item.end()] != ","):
            raise ValueError(f"{text} is not a list of quoted strings and numbers")
        values.append(_item(item))
        position = item.end() + 1
    return values


def _item(item: re.Match[str]) -> Any:
    if item["word"]:
        return _WORDS[item["word"]]
    if item["number"]:
        return float(item["number"]) if set(item["number"]) & {".", "e"} else int(item["number"])
    return item["single"] if item["single"] is not None else item["double"]
