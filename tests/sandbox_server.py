"""Start `python -m alyx_sandbox` for a test, wait until it answers, stop it cleanly."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

_READY = re.compile(r"alyx_sandbox ready at (?P<url>\S+) \(user (?P<user>\S+), password (?P<password>\S+)\)")
#: Seconds until a sandbox that was told to stop must be gone.
STOP_TIMEOUT = 30


class SandboxServer:
    """A sandbox in a process of its own, on a free port of this machine.

    Parameters
    ----------
    *arguments
        Options of ``python -m alyx_sandbox`` besides ``--port``.

    Attributes
    ----------
    url
        ``http://127.0.0.1:<port>`` without a slash at the end.
    username, password
        The main user of the lab.
    exit_code
        None while it runs.
    """

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "alyx_sandbox", "--port", "0", "--stop-with-stdin", *arguments]
        # The pipe to its standard input ends with this process, and the sandbox with the pipe.
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.ready_line = self.process.stdout.readline()
        ready = _READY.match(self.ready_line)
        if ready is None:
            code = self.stop()
            raise RuntimeError(f"{' '.join(command)} ended with {code} before it was ready")
        self.url = ready["url"].rstrip("/")
        self.username = ready["user"]
        self.password = ready["password"]

    @property
    def exit_code(self) -> int | None:
        """The exit code of the process, None while it runs."""
        return self.process.poll()

    @property
    def port(self) -> int:
        """The port that the sandbox listens on."""
        return int(self.url.rpartition(":")[2])

    def stop(self) -> int:
        """Stop the sandbox, and return its exit code. May be called again."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            return self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.process.stdout.close()

    def __enter__(self) -> SandboxServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
