"""The window that shows the manual, and the key that opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QObject, Qt, QUrl
from AnyQt.QtGui import QDesktopServices, QImage, QTextDocument, QTextLength, QTextTable
from AnyQt.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QPushButton, QShortcut, QTextBrowser, QVBoxLayout

from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.manual.pages import RIG, Page, anchor_of, file_of, page_about
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.widgets import plain_label
from pybpod_alyx_module.gui.windows import AlyxWindow, resize_to_screen

if TYPE_CHECKING:
    from AnyQt.QtWidgets import QWidget

#: Label of the menu entry.
MANUAL: Final = "Manual of the Alyx plugin"

#: Pixels at the sides of a picture.
_MARGIN: Final = 40
#: Pixels around the text of a cell.
_PADDING: Final = 3
#: Characters that a column of a table has at most, in comparison with the others.
_WIDEST: Final = 60

NOT_INSTALLED: Final = "This page is not installed here; a copy of the plugin's repository has it, in docs."
NOT_FOUND: Final = "Not found on this page."


class _Browser(QTextBrowser):
    """Pictures are no wider than the window."""

    @override
    def loadResource(self, kind: int, name: QUrl) -> Any:  # noqa: N802 - Qt's name
        """Return a picture in the width that there is, anything else as Qt does."""
        if kind != QTextDocument.ImageResource:
            return super().loadResource(kind, name)
        picture = QImage(self.source().resolved(name).toLocalFile())
        room = self.viewport().width() - _MARGIN
        return picture.scaledToWidth(room, Qt.SmoothTransformation) if picture.width() > room > 0 else picture


def _shape_tables(document: QTextDocument) -> None:
    # Qt makes all columns of Markdown's tables equally wide.
    for table in document.rootFrame().childFrames():
        if not isinstance(table, QTextTable):
            continue
        weights = [
            _weight([_text_of(table, row, column) for row in range(table.rows())]) for column in range(table.columns())
        ]
        shares = [QTextLength(QTextLength.PercentageLength, 100 * weight / sum(weights)) for weight in weights]
        shape = table.format()
        shape.setColumnWidthConstraints(shares)
        shape.setCellSpacing(0)
        shape.setCellPadding(_PADDING)
        shape.setBorderCollapse(True)
        table.setFormat(shape)


def _text_of(table: QTextTable, row: int, column: int) -> str:
    cell = table.cellAt(row, column)
    cursor = cell.firstCursorPosition()
    cursor.setPosition(cell.lastCursorPosition().position(), cursor.KeepAnchor)
    return str(cursor.selectedText())


def _weight(texts: list[str]) -> float:
    longest_word = max(len(word) for text in texts for word in (text.split() or [""]))
    return max(longest_word, min(sum(map(len, texts)) / len(texts), _WIDEST), 1)


class ManualWindow(AlyxWindow):
    """Shows a page of the manual, and what its links lead to."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WA_DeleteOnClose)
        resize_to_screen(self, 860, 700)
        self._page: Page | None = None
        self._earlier: list[Page] = []
        self.browser = _Browser()
        self.browser.setOpenLinks(False)
        self.browser.anchorClicked.connect(self._on_link)
        self.back_button = QPushButton("&Back")
        self.back_button.setAutoDefault(False)
        self.back_button.clicked.connect(self._on_back)
        self.find_field = QLineEdit(
            placeholderText="Find on this page, then Enter for the next", clearButtonEnabled=True
        )
        self.find_field.returnPressed.connect(self._on_find)
        self.message = plain_label()
        self.close_button = QPushButton("&Close")
        self.close_button.clicked.connect(self.close)
        above = QHBoxLayout()
        above.addWidget(self.back_button)
        above.addWidget(self.find_field, 1)
        below = QHBoxLayout()
        below.addWidget(self.message, 1)
        below.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.addLayout(above)
        column.addWidget(self.browser)
        column.addLayout(below)
        self.browser.setFocus()

    @property
    def page(self) -> Page | None:
        """What is shown."""
        return self._page

    def go_to(self, page: Page) -> None:
        """Show a part of the manual; *Back* leads to the one before."""
        if self._page is not None and page != self._page and self._show(page):
            self._earlier.append(self._page)
            self._page = page
        elif self._page is None and self._show(page):
            self._page = page
        self.back_button.setEnabled(bool(self._earlier))

    def _show(self, page: Page) -> bool:
        file = file_of(page.name)
        self.message.setText("" if file is not None else NOT_INSTALLED)
        if file is None:
            return False
        if self._page is None or self._page.name != page.name:
            self.browser.setSource(QUrl.fromLocalFile(str(file)))
            _shape_tables(self.browser.document())
        headings = self._headings()
        self.setWindowTitle(next(iter(headings.values()), MANUAL))
        if page.heading:
            for place, heading in headings.items():
                if anchor_of(page.heading) == anchor_of(heading):
                    self._scroll_to(place)
        else:
            self._scroll_to(0)
        return True

    def _headings(self) -> dict[int, str]:
        document, found = self.browser.document(), {}
        block = document.begin()
        while block.isValid():
            if block.blockFormat().headingLevel():
                found[block.blockNumber()] = block.text()
            block = block.next()
        return found

    def _scroll_to(self, number: int) -> None:
        document = self.browser.document()
        place = document.documentLayout().blockBoundingRect(document.findBlockByNumber(number)).top()
        self.browser.verticalScrollBar().setValue(int(place) if number else 0)

    @slot
    def _on_link(self, url: QUrl) -> None:
        if url.scheme() in {"http", "https"}:
            QDesktopServices.openUrl(url)
            return
        name = url.path().rpartition("/")[2]
        if name and not name.endswith(".md"):
            self.message.setText(NOT_INSTALLED)
            return
        here = self._page.name if self._page is not None else RIG.name
        self.go_to(Page(name.removesuffix(".md") or here, url.fragment()))

    @slot
    def _on_back(self) -> None:
        if self._earlier:
            page = self._earlier.pop()
            if self._show(page):
                self._page = page
        self.back_button.setEnabled(bool(self._earlier))

    @slot
    def _on_find(self) -> None:
        typed = self.find_field.text()
        found = not typed or self.browser.find(typed)
        if not found:
            self.browser.moveCursor(self.browser.textCursor().Start)  # once more from the beginning
            found = self.browser.find(typed)
        self.message.setText("" if found else NOT_FOUND)


