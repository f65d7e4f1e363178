"""The benchmark program runs and prints its tables; what it measures is nobody's business here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("one", reason="ONE-api is not installed")

ROOT = Path(__file__).parents[2]
SMALL = (
    "--rounds",
    "1",
    "--sessions",
    "240",
    "--details",
    "10",
    "--rows",
    "240",
    "--latency",
    "1",
    "--settle",
    "0",
    "--animals",
    "3",
)


def benchmark(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.connector", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.timeout(330)
def test_every_part_prints_its_table() -> None:
    ended = benchmark(*SMALL)
    assert ended.returncode == 0, ended.stderr
    machine, _, *tables = re.split(r"\n+", ended.stdout, maxsplit=2)
    assert re.match(r"\d+ cores, \w+, Python 3\.\d+", machine)
    text = tables[0]
    throttled = r"^The repeat of a search for 20 sessions .*, server 1 ms away, 550/minute$"
    assert re.search(throttled, text, re.MULTILINE)
    for server in ("1 ms away", "with 2 workers"):
        assert re.search(rf"^List \d+ sessions, server {server}$", text, re.MULTILINE)
        assert re.search(rf"^Details of 10 sessions, nothing cached, server {server}$", text, re.MULTILINE)
        assert re.search(rf"^The repeat of a search for 20 sessions .*, server {server}$", text, re.MULTILINE)
        assert re.search(rf"^Weights of 3 animals, server {server}$", text, re.MULTILINE)
        assert re.search(rf"^Sessions of 3 animals, listed, server {server}$", text, re.MULTILINE)
    number = r" +\d+\.\d+"
    for name, times in {"AlyxClient.list": 2, "ONE-api, one by one": 2, "bare concurrent fetch": 2, "again": 3}.items():
        assert len(re.findall(rf"^{name}{number * 5}$", text, re.MULTILINE)) == times
    assert (
        len(re.findall(r"^  (?:met|missed): \d+\.\d+ .* \(aim: at (?:least|most) [\d.]+\)$", text, re.MULTILINE)) == 14
    )
    if sys.platform == "linux":
        assert re.search(rf"^the raw rows{number * 2} +1\.00$", text, re.MULTILINE)


def test_an_unknown_part_is_told() -> None:
    ended = benchmark("lists")
    assert ended.returncode == 2
    assert "there is no part lists, only list, details, repeat, animals, memory" in ended.stderr
