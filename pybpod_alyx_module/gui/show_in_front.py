"""Windows that come to the front: because somebody opened them, or because they have something to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from AnyQt.QtCore import Qt

if TYPE_CHECKING:
    from AnyQt.QtWidgets import QWidget


def show_in_front(window: QWidget) -> None:
    """Show a window that somebody opened, even if it is minimised, and give it the keyboard."""
    window.setWindowState(window.windowState() & ~Qt.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()


def raise_quietly(window: QWidget) -> None:
    """Put a window above the others, where it is shown; who types somewhere else goes on typing there."""
    if window.isVisible():
        window.raise_()
