"""Session files: the protocol that makes real ones, and rows to make them by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pybpod_alyx_module.sessions.session_csv import SessionFile, SessionSubject, read_session_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Files that PyBpod 1.8.2 wrote, by the protocols below.
RECORDED = Path(__file__).parent / "fixtures" / "sessions"

EA04 = "0a3b9d5e-1d5f-4b76-9f3e-6c1b2a4d8e90"

needs_pybpod = pytest.mark.skipif(find_spec("pybpodapi") is None, reason="PyBpod is not installed")

#: As PyBpod's run_settings_template.py fills it.
RUN_SETTINGS = f"""SETTINGS_PRIORITY = 0

PYBPOD_SERIAL_PORT       = '/dev/ttyFAKE'
PYBPOD_NET_PORT          = None

PYBPOD_API_STREAM2STDOUT = True
PYBPOD_API_ACCEPT_STDIN  = True

PYBPOD_PROTOCOL 	= 'wait_task'
PYBPOD_CREATOR 		= '["jose", "77b0c2de-6c2f-4d0e-9b0e-3e1c9a4f5d55", "ALYX"]'
PYBPOD_PROJECT 		= 'Mice'
PYBPOD_EXPERIMENT 	= 'Exp'
PYBPOD_BOARD 		= 'box1'
PYBPOD_SETUP 		= 'Set'
PYBPOD_SESSION 		= '20261121-110000'
PYBPOD_SESSION_PATH = '.'
PYBPOD_SUBJECTS 	= ["['ea04', '{EA04}']"]
PYBPOD_SUBJECT_EXTRA = ''
PYBPOD_USER_EXTRA = ''


TARGET_BPOD_FIRMWARE_VERSION = '22'

PYBPOD_VARSNAMES = ['reward_ml','label','block']
reward_ml = 0
label = 'a;b|c'
block = 3"""

#: PyBpod's own Bpod but for the serial port.
BPOD = """
import types
import user_settings
from confapp import conf
conf += 'pybpodapi.settings'
conf += user_settings
from pybpodapi.bpod.bpod_io import BpodIO
from pybpodapi.com.messaging.end_trial import EndTrial
from pybpodapi.com.messaging.session_info import SessionInfo
from pybpodapi.com.messaging.trial import Trial

class Bpod(BpodIO):
    stdin = socketin = None
    def open(self):
        self.bpod_com_ready = True
        self._arcom = types.SimpleNamespace(close=lambda: None)
    def _bpodcom_disconnect(self):
        pass
    def begin(self):
        self.session += Trial()
    def end(self, broken_off=False):
        self.session += EndTrial('The trial ended')
        if not broken_off:
            self.session += SessionInfo(self.session.INFO_TRIAL_BPODTIME, 1.5, start_time=2.0, end_time=3.5)

bpod = Bpod()
for n in range(3):
    bpod.begin()
    bpod.register_value('reward_ml', 0.003 * (n + 1))
    print('trial; %d | \\u00b5' % n)
    bpod.end()
"""

#: How the protocol goes on after three trials.
ENDS = {
    "finished": "print('p\\rq')\nbpod.close()\n",
    "stopped": "bpod.begin()\nbpod.end(broken_off=True)\nbpod.close()\n",
    "crashed": "bpod.begin()\nimport os\nos._exit(1)\n",
}


def run_protocol(folder: Path, text: str) -> Path:
    """Run a protocol as a process in a session's folder; give the CSV that PyBpod wrote."""
    (folder / "user_settings.py").write_text(RUN_SETTINGS, encoding="utf-8")
    protocol = folder / "protocol.py"
    protocol.write_text(text, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONUTF8": "1"}
    subprocess.run(
        [sys.executable, str(protocol)], cwd=folder, env=environment, capture_output=True, check=False, timeout=60
    )
    return folder / "20261121-110000.csv"


def write_session(folder: Path, rows: Sequence[str], *, name: str = "made.csv", newline: str = "\n") -> Path:
    """Write a session file by hand: metadata, column heads and these rows."""
    head = [
        "__UUID4__;ee935a67-4af0-41b6-ad3f-d4053a99ad71",
        "__CREATED-ON__;2026-11-21 10:00:00.100000",
        "__HAS-HEADER__",
        "TYPE;PC-TIME;BPOD-INITIAL-TIME;BPOD-FINAL-TIME;MSG;+INFO",
    ]
    file = folder / name
    file.write_bytes("".join(row + newline for row in [*head, *rows]).encode())
    return file


def row(kind: str, time: str, message: str, value: str = "") -> str:
    """Make one row of 21 November 2026."""
    return f"{kind};2026-11-21 {time};;;{message};{value}"


STARTED = row("INFO", "10:00:00", "SESSION-STARTED", "2026-11-21 10:00:00")
ENDED = row("INFO", "11:00:00", "SESSION-ENDED", "2026-11-21 11:00:00")
BROKEN_OFF = [row("TRIAL", "10:01:00", "New trial"), row("END-TRIAL", "10:02:00", "The trial ended")]
TRIAL = [*BROKEN_OFF, row("INFO", "10:02:00", "TRIAL-BPOD-TIME", "1.5")]


def at(time: str) -> datetime:
    """Read a time without a zone."""
    return datetime.fromisoformat(time)


def session(**changes: object) -> SessionFile:
    """Make the session of a well-behaved hour, but for these changes."""
    whole = replace(
        read_session_file(RECORDED / "finished.csv"),
        started=at("2026-11-21 10:00"),
        ended=at("2026-11-21 11:00"),
        subjects=(SessionSubject("ea04", EA04),),
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


_listening: list[list[str]] = []


def _note_open(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str):
        for opened in _listening:
            opened.append(arguments[0])


sys.addaudithook(_note_open)


@contextmanager
def files_opened() -> Iterator[list[str]]:
    """Give the list of the files that this process opens from here on, in order."""
    opened: list[str] = []
    _listening.append(opened)
    try:
        yield opened
    finally:
        _listening.remove(opened)
