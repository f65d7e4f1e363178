"""The window *Alyx details* of a subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import Qt, QTimer
from AnyQt.QtGui import QKeySequence
from AnyQt.QtWidgets import (
    QApplication,
    QFormLayout,
    QFrame,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QShortcut,
    QVBoxLayout,
    QWidget,
)

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.words import is_blank, label, when, words
from pybpod_alyx_module.sync.details import MISSING, SYNCED_AT, genotype_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from AnyQt.QtGui import QCloseEvent, QHideEvent, QShowEvent

#: What stays as it is until somebody changes it on Alyx.
LASTING: Final = (
    "nickname",
    "alyx_id",
    "responsible_user",
    "birth_date",
    "death_date",
    "species",
    "sex",
    "litter",
    "strain",
    "source",
    "line",
    "projects",
    "lab",
    "genotype",
    "description",
    "alive",
    "json",
    "url",
)

#: What changes by itself, from day to day: shown as of the sync, never as today's.
CHANGING: Final = (
    "age_weeks",
    "reference_weight",
    "last_water_restriction",
    "expected_water",
    "remaining_water",
    "session_projects",
)

#: The age of the copy is written anew this often, in milliseconds.
AGE_INTERVAL_MS: Final = 60_000


class DetailsWindow(QWidget):
    """Shows what the project knows of an Alyx subject, from which server, and as of when.

    Parameters
    ----------
    subject : object
        The PyBpod subject: ``name``, ``alyx`` (its record, None for a subject that is not linked), ``project``.
    parent : QWidget, optional
        PyBpod's main window.
    """

    def __init__(self, subject: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.Window)
        self.subject = subject
        #: Field to the label that shows its value.
        self.values: dict[str, QLabel] = {}
        self.resize(620, 700)
        self.origin = _value_label()
        self._changing_box = QGroupBox()
        content = QWidget()
        column = QVBoxLayout(content)
        column.addWidget(self.origin)
        column.addLayout(self._form(LASTING))
        self._changing_box.setLayout(self._form(CHANGING))
        column.addWidget(self._changing_box)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarAsNeeded)
        scroll.setWidget(content)
        self.copy_button = QPushButton("Copy all")
        self.copy_button.setToolTip("Copy every field and its value, one a line, separated by a tab")
        self.copy_button.clicked.connect(self._on_copy)
        self.close_button = QPushButton("Close")
        self.close_button.clicked.connect(self.close)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.copy_button)
        row.addWidget(self.close_button)
        outer = QVBoxLayout(self)
        outer.addWidget(scroll, 1)
        outer.addLayout(row)
        QShortcut(QKeySequence(Qt.Key_Escape), self, self.close)
        self._clock = QTimer(self, interval=AGE_INTERVAL_MS)
        self._clock.timeout.connect(self.refresh)

    def _form(self, fields: tuple[str, ...]) -> QFormLayout:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.AllNonFixedFieldsGrow)
        form.setRowWrapPolicy(QFormLayout.DontWrapRows)
        form.setLabelAlignment(Qt.AlignLeft | Qt.AlignTop)
        form.setHorizontalSpacing(18)
        for field in fields:
            self.values[field] = _value_label()
            self.values[field].setAccessibleName(label(field))
            form.addRow(label(field), self.values[field])
        return form

    @slot
    def refresh(self) -> None:
        """Show the subject as it is now."""
        record = self.subject.alyx or {}
        self.setWindowTitle(f"Alyx details – {self.subject.name}")  # noqa: RUF001 - a dash is meant
        synced = when(record.get(SYNCED_AT))
        self.origin.setText(self._origin(record, synced))
        self._changing_box.setTitle(
            f"As of {synced}" if synced != "not known" else "As of the last sync, time not known"
        )
        for field, shown in self.values.items():
            value = _value(field, record)
            shown.setText(words(value))
            font = shown.font()
            font.setItalic(is_blank(value))
            shown.setFont(font)

    def _origin(self, record: dict[str, Any], synced: str) -> str:
        lines = [f"From {record.get('alyx_server') or 'an Alyx server that the file does not name'}, synced: {synced}."]
        if self.subject not in self.subject.project.subjects:
            lines.append("This subject is no longer in the PyBpod project.")
        elif not record:
            lines.append("This subject is not linked to Alyx.")
        elif record.get("alive") is False:
            lines.append(f"Not alive on Alyx (death date {record.get('death_date') or 'not given'}).")
        return "\n".join(lines)

    @slot
    def _on_copy(self) -> None:
        rows = [("Server and sync", self.origin.text())]
        rows += [(label(field), shown.text()) for field, shown in self.values.items()]
        text = "\n".join(f"{name}\t{' '.join(value.splitlines())}" for name, value in rows)
        QApplication.clipboard().setText(f"{text}\n{self._changing_box.title()}")

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Show current values whenever the window comes up."""
        super().showEvent(event)
        self.refresh()
        self._clock.start()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """End the window; the subject gets a new one when it is asked for again."""
        super().closeEvent(event)
        if self.subject.alyx_details_window is self:
            self.subject.alyx_details_window = None
        self.deleteLater()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """Let the clock rest while nobody looks."""
        super().hideEvent(event)
        self._clock.stop()


def open_details_window(subject: Any) -> DetailsWindow:
    """Show the details of a subject as they are now: in its window where there is one already, else in a new one.

    Parameters
    ----------
    subject : object
        The PyBpod subject; it keeps the open window as ``alyx_details_window``.

    Returns
    -------
    DetailsWindow
        The window, shown.
    """
    window = getattr(subject, "alyx_details_window", None)
    if window is None:
        mainwindow = getattr(subject, "mainwindow", None)
        window = DetailsWindow(subject, mainwindow.window() if isinstance(mainwindow, QWidget) else None)
        subject.alyx_details_window = window
    window.refresh()
    window.show()
    window.raise_()
    window.activateWindow()
    return window


def refresh_details_windows() -> None:
    """Bring every open details window up to date; called after a sync."""
    for window in QApplication.topLevelWidgets():
        if isinstance(window, DetailsWindow) and window.isVisible():
            window.refresh()


def _value(field: str, record: Mapping[str, Any]) -> Any:
    value = record.get(field, MISSING)
    if field == "genotype":
        return genotype_words(value)
    if field == "age_weeks" and not record.get("birth_date"):
        return None  # Alyx says 0 weeks where it knows no birth date
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    return value


def _value_label() -> QLabel:
    shown = QLabel()
    shown.setTextFormat(Qt.PlainText)
    shown.setWordWrap(True)
    shown.setTextInteractionFlags(Qt.TextSelectableByMouse | Qt.TextSelectableByKeyboard)
    shown.setAlignment(Qt.AlignLeft | Qt.AlignTop)
    return shown
