"""The fields of a new animal, each with what is wrong about it below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import Signal
from AnyQt.QtWidgets import QFormLayout, QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.name_field import NameField
from pybpod_alyx_module.gui.widgets import CalmComboBox, plain_label
from pybpod_alyx_module.names.alyx_names import AlyxNames
from pybpod_alyx_module.new_subject.server_facts import FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pybpod_alyx_module.new_subject.server_facts import ServerFacts

_LABELS: Final = {
    "nickname": "&Nickname",
    "lab": "&Lab",
    "responsible_user": "&Responsible user",
    "sex": "Se&x",
    "birth_date": "&Birth date",
    "species": "&Species",
    "strain": "S&train",
    "line": "L&ine",
    "source": "S&ource",
    "description": "&Description",
}
_SEXES: Final = {"": "", "male": "M", "female": "F", "unknown": "U"}
_LINES: Final = 3


class SubjectForm(QWidget):
    """What a person types; `values` are texts, empty where nothing was typed."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, QWidget] = {name: _field(name) for name in FIELDS}
        #: Below each field: what is wrong about it, or what was seen.
        self.notes = {name: _note() for name in FIELDS}
        self._rows: dict[str, tuple[QLabel, QWidget]] = {}
        outer = QVBoxLayout(self)
        form = QFormLayout()
        outer.addLayout(form)
        outer.addStretch(1)
        form.setFieldGrowthPolicy(QFormLayout.AllNonFixedFieldsGrow)
        for name, field in self.fields.items():
            both = QWidget()
            column = QVBoxLayout(both)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(2)
            column.addWidget(field)
            column.addWidget(self.notes[name])
            label = QLabel(_LABELS[name])
            label.setBuddy(field)
            form.addRow(label, both)
            self._rows[name] = label, both
            signal = field.currentIndexChanged if isinstance(field, CalmComboBox) else field.textChanged
            signal.connect(self._on_changed)

    @slot
    def _on_changed(self) -> None:
        self.changed.emit()

    def know(self, facts: ServerFacts) -> None:
        """Show the fields that the server has, offer what may be chosen, and fill in what is most likely."""
        for name, row in self._rows.items():
            for widget in row:
                widget.setVisible(name in facts.fields)
        offered = {**facts.in_use, "lab": facts.labs, "responsible_user": facts.users}
        for name, names in offered.items():
            field = self.fields[name]
            if isinstance(field, NameField):
                field.know(AlyxNames({name: names}, partial=frozenset({name})))
        for name, text in (("lab", next(iter(facts.labs), "")), ("responsible_user", facts.username)):
            field = self.fields[name]
            if isinstance(field, QLineEdit) and not field.text():
                field.setText(text)

    def values(self) -> dict[str, str]:
        """Return what was typed, by field."""
        return {name: _text(field) for name, field in self.fields.items()}

    def say(self, said: Mapping[str, str]) -> None:
        """Show a sentence below each of some fields, and take those of the others away."""
        for name, note in self.notes.items():
            note.setText(said.get(name, ""))
            note.setVisible(bool(said.get(name)))

    def go_to(self, name: str) -> None:
        """Give a field the keyboard."""
        self.fields[name].setFocus()


def _field(name: str) -> QWidget:
    if name == "sex":
        sex = CalmComboBox()
        for word, value in _SEXES.items():
            sex.addItem(word, value)
        return sex
    if name == "description":
        text = QPlainTextEdit()
        text.setTabChangesFocus(True)
        text.setFixedHeight(text.fontMetrics().lineSpacing() * _LINES + 12)
        return text
    if name in {"nickname", "birth_date"}:
        line = QLineEdit()
        if name == "birth_date":
            line.setPlaceholderText("year-month-day, for example 2026-03-01")
        return line
    return NameField(name)


def _note() -> QLabel:
    note = plain_label()
    note.setStyleSheet("background: #fff4d6; color: #402c00; padding: 2px;")
    note.hide()
    return note


def _text(field: QWidget) -> str:
    if isinstance(field, CalmComboBox):
        return str(field.currentData())
    text = field.toPlainText() if isinstance(field, QPlainTextEdit) else field.text()
    return str(text).strip()
