"""What the plugin's windows have in common: they show where the keyboard is, and Escape closes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QSize, Qt
from AnyQt.QtGui import QPalette
from AnyQt.QtWidgets import QApplication, QPushButton, QWidget

from pybpod_alyx_module.gui.guard import is_there, override

if TYPE_CHECKING:
    from AnyQt.QtGui import QKeyEvent


#: Shows which button has the keyboard: most styles show it by a line that nobody sees, or not at all. And an empty
#: tick box, whose edge is darker than what is behind it: in a dark palette that is nothing.
FOCUS_STYLE: Final = (
    "QPushButton:focus { outline: none; border: 2px solid palette(highlight); border-radius: 4px; "
    "padding: 2px; background: palette(light); color: palette(button-text); }"
    "QCheckBox::indicator:unchecked:enabled, QAbstractItemView::indicator:unchecked:enabled { width: 11px; "
    "height: 11px; border: 1px solid palette(window-text); border-radius: 2px; background: palette(base); }"
)


#: The colour of what needs a person, on a light and on a dark background; the words say it, too.
_URGENT: Final = "#b00020"
_URGENT_ON_DARK: Final = "#ff8a80"
#: Lightness of a background, of 255, below which it is dark.
_DARK: Final = 128

#: Pixels that a window's frame and title bar take of the screen.
_FRAME_WIDTH: Final = 8
_FRAME_HEIGHT: Final = 40


def urgent_colour() -> str:
    """Return the colour of what needs a person."""
    behind = QApplication.palette().color(QPalette.Base)
    return _URGENT_ON_DARK if behind.lightness() < _DARK else _URGENT


def room_for(window: QWidget) -> QSize:
    """Return the largest size that a window can have on its screen."""
    return window.screen().availableGeometry().size() - QSize(_FRAME_WIDTH, _FRAME_HEIGHT)


def resize_to_screen(window: QWidget, width: int, height: int) -> None:
    """Give a window its usual size, or what the screen has where that is less."""
    window.resize(QSize(width, height).boundedTo(room_for(window)))


class AlyxWindow(QWidget):
    """A window beside PyBpod's main window."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.Window)
        self.setStyleSheet(FOCUS_STYLE)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Close on Escape."""
        if event.key() == Qt.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)


def press_focused(window: QWidget) -> bool:
    """Press the button of a window that has the keyboard; tell whether there was one."""
    focused = QApplication.focusWidget()
    if not isinstance(focused, QPushButton) or focused.window() is not window:
        return False
    focused.click()
    return True


def unrecorded() -> tuple[str, ...]:
    """Name what was typed into windows of the plugin and not recorded, for people; empty if nothing was.

    A window says so in a property ``unrecorded``.
    """
    shown = [window for window in QApplication.topLevelWidgets() if window.isVisible()]
    return tuple(words for window in shown if isinstance(words := getattr(window, "unrecorded", ""), str) and words)


class OpenWindow:
    """An attribute that holds a window: None where there is none, also once Qt has taken it away."""

    def __set_name__(self, owner: type, name: str) -> None:
        """Take the name under which the owner keeps the window."""
        self._name = f"_{name}"

    def __get__(self, instance: Any, owner: type) -> Any:
        """Return the window where it is there."""
        window = None if instance is None else vars(instance).get(self._name)
        return window if is_there(window) else None

    def __set__(self, instance: Any, window: Any) -> None:
        """Keep a window."""
        vars(instance)[self._name] = window


def main_window_of(entity: Any) -> QWidget | None:
    """Return the main window that a project, a subject or a session of PyBpod is shown in, None if there is none."""
    mainwindow = getattr(entity, "mainwindow", None)
    return mainwindow.window() if isinstance(mainwindow, QWidget) else None
