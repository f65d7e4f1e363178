"""A weight: typed, or from the scale; a reading does not stay in the field for the next animal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from AnyQt.QtCore import Qt, QTimer, Signal
from AnyQt.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.task import Task
from pybpod_alyx_module.gui.widgets import plain_label
from pybpod_alyx_module.numbers import shown
from pybpod_alyx_module.scale.reader import ScaleReader, ScaleReading, ScaleTrouble

if TYPE_CHECKING:
    from decimal import Decimal

    from pybpod_alyx_module.scale.reader import ScaleSettings


class ScaleField(QWidget):
    """The field of a weight, in grams, beside what the scale says.

    ``settings``: where the scale is, None if there is none.
    """

    #: The content of the field changed.
    changed = Signal()

    _scale_sent = Signal(object)

    def __init__(self, settings: ScaleSettings | None) -> None:
        super().__init__()
        self._settings = settings
        self._filling = False
        self._from_scale = False
        self._held = False
        self._reader: ScaleReader | None = None
        self.edit = QLineEdit()
        self.edit.setMaximumWidth(110)
        self.edit.setPlaceholderText("24.5")
        font = self.edit.font()
        font.setPointSize(font.pointSize() + 6)
        self.edit.setFont(font)
        self.source = QLabel()
        self.scale = plain_label()
        self.scale.setVisible(settings is not None)
        row = QHBoxLayout()
        row.addWidget(self.edit)
        row.addWidget(QLabel("g"))
        row.addWidget(self.source, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.scale)
        self._expiry = QTimer(self, singleShot=True)
        self._expiry.timeout.connect(self._on_expired)
        self.edit.textChanged.connect(self._on_text)
        self._scale_sent.connect(self._on_scale_sent, Qt.QueuedConnection)

    @property
    def is_from_scale(self) -> bool:
        """Whether the scale filled the field, and not a person."""
        return self._from_scale

    def start(self) -> None:
        """Begin to read the scale, where there is one."""
        if self._settings is not None and self._reader is None:
            self.scale.setText(f"Scale at {self._settings.port}: put the animal on it, or type the weight.")
            self._reader = ScaleReader(self._settings, self._hand_over)
            self._reader.start()

    def stop(self) -> None:
        """Leave the scale to others."""
        reader, self._reader = self._reader, None
        self._expiry.stop()
        if reader is not None:
            Task(lambda report, cancel: reader.stop(), "alyx-scale-stop").start()

    def hold(self, held: bool) -> None:
        """Keep the field as it is while a question about it is open."""
        self._held = held
        self.edit.setReadOnly(held)
        if self._from_scale and self._settings is not None:
            if held:
                self._expiry.stop()
            else:
                self._expiry.start(int(self._settings.lasts_s * 1000))

    def _hand_over(self, sent: ScaleReading | ScaleTrouble) -> None:
        try:
            self._scale_sent.emit(sent)
        except RuntimeError:  # the window is gone while the reader ends
            self._reader = None

    @slot
    def _on_scale_sent(self, sent: ScaleReading | ScaleTrouble) -> None:
        if self._reader is None or self._settings is None:
            return
        if isinstance(sent, ScaleTrouble):
            self.scale.setText(sent.sentence)
            return
        rest = "" if sent.stable else ", not at rest"
        self.scale.setText(f"Scale at {self._settings.port}: {shown(sent.grams, 2)} g{rest}")
        if sent.stable and sent.grams > 0 and not self._held and (self._from_scale or not self.edit.text().strip()):
            self._fill(_typed(sent.grams))
            self._expiry.start(int(self._settings.lasts_s * 1000))

    @slot
    def _on_expired(self) -> None:
        if self._from_scale and not self._held:
            self._fill("")

    @slot
    def _on_text(self) -> None:
        if not self._filling:
            self._from_scale = False
            self._expiry.stop()
        self.source.setText("from the scale" if self._from_scale else "")
        self.changed.emit()

    def _fill(self, text: str) -> None:
        was = self.edit.text()
        self._filling = True
        self._from_scale = bool(text)
        self.edit.setText(text)
        self._filling = False
        if was == text:
            self.source.setText("from the scale" if self._from_scale else "")


def _typed(grams: Decimal) -> str:
    # as a person would type it: two decimals at most
    text = shown(grams, 2)
    return text.rstrip("0").rstrip(".") if "." in text else text
