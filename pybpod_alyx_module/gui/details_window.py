"""The window *Alyx details* of a subject."""

from __future__ import annotations

from typing import Any

from AnyQt.QtWidgets import QWidget


class DetailsWindow(QWidget):
    """Shows what is known of an Alyx subject, from which server, and as of when."""


def open_details_window(subject: Any) -> DetailsWindow:
    """Show the details of a subject as they are now.

    Parameters
    ----------
    subject : object
        The PyBpod subject.

    Returns
    -------
    DetailsWindow
        The window.
    """
    raise NotImplementedError
