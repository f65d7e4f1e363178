"""A box that shows one value of a subject, and gives all of it to whoever copies it."""

from __future__ import annotations

from AnyQt.QtCore import QMimeData
from AnyQt.QtWidgets import QPlainTextEdit

from pybpod_alyx_module.gui.words import excerpt


class ValueBox(QPlainTextEdit):
    """Shows a value, of a very long one the beginning; who selects and copies all of that gets the whole value."""

    def __init__(self) -> None:
        super().__init__()
        self._value = ""
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setMinimumHeight(70)

    def show_value(self, text: str) -> None:
        """Show a value.

        Parameters
        ----------
        text : str
            The value in words; plain text.
        """
        self._value = text
        self.setPlainText(excerpt(text, "selecting all and copying has the whole text"))

    def createMimeDataFromSelection(self) -> QMimeData:  # noqa: N802 - Qt's name
        """Return what is copied: the whole value where all that is shown is selected.

        Returns
        -------
        QMimeData
            The text.
        """
        cursor = self.textCursor()
        if cursor.selectionEnd() - cursor.selectionStart() < self.document().characterCount() - 1:
            return super().createMimeDataFromSelection()
        data = QMimeData()
        data.setText(self._value)
        return data
