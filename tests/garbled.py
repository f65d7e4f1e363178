"""Every sentence of an outbox replaced as soon as it is written: what still works looks at no wording."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_GARBLE = """
CREATE TRIGGER garble_{event} AFTER {event} ON items BEGIN
    UPDATE items SET
        reason = CASE NEW.reason WHEN '' THEN '' ELSE hex(randomblob(9)) END,
        hint = CASE NEW.hint WHEN '' THEN '' ELSE hex(randomblob(9)) END
    WHERE key = NEW.key;
END
"""


def garble_all_sentences(path: Path) -> None:
    """Have the file itself put noise into the place of every reason and hint, whoever writes them.

    ``path``: of an outbox that was opened already.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for event in ("INSERT", "UPDATE"):
            connection.execute(_GARBLE.format(event=event))
