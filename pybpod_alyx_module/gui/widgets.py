"""Labels and lists of the dialogs that write to Alyx."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from AnyQt.QtCore import QMimeData, QSize, Qt
from AnyQt.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QWidget,
)

from pybpod_alyx_module.gui.guard import override
from pybpod_alyx_module.gui.words import excerpt, plain_tip

if TYPE_CHECKING:
    from collections.abc import Callable

    from AnyQt.QtGui import QResizeEvent, QWheelEvent


class CalmComboBox(QComboBox):
    """A list to choose from; turning the wheel over it does not change the choice."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(20)

    @override
    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Leave the wheel to the window."""
        event.ignore()


class NoticeBox(QPlainTextEdit):
    """A yellow box of plain text, as high as its text; what is longer scrolls."""

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setStyleSheet("QPlainTextEdit { background: #fff4d6; color: #402c00; }")

    def fit(self, lines: int) -> None:
        """Take the height of the text.

        ``lines``: how many lines it may be high at most.
        """
        document = self.document()
        block, height = document.begin(), 0.0
        while block.isValid():  # a line with a sign of another font is higher than the others
            height += self.blockBoundingRect(block).height()
            block = block.next()
        most = self.fontMetrics().lineSpacing() * lines
        around = 2 * (document.documentMargin() + self.frameWidth())
        self.setFixedHeight(ceil(min(height, most) + around) + 2)


class _WrappedLabel(QLabel):
    """Plain text that wraps and can be copied; as high as it is at the width that it has."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.setTextFormat(Qt.PlainText)
        self.setTextInteractionFlags(Qt.TextSelectableByMouse)
        self.setSizePolicy(QSizePolicy.Preferred, QSizePolicy.Minimum)
        self.setWordWrap(True)  # after the policy, to which it adds that the height follows the width

    @override
    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size at the width that it has: Qt's own is that of a narrow label, and high."""
        usual = super().sizeHint()
        if self.text():
            usual.setHeight(min(usual.height(), self.heightForWidth(max(usual.width(), self.width()))))
        return usual

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Tell the layout that another width has another height."""
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self.updateGeometry()


class Scrolled(QScrollArea):
    """What scrolls where the screen is too low for it."""

    def __init__(self, inside: QWidget | QLayout) -> None:
        super().__init__()
        if isinstance(inside, QLayout):
            widget = QWidget()
            widget.setLayout(inside)
        else:
            widget = inside
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setWidget(widget)

    @property
    def lacking(self) -> int:
        """How many pixels it is too low for all of it to be seen."""
        layout, seen = self.widget().layout(), self.viewport().size()
        if layout.hasHeightForWidth():
            return int(layout.totalHeightForWidth(seen.width()) - seen.height())
        return int(layout.totalSizeHint().height() - seen.height())


def ask_file(window: QWidget, title: str, name: str, suffix: str, chosen: Callable[[str], object]) -> QFileDialog:
    """Ask for a file to write to, beside the window, which stays usable; Qt asks before one is replaced.

    ``name``: what the file is called unless a person types another name.
    ``suffix``: of its kind, without a dot.
    ``chosen``: takes its path.
    """
    dialog = QFileDialog(window, title, "", f"{suffix.upper()} (*.{suffix})")
    dialog.setAttribute(Qt.WA_DeleteOnClose)
    dialog.setModal(False)
    dialog.setAcceptMode(QFileDialog.AcceptSave)
    dialog.setDefaultSuffix(suffix)
    dialog.selectFile(name)
    dialog.fileSelected.connect(chosen)
    dialog.show()
    return dialog


def button_row(*buttons: QPushButton, left: QPushButton | None = None) -> QHBoxLayout:
    """Make the row of buttons below a window's fields, at its right end; Enter in a field presses none of them.

    ``left``: one that stands at the left end.
    """
    row = QHBoxLayout()
    if left is not None:
        left.setAutoDefault(False)
        row.addWidget(left)
    row.addStretch(1)
    for button in buttons:
        button.setAutoDefault(False)
        row.addWidget(button)
    return row


def plain_label(text: str = "") -> QLabel:
    """Make a label of plain text that wraps and can be copied."""
    return _WrappedLabel(text)


class BigLabel(QLabel):
    """Large plain text in one line; what does not fit is cut in the middle; the tooltip shows all of it."""

    def __init__(self, text: str = "", points: int = 6) -> None:
        super().__init__()
        self._whole = ""
        self.setTextFormat(Qt.PlainText)
        self.setTextInteractionFlags(Qt.TextSelectableByMouse)
        self.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Fixed)
        font = self.font()
        font.setPointSize(font.pointSize() + points)
        font.setBold(True)
        self.setFont(font)
        self.say(text)

    @property
    def whole(self) -> str:
        """All of the text."""
        return self._whole

    def say(self, text: str) -> None:
        """Show a text."""
        self._whole = " ".join(text.split())
        self._fit()

    @override
    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size of the whole text."""
        metrics = self.fontMetrics()
        return QSize(min(metrics.horizontalAdvance(self._whole) + 4, 600), metrics.height() + 4)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Cut the text again."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(self._whole, Qt.ElideMiddle, max(self.width(), 100))
        self.setText(shown)
        self.setToolTip(plain_tip(self._whole) if shown != self._whole else "")


class ValueBox(QPlainTextEdit):
    """Shows a value, of a very long one the beginning; who selects and copies all of that gets the whole value."""

    def __init__(self) -> None:
        super().__init__()
        self._value = ""
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setMinimumHeight(50)

    def show_value(self, text: str) -> None:
        """Show a value."""
        self._value = text
        self.setPlainText(excerpt(text, "selecting all and copying has the whole text"))

    @override
    def createMimeDataFromSelection(self) -> QMimeData:  # noqa: N802 - Qt's name
        """Return what is copied: the whole value where all that is shown is selected."""
        cursor = self.textCursor()
        if cursor.selectionEnd() - cursor.selectionStart() < self.document().characterCount() - 1:
            return super().createMimeDataFromSelection()
        data = QMimeData()
        data.setText(self._value)
        return data
