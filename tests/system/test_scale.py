"""A scale at a simulated serial port: a pseudo-terminal whose far end the tests write to, read by the real pyserial."""

from __future__ import annotations

import os
import queue
import tty
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from pybpod_alyx_module.scale.reader import ScaleReader, ScaleReading, ScaleSettings, ScaleTrouble

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAIT_S = 30


class FakeScale:
    """A scale at a port that can be unplugged and plugged in again under the same name."""

    def __init__(self, port: Path) -> None:
        self.port = port
        self.far = self.near = -1
        self.plug_in()

    def plug_in(self) -> None:
        self.far, self.near = os.openpty()
        tty.setraw(self.near)
        self.port.unlink(missing_ok=True)
        self.port.symlink_to(os.ttyname(self.near))

    def send(self, *lines: str) -> None:
        for line in lines:
            os.write(self.far, line.encode("latin-1") + b"\r\n")

    def unplug(self) -> None:
        for end in (self.near, self.far):
            if end >= 0:
                os.close(end)
        self.far = self.near = -1


class Heard:
    """A reader and what it told."""

    def __init__(self, port: Path, **settings: object) -> None:
        self.told: queue.Queue[ScaleReading | ScaleTrouble] = queue.Queue()
        chosen = ScaleSettings(**{"port": str(port), **settings})
        self.reader = ScaleReader(chosen, self.told.put, retry_s=0.05)

    def next(self) -> ScaleReading | ScaleTrouble:
        return self.told.get(timeout=WAIT_S)

    def readings(self, count: int) -> list[tuple[Decimal, bool]]:
        found = [self.next() for _ in range(count)]
        assert all(isinstance(one, ScaleReading) for one in found), found
        return [(one.grams, one.stable) for one in found if isinstance(one, ScaleReading)]

    def trouble(self) -> str:
        told = self.next()
        assert isinstance(told, ScaleTrouble), told
        return told.sentence


@pytest.fixture
def scale(tmp_path: Path) -> Iterator[FakeScale]:
    scale = FakeScale(tmp_path / "scale")
    yield scale
    scale.unplug()


@pytest.fixture
def heard(scale: FakeScale) -> Iterator[Heard]:
    heard = Heard(scale.port)
    heard.reader.start()
    begin(scale, heard)
    yield heard
    heard.reader.stop()


def first_of(scale: FakeScale, heard: Heard, line: str) -> ScaleReading | ScaleTrouble:
    # What is sent before the port is open is thrown away, so send until something arrives.
    while True:
        scale.send(line)
        try:
            return heard.told.get(timeout=0.05)
        except queue.Empty:
            continue


def begin(scale: FakeScale, heard: Heard) -> None:
    first_of(scale, heard, "0.0")
    scale.send("-1.0")
    while heard.readings(1)[0][0] != -1:
        pass


def test_a_weight_that_comes_to_rest_is_stable(scale: FakeScale, heard: Heard) -> None:
    scale.send("12.1 g", "24.4 g", "24.5 g", "24.5 g", "24.5 g", "24.5 g")
    assert heard.readings(6) == [
        (Decimal("12.1"), False),
        (Decimal("24.4"), False),
        (Decimal("24.5"), False),
        (Decimal("24.5"), False),
        (Decimal("24.5"), True),
        (Decimal("24.5"), True),
    ]


def test_a_weight_that_drifts_never_is(scale: FakeScale, heard: Heard) -> None:
    scale.send(*(f"24.{number} g" for number in (5, 6, 5, 5, 6, 6, 5)))
    assert not any(stable for _, stable in heard.readings(7))


def test_a_line_may_arrive_in_pieces(scale: FakeScale, heard: Heard) -> None:
    for piece in (b"2", b"4.", b"5 g\r", b"\n25.0", b" g\n"):
        os.write(scale.far, piece)
    assert [grams for grams, _ in heard.readings(2)] == [Decimal("24.5"), Decimal(25)]


