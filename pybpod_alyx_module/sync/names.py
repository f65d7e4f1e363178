"""Which nicknames PyBpod can take as a subject's name, and when two names are the same to a file system."""

from __future__ import annotations

import locale
import re
import unicodedata
from typing import Final

#: The longest name in UTF-8 bytes: ``<name>.json`` must fit into the 255 bytes of a file name.
LONGEST: Final = 250

#: Names that Windows keeps for devices, whatever follows a dot.
_DEVICES: Final = frozenset(
    ("con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10)))
)

#: Letters and digits of any script, and what neither a file system nor PyBpod's Run gives a meaning to.
_ALLOWED: Final = re.compile(r"[\w.+() -]+\Z")


def fold(name: str) -> str:
    """Return what is equal for two names that one folder could not hold side by side.

    Returns: the name without differences of case and of Unicode composition.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def same(one: str, other: str) -> bool:
    """Tell whether two names read the same: equal but for Unicode composition."""
    return unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)


def unusable(name: str) -> str:
    """Say why PyBpod cannot take a nickname as the name of a subject.

    The name becomes a folder and a file, goes unescaped into the settings file of each run and into the rows of each
    session file, and the project may be carried to a Windows rig.

    Returns: the reason, for a user; empty when the name can be used.
    """
    composed = unicodedata.normalize("NFC", name)
    reason = ""
    if not composed.strip():
        reason = "the nickname is empty"
    elif len(composed.encode("utf-8", "surrogatepass")) > LONGEST:
        reason = f"the nickname is longer than {LONGEST} bytes"
    elif composed != composed.strip() or composed.endswith("."):
        reason = "the nickname begins or ends with a space, or ends with a dot"
    elif not _ALLOWED.match(composed):
        found = sorted({character for character in composed if not _ALLOWED.match(character)})
        reason = f"the nickname has characters that PyBpod cannot take: {' '.join(map(ascii, found))}"
    elif composed.split(".")[0].strip().casefold() in _DEVICES:
        reason = "Windows keeps this name for a device"
    elif lacking := not_in_code_page(composed):
        reason = f"the nickname has characters that PyBpod cannot write: {lacking}"
    return reason


def not_in_code_page(text: str) -> str:
    """Say which characters PyBpod cannot write, and what to do: it writes text files in this computer's code page.

    Returns: for a user; empty where it can write all of them.
    """
    code_page = locale.getpreferredencoding(False)
    lacking = [one for one in sorted(set(text)) if not _is_in(one, code_page)]
    if not lacking:
        return ""
    return (
        f"{' '.join(lacking)} (this computer's code page {code_page} lacks them; set the environment variable "
        "PYTHONUTF8 to 1, then start PyBpod again)"
    )


def _is_in(character: str, code_page: str) -> bool:
    try:
        character.encode(code_page)
    except UnicodeEncodeError:
        return False
    return True
