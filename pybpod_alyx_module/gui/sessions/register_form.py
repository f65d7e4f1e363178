"""The fields of the dialog that registers a session."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from AnyQt.QtCore import Signal
from AnyQt.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.name_field import NameField
from pybpod_alyx_module.gui.widgets import CalmComboBox, plain_label
from pybpod_alyx_module.names.alyx_names import AlyxNames
from pybpod_alyx_module.numbers import millilitres
from pybpod_alyx_module.sessions.advice import Fields, number_text

if TYPE_CHECKING:
    from pybpod_alyx_module.sessions.water_earned import Reading, WaterEarned


class WaterField(QWidget):
    """How much water is recorded with the session: filled in where that is certain, else a person types it."""

    #: What stands in it changed.
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._certain: Decimal | None = None
        self.amount = QLineEdit()
        self.amount.setMaximumWidth(90)
        self.type = CalmComboBox()
        self.type.setMinimumContentsLength(12)
        self.offer_buttons = QPushButton(), QPushButton()
        self.why = plain_label()
        row = QHBoxLayout()
        row.addWidget(self.amount)
        row.addWidget(QLabel("mL of"))
        row.addWidget(self.type)
        row.addStretch(1)
        offers = QHBoxLayout()
        for place, button in enumerate(self.offer_buttons):
            button.setAutoDefault(False)
            button.clicked.connect(lambda _checked=False, place=place: self._on_offer(place))
            offers.addWidget(button)
        offers.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.why)
        column.addLayout(offers)
        column.addStretch(1)
        self.amount.textChanged.connect(self.changed)
        self.type.currentIndexChanged.connect(self.changed)
        self._shown: WaterEarned | None = None

    def show_earned(self, water: WaterEarned, known: AlyxNames, chosen: str) -> None:
        """Show what the session says; what was typed stays.

        ``known``: has the types of water on Alyx.
        ``chosen``: the type to start with; where Alyx does not have it, a person must choose one.
        """
        if water != self._shown:
            self._shown, self._certain = water, water.amount
            if not self.amount.isModified():
                self.amount.setText("" if water.amount is None else number_text(water.amount))
            for place, button in enumerate(self.offer_buttons):
                button.setVisible(place < len(water.offers))
                if place < len(water.offers):
                    button.setText(_offer_text(water.offers[place]))
            self.why.setText(water.why)
        before = self.type.currentText()
        names, wrong = list(known.of("water_type")), bool(chosen and known.refused("water_type", [chosen]))
        if chosen and not wrong and chosen not in names:
            names.append(chosen)
        self.type.clear()
        if wrong:
            self.type.addItem("Choose…", None)
        self.type.addItem("(left to Alyx)", "")
        for name in names:
            self.type.addItem(name, name)
        start = before if before in names else chosen
        self.type.setCurrentIndex(max(self.type.findData(start), 0))  # the first: to be chosen, or left to Alyx

    def value(self) -> Decimal:
        """Return the amount as it stands in the field.

        Returns: mL; 0 where none is to be recorded.
        """
        text = self.amount.text().strip()
        for amount in (self._certain, *(offer.amount for offer in self.offers)):
            if amount is not None and text == number_text(amount):
                return amount  # to more digits than a person may type
        if text and not text.strip("0.,"):
            return Decimal(0)
        return millilitres(text)

    @property
    def offers(self) -> tuple[Reading, ...]:
        """The amounts that a press of a button takes."""
        return self._shown.offers if self._shown is not None else ()

    @property
    def must_choose_type(self) -> bool:
        """Whether a person has yet to say which water it was."""
        return self.type.currentData() is None

    @property
    def water_type(self) -> str:
        """The chosen type; empty where it is left to Alyx."""
        return str(self.type.currentData() or "")

    @slot
    def _on_offer(self, place: int) -> None:
        if place < len(self.offers):
            self.amount.setText(number_text(self.offers[place].amount))
            self.amount.setModified(True)


def _offer_text(offer: Reading) -> str:
    return f"Use {number_text(offer.amount)} mL: {offer.label}"


class RegisterForm(QWidget):
    """Location, projects, procedures, type, narrative and water of a session."""

    #: What stands in it changed.
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.location = NameField("location")
        self.projects, self.procedures = (NameField(name, several=True) for name in ("projects", "procedures"))
        self.type = QLineEdit()
        self.water = WaterField()
        self.narrative = QPlainTextEdit()
        self.narrative.setTabChangesFocus(True)
        self.narrative.setMinimumHeight(44)
        self.narrative.setMaximumHeight(84)
        self._rows = QFormLayout()
        self._rows.setFieldGrowthPolicy(QFormLayout.AllNonFixedFieldsGrow)
        for name, field in (
            ("&Location", self.location.with_note()),
            ("&Projects on Alyx", self.projects.with_note()),
            ("Proc&edures", self.procedures.with_note()),
            ("Type of &session", self.type),
            ("Water earned", self.water),
            ("&Narrative", self.narrative),
        ):
            self._rows.addRow(name, field)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 4, 0)
        column.addLayout(self._rows)
        column.addStretch(1)  # the rows stay together
        self.water.changed.connect(self.changed)
        for line in self._of_names:
            line.textChanged.connect(self.changed)

    @property
    def _of_names(self) -> tuple[NameField, ...]:
        return self.location, self.projects, self.procedures

    def know(self, names: AlyxNames) -> None:
        """Offer the names that Alyx has, and mark what it does not have."""
        for line in self._of_names:
            line.know(names)

    @property
    def refused(self) -> bool:
        """Whether Alyx would refuse one of the names."""
        return any(line.refused for line in self._of_names)

    def fill(self, fields: Fields) -> None:
        """Fill the fields that nobody typed into."""
        for field, text in (
            (self.location, fields.location),
            (self.projects, fields.projects),
            (self.procedures, fields.procedures),
            (self.type, fields.type),
        ):
            if not field.isModified():
                field.setText(text)
                field.setCursorPosition(0)
        if not self.narrative.document().isModified():
            self.narrative.setPlainText(fields.narrative)

    def fields(self) -> Fields:
        """Return what stands in the fields."""
        return Fields(
            self.location.text(),
            self.projects.text(),
            self.procedures.text(),
            self.type.text(),
            self.narrative.toPlainText(),
        )

    def show_water(self, water: WaterEarned | None, known: AlyxNames | None = None, chosen: str = "") -> None:
        """Show the water that was earned, or that there is nothing to say about it."""
        label = self._rows.labelForField(self.water)
        label.setVisible(water is not None)
        self.water.setVisible(water is not None)
        if water is not None:
            self.water.show_earned(water, known or AlyxNames(), chosen)

    def lock(self, locked: bool) -> None:
        """Keep the fields from being changed while they are written away."""
        for field in (self.location, self.projects, self.procedures, self.type, self.narrative, self.water):
            field.setEnabled(not locked)
