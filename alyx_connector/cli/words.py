"""What the library says in Python, said in the words of the command line."""

from __future__ import annotations

import ast
import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["on_the_command_line"]


def _login(match: re.Match[str]) -> str:
    url, username = match["url"], match["username"]
    words = ["alyx-connector", "login"]
    if url != "…":
        words.append(shlex.quote(url))
        if username not in {None, "…"}:
            words += ["--user", shlex.quote(username)]
    return " ".join([*words, *(["--default"] if match["default"] else [])])


def _account(match: re.Match[str]) -> str:
    user = f" --user {match['username']}" if match["username"] else ""
    return f"--url {match['url']}{user}"


def _repeated(match: re.Match[str]) -> str:
    option = "--" + match["name"].replace("_", "-")
    try:
        values = ast.literal_eval(match["values"])
    except (ValueError, SyntaxError):
        return match[0]
    return " ".join(f"{option} {shlex.quote(str(value))}" for value in values)


_WORDS: list[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = [
    (
        re.compile(
            r'Connector\.setup\(url="(?P<url>[^"]*)"(?:, username="(?P<username>[^"]*)")?'
            r"(?P<default>, make_default=True)?\)(?:\.$)?"  # a full stop would be pasted along
        ),
        _login,
    ),
    (re.compile(r'Connector\(url="(?P<url>[^"]*)"(?:, username="(?P<username>[^"]*)")?\)'), _account),
    (re.compile(r'connector\.filters\("([^"]*)"\)'), r"alyx-connector filters \1"),
    (re.compile(r"connector\.endpoints\(\)"), "alyx-connector endpoints"),
    (re.compile(r"\bdetails=False"), "--no-details"),
    (re.compile(r"\b(refresh|offline)=True"), r"--\1"),
    (re.compile(r"Give a list: (?P<name>\w+)=(?P<values>\[.*\])"), lambda match: f"Give {_repeated(match)}"),
    (re.compile(r'Give the first and the last day: \("2024-01-01", None\) has no end'), "Give --since and --until"),
    (re.compile(r'\bdjango=\{"(\w+)": "([^"]*)"\}'), r"--django \1,\2"),
    (re.compile(r'\bdjango="([^"]*)"'), r"--django '\1'"),
    (re.compile(r"\b(lab|location)= "), r"--\1 "),
]


def on_the_command_line(sentence: str) -> str:
    """Say a sentence of the library such that it names commands and options in the place of calls."""
    for pattern, words in _WORDS:
        sentence = pattern.sub(words, sentence)
    return sentence
