"""A field for a time of the lab: now, until somebody sets another one."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from AnyQt.QtCore import QDateTime, QTimer, Signal
from AnyQt.QtWidgets import QDateTimeEdit, QHBoxLayout, QPushButton, QWidget

from alyx_connector.errors import ConfigurationError
from alyx_connector.zones.moments import lab_zone
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.widgets import plain_label
from pybpod_alyx_module.lab_time import lab_now, with_zone
from pybpod_alyx_module.outbox.items import COMPUTER_TIME

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from AnyQt.QtGui import QWheelEvent

#: How often the shown time is refreshed, in milliseconds.
_TICK_MS: Final = 5_000

#: Clocks may differ by this much before a time counts as one in the future.
_SLACK: Final = dt.timedelta(minutes=1)


class _Edit(QDateTimeEdit):
    @override
    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        event.ignore()


class LabTimeField(QWidget):
    """Shows the time in the lab: always now, until somebody sets another time."""

    #: Another time was set, or the lab's zone is known.
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._zone: ZoneInfo | None = None
        self._filling = False
        self._is_now = True
        self.edit = _Edit()
        self.edit.setDisplayFormat("yyyy-MM-dd HH:mm")
        self.edit.setCalendarPopup(True)
        self.now_button = QPushButton("&Now")
        self.now_button.setAutoDefault(False)
        self.now_button.setToolTip("Back to the time that it is now in the lab")
        self.zone_note = plain_label()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.edit)
        row.addWidget(self.now_button)
        row.addWidget(self.zone_note, 1)
        self.edit.dateTimeChanged.connect(self._on_changed)
        self.now_button.clicked.connect(self.set_now)
        self._clock = QTimer(self, interval=_TICK_MS)
        self._clock.timeout.connect(self._on_tick)
        self._clock.start()
        self.set_zone(None)

    def set_zone(self, name: str | None) -> None:
        """Take the time zone of the lab.

        ``name``: as Alyx has it, None if it is not known.
        """
        self._zone = lab_zone(name)
        self.zone_note.setText(f"lab time ({name})" if self._zone else "lab time (zone unknown: this computer's time)")
        self._on_tick()
        self.changed.emit()

    def lab_now(self) -> dt.datetime:
        """Return what time it is in the lab; naive; by this computer's zone where the lab's is not known."""
        return lab_now(self._zone)

    def moment(self) -> dt.datetime:
        """Return the time that counts; naive lab time."""
        now = self.lab_now()
        if self._is_now:
            return now
        chosen: dt.datetime = self.edit.dateTime().toPyDateTime().replace(second=0, microsecond=0)
        if chosen > now + _SLACK:
            raise ConfigurationError(
                f"{chosen:%Y-%m-%d %H:%M} is in the future: in the lab it is {now:%Y-%m-%d %H:%M}.",
                hint="Correct the time, or press Now.",
                setting="time",
            )
        return chosen

    def values(self) -> dict[str, str]:
        """Return the time that counts as a record has it: with its offset, so that it stays the moment that it is."""
        return {"date_time": with_zone(self.moment(), self._zone).isoformat()}

    def origin(self) -> dict[str, str]:
        """Return what is kept with a record so that its time can be corrected before it is sent; usually nothing."""
        return {} if self._zone else dict(COMPUTER_TIME)

    @slot
    def set_now(self) -> None:
        """Go back to the present time, and follow it."""
        self._is_now = True
        self._on_tick()
        self.changed.emit()

    @slot
    def _on_tick(self) -> None:
        if self._is_now and not self.edit.hasFocus():
            self._filling = True
            self.edit.setDateTime(QDateTime(self.lab_now().replace(second=0)))
            self._filling = False

    @slot
    def _on_changed(self) -> None:
        if not self._filling:
            self._is_now = False
            self.changed.emit()
