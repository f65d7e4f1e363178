"""The window *Alyx details* of a subject."""

from __future__ import annotations

import html
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QTimer
from AnyQt.QtGui import QTextCursor, QTextOption
from AnyQt.QtWidgets import QApplication, QHBoxLayout, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from alyx_connector.zones.lab_zones import last_zone
from alyx_connector.zones.moments import lab_zone, read_time
from pybpod_alyx_module.gui.alyx_page import OPEN_IN_ALYX, SUBJECT_PAGE, open_on_alyx
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.windows import AlyxWindow, main_window_of, resize_to_screen
from pybpod_alyx_module.gui.words import excerpt, is_blank, label, when, words
from pybpod_alyx_module.sync.details import COMPARED, MISSING, SYNCED_AT, VOLATILE, genotype_words

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    from AnyQt.QtGui import QCloseEvent, QHideEvent, QShowEvent

    from pybpod_alyx_module.host.pybpod_objects import Subject

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

#: The shown age of the copy is refreshed this often, in milliseconds.
AGE_INTERVAL_MS: Final = 60_000


class DetailsWindow(AlyxWindow):
    """Shows what the project knows of an Alyx subject, from which server, and as of when.

    ``subject``: the PyBpod subject: ``name``, ``alyx`` (its record, None for a subject that is not linked),
    ``project``, ``alyx_jobs``.
    """

    def __init__(self, subject: Subject, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.subject = subject
        #: What is shown: label to text, in order.
        self.values: dict[str, str] = {}
        self._content: object = None
        resize_to_screen(self, 620, 660)
        self.text = QTextBrowser()
        self.text.setOpenLinks(False)
        self.text.setWordWrapMode(QTextOption.WrapAtWordBoundaryOrAnywhere)
        self.copy_button = QPushButton("Copy all")
        self.copy_button.setToolTip("Copy every field and its value, one a line, separated by a tab")
        self.copy_button.clicked.connect(self._on_copy)
        self.close_button = QPushButton("Close")
        self.close_button.clicked.connect(self.close)
        #: What can be done with the animal from here: the button by what it says.
        self.job_buttons: dict[str, QPushButton] = {}
        row = QHBoxLayout()
        for name, job in (*subject.alyx_jobs, (OPEN_IN_ALYX, self._on_open_in_alyx)):
            button = self.job_buttons[name] = QPushButton(f"&{name}")
            button.clicked.connect(partial(self._on_job, job))
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.copy_button)
        row.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.addWidget(self.text, 1)
        column.addLayout(row)
        self._clock = QTimer(self, interval=AGE_INTERVAL_MS)
        self._clock.timeout.connect(self._on_clock)

    @slot
    def refresh(self) -> None:
        """Show the subject as it is now."""
        record = self.subject.alyx or {}
        synced = when(record.get(SYNCED_AT))
        self.setWindowTitle(f"Alyx details – {self.subject.name}")  # noqa: RUF001 - a dash is meant
        as_of = f"As of {synced}" if synced else "As of the last sync (time unknown)"
        server = record.get("alyx_server")
        head = {"Server": UNKNOWN if is_blank(server) else words(server), "Synced": synced or UNKNOWN}
        state = self._state(record)
        if state:
            head["State"] = state
        for button in self.job_buttons.values():
            button.setEnabled(bool(record) and self._is_in_project())
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

    def _state(self, record: Mapping[str, Any]) -> str:
        if not self._is_in_project():
            return "no longer in this PyBpod project"
        if not record:
            return "not linked to Alyx"
        if record.get("alive") is False:
            return f"not alive on Alyx (death date {record.get('death_date') or 'not given'})"
        return ""

    def _is_in_project(self) -> bool:
        return self.subject in self.subject.project.subjects

    @slot
    def _on_job(self, job: Callable[[], None], _checked: bool = False) -> None:
        job()

    @slot
    def _on_open_in_alyx(self) -> None:
        record = self.subject.alyx or {}
        open_on_alyx(str(record.get("alyx_server")), SUBJECT_PAGE, record.get("alyx_id"))

    @slot
    def _on_clock(self) -> None:
        if not self.text.textCursor().hasSelection():  # somebody is about to copy
            self.refresh()

    @slot
    def _on_copy(self) -> None:
        lines = [f"{name}\t{' '.join(text.splitlines())}" for name, text in self.values.items()]
        QApplication.clipboard().setText("\n".join(lines))

    @override
    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Show current values whenever the window comes up."""
        super().showEvent(event)
        self.refresh()
        self._clock.start()

    @override
    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """End the window; the subject gets a new one when it is asked for again."""
        super().closeEvent(event)
        if self.subject.alyx_details_window is self:
            self.subject.alyx_details_window = None
        self.deleteLater()

    @override
    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """Let the clock rest while nobody looks."""
        super().hideEvent(event)
        self._clock.stop()


def open_details_window(subject: Subject) -> DetailsWindow:
    """Show the details of a subject as they are now: in its window where there is one already, else in a new one.

    ``subject``: the PyBpod subject; it keeps the open window as ``alyx_details_window``.
    """
    window: DetailsWindow | None = subject.alyx_details_window
    if window is None:
        window = DetailsWindow(subject, main_window_of(subject))
        subject.alyx_details_window = window
    window.refresh()
    show_in_front(window)
    return window


def refresh_details_windows() -> None:
    """Bring every open details window up to date; called after a sync."""
    for window in QApplication.topLevelWidgets():
        if isinstance(window, DetailsWindow) and window.isVisible():
            window.refresh()


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
