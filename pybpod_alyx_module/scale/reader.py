"""A scale at a serial port: reads it, or asks it, on a thread of its own and hands over what comes until it is stopped.

Scales send by themselves, when somebody presses their PRINT key, or only when they are asked.
"""

from __future__ import annotations

import re
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from alyx_connector.errors import AlyxError, ConfigurationError
from pybpod_alyx_module.scale.line import Rhythm, Steadiness, compiled_pattern, read_line
from pybpod_alyx_module.scale.makers import NET, is_in_progress, is_unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from pybpod_alyx_module.scale.makers import ScaleLine

__all__ = ["ScaleReader", "ScaleReading", "ScaleSettings", "ScaleTrouble", "is_command"]

#: So many lines in a row that do not fit the pattern are reported: the first line is often cut.
_GARBAGE_LINES: Final = 5
#: Bytes without the end of a line until they count as one.
_LONGEST_LINE: Final = 256
#: Seconds that a read waits; a stop does not wait for it. A reading with as much silence around it was printed: a scale
#: that sends by itself sends more often.
_READ_S: Final = 1.0
#: Seconds from an answer to the next question.
_ASK_PAUSE_S: Final = 0.2
#: So many reads without an answer until the scale is asked again.
_ASK_AGAIN_READS: Final = 3
#: So many reads without a byte after opening are reported.
_QUIET_READS: Final = 10
#: Seconds until a port that failed is tried again.
_RETRY_S: Final = 2.0
_END_S: Final = 5.0
_LINE_END: Final = re.compile(rb"[\r\n]+")
#: Makes ASCII of what a scale with 7 data bits sends, whose eighth bit is the parity; no scale needs more.
_SEVEN_BITS: Final = bytes(byte & 0x7F for byte in range(256))


#: When each port printed: a scale that prints by its own clock is known to the next reader.
_rhythms: defaultdict[str, Rhythm] = defaultdict(Rhythm)


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
    #: See `compiled_pattern`; None: it writes as one of the makers that are understood.
    pattern: str | None = None
    #: What the scale answers with a weight, None if it sends without being asked. Text is sent with an end of line.
    ask: str | bytes | None = None
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
        if self.pattern is not None:
            compiled_pattern(self.pattern)
        if self.ask is not None and not is_command(self.ask):
            _refuse("ask", self.ask, "a command from its manual, such as SI or IP")

    @property
    def question(self) -> bytes:
        """What is sent to get a weight; empty if nothing is."""
        return self.ask.encode("ascii") + b"\r\n" if isinstance(self.ask, str) else self.ask or b""


@dataclass(frozen=True)
class ScaleReading:
    """A weight that the scale sent."""

    grams: Decimal
    #: Whether it has come to rest.
    stable: bool
    #: Whether somebody pressed the PRINT key for it.
    printed: bool = False


@dataclass(frozen=True)
class ScaleTrouble:
    """Why there is no weight from the scale; handed over once each time, while the reader keeps trying."""

    #: What happened and what to do.
    sentence: str


