"""The window *Water due today…*: all water-restricted animals of the user that still need water."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from alyx_connector.errors import AlyxError, ConfigurationError, UnreachableError
from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.animals.water import UNIT
from pybpod_alyx_module.animals.water_table import TableRow, WaterTable, fetch_water_table, give_water
from pybpod_alyx_module.gui.animals.recorder import state_sentence
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.gui.widgets import BigLabel, plain_label
from pybpod_alyx_module.gui.windows import AlyxWindow, main_window_of
from pybpod_alyx_module.host.alyx_user import alyx_user
from pybpod_alyx_module.numbers import millilitres, rounded_down, rounded_up, shown
from pybpod_alyx_module.outbox.items import Draft, Item, Kind, State
from pybpod_alyx_module.read_settings import read_rig_settings

if TYPE_CHECKING:
    from decimal import Decimal

    from AnyQt.QtGui import QKeyEvent

    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.errors import OutboxError
    from pybpod_alyx_module.host.pybpod_objects import Project

#: Label of the menu entry.
WATER_DUE: Final = "Water due today…"

#: What a person can do if Alyx could not be asked.
WITHOUT_ALYX: Final = " Water can be recorded all the same: right-click the subject, Give water…"

COLUMNS: Final = ("Animal", "Lab", "Last weight", "Needs", "Given", "Remains", "Amount (mL)", "Result")
ANIMAL, LAB, WEIGHT, NEEDS, GIVEN, REMAINS, AMOUNT, RESULT = range(len(COLUMNS))


class WaterTableWindow(AlyxWindow):
    """Shows who still needs water today, and records what was given to the ticked ones.

    ``project``: the PyBpod project; it keeps the window as ``alyx_water_window``.
    """

    def __init__(self, project: Project, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.project = project
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setWindowTitle("Water due today")
        self.resize(1280, 560)  # fits on a screen of 1366 x 768
        self.running = running_outbox()
        self.shown: WaterTable | None = None
        self._fetch: Task | None = None
        self._give: Task | None = None
        self._look: Task | None = None
        self._items: dict[int, Item] = {}
        self.user = BigLabel("Water due today")
        self.message = plain_label()
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setHorizontalHeaderLabels(COLUMNS)
        self.table.verticalHeader().hide()
        self.table.setSelectionMode(QTableWidget.NoSelection)
        self.table.setWordWrap(True)
        self.table.setTabKeyNavigation(False)  # Tab leads to the buttons, arrows through the cells
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeToContents)
        header.setSectionResizeMode(ANIMAL, QHeaderView.Interactive)
        header.setSectionResizeMode(RESULT, QHeaderView.Stretch)
        self.table.setColumnWidth(ANIMAL, 230)
        header.setMinimumSectionSize(60)
        self.table.itemChanged.connect(self._on_item)
        self.refresh_button = self._button("Re&fresh", self.refresh)
        self.give_button = self._button("&Give ticked", self._on_give)
        self.close_button = self._button("&Close", self.close)
        buttons = QHBoxLayout()
        buttons.addWidget(self.refresh_button)
        buttons.addStretch(1)
        buttons.addWidget(self.give_button)
        buttons.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.addWidget(self.user)
        column.addWidget(self.message)
        column.addWidget(self.table, 1)
        column.addLayout(buttons)
        self.running.changed.connect(self._on_outbox)
        self._update_buttons()

    @slot
    def refresh(self) -> None:
        """Ask Alyx again."""
        if self._fetch is not None or self._give is not None:
            return
        outbox, settings = self.running, read_rig_settings().sessions
        server, user = server_of(self.project), alyx_user(self.project)

        def work(_report: Any, cancel: CancelToken) -> WaterTable:
            return fetch_water_table(outbox, server, user, settings, cancel=cancel)

        self._fetch = start_task(
            Task(work, "alyx-water-table"),
            succeeded=self._on_table,
            failed=self._on_failed,
            finished=self._on_fetch_ended,
        )
        self.message.setText("Asking Alyx who still needs water today…")
        self._update_buttons()

    @slot
    def _on_table(self, table: WaterTable) -> None:
        self.shown = table
        self._items.clear()
        self.user.say(f"as {table.username} at {server_name(table.server)}")
        if table.rows:
            said = (
                "Tick the animals that you give water, correct the amounts, then press Give ticked. "
                "Given: as reward + as supplement. All in mL."
            )
        elif table.restricted:
            said = "All your water-restricted animals have had their water today."
        else:
            said = "None of your animals is water-restricted."
        self.message.setText("\n".join((said, *table.notes)))
        self.table.blockSignals(True)
        self.table.setRowCount(len(table.rows))
        for number, row in enumerate(table.rows):
            self._fill(number, row)
        if self.table.currentRow() < 0:
            self.table.setCurrentCell(0, ANIMAL)  # the space bar ticks where nobody has clicked yet
        self.table.blockSignals(False)
        self.table.resizeRowsToContents()

    @slot
    def _on_failed(self, error: BaseException) -> None:
        message = describe(error).text
        without = WITHOUT_ALYX if isinstance(error, UnreachableError) else ""
        stale = " The table shows an older answer." if self.shown is not None else without
        self.message.setText(f"{message}{stale}")

    @slot
    def _on_fetch_ended(self) -> None:
        self._fetch = None
        self._update_buttons()

    def _fill(self, number: int, row: TableRow) -> None:
        water, last = row.animal.water, row.animal.last_weight
        weight = (
            f"{shown(last.grams)} g" + (f", {last.when:%m-%d %H:%M}" if last.when else "") if last else "none lately"
        )
        known = water.weight_known
        given = (
            f"{rounded_down(water.reward, UNIT)} + {rounded_down(water.supplement, UNIT)}"
            if water.reward is not None and water.supplement is not None
            else f"{rounded_down(water.given, UNIT)}"
        )
        texts = {
            ANIMAL: row.animal.name,
            LAB: row.animal.lab,
            WEIGHT: weight,
            NEEDS: f"{rounded_up(water.expected, UNIT)}" if known else "unknown",
            GIVEN: given,
            REMAINS: f"{water.remaining}" if known else "weigh it first",
            AMOUNT: f"{water.remaining}" if known else "",
            RESULT: " ".join(row.unsent),
        }
        for column, text in texts.items():
            cell = QTableWidgetItem(text)
            cell.setToolTip(text if column in (ANIMAL, LAB, RESULT) else "")
            flags = Qt.ItemIsEnabled
            if column == ANIMAL:
                flags |= Qt.ItemIsUserCheckable
                cell.setCheckState(Qt.Unchecked)
            if column == AMOUNT:
                flags |= Qt.ItemIsEditable
            cell.setFlags(flags)
            self.table.setItem(number, column, cell)

    def ticked(self) -> list[int]:
        """Return the rows that are ticked and not given yet; in order, empty if none is."""
        return [
            row
            for row in range(self.table.rowCount())
            if row not in self._items and self.table.item(row, ANIMAL).checkState() == Qt.Checked
        ]

    @slot
    def _on_give(self) -> None:
        if self.shown is None or self._give is not None or self._fetch is not None:
            return
        rows, drafts = self.ticked(), []
        wrong = []
        for row in rows:
            try:
                drafts.append(self._draft(self.shown, self.shown.rows[row], self._amount(row)))
            except AlyxError as error:
                self._say(row, str(error))
                wrong.append(self.shown.rows[row].animal.name)
        if wrong:
            self.message.setText(f"Nothing was recorded: correct the amount of {', '.join(wrong)}.")
            return
        self._given_rows = rows
        self._give = start_task(
            self.running.read(lambda outbox: give_water(outbox, tuple(drafts)), name="alyx-outbox-add"),
            succeeded=self._on_given,
            failed=self._on_failed,
            finished=self._on_give_ended,
        )
        self._update_buttons()

    def _amount(self, row: int) -> Decimal:
        return millilitres(self.table.item(row, AMOUNT).text())

    def _draft(self, table: WaterTable, row: TableRow, amount: Decimal) -> Draft:
        water = row.animal.water
        if water.weight_known and amount > max(2 * water.expected - water.given, water.remaining):
            raise ConfigurationError(
                f"{amount:f} mL would be more than twice what it needs today.",
                hint="To give as much, use Give water… of the subject.",
                setting="amount of water",
            )
        values: dict[str, Any] = {"water_administered": float(amount), "date_time": row.lab_now().isoformat()}
        if row.animal.water_type is not None:
            values["water_type"] = row.animal.water_type
        return Draft(
            kind=Kind.WATER,
            server=table.server,
            username=table.username,
            subject_id=row.animal.subject_id,
            subject_name=row.animal.name,
            values=values,
        )

    @slot
    def _on_given(self, results: tuple[Item | OutboxError, ...]) -> None:
        for row, one in zip(self._given_rows, results, strict=True):
            if isinstance(one, Item):
                self._show_item(row, one)
            else:
                self._say(row, str(one))
        count = sum(isinstance(one, Item) for one in results)
        self.message.setText(f"{count} of {len(results)} kept on this computer. The last column says what is on Alyx.")

    @slot
    def _on_give_ended(self) -> None:
        self._give = None
        self._update_buttons()

    def _show_item(self, row: int, item: Item) -> None:
        self._items[row] = item
        amount = self.table.item(row, AMOUNT).text()
        why = f" {item.reason}" if item.reason and item.state is not State.SENT else ""
        self._say(row, f"{amount} mL: {state_sentence(item)}{why}")
        self.table.blockSignals(True)
        for column in (ANIMAL, AMOUNT):
            self.table.item(row, column).setFlags(Qt.ItemIsEnabled)
        self.table.item(row, ANIMAL).setData(Qt.CheckStateRole, None)
        self.table.blockSignals(False)

    def _say(self, row: int, text: str) -> None:
        self.table.blockSignals(True)
        self.table.item(row, RESULT).setText(text)
        self.table.item(row, RESULT).setToolTip(text)
        self.table.blockSignals(False)
        self.table.resizeRowToContents(row)

    @slot
    def _on_outbox(self) -> None:
        keys = {row: item.key for row, item in self._items.items() if item.state is not State.SENT}
        if not keys or self._look is not None:
            return
        self._look = start_task(
            self.running.read(lambda outbox: {row: outbox.item(key) for row, key in keys.items()}),
            succeeded=self._on_items_read,
            finished=self._on_look_ended,
        )

    @slot
    def _on_items_read(self, items: dict[int, Item]) -> None:
        for row, item in items.items():
            if row in self._items and self._items[row].key == item.key:
                self._show_item(row, item)

    @slot
    def _on_look_ended(self) -> None:
        self._look = None

    @slot
    def _on_item(self, changed: QTableWidgetItem) -> None:
        if changed.column() == AMOUNT:
            self._say(changed.row(), "")
        self._update_buttons()

    def _update_buttons(self) -> None:
        idle = self._fetch is None and self._give is None
        self.refresh_button.setEnabled(idle)
        self.give_button.setEnabled(idle and bool(self.ticked()))

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Close on Escape; Enter presses the button that has the keyboard."""
        focused = QApplication.focusWidget()
        if event.key() in (Qt.Key_Return, Qt.Key_Enter) and isinstance(focused, QPushButton):
            focused.click()
        else:
            super().keyPressEvent(event)

    @override
    def closeEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        """Stop asking Alyx; what is on its way into the outbox gets there."""
        for task in (self._fetch, self._look):
            if task is not None:
                task.cancel()
        if self.project.alyx_water_window is self:
            self.project.alyx_water_window = None
            self.running.changed.disconnect(self._on_outbox)
        super().closeEvent(event)

    def _button(self, text: str, pressed: Any) -> QPushButton:
        button = QPushButton(text)
        button.clicked.connect(pressed)
        return button


def server_of(project: Project) -> str:
    """Return the server of a project's Alyx subjects.

    Returns: that of most of them, empty if there is none.
    """
    records = [subject.alyx or {} for subject in project.subjects]
    servers = Counter(str(record["alyx_server"]) for record in records if record.get("alyx_server"))
    return servers.most_common(1)[0][0] if servers else ""


def open_water_table(project: Project) -> WaterTableWindow:
    """Show which animals of the user still need water today, and ask Alyx again."""
    window = project.alyx_water_window
    if window is None:
        window = WaterTableWindow(project, main_window_of(project))
        project.alyx_water_window = window
    show_in_front(window)
    window.refresh()
    return window
