"""A scale at a serial port: reads it on a thread of its own and hands over what comes, until it is stopped."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from alyx_connector.errors import AlyxError, ConfigurationError
from pybpod_alyx_module.scale.line import DEFAULT_PATTERN, Steadiness, compiled_pattern, read_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

__all__ = ["ScaleReader", "ScaleReading", "ScaleSettings", "ScaleTrouble"]

#: So many lines in a row that do not fit the pattern are reported: the first line is often cut.
_GARBAGE_LINES: Final = 5
#: Bytes without the end of a line until they count as one.
_LONGEST_LINE: Final = 256
#: Seconds that a read waits; a stop does not wait for it.
_READ_S: Final = 1.0
#: So many reads without a byte after opening are reported.
_QUIET_READS: Final = 10
#: Seconds until a port that failed is tried again.
_RETRY_S: Final = 2.0
_END_S: Final = 5.0
_LINE_END: Final = re.compile(rb"[\r\n]+")


@dataclass(frozen=True)
class ScaleSettings:
    """Where the scale is and how it writes.

    Raises
    ------
    ConfigurationError
        If one of them cannot be used.
    """

    #: Such as ``COM3`` or ``/dev/ttyUSB0``.
    port: str
    baud: int = 9600
    #: See `compiled_pattern`.
    pattern: str = DEFAULT_PATTERN
    #: So many equal readings in a row are a stable one, unless the pattern has a mark for that.
    equal_readings: int = 3
    #: Seconds that a stable reading counts.
    lasts_s: float = 10.0

    def __post_init__(self) -> None:
        """Check them.

        Raises
        ------
        ConfigurationError
            If one of them cannot be used.
        """
        if not isinstance(self.port, str) or not self.port.strip():
            _refuse("port", self.port, "the name of a serial port, such as COM3 or /dev/ttyUSB0")
        for name, value in (("baud", self.baud), ("equal_readings", self.equal_readings)):
            if type(value) is not int or value < 1:
                _refuse(name, value, "a whole number from 1")
        if not isinstance(self.lasts_s, int | float) or not self.lasts_s > 0:
            _refuse("lasts_s", self.lasts_s, "a number of seconds above 0")
        compiled_pattern(self.pattern)


@dataclass(frozen=True)
class ScaleReading:
    """A weight that the scale sent."""

    grams: Decimal
    #: Whether it has come to rest.
    stable: bool


@dataclass(frozen=True)
class ScaleTrouble:
    """Why there is no weight from the scale; handed over once each time, while the reader keeps trying."""

    #: What happened and what to do.
    sentence: str


class ScaleReader:
    """Reads a scale until it is stopped.

    ``hand_over``: takes each `ScaleReading` and each `ScaleTrouble`, on the reader's own thread.
    ``retry_s``: seconds until a port that failed is tried again.
    """

    def __init__(
        self,
        settings: ScaleSettings,
        hand_over: Callable[[ScaleReading | ScaleTrouble], None],
        *,
        retry_s: float = _RETRY_S,
    ) -> None:
        self._settings = settings
        self._pattern = compiled_pattern(settings.pattern)
        self._hand_over = hand_over
        self._retry_s = retry_s
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._port: Any = None
        self._last_trouble = ""
        self._garbage = 0
        self._steadiness = Steadiness(settings.equal_readings)
        self._thread = threading.Thread(target=self._run, name="alyx-scale", daemon=True)

    def start(self) -> None:
        """Begin to read; once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop at once, from any thread; may be called again, and before `start`. The port is free afterwards."""
        self._stop.set()
        with self._lock:
            if self._port is not None:
                self._port.cancel_read()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(_END_S)

    def _run(self) -> None:
        try:
            import serial  # PyBpod brings it; a rig without a scale never loads it
        except ModuleNotFoundError:
            self._trouble("The scale cannot be read: pyserial is not installed. Install it, or set no scale.")
            return
        while not self._stop.is_set():
            try:
                self._read(serial)
            except (OSError, ValueError) as error:  # SerialException is an OSError
                self._trouble(self._why(error))
            finally:
                self._close()
            self._stop.wait(self._retry_s)

    def _read(self, serial: Any) -> None:
        port = serial.Serial(self._settings.port, self._settings.baud, timeout=_READ_S, exclusive=True)
        with self._lock:
            self._port = port
        # What was sent before is of another animal; opening the port threw away what waited there.
        self._steadiness.restart()
        left, quiet = b"", 0
        while not self._stop.is_set():
            arrived = port.read(max(1, port.in_waiting))
            if not arrived:
                quiet += 1
                if quiet == _QUIET_READS:
                    self._trouble(
                        f"No data from the scale on {self._settings.port}. Check that it is on, sends continuously, "
                        "and is connected to this port."
                    )
                continue
            quiet = _QUIET_READS  # it sends: a pause from now on is nobody's mistake
            *lines, left = _LINE_END.split(left + arrived)
            if len(left) > _LONGEST_LINE:
                lines, left = [*lines, left], b""
            for line in lines:
                if line.strip():
                    self._take(line.decode("ascii", "replace"))

    def _take(self, line: str) -> None:
        try:
            read = read_line(line, self._pattern)
        except AlyxError as error:
            self._trouble(str(error))
            return
        if read is None:
            self._garbage += 1
            if self._garbage >= _GARBAGE_LINES:
                self._trouble(
                    f"What the scale at {self._settings.port} sends cannot be read: {line[:40]!r}. Check the baud rate "
                    f"({self._settings.baud}) and the pattern."
                )
            return
        self._garbage = 0
        self._last_trouble = ""
        reading = ScaleReading(read.grams, self._steadiness.is_stable(read))
        if not self._stop.is_set():
            self._hand_over(reading)

    def _trouble(self, sentence: str) -> None:
        if sentence != self._last_trouble and not self._stop.is_set():
            self._last_trouble = sentence
            self._hand_over(ScaleTrouble(sentence))

    def _why(self, error: Exception) -> str:
        port = self._settings.port
        if self._port is not None:
            return f"The scale at {port} is gone: {error}. Plug it in again; the plugin keeps trying."
        return (
            f"The scale at {port} cannot be opened: {error}. Check the port in the settings, that the scale is plugged "
            "in, and that no other program reads it; the plugin keeps trying."
        )

    def _close(self) -> None:
        with self._lock:
            port, self._port = self._port, None
        if port is not None:
            port.close()


def _refuse(name: str, value: object, wanted: str) -> NoReturn:
    raise ConfigurationError(
        f"The scale's {name} {value!r} cannot be used.", hint=f"It must be {wanted}.", setting=name
    )
