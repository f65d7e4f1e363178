"""The dialog *Give water…*."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QLineEdit, QWidget

from alyx_connector.errors import AlyxError, ConfigurationError
from pybpod_alyx_module.animals.subject_state import not_there
from pybpod_alyx_module.animals.water import MOST_ML, default_water_type
from pybpod_alyx_module.gui.animals.open_dialog import open_dialog
from pybpod_alyx_module.gui.animals.record_dialog import RecordDialog
from pybpod_alyx_module.gui.animals.recorder import Entry
from pybpod_alyx_module.gui.widgets import CalmComboBox
from pybpod_alyx_module.numbers import millilitres
from pybpod_alyx_module.outbox.items import Kind

if TYPE_CHECKING:
    from pybpod_alyx_module.animals.alyx_subject import AlyxSubject
    from pybpod_alyx_module.animals.overview import AnimalOverview
    from pybpod_alyx_module.host.pybpod_objects import Subject

#: Label of the menu entry.
GIVE_WATER: Final = "Give water…"

#: The choice that leaves the type to Alyx: that of the running water restriction.
BY_ALYX: Final = "that of its water restriction on Alyx"
_CHOOSE: Final = "Choose the type…"

#: The dialog asks about more than this many times what the animal needs in a day.
_TIMES: Final = 2


class WaterDialog(RecordDialog):
    """Records water that was given to one animal out of a session."""

    with_water_types = True

    def __init__(self, alyx_subject: AlyxSubject, title: str = "Give water", parent: QWidget | None = None) -> None:
        super().__init__(alyx_subject, title, parent)
        self.amount = QLineEdit()
        self.amount.setMaximumWidth(110)
        font = self.amount.font()
        font.setPointSize(font.pointSize() + 6)
        self.amount.setFont(font)
        self.types = CalmComboBox()
        self.types.addItem(BY_ALYX, None)
        self.adlib = QCheckBox("a&d lib: as much as it wants, the amount may be left out")
        amount = QWidget()
        row = QHBoxLayout(amount)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.amount)
        row.addWidget(QLabel("mL"))
        row.addStretch(1)
        self.form.addRow("A&mount", amount)
        self.form.labelForField(amount).setBuddy(self.amount)
        self.form.addRow("Type of &water", self.types)
        self.form.addRow("", self.adlib)
        self.form.addRow("&Time", self.time)
        self.amount.textChanged.connect(self.show_facts)
        self.adlib.toggled.connect(self.show_facts)

    def first_field(self) -> QWidget:
        """Return the field of the amount."""
        return self.amount

    def typed_anything(self) -> bool:
        """Tell whether an amount is in the field, or ad lib is ticked."""
        return bool(self.amount.text().strip()) or self.adlib.isChecked()

    def entry(self) -> Entry:
        """Check what was typed.

        Returns: the amount, 0 mL for ad lib without one, its type and time.
        """
        amount = self._amount()
        if self.types.currentText() == _CHOOSE:
            raise ConfigurationError("The type of water is not chosen.", hint="Choose it.", setting="type of water")
        values: dict[str, Any] = {
            "water_administered": float(amount or 0),
            **self.time.values(),
            "adlib": self.adlib.isChecked(),
        }
        water_type = self.types.currentData()
        if water_type is not None:
            values["water_type"] = water_type
        what = f"{amount:f} mL" if amount is not None else "water"
        return Entry(Kind.WATER, values, f"{what} ad lib" if self.adlib.isChecked() else what, self.time.origin())

    def concern_sentences(self, entry: Entry, overview: AnimalOverview) -> tuple[str, ...]:
        """Ask about an animal that is not alive, and about far more than it needs.

        Returns: empty where nothing speaks against it.
        """
        sentences = list(not_there(overview.state))
        water, amount = overview.state.water, self._amount() or Decimal(0)
        if water is not None and water.weight_known:
            if amount > 0 and water.given + amount > _TIMES * water.expected:
                sentences.append(
                    f"With {entry.what} it would get more than twice what it needs today. "
                    f"{water.after(amount).sentence}"
                )
        elif amount > MOST_ML:
            sentences.append(f"{entry.what} is a lot. Is the amount in mL?")
        return tuple(sentences)

    def fact_lines(self) -> list[str]:
        """Return what it needs and got today, and what remains after the typed amount."""
        if self.overview is None:
            return []
        state = self.overview.state
        lines = list(not_there(state))
        if state.water is None:
            return lines
        lines += state.water.sentences()
        if state.water_day_note:
            lines.append(state.water_day_note)
        try:
            amount = self._amount()
        except AlyxError:  # nothing is typed yet, or not all of it
            return lines
        if state.water.restricted:
            lines.append(f"As typed: {state.water.after(amount).sentence}")
        return lines

    def show_overview(self, overview: AnimalOverview) -> None:
        """Offer the types of water that Alyx has; the restriction's own is chosen first."""
        if overview.water_types is None or overview.state.found is None:
            return
        offered = overview.water_types
        chosen = self.types.currentData() or default_water_type(overview.state.water_type, offered)
        self.types.clear()
        if chosen not in offered:
            self.types.addItem(_CHOOSE, None)
        for name in offered:
            self.types.addItem(name, name)
        if chosen in offered:
            self.types.setCurrentIndex(self.types.findData(chosen))

    def hold(self, held: bool) -> None:
        """Keep the fields while a question is open."""
        super().hold(held)
        for field in (self.amount, self.types, self.adlib):
            field.setEnabled(not held)

    def _amount(self) -> Decimal | None:
        if self.adlib.isChecked() and not self.amount.text().strip():
            return None
        return millilitres(self.amount.text())


def open_water_dialog(subject: Subject) -> RecordDialog | None:
    """Show the dialog that records water given to a subject.

    Returns: None where nothing may be recorded, which a message box explained.
    """
    return open_dialog(WaterDialog, subject)
