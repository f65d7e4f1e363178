"""The scale of this rig, for all windows that wait for a weight: one port, and a reading for one of them.

A scale that has to be asked is not asked before such a window is in front.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from AnyQt.QtCore import QObject, Qt, Signal
from AnyQt.QtWidgets import QApplication

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.task import Task
from pybpod_alyx_module.scale.reader import ScaleReader

if TYPE_CHECKING:
    from AnyQt.QtWidgets import QWidget

    from pybpod_alyx_module.scale.reader import ScaleReading, ScaleSettings, ScaleTrouble

_open: dict[ScaleSettings, SharedScale] = {}


class SharedScale(QObject):
    """Reads a scale as long as a field wants it; `front` is the field that a reading belongs to."""

    #: What the scale sent, on the GUI thread.
    sent = Signal(object)

    _came = Signal(object)

    def __init__(self, settings: ScaleSettings) -> None:
        super().__init__()
        self._settings = settings
        self._fields: list[QWidget] = []
        self._front: QWidget | None = None
        self._came.connect(self._on_came, Qt.QueuedConnection)
        self._reader = ScaleReader(settings, self._hand_over)
        self._reader.start()
        QApplication.instance().focusWindowChanged.connect(self._on_window_in_front)

    @property
    def front(self) -> QWidget | None:
        """The field in the window in front; where that is another window, the field that was last in front."""
        active = [field for field in self._fields if field.window().isActiveWindow()]
        if active:
            self._front = active[0]
        return self._front

    def join(self, field: QWidget) -> None:
        """Hand readings over to a field, which is in front until another one is."""
        self._fields.append(field)
        self._front = field
        self._on_window_in_front()

    def leave(self, field: QWidget) -> None:
        """Hand nothing over to a field any more; the port is free when nobody is left."""
        self._fields.remove(field)
        if self._front is field:
            self._front = self._fields[-1] if self._fields else None
        if not self._fields:
            _open.pop(self._settings, None)
            QApplication.instance().focusWindowChanged.disconnect(self._on_window_in_front)
            reader = self._reader
            Task(lambda report, cancel: reader.stop(), "alyx-scale-stop").start()

    @slot
    def _on_window_in_front(self) -> None:
        if any(field.window().isActiveWindow() for field in self._fields):
            self._reader.ask()

    def _hand_over(self, sent: ScaleReading | ScaleTrouble) -> None:
        try:
            self._came.emit(sent)
        except RuntimeError:  # PyBpod ends while the reader does
            return

    @slot
    def _on_came(self, sent: ScaleReading | ScaleTrouble) -> None:
        self.sent.emit(sent)


def shared_scale(settings: ScaleSettings) -> SharedScale:
    """Return the scale with these settings: that which is read already, else a new one."""
    if settings not in _open:
        _open[settings] = SharedScale(settings)
    return _open[settings]
