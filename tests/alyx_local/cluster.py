"""A PostgreSQL of the tests' own: a folder, reached by a socket in it, without TCP."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Final

_DEBIAN: Final = Path("/usr/lib/postgresql")
_START_S: Final = 60
#: What a crash would lose does not matter here; a container may have little shared memory.
_OPTIONS: Final = (
    "listen_addresses=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "shared_buffers=32MB",
    "dynamic_shared_memory_type=mmap",
)


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs; None where it is not installed."""
    versions = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3].partition(".")[0]))
    found = versions[-1] if versions else shutil.which("initdb")
    return Path(found).parent if found else None


class Cluster:
    """The databases in a folder. PostgreSQL refuses to run as root, so root runs it as postgres.

    It ends with the process that started it, also where that is killed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._programs = programs() or Path()
        self._server: subprocess.Popen[bytes] | None = None

    def create(self) -> None:
        """Make the folder, without databases of ours."""
        self.folder.mkdir(mode=0o700)
        self._own()
        made = self._run("initdb", "-D", self.folder, "-U", "postgres", "-A", "trust", "--no-sync", "--locale=C.UTF-8")
        made.check_returncode()

    def copy(self, other: Path) -> None:
        """Make the folder as a copy of one that no server uses."""
        subprocess.run(["cp", "-r", "--reflink=auto", other, self.folder], check=True)
        self.folder.chmod(0o700)
        self._own()

    def start(self) -> None:
        """Start the server, and wait until it takes connections."""
        options = [word for option in _OPTIONS for word in ("-c", option)]
        with Path(self.folder.parent, "postgres.log").open("wb") as log:
            self._server = subprocess.Popen(
                ending_with_us(
                    self._programs / "postgres", "-D", self.folder, "-k", self.folder, *options, as_user=_user()
                ),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + _START_S
        while self._run("pg_isready", "-q", "-h", self.folder).returncode:
            if self._server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"PostgreSQL does not start:\n{Path(log.name).read_text(errors='replace')}")
            time.sleep(0.02)

    def ask(self, program: str, *words: str) -> None:
        """Run ``createdb`` or ``dropdb``."""
        done = self._run(program, "-h", self.folder, "-U", "postgres", *words)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr}")

    def stop(self) -> None:
        """Stop the server; its files are then a whole that can be copied."""
        if self._server is not None:
            self._server.send_signal(2)  # SIGINT: without waiting for those who are connected
            self._server.wait(_START_S)

    def _run(self, program: str, *words: object) -> subprocess.CompletedProcess[str]:
        command = ending_with_us(self._programs / program, *words, as_user=_user())
        return subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)

    def _own(self) -> None:
        if user := _user():
            subprocess.run(["chown", "-R", user, self.folder], check=True)


def ending_with_us(*command: object, as_user: str | None = None) -> list[str]:
    """Return a command whose process is interrupted when the one that started it is gone."""
    user = [f"--reuid={as_user}", f"--regid={as_user}", "--init-groups"] if as_user else []
    return ["setpriv", *user, "--pdeathsig", "INT", "--", *map(str, command)]


def _user() -> str | None:
    return "postgres" if os.geteuid() == 0 else None
