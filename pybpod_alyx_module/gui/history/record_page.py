"""The tab *Record*: what the project knows of an Alyx subject, from which server, and as of when."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtGui import QTextCursor, QTextOption
from AnyQt.QtWidgets import QApplication, QHBoxLayout, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from alyx_connector.zones.lab_zones import last_zone
from alyx_connector.zones.moments import lab_zone, read_time
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.words import excerpt, is_blank, label, when, words
from pybpod_alyx_module.sync.details import COMPARED, MISSING, SYNCED_AT, VOLATILE, genotype_words

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

#: What stays as it is until somebody changes it on Alyx.
LASTING: Final = ("nickname", "alyx_id", *COMPARED, "url")

#: What changes by itself, from day to day: shown as of the sync, never as today's.
CHANGING: Final = tuple(field for field in VOLATILE if field not in LASTING)

#: Alyx says 0 for these where the animal is not under water restriction.
WATER: Final = ("reference_weight", "expected_water", "remaining_water")

#: How to get at a value that is too long to be shown.
WHOLE: Final = "Copy all has the whole text"

#: What the file does not say.
UNKNOWN: Final = "unknown"


class RecordPage(QWidget):
    """Shows the project's copy of a subject, field by field."""

    def __init__(self) -> None:
        super().__init__()
        #: What is shown: label to text, in order.
        self.values: dict[str, str] = {}
        self._content: object = None
        self.text = QTextBrowser()
        self.text.setOpenLinks(False)
        self.text.setWordWrapMode(QTextOption.WrapAtWordBoundaryOrAnywhere)
        self.copy_button = QPushButton("Cop&y all")
        self.copy_button.setToolTip("Copy every field and its value, one a line, separated by a tab")
        self.copy_button.clicked.connect(self._on_copy)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.copy_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 4, 6, 4)
        column.addWidget(self.text, 1)
        column.addLayout(row)

    @property
    def is_selected(self) -> bool:
        """Whether somebody is about to copy a part of it."""
        return bool(self.text.textCursor().hasSelection())

    def show_record(self, record: Mapping[str, Any], state: str) -> None:
        """Show the copy as it is now.

        ``state``: what is to be said of the subject itself; empty for nothing.
        """
        synced = when(record.get(SYNCED_AT))
        as_of = f"As of {synced}" if synced else "As of the last sync (time unknown)"
        server = record.get("alyx_server")
        head = {"Server": UNKNOWN if is_blank(server) else words(server), "Synced": synced or UNKNOWN}
        if state:
            head["State"] = state
        lasting, changing = (
            [_row(field, record) for field in fields if not _is_untold(field, record)] for fields in (LASTING, CHANGING)
        )
        self.values = head | {name: text for name, text, _blank in (*lasting, *changing)}
        content = (head | {"Synced": repr(record.get(SYNCED_AT))}, lasting, changing)
        if content == self._content:
            self._show_age(head["Synced"], as_of)
            return
        self._content = content
        tables = [_table(rows) for rows in ([(name, text, False) for name, text in head.items()], lasting, changing)]
        place = self.text.verticalScrollBar().value()
        self.text.setHtml(f"{tables[0]}<h4>Details</h4>{tables[1]}<h4>{html.escape(as_of)}</h4>{tables[2]}")
        self.text.verticalScrollBar().setValue(place)

    def _show_age(self, synced: str, as_of: str) -> None:
        # the rest of the page is not laid out again
        document = self.text.document()
        head, _lasting, changing = document.rootFrame().childFrames()
        _replace_line(head.cellAt(1, 1).firstCursorPosition(), synced)
        _replace_line(QTextCursor(document.findBlock(changing.firstPosition()).previous()), as_of)

    @slot
    def _on_copy(self) -> None:
        lines = [f"{name}\t{' '.join(text.splitlines())}" for name, text in self.values.items()]
        QApplication.clipboard().setText("\n".join(lines))


def _table(rows: Sequence[tuple[str, str, bool]]) -> str:
    # label, text, and whether the text speaks about the value instead of being it
    cells = [
        f"<tr><td width='200'>{html.escape(name)}</td><td style='white-space:pre-wrap"
        f"{';font-style:italic' if blank else ''}'>{html.escape(excerpt(text, WHOLE))}</td></tr>"
        for name, text, blank in rows
    ]
    return f"<table width='100%' cellspacing='3'>{''.join(cells)}</table>"


def _replace_line(cursor: QTextCursor, text: str) -> None:
    cursor.movePosition(QTextCursor.StartOfBlock)
    cursor.movePosition(QTextCursor.EndOfBlock, QTextCursor.KeepAnchor)
    if cursor.selectedText() != text:
        cursor.insertText(text)


def _row(field: str, record: Mapping[str, Any]) -> tuple[str, str, bool]:
    value = _value(field, record)
    return label(field), words(value), is_blank(value)


def _is_untold(field: str, record: Mapping[str, Any]) -> bool:
    # A sync brings all that the server tells: what a synced copy lacks, this server's subjects do not have.
    return field not in record and SYNCED_AT in record


def _is_zero(value: Any) -> bool:
    return isinstance(value, int | float) and value == 0


def _value(field: str, record: Mapping[str, Any]) -> Any:
    value = record.get(field, MISSING)
    if field == "genotype":
        return genotype_words(value)
    if field == "age_weeks" and not record.get("birth_date"):
        return None  # Alyx says 0 weeks where it knows no birth date
    if field == "last_water_restriction" and (time := read_time(value)) is not None:
        return _on_labs_clock(time, record)
    if field in WATER and _is_zero(value) and record.get("last_water_restriction", MISSING) is None:
        return None if field == "reference_weight" else "0 (no water restriction on Alyx)"  # it was never measured
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    return value


def _on_labs_clock(time: dt.datetime, record: Mapping[str, Any]) -> str:
    # A server that keeps zones says the offset of its own clock.
    if time.tzinfo is None:
        return f"{time:%Y-%m-%d %H:%M}"
    zone = lab_zone(last_zone(str(record.get("alyx_server")), str(record.get("lab"))))
    return (
        f"{time:%Y-%m-%d %H:%M} (on the server's clock)" if zone is None else f"{time.astimezone(zone):%Y-%m-%d %H:%M}"
    )
