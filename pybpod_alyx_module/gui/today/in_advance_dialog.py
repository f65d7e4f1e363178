"""The dialog that records water for days to come, of several animals at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from AnyQt.QtWidgets import (
    QAbstractItemView,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
)

from alyx_connector.errors import AlyxError
from pybpod_alyx_module.animals.today.in_advance import (
    MOST_DAYS,
    daily_need,
    days_to_come,
    drafts_in_advance,
    usual_days,
)
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.sync.questions.question import Question
from pybpod_alyx_module.gui.widgets import button_row, plain_label
from pybpod_alyx_module.gui.windows import resize_to_screen
from pybpod_alyx_module.numbers import millilitres

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from AnyQt.QtWidgets import QWidget

    from pybpod_alyx_module.animals.today.board import Board
    from pybpod_alyx_module.animals.today.today_animals import TodayAnimal
    from pybpod_alyx_module.outbox.items import Draft

_COLUMNS = ("Animal", "A day (mL)", "In all (mL)", "Already has water for")


class InAdvanceDialog(Question):
    """Asks for how many days and how much; the answer is what is put into the outbox, None for nothing."""

    def __init__(self, board: Board, animals: Sequence[TodayAnimal], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Water for days to come")
        resize_to_screen(self, 720, 520)
        self._board, self._animals = board, animals
        self._today = animals[0].lab_now().date()
        self.days = QSpinBox()
        self.days.setRange(1, MOST_DAYS)
        self.days.setValue(usual_days(self._today))
        self.of_which = plain_label()
        self.each_needs = QRadioButton("what each animal &needs a day, as of its last weight")
        self.same = QRadioButton("the &same for all, mL:")
        self.amount = QLineEdit()
        self.amount.setMaximumWidth(100)
        self.ad_lib = QRadioButton("ad &lib: as much as it wants; Alyx counts no amount")
        self.each_needs.setChecked(True)
        self.table = QTableWidget(len(animals), len(_COLUMNS))
        self.table.setHorizontalHeaderLabels(_COLUMNS)
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QAbstractItemView.NoEditTriggers)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.message = plain_label()
        self.record_button = QPushButton()
        self.cancel_button = QPushButton("Cancel")
        days, same, form = QHBoxLayout(), QHBoxLayout(), QFormLayout()
        days.addWidget(self.days)
        days.addWidget(self.of_which, 1)
        same.addWidget(self.same)
        same.addWidget(self.amount)
        same.addStretch(1)
        form.addRow("&Days:", days)
        form.addRow("Each day:", self.each_needs)
        form.addRow("", same)
        form.addRow("", self.ad_lib)
        form.labelForField(days).setBuddy(self.days)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addWidget(self.table, 1)
        column.addWidget(self.message)
        column.addLayout(button_row(self.record_button, self.cancel_button))
        self.days.valueChanged.connect(self._show)
        self.amount.textChanged.connect(self._on_typed)
        for choice in (self.each_needs, self.same, self.ad_lib):
            choice.toggled.connect(self._show)
        self.record_button.clicked.connect(self._on_record)
        self.cancel_button.clicked.connect(self.reject)
        self._show()
        self.table.resizeColumnsToContents()
        self.days.setFocus()

    @slot
    def _on_typed(self) -> None:
        self.same.setChecked(True)
        self._show()

    @slot
    def _on_record(self) -> None:
        self._answer = self._drafts()
        self.accept()

    @slot
    def _show(self) -> None:
        days = days_to_come(self._today, self.days.value())
        self.of_which.setText(", ".join(f"{day:%a %d %b}" for day in days))
        try:
            drafts = self._drafts()
            problem = ""
        except AlyxError as error:
            drafts, problem = [], str(error) if self.amount.text() else "Type an amount."
        for place, animal in enumerate(self._animals):
            self._show_row(place, animal, [draft for draft in drafts if draft.subject_id == animal.subject_id])
        unknown = [one.name for one in self._animals if daily_need(one) is None and self.each_needs.isChecked()]
        if unknown and not problem:
            problem = f"Left out, because Alyx has no weight to tell what they need: {', '.join(unknown)}."
        self.message.setText(problem)
        self.message.setVisible(bool(problem))
        self.record_button.setText(f"&Record {len(drafts)} x water" if drafts else "&Record")
        self.record_button.setEnabled(bool(drafts))

    def _show_row(self, place: int, animal: TodayAnimal, drafts: list[Draft]) -> None:
        amounts = [draft.values["water_administered"] for draft in drafts]
        a_day = "-" if not drafts else "ad lib" if self.ad_lib.isChecked() else f"{amounts[0]:.2f}"
        in_all = "" if not drafts or self.ad_lib.isChecked() else f"{sum(amounts):.2f}"
        has = ", ".join(f"{day:%a %d %b}" for day in animal.in_advance)
        for column, text in enumerate((animal.name, a_day, in_all, has)):
            self.table.setItem(place, column, QTableWidgetItem(text))

    def _drafts(self) -> list[Draft]:
        amount: Decimal | None = millilitres(self.amount.text()) if self.same.isChecked() else None
        return drafts_in_advance(self._board, self._animals, self.days.value(), amount, ad_lib=self.ad_lib.isChecked())
