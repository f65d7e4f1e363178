"""The window *What syncs changed*: the project's table of syncs, the newest first, to be searched and exported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QAbstractTableModel, QModelIndex, Qt
from AnyQt.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from alyx_connector.frames.text import for_spreadsheet
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.gui.widgets import ask_csv_file, plain_label
from pybpod_alyx_module.gui.windows import AlyxWindow, OpenWindow, resize_to_screen
from pybpod_alyx_module.gui.words import cell, word_filter
from pybpod_alyx_module.sync.audit import COLUMNS, FILE, export_rows, read_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.sync.audit import Row

#: Label of the menu entry.
SYNCS: Final = "What syncs changed…"

#: Column of the table, title, width in pixels.
_SHOWN: Final = (
    ("time", "Time", 175),
    ("action", "What", 105),
    ("subject", "Subject", 110),
    ("new_name", "New name", 100),
    ("fields", "Fields", 160),
    ("why", "Why", 210),
    ("user", "User", 70),
    ("computer", "Computer", 90),
    ("server", "Server", 160),
)
_PLACES: Final = tuple(COLUMNS.index(name) for name, _title, _width in _SHOWN)
_TO_THE_MINUTE: Final = len("2026-11-28T03:00")

UNSAVED: Final = "Not saved with the project yet: the newest "


def _text(row: Row, column: int) -> str:
    text = row[_PLACES[column]]
    return text[:_TO_THE_MINUTE].replace("T", " ") if _SHOWN[column][0] == "time" else cell(text)


class SyncRows(QAbstractTableModel):
    """The rows that the filter leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: Sequence[Row] = ()

    @override
    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """Return how many rows there are."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    @override
    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """Return how many columns there are."""
        return 0 if parent is not None and parent.isValid() else len(_SHOWN)

    @override
    def headerData(self, section: int, orientation: int, role: int = Qt.DisplayRole) -> Any:  # noqa: N802
        """Return the title of a column; None for anything but a title."""
        return _SHOWN[section][1] if orientation == Qt.Horizontal and role == Qt.DisplayRole else None

    @override
    def data(self, index: QModelIndex, role: int = Qt.DisplayRole) -> Any:
        """Return what stands in a cell, also as its tooltip; None for anything else."""
        text = role in (Qt.DisplayRole, Qt.ToolTipRole)
        return _text(self.rows[index.row()], index.column()) if text else None

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show other rows."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()


class SyncsWindow(AlyxWindow):
    """Shows what each sync of a project changed.

    ``folder``: of the project; None for one that was never saved.
    ``unsaved``: what syncs changed since the last save.
    """

    #: The dialog that asks for a file.
    file_dialog = OpenWindow()

    def __init__(self, name: str, folder: Path | None, unsaved: Sequence[Row], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle(f"What syncs changed in {name}")
        resize_to_screen(self, 1000, 480)
        self._name, self._folder, self._unsaved = name, folder, tuple(unsaved)
        self._all: tuple[Row, ...] = ()
        self.rows = SyncRows()
        self.filter = QLineEdit(placeholderText="Filter: words in any column", clearButtonEnabled=True)
        self.filter.textChanged.connect(self._on_filter)
        self.table = QTableView()
        self.table.setModel(self.rows)
        self.table.setSelectionBehavior(QAbstractItemView.SelectRows)
        self.table.setTabKeyNavigation(False)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setStretchLastSection(True)
        for column, (_name, _title, width) in enumerate(_SHOWN):
            self.table.setColumnWidth(column, width)
        self.message = plain_label()
        self.copy_button = QPushButton("C&opy shown rows")
        self.copy_button.clicked.connect(self._on_copy)
        self.export_button = QPushButton("&Export shown rows…")
        self.export_button.clicked.connect(self._on_export)
        self.close_button = QPushButton("&Close")
        self.close_button.clicked.connect(self.close)
        row = QHBoxLayout()
        row.addWidget(self.message, 1)
        row.addWidget(self.copy_button)
        row.addWidget(self.export_button)
        row.addWidget(self.close_button)
        column_of_all = QVBoxLayout(self)
        for widget in (self.filter, self.table):
            column_of_all.addWidget(widget)
        column_of_all.addLayout(row)
        start_task(Task(self._read, "alyx-syncs"), succeeded=self._on_read, failed=self._on_failed)

    def _read(self, _report: Any, _cancel: CancelToken) -> tuple[Row, ...]:
        return read_rows(self._folder) if self._folder is not None else ()

    @slot
    def _on_read(self, rows: tuple[Row, ...]) -> None:
        self._all = (*reversed(self._unsaved), *reversed(rows))
        saved = f"Saved rows are in {self._folder / FILE}." if rows and self._folder is not None else ""
        unsaved = f"{UNSAVED}{len(self._unsaved)}." if self._unsaved else ""
        nothing = "" if self._all else "No sync has changed this project yet."
        self.message.setText(" ".join(filter(None, (nothing, unsaved, saved))))
        self._on_filter()

    @slot
    def _on_failed(self, error: BaseException) -> None:
        self.message.setText(describe(error).text)

    @slot
    def _on_filter(self) -> None:
        is_meant = word_filter(self.filter.text())
        self.rows.show_rows([row for row in self._all if is_meant("\n".join(row))])

    @slot
    def _on_copy(self) -> None:
        titles = "\t".join(title for _name, title, _width in _SHOWN)
        rows = [[for_spreadsheet(_text(row, column)) for column in range(len(_SHOWN))] for row in self.rows.rows]
        QApplication.clipboard().setText("\n".join([titles, *map("\t".join, rows)]))

    @slot
    def _on_export(self) -> None:
        if self.file_dialog is not None:
            show_in_front(self.file_dialog)
            return
        self.file_dialog = ask_csv_file(self, self.windowTitle(), f"{self._name} {FILE}", self._on_file)

    @slot
    def _on_file(self, path: str) -> None:
        rows = tuple(reversed(self.rows.rows))  # the oldest first, as in the project's own table

        def write(_report: Any, _cancel: CancelToken) -> str:
            export_rows(rows, path)
            left_out = len(self._all) - len(rows)
            rest = f" The filter left out {left_out}." if left_out else ""
            return f"{len(rows)} row{'' if len(rows) == 1 else 's'} written to {path}.{rest}"

        start_task(Task(write, "alyx-syncs-export"), succeeded=self.message.setText, failed=self._on_failed)


def open_syncs_window(name: str, folder: Path | None, unsaved: Sequence[Row], parent: QWidget | None) -> SyncsWindow:
    """Show the window."""
    window = SyncsWindow(name, folder, unsaved, parent.window() if parent is not None else None)
    show_in_front(window)
    return window
