"""Senders as processes that can be killed: forked from one that has everything imported, so that a round is short.

``python -m tests.system.outbox.nursery FILE URL CLOCK``; on standard input comes a line for each sender to start: its
user, and the token. Each child says ``<pid>`` on standard output when it begins to send. Its monotonic clock is the
number in the file CLOCK, which the test moves.
"""

from __future__ import annotations

import mmap
import os
import signal
import struct
import sys
import threading
from pathlib import Path

from alyx_connector import AlyxClient, Timeouts
from pybpod_alyx_module.outbox.back_off import Pauses
from pybpod_alyx_module.outbox.outbox import Outbox
from pybpod_alyx_module.outbox.sender import Sender

LIFE_S = 0.4


def send_for_ever(path: Path, url: str, username: str, token: str, clock_file: Path) -> None:
    with clock_file.open("r+b") as stream:
        shared = mmap.mmap(stream.fileno(), 8)

    def clock() -> float:
        return float(struct.unpack("d", shared[:8])[0])

    client = AlyxClient(url, username=username, token=token, timeouts=Timeouts(connect=2, read=2, operation=3))
    pauses = Pauses(clock, shortest_s=0.02, longest_s=0.1)
    outbox = Outbox(path)
    own = url, username
    clients = lambda *account: client if account == own else None  # noqa: E731
    sender = Sender(outbox, clients, life_s=LIFE_S, poll_s=0.01, clock=clock, pauses=pauses)
    os.write(1, f"{os.getpid()}\n".encode())
    sender.start()
    threading.Event().wait()


def main() -> None:
    path, url, clock_file = sys.argv[1:]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the killed
    while line := sys.stdin.readline():
        if os.fork() == 0:
            os.close(0)
            os.setsid()
            send_for_ever(Path(path), url, *line.split(), Path(clock_file))


if __name__ == "__main__":
    main()
