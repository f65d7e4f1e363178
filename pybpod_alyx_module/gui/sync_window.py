"""The window *Sync to Alyx*."""

from __future__ import annotations

from typing import Any

from AnyQt.QtWidgets import QWidget


class SyncWindow(QWidget):
    """Connects a project to Alyx and syncs its subjects."""


def open_sync_window(project: Any) -> SyncWindow:
    """Show the sync window of a project, the one it has already or a new one.

    Parameters
    ----------
    project : object
        The PyBpod project; it keeps the window as ``alyx_window``.

    Returns
    -------
    SyncWindow
        The window.
    """
    raise NotImplementedError
