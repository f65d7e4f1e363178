"""``alyx-connector`` in this process, in a process of its own, and at a terminal."""

from __future__ import annotations

import io
import itertools
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pexpect

from alyx_connector.cli.main import main
from alyx_connector.display import shown_progress
from tests.fault_proxy import WAIT_S, FaultProxy

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "alyx_connector"]
#: What a table of sessions shows.
USUAL = ["subject", "start_time", "number", "task_protocol", "narrative", "n_trials", "lab", "projects", "qc", "id"]


def obey_ctrl_c():
    """Let a child obey Ctrl-C, also where whoever started the tests ignores it: a child inherits that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def press_ctrl_c(child):
    """Press Ctrl-C once the program waits: between its question and its reading a signal would wait as well."""
    end = time.monotonic() + WAIT_S
    while Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
        assert time.monotonic() < end, "it never waits"
        time.sleep(0.01)
    child.sendintr()


class HalfWay:
    """A server that answers so many details of sessions, and no more."""

    #: Requests at once.
    WORKERS = 8

    def __init__(self, proxy, answered):
        self.url = proxy.url
        self._answered = answered
        self._numbers = itertools.count()
        self._stuck = threading.Semaphore(0)
        proxy.choose(self._choose)

    def wait(self):
        """Wait until the details that are answered have arrived: every worker then waits for one that is not."""
        for _ in range(self.WORKERS):
            assert self._stuck.acquire(timeout=WAIT_S)

    def _choose(self, seen):
        if not seen.path.startswith("/sessions/"):
            return None
        if next(self._numbers) < self._answered:
            return "delay", {"seconds": 0.6}  # for so long no progress is shown
        self._stuck.release()
        return "mute", {}


@contextmanager
def half_way(server, answered):
    """Stand before a server as `HalfWay`."""
    with FaultProxy(server.url) as proxy:
        yield HalfWay(proxy, answered)


class CommandLine:
    """Runs commands on a computer whose accounts are in ``home``."""

    def __init__(self, home):
        self.home = home
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "default",
            "ALYX_CONNECTOR_HOME": str(home),
            "ALYX_TOKEN_STORE": "file",
            "TERM": "xterm-256color",
        }

    def run(self, *words, given=b"", expect=0):
        """Run a command in this process, without a terminal; return what it printed and what it told."""
        streams = {name: io.TextIOWrapper(io.BytesIO(text), "utf-8") for name, text in self._streams(given)}
        with (
            mock.patch.dict(os.environ, self.environment, clear=True),
            mock.patch.multiple(sys, **streams),
            mock.patch.object(shown_progress, "_FIRST_S", WAIT_S),  # how far it has come is told, or not, by the clock
        ):
            try:
                code = main(words)
            except SystemExit as end:  # argparse
                code = end.code
        for stream in streams.values():
            stream.flush()
        return self._checked(code, streams["stdout"].buffer.getvalue(), streams["stderr"].buffer.getvalue(), expect)

    def run_process(self, *words, given=b"", expect=0):
        """Run a command in a process of its own, without a terminal; return what it printed and what it told."""
        done = subprocess.run(
            [*COMMAND, *words], input=given, capture_output=True, cwd=ROOT, env=self.environment, timeout=120
        )
        return self._checked(done.returncode, done.stdout, done.stderr, expect)

    @staticmethod
    def _streams(given):
        return [("stdin", given), ("stdout", b""), ("stderr", b"")]

    @staticmethod
    def _checked(code, printed, told, expect):
        told = told.decode()
        assert code == expect, (code, told)
        assert "Traceback" not in told
        assert "Connector(" not in told, "speaks of commands, not of Python"
        assert "Connector.setup" not in told
        assert "django=" not in told
        assert b"Connector" not in printed
        return printed if printed.startswith(b"PAR1") else printed.decode(), told

    def refused(self, *words, expect, given=b""):
        """Run a command that fails; return what it told."""
        printed, told = self.run(*words, given=given, expect=expect)
        assert printed == ""
        return told

    def login(self, server, user="jose", *more):
        """Set up an account of the demo lab as the default."""
        words = ["login", server.url, "--user", user, "--password-stdin", *more]
        return self.run(*words, given=f"{user}-demo\n".encode())

    def at_terminal(self, *words, columns=200, to=None, **environment):
        """Start a command at a pseudo-terminal; its standard output goes to a file, if one is given."""
        shell = ["sh", "-c", f'"$@" > {shlex.quote(str(to))}', "sh"] if to else []
        command = [*shell, *COMMAND, *words]
        return pexpect.spawn(
            command[0],
            command[1:],
            encoding="utf-8",
            timeout=60,
            cwd=str(ROOT),
            dimensions=(50, columns),
            env={**self.environment, **environment},
            preexec_fn=obey_ctrl_c,
        )

    def shown(self, *words, columns=200, expect=0):
        """Run a command at a pseudo-terminal; return what it showed."""
        child = self.at_terminal(*words, columns=columns)
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == expect, child.before
        return child.before
