"""A sandbox in a process of its own, which ends with the process that started it."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import TracebackType

_READY: Final = re.compile(r"alyx_sandbox ready at (?P<url>\S+) \(user (?P<user>\S+), password (?P<password>\S+)\)")

#: Seconds until a sandbox that is to stop must be gone.
STOP_TIMEOUT: Final = 30


class SandboxServer:
    """A sandbox in a process of its own, on a free port of this machine.

    Parameters
    ----------
    *arguments : str
        Options of ``python -m alyx_sandbox`` besides ``--port``.

    Attributes
    ----------
    url : str
        ``http://127.0.0.1:<port>`` without a slash at the end.
    username, password : str
        The main user of the lab.
    ready_line : str
        What it said when it was ready.

    Raises
    ------
    RuntimeError
        It did not start; its reason is on standard error.
    """

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "alyx_sandbox", "--port", "0", "--stop-with-stdin", *arguments]
        # The pipe to its standard input ends with this process, and the sandbox with the pipe.
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
        self.ready_line = self.process.stdout.readline() if self.process.stdout else ""
        ready = _READY.match(self.ready_line)
        if ready is None:
            code = self.stop()
            raise RuntimeError(
                f"the sandbox ended with code {code} before it was ready; it says why in what it printed"
            )
        self.url = ready["url"].rstrip("/")
        self.username = ready["user"]
        self.password = ready["password"]

    @property
    def port(self) -> int:
        """The port that the sandbox listens on."""
        return int(self.url.rpartition(":")[2])

    def stop(self) -> int:
        """Stop the sandbox; may be called again.

        Returns
        -------
        int
            Its exit code.

        Raises
        ------
        subprocess.TimeoutExpired
            It had to be killed.
        """
        if self.process.stdin:
            self.process.stdin.close()
        try:
            return self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            if self.process.stdout:
                self.process.stdout.close()

    def __enter__(self) -> SandboxServer:
        """Return the server itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()
