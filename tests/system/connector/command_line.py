"""``alyx-connector`` in a process of its own, with or without a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pexpect

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "alyx_connector"]
#: What a table of sessions shows.
USUAL = ["start_time", "number", "lab", "subject", "task_protocol", "n_trials", "qc", "narrative", "id"]


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
        """Run a command without a terminal; return what it printed and what it told."""
        done = subprocess.run(
            [*COMMAND, *words], input=given, capture_output=True, cwd=ROOT, env=self.environment, timeout=120
        )
        told = done.stderr.decode()
        assert done.returncode == expect, (done.returncode, told)
        assert "Traceback" not in told
        assert "Connector(" not in told, "speaks of commands, not of Python"
        assert "Connector.setup" not in told
        assert "django=" not in told
        assert b"Connector" not in done.stdout
        return done.stdout if done.stdout.startswith(b"PAR1") else done.stdout.decode(), told

    def refused(self, *words, expect, given=b""):
        """Run a command that fails; return what it told."""
        printed, told = self.run(*words, given=given, expect=expect)
        assert printed == ""
        return told

    def login(self, server, user="jose", *more):
        """Set up an account of the demo lab as the default."""
        words = ["login", server.url, "--user", user, "--password-stdin", *more]
        return self.run(*words, given=f"{user}-demo\n".encode())

    def at_terminal(self, *words, columns=200, **environment):
        """Start a command at a pseudo-terminal."""
        return pexpect.spawn(
            COMMAND[0],
            [*COMMAND[1:], *words],
            encoding="utf-8",
            timeout=60,
            cwd=str(ROOT),
            dimensions=(50, columns),
            env={**self.environment, **environment},
        )

    def shown(self, *words, columns=200, expect=0):
        """Run a command at a pseudo-terminal; return what it showed."""
        child = self.at_terminal(*words, columns=columns)
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == expect, child.before
        return child.before
