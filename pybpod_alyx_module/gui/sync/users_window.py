"""The window *Get users from Alyx*: the users of the server, to be ticked and added to a PyBpod project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QLineEdit, QPushButton, QTreeWidgetItem, QVBoxLayout, QWidget

from alyx_connector.errors import ProtocolError
from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.gui.tick_table import TickTable
from pybpod_alyx_module.gui.widgets import button_row, plain_label
from pybpod_alyx_module.gui.windows import AlyxWindow, main_window_of, resize_to_screen
from pybpod_alyx_module.gui.words import cell, plain_tip
from pybpod_alyx_module.host.alyx_user import alyx_user
from pybpod_alyx_module.host.project_user import add_alyx_users, standing_of

if TYPE_CHECKING:
    from AnyQt.QtGui import QCloseEvent

    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.host.pybpod_objects import Project

#: Label of the menu entry.
USERS: Final = "Get users from Alyx…"

NOBODY: Final = (
    "Nobody is connected to Alyx in this project. Right-click the project, choose Sync to Alyx, and connect; then open "
    "this window again."
)
_LABELS: Final = ("User", "Lab", "In this project")
_WIDTHS: Final = {0: 170, 1: 170}


class UsersWindow(AlyxWindow):
    """Lists the users of the server that a project is connected to, and adds those that are ticked."""

    def __init__(self, project: Project, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle(f"Users from Alyx for {project.name}")
        resize_to_screen(self, 640, 480)
        self._project = project
        self._server = ""
        self._asking: Task | None = None
        self._items: dict[str, QTreeWidgetItem] = {}
        self.message = plain_label()
        self.search = QLineEdit(
            placeholderText="Show only those with these words: user, lab …", clearButtonEnabled=True
        )
        self.table = TickTable(_LABELS, _WIDTHS)
        self.tick_all, self.add_button, self.close_button = (
            QPushButton(text) for text in ("&Tick all shown", "&Add", "&Close")
        )
        column = QVBoxLayout(self)
        column.addWidget(self.message)
        column.addWidget(self.search)
        column.addWidget(self.table, 1)
        column.addLayout(button_row(self.add_button, self.close_button, left=self.tick_all))
        self.search.textChanged.connect(self._on_search)
        self.table.ticked.connect(self._update)
        self.tick_all.clicked.connect(self.table.tick_all)
        self.add_button.clicked.connect(self._on_add)
        self.close_button.clicked.connect(self.close)
        self._update()
        self.ask()

    @property
    def chosen(self) -> tuple[str, ...]:
        """Names of those that are ticked."""
        return tuple(name for name, item in self._items.items() if self.table.is_ticked(item))

    @property
    def asking(self) -> bool:
        """Whether Alyx is being asked."""
        return self._asking is not None and not self._asking.settled

    def ask(self) -> None:
        """Ask Alyx for its users, as who is connected in the project."""
        account = self._project.alyx_account
        if account is None or alyx_user(self._project) != account[1]:
            self.message.setText(NOBODY)
            return
        server, username = account
        outbox = running_outbox()

        def work(report: Report, cancel: CancelToken) -> tuple[str, dict[str, str]]:
            rows = outbox.client(server, username).list("users", report=report, cancel=cancel)
            if not all(isinstance(row.get("username"), str) and row["username"] for row in rows):
                raise ProtocolError(f"{server} sent a user without a name.", hint="Tell whoever runs the Alyx server.")
            return server, {row["username"]: _labs(row.get("lab")) for row in rows}

        self.message.setText(f"Asking {server_name(server)}…")
        self._asking = Task(work, "alyx-users")
        start_task(self._asking, succeeded=self._on_found, failed=self._on_failed)

    @slot
    def _on_found(self, found: tuple[str, dict[str, str]]) -> None:
        self._server, labs = found
        self._items = {
            name: self.table.row((cell(name), cell(lab), ""))
            for name, lab in sorted(labs.items(), key=lambda pair: pair[0].casefold())
        }
        self.table.addTopLevelItems(list(self._items.values()))
        self.message.setText(f"{server_name(self._server)} has {len(labs)} users. Tick those to add to this project.")
        self._show_standings()

    def _show_standings(self) -> None:
        for name, item in self._items.items():
            standing = standing_of(self._project, self._server, name)
            item.setText(2, cell(standing.note))
            item.setToolTip(2, plain_tip(cell(standing.note)))
            self.table.let_tick(item, allowed=standing.can_add)
        self._on_search(self.search.text())

    @slot
    def _on_failed(self, error: BaseException) -> None:
        self.message.setText(describe(error).text)

    @slot
    def _on_search(self, typed: str) -> None:
        self.table.filter(typed)
        self._update()

    @slot
    def _update(self) -> None:
        count = len(self.chosen)
        self.add_button.setText({0: "&Add", 1: "&Add 1 user"}.get(count, f"&Add {count} users"))
        self.add_button.setEnabled(count > 0)
        self.tick_all.setEnabled(bool(self._items))
        self.tick_all.setText("Un&tick all shown" if self.table.all_ticked else "&Tick all shown")

    @slot
    def _on_add(self) -> None:
        try:
            added, linked, left = add_alyx_users(self._project, self._server, self.chosen)
        except SyncError as error:
            self._on_failed(error)
            return
        counts = ((added, "added"), (linked, "linked"))
        done = ", ".join(f"{count} user{'' if count == 1 else 's'} {verb}" for count, verb in counts if count)
        said = f"{done}. Save the project to keep it so." if done else ""
        self.message.setText("\n".join(filter(None, (said, *left))))
        self._show_standings()

    @override
    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Ask no longer."""
        super().closeEvent(event)
        if self._asking is not None:
            self._asking.cancel()


def _labs(lab: Any) -> str:
    return ", ".join(map(str, lab)) if isinstance(lab, list) else str(lab or "")


def open_users_window(project: Project) -> UsersWindow:
    """Show the window of a project: the one that is open, or a new one."""
    window: UsersWindow | None = project.alyx_users_window
    if window is None:
        window = UsersWindow(project, main_window_of(project))
        project.alyx_users_window = window
    show_in_front(window)
    return window
