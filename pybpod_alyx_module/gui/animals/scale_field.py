"""A weight: typed, or from the scale; a reading does not stay in the field for the next animal."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import Qt, QTimer, Signal
from AnyQt.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from pybpod_alyx_module.gui.animals.shared_scale import shared_scale
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.widgets import plain_label
from pybpod_alyx_module.numbers import shown
from pybpod_alyx_module.scale.reader import ScaleTrouble

if TYPE_CHECKING:
    from pybpod_alyx_module.gui.animals.shared_scale import SharedScale
    from pybpod_alyx_module.scale.reader import ScaleReading, ScaleSettings

#: Less than this is an empty pan, g.
_EMPTY: Final = Decimal(1)


class ScaleField(QWidget):
    """The field of a weight, in grams, beside what the scale says.

    ``settings``: where the scale is, None if there is none.
    """

    #: The content of the field changed.
    changed = Signal()

    def __init__(self, settings: ScaleSettings | None) -> None:
        super().__init__()
        self._settings = settings
        self._filling = False
        self._from_scale = False
        self._held = False
        self._scale: SharedScale | None = None
        #: Whether the pan was seen empty since the field is in front: what is on it belongs to this animal.
        self._pan_was_empty = False
        self._last: Decimal | None = None
        self.edit = QLineEdit()
        self.edit.setMaximumWidth(110)
        self.edit.setPlaceholderText("24.5")
        font = self.edit.font()
        font.setPointSize(font.pointSize() + 6)
        self.edit.setFont(font)
        self.source = QLabel()
        self.scale = plain_label()
        self.scale.setVisible(settings is not None)
        self.use_button = QPushButton("&It is this animal")
        self.use_button.setAutoDefault(False)
        self.use_button.hide()
        self.use_button.clicked.connect(self._on_use)
        row = QHBoxLayout()
        row.addWidget(self.edit)
        row.addWidget(QLabel("g"))
        row.addWidget(self.source, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.scale)
        column.addWidget(self.use_button, 0, Qt.AlignLeft)
        self._expiry = QTimer(self, singleShot=True)
        self._expiry.timeout.connect(self._on_expired)
        self.edit.textChanged.connect(self._on_text)

    @property
    def is_from_scale(self) -> bool:
        """Whether the scale filled the field, and not a person."""
        return self._from_scale

    def start(self) -> None:
        """Begin to read the scale, where there is one."""
        if self._settings is not None and self._scale is None:
            self.scale.setText(f"Scale at {self._settings.port}: put the animal on it, or type the weight.")
            self._scale = shared_scale(self._settings)
            self._scale.join(self)
            self._scale.sent.connect(self._on_scale_sent)

    def stop(self) -> None:
        """Leave the scale to others."""
        scale, self._scale = self._scale, None
        self._expiry.stop()
        if scale is not None:
            scale.sent.disconnect(self._on_scale_sent)
            scale.leave(self)

    def hold(self, held: bool) -> None:
        """Keep the field as it is while a question about it is open."""
        self._held = held
        self.edit.setReadOnly(held)
        if self._from_scale and self._settings is not None:
            if held:
                self._expiry.stop()
            else:
                self._expiry.start(int(self._settings.lasts_s * 1000))

    def begin_next(self, text: str = "") -> None:
        """Begin with another animal: what is still on the pan is not its weight.

        ``text``: what was typed for it before.
        """
        self._fill("")
        self._expiry.stop()
        self._pan_was_empty = False
        self.use_button.hide()
        if text:
            self.edit.setText(text)
            self.edit.selectAll()

    @slot
    def _on_scale_sent(self, sent: ScaleReading | ScaleTrouble) -> None:
        if self._scale is None or self._settings is None:
            return
        if isinstance(sent, ScaleTrouble):
            self.scale.setText(sent.sentence)
            return
        place = f"Scale at {self._settings.port}"
        if self._scale.front is not self:
            self.scale.setText(f"{place}: its readings go to the window in front.")
            self.use_button.hide()
            self._pan_was_empty = False
            return
        rest = "" if sent.stable else ", not at rest"
        reading = f"{place}: {shown(sent.grams, 2)} g{rest}"
        self._pan_was_empty |= sent.stable and sent.grams < _EMPTY
        wanted = sent.stable and sent.grams >= _EMPTY and not self._held
        self._pan_was_empty |= sent.printed  # somebody pressed PRINT for the animal in front
        unclear = wanted and not self._pan_was_empty and not self.edit.text().strip()
        self._last = sent.grams if wanted else self._last
        self.use_button.setVisible(unclear)
        self.scale.setText(f"{reading}, and was not empty before. Take the animal off first." if unclear else reading)
        if wanted and self._pan_was_empty and (self._from_scale or not self.edit.text().strip()):
            self._take(sent.grams)

    @slot
    def _on_use(self) -> None:
        self._pan_was_empty = True
        self.use_button.hide()
        if self._last is not None and not self._held:
            self._take(self._last)
        self.edit.setFocus()

    def _take(self, grams: Decimal) -> None:
        if self._settings is not None:
            self._fill(_typed(grams))
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
