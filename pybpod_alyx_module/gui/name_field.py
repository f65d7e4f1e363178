"""A field for names on Alyx: chosen from its list, completed as they are typed, marked where Alyx has none such."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import QModelIndex, QStringListModel, Qt
from AnyQt.QtGui import QIcon, QPainter, QPixmap
from AnyQt.QtWidgets import QCompleter, QLineEdit, QStyle, QStyleOption, QVBoxLayout, QWidget

from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.widgets import plain_label
from pybpod_alyx_module.name_lists import HOW_TO_WRITE, SEPARATOR, join_names, split_names
from pybpod_alyx_module.names.alyx_names import AlyxNames

if TYPE_CHECKING:
    from collections.abc import Iterable

    from AnyQt.QtGui import QKeyEvent

#: Names that are shown at once, without scrolling.
_LINES: Final = 12


class _Completer(QCompleter):
    """Completes the last of several names; what stands before it stays."""

    def __init__(self, field: NameField, *, several: bool) -> None:
        self._names = QStringListModel()
        super().__init__(self._names, field)
        self._several = several
        #: What was typed: while a person moves through the list, the field shows what would be chosen.
        self.typed = ""
        self.setCaseSensitivity(Qt.CaseInsensitive)
        self.setFilterMode(Qt.MatchContains)
        self.setMaxVisibleItems(_LINES)

    def offer(self, names: Iterable[str]) -> None:
        """Set the names to choose from."""
        names = list(names)
        if names != self._names.stringList():
            self._names.setStringList(names)

    @override
    def splitPath(self, path: str) -> list[str]:  # noqa: N802 - Qt's name
        """Return what is to be completed."""
        return [path.rpartition(SEPARATOR)[2].strip() if self._several else path]

    @override
    def pathFromIndex(self, index: QModelIndex) -> str:  # noqa: N802 - Qt's name
        """Return the text of the field with the name that was chosen."""
        chosen = str(index.data())
        return join_names([*split_names(self.typed.rpartition(SEPARATOR)[0]), chosen]) if self._several else chosen


class NameField(QLineEdit):
    """A line for one name, or for several with `SEPARATOR` between them; Down, or the arrow in it, shows all names.

    ``name``: the field of the record, one of `alyx_names.NOUNS`.
    """

    def __init__(self, name: str, *, several: bool = False) -> None:
        super().__init__()
        self._name, self._several = name, several
        self._names = AlyxNames()
        #: Says below the line which names Alyx does not have.
        self.note = plain_label()
        self.note.setStyleSheet("background: #fff4d6; color: #402c00; padding: 2px;")
        self.note.hide()
        self.completer_of_names = _Completer(self, several=several)
        self.setCompleter(self.completer_of_names)
        if several:
            self.setPlaceholderText(HOW_TO_WRITE)
        self._arrow = self.addAction(_arrow_of(self), QLineEdit.TrailingPosition)
        self._arrow.setToolTip("Choose from the names on Alyx")
        self._arrow.setVisible(False)
        self._arrow.triggered.connect(self.show_all)
        self.textEdited.connect(self._on_typed)
        self.textChanged.connect(self._mark)
        # once Qt has written it into the line, which makes it count as not typed
        self.completer_of_names.activated[str].connect(self._on_chosen, Qt.QueuedConnection)

    def with_note(self) -> QWidget:
        """Put the line and the note below it into one widget, for a form."""
        both = QWidget()
        both.setFocusProxy(self)
        column = QVBoxLayout(both)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self)
        column.addWidget(self.note)
        return both

    def know(self, names: AlyxNames) -> None:
        """Take the names that Alyx has; where it does not tell those of this field, any are taken."""
        self._names = names
        self.completer_of_names.offer(names.of(self._name))
        self._arrow.setVisible(bool(names.of(self._name)))
        self._mark()

    @property
    def values(self) -> tuple[str, ...]:
        """The names that stand in the line."""
        text = self.text().strip()
        return split_names(text) if self._several else (text,) if text else ()

    @property
    def complaint(self) -> str:
        """Which of them Alyx does not have, and what may have been meant; empty where it has all."""
        return self._names.complaint(self._name, self.values)

    @property
    def refused(self) -> str:
        """The same, where Alyx told its names just now, so that it would refuse these."""
        return self._names.refused(self._name, self.values)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Show all names where Down is pressed."""
        if event.key() == Qt.Key_Down and self._arrow.isVisible():
            self.show_all()
        else:
            super().keyPressEvent(event)

    @slot
    def show_all(self) -> None:
        """Show all names; the one that is chosen is added where there may be several."""
        self.setFocus()
        text = self.text().strip()
        last = text.rpartition(SEPARATOR)[2].strip()
        complete = self._several and last in self._names.of(self._name)
        self.completer_of_names.typed = f"{text}{SEPARATOR}" if complete else text
        self.completer_of_names.setCompletionPrefix("")
        self.completer_of_names.complete()

    @slot
    def _on_typed(self, text: str) -> None:
        self.completer_of_names.typed = text

    @slot
    def _on_chosen(self) -> None:
        self.setModified(True)

    @slot
    def _mark(self) -> None:
        complaint = self.complaint
        self.note.setText(complaint)
        self.note.setVisible(bool(complaint))


def _arrow_of(widget: QWidget) -> QIcon:
    # the one of a list to choose from, in the colours of the widget
    picture = QPixmap(16, 16)
    picture.fill(Qt.transparent)
    option = QStyleOption()
    option.initFrom(widget)
    option.rect = picture.rect()
    option.state |= QStyle.State_Enabled
    painter = QPainter(picture)
    widget.style().drawPrimitive(QStyle.PE_IndicatorArrowDown, option, painter, widget)
    painter.end()
    return QIcon(picture)
