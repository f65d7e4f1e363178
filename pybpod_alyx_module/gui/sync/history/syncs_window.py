"""The window *What syncs changed*: the project's table of syncs, the newest first, to be searched and exported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QAbstractTableModel, QModelIndex, Qt
from AnyQt.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QLineEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from alyx_connector.frames.text import for_spreadsheet
from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.history.details_window import refresh_details_windows
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.sync.history.undo_dialog import UndoDialog
from pybpod_alyx_module.gui.sync.history.undo_job import UndoJob
from pybpod_alyx_module.gui.sync.project_port import port_of
from pybpod_alyx_module.gui.sync.summary import summary
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.gui.widgets import ask_file, button_row, plain_label
from pybpod_alyx_module.gui.windows import AlyxWindow, OpenWindow, main_window_of, resize_to_screen
from pybpod_alyx_module.gui.words import cell, plain_tip, without_long_words, word_filter
from pybpod_alyx_module.host.alyx_user import alyx_user
from pybpod_alyx_module.sync.audit import COLUMNS, FILE, export_rows, read_rows
from pybpod_alyx_module.sync.plan import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from AnyQt.QtGui import QCloseEvent

    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.host.pybpod_objects import Project
    from pybpod_alyx_module.sync.apply import Result
    from pybpod_alyx_module.sync.audit import Row
    from pybpod_alyx_module.sync.plan import SyncPlan

#: Label of the menu entry.
SYNCS: Final = "What syncs changed…"

#: Column of the table, title, width in pixels.
_SHOWN: Final = (
    ("time", "Time", 165),
    ("action", "What", 165),
    ("subject", "Subject", 110),
    ("new_name", "New name", 100),
    ("fields", "Fields", 160),
    ("why", "Why", 190),
    ("user", "User", 70),
    ("computer", "Computer", 90),
    ("server", "Server", 160),
)
_PLACES: Final = tuple(COLUMNS.index(name) for name, _title, _width in _SHOWN)
_TO_THE_MINUTE: Final = len("2026-11-28T03:00")

UNSAVED: Final = "Not saved with the project yet: the newest "
SAVE: Final = "Save the project to keep it so."
SYNCING: Final = "Subjects are being synced. Undo it when that is over; nothing was changed."
#: Lines of what an undo left as it is that are shown beside the table.
_MOST_LINES: Final = 5


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
        if role not in (Qt.DisplayRole, Qt.ToolTipRole):
            return None
        text = _text(self.rows[index.row()], index.column())
        return text if role == Qt.DisplayRole else plain_tip(text)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show other rows."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()


class SyncsWindow(AlyxWindow):
    """Shows what each sync of a project changed, and undoes the last one."""

    #: The dialog that asks for a file, and the question before an undo.
    file_dialog, undo_dialog = OpenWindow(), OpenWindow()

    def __init__(self, project: Project, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle(f"What syncs changed in {project.name}")
        resize_to_screen(self, 1000, 480)
        self._project = project
        self._port = port_of(project, running_outbox().hold)
        self._unsaved: tuple[Row, ...] = ()
        self._all: tuple[Row, ...] = ()
        self._job: UndoJob | None = None
        #: What the last undo came to, to be read beside the table.
        self._outcome = ""
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
        self.undo_button = QPushButton("&Undo the last sync…")
        self.undo_button.setToolTip("Bring back what the last sync added, changed and removed; you are asked first")
        self.undo_button.clicked.connect(self.undo)
        self.copy_button = QPushButton("C&opy shown rows")
        self.copy_button.clicked.connect(self._on_copy)
        self.export_button = QPushButton("&Export shown rows…")
        self.export_button.clicked.connect(self._on_export)
        self.close_button = QPushButton("&Close")
        self.close_button.clicked.connect(self.close)
        column_of_all = QVBoxLayout(self)
        for widget in (self.filter, self.table, self.message):
            column_of_all.addWidget(widget)
        buttons = (self.copy_button, self.export_button, self.close_button)
        column_of_all.addLayout(button_row(*buttons, left=self.undo_button))
        self.refresh()

    @property
    def working(self) -> bool:
        """Whether a sync is being undone."""
        return self._job is not None

    def refresh(self) -> None:
        """Read the table again."""
        folder, self._unsaved = self._port.folder, self._port.unsaved_syncs

        def read(_report: Any, _cancel: CancelToken) -> tuple[Row, ...]:
            return read_rows(folder) if folder is not None else ()

        start_task(Task(read, "alyx-syncs"), succeeded=self._on_read, failed=self._on_failed)

    @slot
    def _on_read(self, rows: tuple[Row, ...]) -> None:
        self._all = (*reversed(self._unsaved), *reversed(rows))
        folder = self._port.folder
        saved = f"Saved rows are in {folder / FILE}." if rows and folder is not None else ""
        unsaved = f"{UNSAVED}{len(self._unsaved)}." if self._unsaved else ""
        nothing = "" if self._all else "No sync has changed this project yet."
        outcome, self._outcome = self._outcome, ""
        self.message.setText(outcome or " ".join(filter(None, (nothing, unsaved, saved))))
        self._on_filter()

    @slot
    def undo(self) -> None:
        """Ask whether to undo the last sync; nothing changes before the answer."""
        if self._job is not None:
            if self.undo_dialog is not None:
                show_in_front(self.undo_dialog)
            return
        self.undo_button.setEnabled(False)
        self._job = job = UndoJob(self._port, alyx_user(self._project), self._obstacle)
        job.confirmation_wanted.connect(self._on_confirmation_wanted)
        job.refused.connect(self.message.setText)
        job.done.connect(self._on_undone)
        job.failed.connect(self._on_failed)
        job.finished.connect(self._on_undo_finished)
        job.start()

    def _obstacle(self) -> str:
        if self._project.is_closed:
            return "The PyBpod project was closed."
        syncing = self._project.alyx_window
        return SYNCING if syncing is not None and syncing.working else ""

    @slot
    def _on_confirmation_wanted(self, plan: SyncPlan, which: str) -> None:
        if self._job is None:
            return
        self.undo_dialog = dialog = UndoDialog(plan, which, self)
        dialog.answered.connect(self._job.confirm)
        dialog.show()  # not modal: PyBpod's Stop must stay within reach

    @slot
    def _on_undone(self, results: tuple[Result, ...]) -> None:
        counts = summary(results).splitlines()[0]
        left = [it for it in results if it.entry.action is Action.LEFT_ALONE or not it.applied]
        lines = without_long_words(summary(left)).splitlines()[2:] if left else []
        told = [*lines[:_MOST_LINES], *(["    …"] if len(lines) > _MOST_LINES else [])]
        save = "" if self._project.is_saved() else SAVE  # a sync that was not saved left nothing to save
        self._outcome = "\n".join([f"Undone: {counts} {save}".rstrip(), *told])
        refresh_details_windows()
        self.refresh()

    @slot
    def _on_undo_finished(self) -> None:
        self._job = None
        self.undo_button.setEnabled(True)
        if self.undo_dialog is not None:
            self.undo_dialog.reject()

    @override
    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Stop what is going on; what was undone of a sync by then is as before."""
        super().closeEvent(event)
        if self._job is not None:
            self._job.cancel()

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
        self.file_dialog = ask_file(self, self.windowTitle(), f"{self._project.name} {FILE}", "csv", self._on_file)

    @slot
    def _on_file(self, path: str) -> None:
        rows = tuple(reversed(self.rows.rows))  # the oldest first, as in the project's own table

        def write(_report: Any, _cancel: CancelToken) -> str:
            export_rows(rows, path)
            left_out = len(self._all) - len(rows)
            rest = f" The filter left out {left_out}." if left_out else ""
            return f"{len(rows)} row{'' if len(rows) == 1 else 's'} written to {path}.{rest}"

        start_task(Task(write, "alyx-syncs-export"), succeeded=self.message.setText, failed=self._on_failed)


def open_syncs_window(project: Project) -> SyncsWindow:
    """Show the window of a project, as it is now; SyncError if the project was closed."""
    if project.is_closed:
        raise SyncError(f"The PyBpod project {project.name!r} was closed.", hint="Open it again.")
    window: SyncsWindow | None = project.alyx_syncs_window
    if window is None:
        window = SyncsWindow(project, main_window_of(project))
        project.alyx_syncs_window = window
    else:
        window.refresh()
    show_in_front(window)
    return window