def test_what_was_sent_before_it_is_read_is_thrown_away(scale: FakeScale) -> None:
    scale.send("99.9", "99.9", "99.9")
    heard = Heard(scale.port)
    heard.reader.start()
    first = first_of(scale, heard, "24.5")
    heard.reader.stop()
    assert isinstance(first, ScaleReading)
    assert first.grams == Decimal("24.5")


def test_garbage_is_told_once_and_the_scale_is_heard_again_after_it(scale: FakeScale, heard: Heard) -> None:
    scale.send(*["\xfe\x80\xf8"] * 12)
    said = heard.trouble()
    assert "cannot be read" in said
    assert "Check the baud rate (9600), and whether ALYX_PLUGIN_SCALE_PATTERN is needed" in said
    scale.send("24.5")
    assert heard.readings(1) == [(Decimal("24.5"), False)]


def test_one_cut_line_is_no_trouble(scale: FakeScale, heard: Heard) -> None:
    scale.send("g", "24.5", "?", "24.5", "24.5")
    assert [stable for _, stable in heard.readings(3)] == [False, False, True]


def test_bytes_without_an_end_of_line_are_told(scale: FakeScale, heard: Heard) -> None:
    # More than the terminal holds at a time, so that they come in several pieces.
    for _ in range(200):
        os.write(scale.far, b"x" * 300)
    assert "cannot be read: 'xxx" in heard.trouble()


def test_another_unit_is_told(scale: FakeScale, heard: Heard) -> None:
    scale.send("0.86 oz", "0.86 oz")
    assert heard.trouble() == "The scale sends its weight in oz. Set the scale to g."
    scale.send("24.5 g")
    heard.readings(1)


def test_an_unplugged_scale_is_told_and_found_again(scale: FakeScale, heard: Heard) -> None:
    scale.send("24.5", "24.5", "24.5")
    heard.readings(3)
    scale.unplug()
    assert f"The scale at {scale.port} is gone" in heard.trouble()
    assert f"The scale at {scale.port} cannot be opened" in heard.trouble()
    scale.plug_in()
    # Equal readings from before it was unplugged do not count.
    first = first_of(scale, heard, "24.5")
    assert isinstance(first, ScaleReading)
    assert (first.grams, first.stable) == (Decimal("24.5"), False)


def test_a_wrong_port_is_told(tmp_path: Path) -> None:
    heard = Heard(tmp_path / "nothing here")
    heard.reader.start()
    said = heard.trouble()
    heard.reader.stop()
    assert f"The scale at {tmp_path / 'nothing here'} cannot be opened" in said
    assert "Check the port in the settings" in said


def test_a_port_that_another_window_reads_is_told(scale: FakeScale, heard: Heard) -> None:
    second = Heard(scale.port)
    second.reader.start()
    said = second.trouble()
    second.reader.stop()
    assert "no other program reads it" in said
    scale.send("24.5")
    assert heard.readings(1) == [(Decimal("24.5"), False)]


def test_a_stopped_reader_tells_nothing_more_and_frees_the_port(scale: FakeScale, heard: Heard) -> None:
    heard.reader.stop()
    heard.reader.stop()
    scale.send("24.5")
    assert heard.told.empty()
    again = Heard(scale.port)
    again.reader.start()
    begin(scale, again)
    again.reader.stop()


def test_a_reader_can_be_stopped_from_what_it_tells(scale: FakeScale) -> None:
    heard = Heard(scale.port)

    def told(what: ScaleReading | ScaleTrouble) -> None:
        reader.stop()
        heard.told.put(what)

    reader = ScaleReader(ScaleSettings(port=str(scale.port)), told, retry_s=0.05)
    reader.start()
    while heard.told.empty():
        scale.send("24.5", "24.5")
        reader._thread.join(0.05)
    reader.stop()
    assert not reader._thread.is_alive()
    assert heard.told.qsize() == 1


def test_a_reader_that_never_started_can_be_stopped(tmp_path: Path) -> None:
    heard = Heard(tmp_path / "nothing here")
    heard.reader.stop()
    assert heard.told.empty()