class ScaleReader:
    """Reads a scale until it is stopped.

    ``hand_over``: takes each `ScaleReading` and each `ScaleTrouble`, on the reader's own thread.
    ``retry_s``: seconds until a port that failed is tried again.
    ``now``: clock, seconds.
    """

    def __init__(
        self,
        settings: ScaleSettings,
        hand_over: Callable[[ScaleReading | ScaleTrouble], None],
        *,
        retry_s: float = _RETRY_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._pattern = None if settings.pattern is None else compiled_pattern(settings.pattern)
        self._hand_over = hand_over
        self._retry_s = retry_s
        self._now, self._burst_began = now, 0.0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._port: Any = None
        self._last_trouble = ""
        self._garbage: list[str] = []
        self._may_ask = threading.Event()
        #: What came since the scale was last silent, but for what is marked as not at rest.
        self._burst: list[ScaleLine] = []
        self._steadiness = Steadiness(settings.equal_readings)
        self._thread = threading.Thread(target=self._run, name="alyx-scale", daemon=True)

    def start(self) -> None:
        """Begin to read; once."""
        self._thread.start()

    def ask(self) -> None:
        """Begin to ask a scale that has to be asked; called when somebody waits for its weight."""
        self._may_ask.set()

    def stop(self) -> None:
        """Stop at once, from any thread; may be called again, and before `start`. The port is free afterwards."""
        self._stop.set()
        self._may_ask.set()
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
        port = serial.Serial(
            self._settings.port, self._settings.baud, timeout=_READ_S, write_timeout=_READ_S, exclusive=True
        )
        with self._lock:
            self._port = port
        # What was sent before is of another animal; opening the port threw away what waited there.
        self._steadiness.restart()
        _rhythms[self._settings.port].begin()
        self._burst.clear()
        question = self._settings.question
        if question:
            self._may_ask.wait()
        left, quiet, ask_in = b"", 0, 0
        while not self._stop.is_set():
            if question and not ask_in:
                port.write(question)
                ask_in = _ASK_AGAIN_READS
            arrived = port.read(max(1, port.in_waiting))
            if not arrived:
                quiet, ask_in = quiet + 1, ask_in - 1
                self._take_silence(quiet)
                continue
            # One that sends by itself: a pause from now on is nobody's mistake.
            quiet = 0 if question else _QUIET_READS
            *lines, left = _LINE_END.split(left + arrived.translate(_SEVEN_BITS))
            if len(left) > _LONGEST_LINE:
                lines, left = [*lines, left], b""
            texts = [text for line in lines if (text := line.decode("ascii", "replace").strip("\0\2\3 \t"))]
            for text in texts:
                self._take(text)
            if question and not all(map(is_in_progress, texts)):
                self._stop.wait(_ASK_PAUSE_S)
                ask_in = 0

    def _take_silence(self, quiet: int) -> None:
        port, ask = self._settings.port, self._settings.ask
        if quiet == _QUIET_READS and ask is None:
            self._trouble(
                f"No data from the scale on {port}. Check that it is on and connected to this port, and that it sends "
                "by itself; or press its PRINT key."
            )
        elif quiet == _QUIET_READS:
            self._trouble(
                f"The scale on {port} does not answer {ask!r}. Check that it is on and connected to this port, the "
                f"baud rate ({self._settings.baud}), and ALYX_PLUGIN_SCALE_ASK."
            )
        if self._garbage and not self._burst:
            self._tell_garbage()
        self._garbage.clear()
        if ask is None:
            printed = [line for line in self._burst if line.kind == NET] or self._burst
            if len(printed) == 1 and not _rhythms[port].is_by_clock(self._burst_began):
                self._tell(ScaleReading(printed[0].grams, stable=True, printed=True))
        self._burst = []

    def _take(self, line: str) -> None:
        if is_in_progress(line) or is_unavailable(line):
            return
        try:
            read = read_line(line, self._pattern)
        except AlyxError as error:
            self._steadiness.interrupt()
            self._trouble(str(error))
            return
        if read is None:
            self._garbage = [*self._garbage[1 - _GARBAGE_LINES :], line]
            if len(self._garbage) == _GARBAGE_LINES:
                self._tell_garbage()
            return
        self._garbage.clear()
        if self._steadiness.is_skipped(read):
            return
        self._last_trouble = ""
        reading = ScaleReading(read.grams, self._steadiness.is_stable(read))
        if not self._steadiness.is_unrest(read):
            self._burst_began = self._burst_began if self._burst else self._now()
            self._burst = [*self._burst[-2:], read]  # more are no printout, and need not be kept
        self._tell(reading)

    def _tell_garbage(self) -> None:
        self._trouble(
            f"What the scale at {self._settings.port} sends cannot be read: {self._garbage[-1][:40]!r}. Check the baud "
            f"rate ({self._settings.baud}), and whether ALYX_PLUGIN_SCALE_PATTERN is needed."
        )

    def _tell(self, reading: ScaleReading) -> None:
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


def is_command(value: object) -> bool:
    """Tell whether a scale can be asked with it: text of ASCII, or bytes."""
    return bool(value) and (isinstance(value, bytes) or (isinstance(value, str) and value.isascii()))


def _refuse(name: str, value: object, wanted: str) -> NoReturn:
    raise ConfigurationError(
        f"The scale's {name} {value!r} cannot be used.", hint=f"It must be {wanted}.", setting=name
    )