def open_manual(page: Page, parent: QWidget | None = None) -> ManualWindow:
    """Show a part of the manual: in the window that is open, or a new one.

    ``parent``: the window in front of which it is shown.
    """
    above = parent.window() if parent is not None else None
    shown = [one for one in QApplication.topLevelWidgets() if isinstance(one, ManualWindow) and one.isVisible()]
    # a modal dialog keeps the keyboard from all windows but its own
    fitting = [one for one in shown if above is None or not above.isModal() or one.parentWidget() is above]
    window = fitting[0] if fitting else ManualWindow(above)
    show_in_front(window)
    window.go_to(page)  # once its width is known
    return window


class ManualKey(QObject):
    """Has F1 open the manual at what it says of the window that has the keyboard.

    ``main``: PyBpod's main window.
    """

    def __init__(self, main: QWidget) -> None:
        super().__init__(main)
        self._main = main
        application = QApplication.instance()
        if application is not None:
            application.focusChanged.connect(self._on_focus)

    @slot
    def _on_focus(self, _before: QWidget | None, now: QWidget | None) -> None:
        window = now.window() if now is not None else None
        if window is None or isinstance(window, ManualWindow):
            return
        is_ours = type(window).__module__.startswith("pybpod_alyx_module.")
        if not is_ours or window.findChild(QShortcut, MANUAL, Qt.FindDirectChildrenOnly) is not None:
            return
        key = QShortcut(Qt.Key_F1, window)
        key.setObjectName(MANUAL)
        key.activated.connect(self._on_key)

    @slot
    def _on_key(self) -> None:
        key = self.sender()
        window = key.parent() if key is not None else self._main
        open_manual(page_about(type(window)), window if window.isModal() else self._main)
