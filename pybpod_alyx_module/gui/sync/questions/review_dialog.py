"""One dialog for all subjects about which a plan asks: override, merge or keep."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import Qt
from AnyQt.QtGui import QPalette
from AnyQt.QtWidgets import (
    QApplication,
    QCheckBox,
    QGridLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from pybpod_alyx_module.gui import windows
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.sync.questions.question import Question
from pybpod_alyx_module.gui.widgets import ValueBox, button_row, plain_label
from pybpod_alyx_module.gui.words import cell, change, is_blank, label, one_line, says_nothing, words
from pybpod_alyx_module.sync.plan import Action

if TYPE_CHECKING:
    from pybpod_alyx_module.sync.plan import Difference, PlanEntry, SyncPlan

#: Up to this many subjects are shown with their fields at once.
FEW_SUBJECTS: Final = 8

#: Height of a screen, in pixels, from which it has room for the legend.
LEGEND_FROM: Final = 620

#: What each button does, for the legend and the tooltips.
LEGEND: Final = {
    "Override": "Alyx's details replace those of the ticked subjects in this project; the others are kept.",
    "Override all": "Alyx's details replace those of every subject in this list, ticked or not.",
    "Merge": "What the ticked subjects lack is filled in, nothing is replaced; the others are kept.",
    "Keep all": "The details of every subject in this list stay as they are.",
    "Cancel": "The sync stops and nothing changes at all: no subject is added or removed.",
}

_ENTRY: Final = Qt.UserRole
_DIFFERENCE: Final = Qt.UserRole + 1


class ReviewDialog(Question):
    """Lists the subjects that differ, field by field, and takes one answer for each: a dict of key to `Action`.

    Nothing is ticked at first, and *Cancel* is what Enter and Escape press: no subject's details are replaced unless
    a hand chose that subject, or *Override all*.
    """

    def __init__(self, plan: SyncPlan, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plan = plan
        self._entries = plan.of(Action.ASK)
        self.setWindowTitle("Subjects that differ from Alyx")
        windows.resize_to_screen(self, 1000, 660)
        self.tree = self._make_tree()
        self.tick_all = QCheckBox("Tick all")
        self.tick_all.setTristate(True)
        self.here_text, self.there_text = ValueBox(), ValueBox()
        self._caption = QLabel()
        self._caption.setTextFormat(Qt.PlainText)
        self._caption.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Preferred)  # a long name must not widen the window
        self.buttons = {name: QPushButton(name) for name in LEGEND}
        self._lay_out()
        self.tree.itemChanged.connect(self._on_ticked)
        self.tree.currentItemChanged.connect(self._on_current)
        self.tick_all.clicked.connect(self._on_tick_all)
        for name, pressed in (
            ("Override", self._on_override),
            ("Override all", self._on_override_all),
            ("Merge", self._on_merge),
            ("Keep all", self._on_keep_all),
            ("Cancel", self.reject),
        ):
            self.buttons[name].clicked.connect(pressed)
        self._fill()

    def _make_tree(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setColumnCount(4)
        tree.setHeaderLabels(["Field", "In this project", "On Alyx", "What differs"])
        tree.setAlternatingRowColors(True)
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
        halves = QSplitter(Qt.Vertical)
        halves.addWidget(self.tree)
        halves.addWidget(texts)
        halves.setStretchFactor(0, 3)
        halves.setStretchFactor(1, 1)
        halves.setChildrenCollapsible(False)
        halves.setSizes([330, 190])
        for name, button in self.buttons.items():
            button.setToolTip(LEGEND[name])
        row = button_row(*self.buttons.values())
        self.buttons["Cancel"].setDefault(True)
        legend = plain_label(
            "<table cellspacing='2'>"
            + "".join(f"<tr><td><b>{name}</b>&nbsp;&nbsp;</td><td>{text}</td></tr>" for name, text in LEGEND.items())
            + "</table>"
        )
        legend.setTextFormat(Qt.RichText)
        legend.setVisible(windows.room_for(self).height() >= LEGEND_FROM)  # the buttons' tooltips say the same
        column = QVBoxLayout(self)
        column.addWidget(plain_label(self._heading()))
        column.addWidget(self.tick_all)
        column.addWidget(halves, 1)
        column.addWidget(plain_label(self._besides()))
        column.addWidget(legend)
        column.addLayout(row)

    def _heading(self) -> str:
        count = len(self._entries)
        what = "1 subject of this project differs" if count == 1 else f"{count} subjects of this project differ"
        return (
            f"{what} from Alyx ({self._plan.server}, {self._plan.whose}). "
            "Tick the subjects to override or merge, then press a button."
        )

    def _besides(self) -> str:
        parts = []
        for action, text in (
            (Action.ADD, "{} added"),
            (Action.MERGE, "{} filled in"),
            (Action.REMOVE, "{} not alive on Alyx removed from this PyBpod project"),
        ):
            count = len(self._plan.of(action))
            if count:
                parts.append(text.format(f"{count} subject{'' if count == 1 else 's'}"))
        removals = self._plan.of(Action.REMOVE)
        if removals and not self._plan.many_removals:  # many are asked about with a list of their own
            parts[-1] += f" ({', '.join(one_line(entry.name) for entry in removals)})"
        if not parts:
            return "No other subject of the project is changed."
        return f"Unless you cancel: {', '.join(parts)}."

    def _fill(self) -> None:
        for entry in self._entries:
            self.tree.addTopLevelItem(_subject_item(entry))
        for row in range(self.tree.topLevelItemCount()):
            item = self.tree.topLevelItem(row)
            item.setFirstColumnSpanned(True)
            item.setExpanded(len(self._entries) <= FEW_SUBJECTS)
        if self._entries:
            self.tree.setCurrentItem(self.tree.topLevelItem(0))
        self._on_ticked()

    def ticked(self) -> set[str]:
        """Return the ticked subjects."""
        items = [self.tree.topLevelItem(row) for row in range(self.tree.topLevelItemCount())]
        return {_key(item.data(0, _ENTRY)) for item in items if item.checkState(0) == Qt.Checked}

    @slot
    def _on_ticked(self) -> None:
        count = len(self.ticked())
        for name in ("Override", "Merge"):
            self.buttons[name].setEnabled(count > 0)
        state = Qt.Unchecked if count == 0 else Qt.Checked if count == len(self._entries) else Qt.PartiallyChecked
        self.tick_all.setCheckState(state)
        self.tick_all.setText(f"Tick all ({count} of {len(self._entries)} ticked)")

    @slot
    def _on_tick_all(self) -> None:
        state = Qt.Unchecked if len(self.ticked()) == len(self._entries) else Qt.Checked
        self.tree.blockSignals(True)
        try:
            for row in range(self.tree.topLevelItemCount()):
                self.tree.topLevelItem(row).setCheckState(0, state)
        finally:
            self.tree.blockSignals(False)
        self.tree.viewport().update()
        self._on_ticked()

    @slot
    def _on_current(self, item: QTreeWidgetItem | None) -> None:
        difference = None if item is None else item.data(0, _DIFFERENCE)
        if item is None or difference is None:
            self._caption.setText("Select a field to read its two values in full.")
            self.here_text.show_value("")
            self.there_text.show_value("")
            return
        name = item.parent().data(0, _ENTRY).name
        self._caption.setText(f"{label(difference.field)} of {one_line(name)}: {change(difference)}")
        self.here_text.show_value(words(difference.local))
        self.there_text.show_value(words(difference.remote))

    @slot
    def _on_override(self) -> None:
        self._take(self.ticked(), Action.OVERRIDE)

    @slot
    def _on_override_all(self) -> None:
        self._take({_key(entry) for entry in self._entries}, Action.OVERRIDE)

    @slot
    def _on_merge(self) -> None:
        self._take(self.ticked(), Action.MERGE)

    @slot
    def _on_keep_all(self) -> None:
        self._take(set(), Action.KEEP)

    def _take(self, chosen: set[str], action: Action) -> None:
        keys = [_key(entry) for entry in self._entries]
        self._answer = {key: action if key in chosen else Action.KEEP for key in keys}
        self.accept()


def _key(entry: PlanEntry) -> str:
    return "" if entry.local is None else entry.local.key


def _subject_item(entry: PlanEntry) -> QTreeWidgetItem:
    differences = sorted(entry.differences, key=says_nothing)
    count = sum(not says_nothing(difference) for difference in differences)
    how_many = "no field differs" if count == 0 else f"{count} field{' differs' if count == 1 else 's differ'}"
    text = f"{cell(entry.name)}:  {'; '.join(filter(None, (how_many, cell(entry.reason))))}"
    item = QTreeWidgetItem([text])
    item.setData(0, _ENTRY, entry)
    item.setFlags(Qt.ItemIsEnabled | Qt.ItemIsSelectable | Qt.ItemIsUserCheckable)
    item.setCheckState(0, Qt.Unchecked)
    item.setToolTip(0, _tooltip(text))
    font = item.font(0)
    font.setBold(True)
    item.setFont(0, font)
    item.addChildren([_field_item(difference) for difference in differences])
    return item


def _field_item(difference: Difference) -> QTreeWidgetItem:
    values = (difference.local, difference.remote)
    item = QTreeWidgetItem([cell(text) for text in _cells(difference, *(words(v, indent=None) for v in values))])
    item.setData(0, _DIFFERENCE, difference)
    item.setFlags(Qt.ItemIsEnabled | Qt.ItemIsSelectable)
    for column, text in enumerate(_cells(difference, *map(words, values))):
        item.setToolTip(column, _tooltip(text))
    for column, value in ((1, difference.local), (2, difference.remote)):
        if is_blank(value):  # "(none)" set in italics is not the text "(none)"
            font = item.font(column)
            font.setItalic(True)
            item.setFont(column, font)
    if says_nothing(difference):
        for column in range(item.columnCount()):
            item.setForeground(column, QApplication.palette().brush(QPalette.Disabled, QPalette.Text))
    return item


def _cells(difference: Difference, here: str, there: str) -> list[str]:
    return [label(difference.field), here, there, change(difference)]


def _tooltip(text: str) -> str:
    # Qt takes text that looks like HTML for HTML; what a server sent is shown as it is
    return f"<qt><p style='white-space:pre-wrap'>{html.escape(text[:2000])}</p></qt>"
