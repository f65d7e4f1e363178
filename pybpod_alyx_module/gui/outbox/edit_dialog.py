"""The dialog that corrects an item of the outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import (
    QCheckBox,
    QDialog,
    QFormLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from alyx_connector.errors import AlyxError
from pybpod_alyx_module.animals.water import MOST_ML
from pybpod_alyx_module.animals.weight_plausibility import weight_facts
from pybpod_alyx_module.deadline import cancel_after
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.name_field import NameField
from pybpod_alyx_module.gui.outbox.edit_fields import corrected, fields_of
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.gui.widgets import BigLabel, Scrolled, button_row, plain_label
from pybpod_alyx_module.gui.windows import FOCUS_STYLE, resize_to_screen, urgent_colour
from pybpod_alyx_module.gui.words import brief, plain_tip
from pybpod_alyx_module.names.alyx_names import NOUNS, AlyxNames, fetch_names, last_names
from pybpod_alyx_module.numbers import exact
from pybpod_alyx_module.outbox.items import Kind
from pybpod_alyx_module.outbox.states import Event, why_not
from pybpod_alyx_module.outbox.words import value_words, why

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.gui.running_outbox import RunningOutbox
    from pybpod_alyx_module.outbox.items import Item


#: How long Alyx may take to tell its names, in seconds.
PATIENCE_S: Final = 10.0


class EditDialog(QDialog):
    """Shows the values of an item as fields; animal, user and server cannot be changed."""

    def __init__(self, item: Item, running: RunningOutbox, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.item = item
        self._running = running
        self._task: Task | None = None
        self._closed_to = ""
        self._names = AlyxNames()
        #: What speaks against what was typed, and was said.
        self._asked: tuple[str, ...] = ()
        self.setAttribute(Qt.WA_DeleteOnClose)
        self.setStyleSheet(FOCUS_STYLE)
        self.setWindowTitle(f"Correct: {value_words(item)}")
        self.fields: dict[str, QLineEdit | QPlainTextEdit | QCheckBox] = {}
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.ExpandingFieldsGrow)
        for field in fields_of(item):
            widget: QLineEdit | QPlainTextEdit | QCheckBox
            if field.yes_no:
                widget = QCheckBox()
                widget.setChecked(bool(item.values.get(field.name)))
            elif field.lines:
                widget = QPlainTextEdit(field.text(item.values))
                widget.setTabChangesFocus(True)
                widget.setMinimumHeight(60)
            else:
                widget = NameField(field.name, several=field.several) if field.name in NOUNS else QLineEdit()
                widget.setText(field.text(item.values))
                widget.setCursorPosition(0)
            self.fields[field.name] = widget
            form.addRow(field.label, widget.with_note() if isinstance(widget, NameField) else widget)
        self.reason = plain_label()
        self.reason.setText(brief(why(item)))
        self.reason.setVisible(bool(why(item)))
        self.problem = plain_label()
        self.problem.setStyleSheet(f"color: {urgent_colour()}")
        self.problem.hide()
        self.save_button = QPushButton("Save and send")
        self.cancel_button = QPushButton("Cancel")
        self.save_button.clicked.connect(self._on_save)
        self.cancel_button.clicked.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(BigLabel(item.subject_name))
        column.addWidget(BigLabel(f"as {item.username}", points=4))
        column.addWidget(BigLabel(f"at {item.server}", points=1))
        column.addWidget(self.reason)
        column.addWidget(Scrolled(form), 1)
        column.addWidget(self.problem)
        column.addLayout(button_row(self.save_button, self.cancel_button))
        resize_to_screen(self, 560, min(660, 270 + 34 * len(self.fields)))
        next(iter(self.fields.values())).setFocus()
        self._reading_names = self._read_names()

    def _read_names(self) -> list[Task]:
        # first what Alyx told last, then what it tells now
        item, running = self.item, self._running
        fields = [name for name, widget in self.fields.items() if isinstance(widget, NameField)]
        if not fields:
            return []

        def last(report: Report, cancel: CancelToken) -> AlyxNames:
            del report, cancel
            return last_names(item.server)

        def now(report: Report, cancel: CancelToken) -> AlyxNames:
            del report
            with cancel_after(PATIENCE_S, cancel) as stop:
                return fetch_names(running.client(*item.account), fields, stop)

        tasks = [Task(last, "alyx-last-names"), Task(now, "alyx-ask-names")]
        return [start_task(task, succeeded=self._on_names) for task in tasks]

    @slot
    def _on_names(self, names: AlyxNames) -> None:
        if names.fresh or not self._names.fresh:
            self._names = names
        for widget in self.fields.values():
            if isinstance(widget, NameField):
                widget.know(self._names)

    @override
    def done(self, result: int) -> None:
        """Close; nobody waits for the names any more."""
        super().done(result)
        for task in self._reading_names:
            task.cancel()

    @slot
    def follow(self, item: Item) -> None:
        """Allow to save only while the item, which may have changed meanwhile, can still be corrected."""
        reason = why_not(item, Event.EDIT)
        self.save_button.setEnabled(not reason and self._task is None)
        self.save_button.setToolTip(plain_tip(reason))
        if reason:
            self._show_problem(f"It cannot be corrected now. {reason}")
        elif self._closed_to:
            self.problem.hide()
        self._closed_to = reason

    @slot
    def _on_save(self) -> None:
        typed: dict[str, str | bool] = {}
        for name, widget in self.fields.items():
            if isinstance(widget, QCheckBox):
                typed[name] = widget.isChecked()
            else:
                typed[name] = widget.toPlainText() if isinstance(widget, QPlainTextEdit) else widget.text()
        try:
            values = corrected(self.item, typed)
        except AlyxError as error:
            self._show_problem(str(error))
            return
        names = [widget.complaint for widget in self.fields.values() if isinstance(widget, NameField)]
        doubts = (*_doubts(self.item, values), *filter(None, names))
        if doubts and doubts != self._asked:
            self._asked = doubts
            self.save_button.setText("Save and send all the same")
            self._show_problem(" ".join(doubts))
            return
        key = self.item.key
        self._task = task = self._running.read(lambda outbox: outbox.edit(key, values), name="alyx-outbox-edit")
        task.succeeded.connect(self._on_saved)
        task.failed.connect(self._on_failed)
        self.save_button.setEnabled(False)
        task.start()

    @slot
    def _on_saved(self) -> None:
        self._task = None
        self._running.wake()
        self.accept()

    @slot
    def _on_failed(self, error: BaseException) -> None:
        self._task = None
        self.save_button.setEnabled(True)
        self._show_problem(describe(error).text)

    def _show_problem(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.show()


def _doubts(item: Item, values: Mapping[str, Any]) -> tuple[str, ...]:
    # What the dialog that recorded it would have asked about; a session has a dialog of its own.
    if item.kind is Kind.WEIGHING:
        against = weight_facts(item.origin).concerns(exact(values["weight"]), item.subject_name)
        return tuple(one.sentence for one in against)
    if item.kind is Kind.WATER and exact(values["water_administered"]) > MOST_ML:
        return (f"{values['water_administered']} mL is a lot. Is the amount in mL?",)
    return ()
