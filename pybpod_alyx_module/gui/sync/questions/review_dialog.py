"""One dialog about all that a sync would do: what differs is overridden, merged or kept, the rest done or left out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import QModelIndex, Qt
from AnyQt.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from pybpod_alyx_module.gui import windows
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.sync.questions.choices import ORDERS, TITLES, Choices
from pybpod_alyx_module.gui.sync.questions.plan_rows import PlanRows
from pybpod_alyx_module.gui.sync.questions.question import Question
from pybpod_alyx_module.gui.widgets import CalmComboBox, ValueBox, button_row, plain_label
from pybpod_alyx_module.gui.words import change, label, one_line, words
from pybpod_alyx_module.sync.plan import Action

if TYPE_CHECKING:
    from AnyQt.QtGui import QKeyEvent

    from pybpod_alyx_module.sync.plan import SyncPlan

#: Up to this many subjects that differ are shown with their fields at once.
FEW_SUBJECTS: Final = 8

#: Up to so many subjects that are removed are named below the list, too.
_MOST_NAMES: Final = 5
#: Letters for which the lists of kinds and orders have room.
_LETTERS: Final = 15

#: Height of a screen, in pixels, from which it has room for the legend.
LEGEND_FROM: Final = 620

#: What each button does, for the legend and the tooltips.
LEGEND: Final = {
    "Override": "Alyx's values replace the ticked fields of this project; the others are kept.",
    "Override all": "Alyx's details replace those of every subject that differs, ticked or not.",
    "Merge": "What is ticked and lacking here is filled in, nothing is replaced; the others are kept.",
    "Keep all": "The details of every subject that differs stay as they are.",
    "Cancel": "The sync stops and nothing changes at all: no subject is added or removed.",
}

#: The same where no subject differs.
LEGEND_WITHOUT_QUESTION: Final = {
    "Sync": "What is ticked is done; the rest waits for another sync.",
    "Cancel": LEGEND["Cancel"],
}


class ReviewDialog(Question):
    """Lists all that a plan does, and takes one answer: a `Review`.

    Of what differs, nothing is ticked at first, and *Cancel* is what Enter and Escape press: no subject's details are
    replaced unless a hand chose that subject or field, or *Override all*.
    """

    def __init__(self, plan: SyncPlan, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plan = plan
        self._choices = Choices(plan)
        self.setWindowTitle("Subjects that differ from Alyx" if self._choices.asking else "What the sync would change")
        windows.resize_to_screen(self, 1000, 660)
        self.kind, self.order = CalmComboBox(), CalmComboBox()
        self.kind.addItem(f"All ({len(self._choices.entries)})", None)
        for action, title in TITLES.items():
            count = len(plan.of(action))
            if count:
                self.kind.addItem(f"{title} ({count})", action)
        self.order.addItems(list(ORDERS))
        for box, what in ((self.kind, "Which of them are listed"), (self.order, "In which order they are listed")):
            box.setMinimumContentsLength(_LETTERS)
            box.setToolTip(what)
        self.search = QLineEdit(placeholderText="Filter")
        self.search.setToolTip("Lists only those with each of these words: in names, fields, values or reasons")
        self.search.setClearButtonEnabled(True)
        self.rows = PlanRows(self._choices)
        self.tree = self._make_tree()
        self.tick_all = QCheckBox("Tick all")
        self.tick_all.setTristate(True)
        self.tick_all.setVisible(bool(self._choices.asking))
        self.here_text, self.there_text = ValueBox(), ValueBox()
        self._caption = QLabel()
        self._caption.setTextFormat(Qt.PlainText)
        self._caption.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Preferred)  # a long name must not widen the window
        self._besides = plain_label()
        self._legend = LEGEND if self._choices.asking else LEGEND_WITHOUT_QUESTION
        self.buttons = {name: QPushButton(name) for name in self._legend}
        self._lay_out()
        self._connect()
        self._on_filter()
        self._on_ticked()

    def _make_tree(self) -> QTreeView:
        tree = QTreeView()
        tree.setModel(self.rows)
        tree.setAlternatingRowColors(True)
        tree.setUniformRowHeights(True)
        tree.setTextElideMode(Qt.ElideRight)
        header = tree.header()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(QHeaderView.Interactive)
        for column, width in enumerate((220, 220, 230)):
            tree.setColumnWidth(column, width)
        return tree

    def _lay_out(self) -> None:
        texts = QWidget()
        grid = QGridLayout(texts)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(self._caption, 0, 0, 1, 2)
        for column, (title, box) in enumerate((("In this project", self.here_text), ("On Alyx", self.there_text))):
            grid.addWidget(QLabel(title), 1, column)
            grid.addWidget(box, 2, column)
        texts.setVisible(any(entry.differences for entry in self._choices.entries))
        halves = QSplitter(Qt.Vertical)
        halves.addWidget(self.tree)
        halves.addWidget(texts)
        halves.setStretchFactor(0, 3)
        halves.setStretchFactor(1, 1)
        halves.setChildrenCollapsible(False)
        halves.setSizes([330, 190])
        for name, button in self.buttons.items():
            button.setToolTip(self._legend[name])
        buttons = button_row(*self.buttons.values())
        self.buttons["Cancel"].setDefault(True)
        rows = "".join(
            f"<tr><td><b>{name}</b>&nbsp;&nbsp;</td><td>{text}</td></tr>" for name, text in self._legend.items()
        )
        legend = plain_label(f"<table cellspacing='2'>{rows}</table>")
        legend.setTextFormat(Qt.RichText)
        legend.setVisible(windows.room_for(self).height() >= LEGEND_FROM)  # the buttons' tooltips say the same
        narrow = QHBoxLayout()
        narrow.addWidget(self.tick_all)
        narrow.addWidget(self.search, 1)
        narrow.addWidget(self.kind)
        narrow.addWidget(self.order)
        column = QVBoxLayout(self)
        column.addWidget(plain_label(self._heading()))
        column.addLayout(narrow)
        column.addWidget(halves, 1)
        column.addWidget(self._besides)
        column.addWidget(legend)
        column.addLayout(buttons)

    def _connect(self) -> None:
        self.search.textChanged.connect(self._on_filter)
        self.kind.activated.connect(self._on_filter)
        self.order.activated.connect(self._on_filter)
        self.rows.ticked.connect(self._on_ticked)
        self.tree.selectionModel().currentChanged.connect(self._on_current)
        self.tick_all.clicked.connect(self._on_tick_all)
        for name, pressed in (
            ("Override", partial(self._take, Action.OVERRIDE)),
            ("Override all", self._on_override_all),
            ("Merge", partial(self._take, Action.MERGE)),
            ("Keep all", self._on_keep_all),
            ("Sync", partial(self._take, Action.KEEP)),
            ("Cancel", self.reject),
        ):
            if name in self.buttons:
                self.buttons[name].clicked.connect(pressed)

    def _heading(self) -> str:
        where = f"Alyx ({self._plan.server}, {self._plan.whose})"
        count = len(self._choices.asking)
        if not count:
            return f"All that a sync with {where} would do. Untick what should wait, then press a button."
        what = "1 subject of this project differs" if count == 1 else f"{count} subjects of this project differ"
        return f"{what} from {where}. Tick the subjects or fields to override or merge, then press a button."

    def _what_else(self) -> str:
        parts = []
        for action, text in (
            (Action.ADD, "{} added"),
            (Action.MERGE, "{} filled in"),
            (Action.REMOVE, "{} not alive on Alyx removed from this PyBpod project"),
        ):
            count = self._choices.count(action)
            if count:
                parts.append(text.format(f"{count} subject{'' if count == 1 else 's'}"))
        removed = [entry for entry in self._plan.of(Action.REMOVE) if self._choices.ticked(entry)]
        if 0 < len(removed) <= _MOST_NAMES:
            parts[-1] += f" ({', '.join(one_line(entry.name) for entry in removed)})"
        if not parts:
            return "No other subject of the project is changed."
        return f"Unless you cancel: {', '.join(parts)}."

    def ticked(self) -> set[str]:
        """Return those of the subjects that differ of which something is ticked."""
        return {entry.identity for entry in self._choices.asking if self._choices.ticked(entry)}

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Go from the filter to what it found on Enter, which presses Cancel elsewhere."""
        if event.key() in {Qt.Key_Return, Qt.Key_Enter} and self.search.hasFocus():
            self.tree.setFocus()
        else:
            super().keyPressEvent(event)

    @slot
    def _on_filter(self) -> None:
        entries = self._choices.shown(self.kind.currentData(), self.search.text(), self.order.currentText())
        self.rows.show_entries(entries)
        asking = sum(entry.action is Action.ASK for entry in entries)
        for row, entry in enumerate(entries):
            self.tree.setFirstColumnSpanned(row, QModelIndex(), True)
            if entry.action is Action.ASK and asking <= FEW_SUBJECTS:
                self.tree.expand(self.rows.index(row, 0))
        if entries:
            self.tree.setCurrentIndex(self.rows.index(0, 0))
        self._on_current(self.tree.currentIndex())

    @slot
    def _on_ticked(self) -> None:
        asking = self._choices.asking
        count = len(self.ticked())
        for name in ("Override", "Merge"):
            if name in self.buttons:
                self.buttons[name].setEnabled(count > 0)
        is_whole = all(map(self._choices.is_whole, asking))
        self.tick_all.setCheckState(Qt.Unchecked if count == 0 else Qt.Checked if is_whole else Qt.PartiallyChecked)
        self.tick_all.setText(f"Tick all ({count} of {len(asking)} ticked)")
        self._besides.setText(self._what_else())

    @slot
    def _on_tick_all(self) -> None:
        shown = [entry for entry in self.rows.shown if entry.action is Action.ASK]
        self.rows.tick(shown, on=not all(map(self._choices.is_whole, shown)))
        self.tree.viewport().update()
        self._on_ticked()

    @slot
    def _on_current(self, index: QModelIndex) -> None:
        entry, difference = self.rows.entry_of(index), self.rows.difference_of(index)
        if entry is None or difference is None:
            self._caption.setText("Select a field to read its two values in full.")
            self.here_text.show_value("")
            self.there_text.show_value("")
            return
        self._caption.setText(f"{label(difference.field)} of {one_line(entry.name)}: {change(difference)}")
        self.here_text.show_value(words(difference.local))
        self.there_text.show_value(words(difference.remote))

    @slot
    def _on_override_all(self) -> None:
        self._answer = self._choices.review(Action.OVERRIDE, self._choices.asking)
        self.accept()

    @slot
    def _on_keep_all(self) -> None:
        self._answer = self._choices.review(Action.KEEP, ())
        self.accept()

    @slot
    def _take(self, action: Action) -> None:
        self._answer = self._choices.review(action)
        self.accept()
