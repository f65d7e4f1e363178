"""What makers document that their scales send, played through a pseudo-terminal to the reader."""

from __future__ import annotations

import json
import os
import threading
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pybpod_alyx_module.scale.reader import ScaleReading, ScaleTrouble
from tests.system.test_scale import Heard, scale

if TYPE_CHECKING:
    from tests.system.test_scale import FakeScale

__all__ = ["scale"]

TRANSCRIPTS = sorted(Path(__file__).parents[1].joinpath("fixtures", "scales").glob("*.json"))


def transcript(name: str) -> dict[str, Any]:
    """One make, and what a reader must tell of each thing that it sends."""
    path = Path(__file__).parents[1] / "fixtures" / "scales" / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def command(played: dict[str, Any]) -> str | bytes | None:
    """The setting with which this make is asked."""
    ask = played["ask"] or {}
    return ask["bytes"].encode() if "bytes" in ask else ask.get("text")


def question(played: dict[str, Any]) -> bytes:
    """What must arrive at the scale before it sends anything."""
    wanted = command(played)
    return wanted.encode() + b"\r\n" if isinstance(wanted, str) else wanted or b""


class Asked:
    """A scale that answers each question with the next of its answers; the last one is repeated."""

    def __init__(self, scale: FakeScale, expected: bytes, answers: list[list[str]]) -> None:
        self.questions = 0
        self.wrong: list[bytes] = []
        self.answers = answers
        self._scale, self._expected = scale, expected
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def _answer(self) -> None:
        left = b""
        while True:
            try:
                left += os.read(self._scale.far, 64)
            except OSError:
                return
            while left.startswith(self._expected):
                left = left[len(self._expected) :]
                self._scale.send(*self.answers[min(self.questions, len(self.answers) - 1)])
                self.questions += 1
            if left and not self._expected.startswith(left):
                self.wrong.append(left)
                return


def told_of(heard: Heard, expected: list[list[str]]) -> list[list[str]]:
    found = []
    for kind, what in expected:
        one = heard.next()
        if isinstance(one, ScaleTrouble):
            found.append(["trouble", what if what in one.sentence else one.sentence])
        else:
            rest = "printed" if one.printed else "stable" if one.stable else "moving"
            same = kind != "trouble" and one.grams == Decimal(what)
            found.append([rest, what if same else str(one.grams)])
    return found


@pytest.mark.parametrize("name", [path.stem for path in TRANSCRIPTS])
def test_what_a_make_sends_is_read(scale: FakeScale, name: str) -> None:
    played = transcript(name)
    heard = Heard(scale.port, ask=command(played))
    asked = Asked(scale, question(played), [step["sends"] for step in played["steps"]]) if played["ask"] else None
    heard.reader.start()
    heard.reader.ask()
    try:
        if asked is None:
            opened(heard)
        for step in played["steps"]:
            if asked is None:
                scale.send(*step["sends"])
            assert told_of(heard, step["told"]) == step["told"], step
        assert asked is None or asked.wrong == []
    finally:
        heard.reader.stop()


def opened(heard: Heard) -> None:
    """Wait until the port is open: what is sent before is thrown away."""
    while heard.reader._port is None:
        heard.reader._thread.join(0.01)


def test_there_is_a_transcript_of_each_way_to_send() -> None:
    played = [transcript(path.stem) for path in TRANSCRIPTS]
    assert len(played) >= 8
    assert sum(one["ask"] is not None for one in played) >= 4
    assert sum(any(kind == "printed" for step in one["steps"] for kind, _ in step["told"]) for one in played) >= 3
    assert all(one["source"] for one in played)


def test_a_scale_is_not_asked_before_somebody_waits_for_it(scale: FakeScale) -> None:
    heard = Heard(scale.port, ask="SI")
    asked = Asked(scale, b"SI\r\n", [["S S     24.50 g"]])
    heard.reader.start()
    opened(heard)
    assert asked.questions == 0
    heard.reader.ask()
    assert heard.readings(2) == [(Decimal("24.50"), True), (Decimal("24.50"), True)]
    assert asked.questions >= 1
    heard.reader.stop()


def test_a_reader_that_was_never_let_ask_can_be_stopped(scale: FakeScale) -> None:
    heard = Heard(scale.port, ask="SI")
    heard.reader.start()
    opened(heard)
    heard.reader.stop()
    assert not heard.reader._thread.is_alive()
    assert heard.told.empty()


def test_a_scale_that_does_not_answer_is_told(scale: FakeScale, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pybpod_alyx_module.scale.reader._READ_S", 0.02)
    heard = Heard(scale.port, ask="XY")
    heard.reader.start()
    heard.reader.ask()
    said = heard.trouble()
    heard.reader.stop()
    assert said.startswith(f"The scale on {scale.port} does not answer 'XY'.")
    assert "ALYX_PLUGIN_SCALE_ASK" in said
    assert os.read(scale.far, 4096).count(b"XY\r\n") >= 2  # it may have been switched on meanwhile


def test_a_printout_that_cannot_be_read_is_told(scale: FakeScale) -> None:
    heard = Heard(scale.port)
    heard.reader.start()
    opened(heard)
    scale.send("Weighing no. 3")
    said = heard.trouble()
    heard.reader.stop()
    assert "cannot be read: 'Weighing no. 3'" in said


def test_a_scale_that_prints_by_its_own_clock_presses_no_key(scale: FakeScale, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pybpod_alyx_module.scale.reader._READ_S", 0.1)
    moments = iter((0.0, 5.0, 10.0, 15.0, 20.0, 3600.0))
    for lines, expected in ((5, [True, True, True, False, False]), (1, [False])):  # one animal's dialog, and the next
        heard = Heard(scale.port)
        heard.reader._now = lambda: next(moments)
        heard.reader.start()
        opened(heard)
        printed = []
        for line in range(lines):
            scale.send(f"   2{line}.50 g ")
            told = [heard.next()]
            while heard.reader._burst:  # until the scale was silent
                heard.reader._thread.join(0.01)
            while not heard.told.empty():
                told.append(heard.next())
            printed.append(any(isinstance(one, ScaleReading) and one.printed for one in told))
        heard.reader.stop()
        assert printed == expected


def test_seven_data_bits_with_parity_are_read(scale: FakeScale) -> None:
    heard = Heard(scale.port)
    heard.reader.start()
    opened(heard)
    line = b"ST,+00024.50  g\r\n"
    os.write(scale.far, bytes(byte | (0x80 if byte.bit_count() % 2 else 0) for byte in line))
    first = heard.next()
    heard.reader.stop()
    assert first == ScaleReading(Decimal("24.50"), stable=True)
