"""What a list of sessions costs in memory; each contender runs in a process of its own. Linux only."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.contenders import (
    PAGE_SIZE,
    Server,
    bare_list,
    empty_home,
    new_bare_session,
    new_connector,
    new_one,
    search,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CONTENDERS", "peak_bytes"]

_STATUS = Path("/proc/self/status")


def _connector(server: Server, home: Path) -> Callable[[], Any]:
    connector = new_connector(server, home)
    return lambda: search(connector, details=False)


def _one(server: Server, home: Path) -> Callable[[], Any]:
    one = new_one(server, home)
    # Larger pages than its own: as much memory in less time.
    return lambda: list(one.rest("sessions", "list", limit=PAGE_SIZE))


def _bare(server: Server, home: Path) -> Callable[[], Any]:
    session = new_bare_session(server)
    return lambda: bare_list(session, server)


CONTENDERS = {"Connector.search(details=False)": _connector, "ONE-api": _one, "the raw rows": _bare}


def peak_bytes(name: str, server: Server) -> tuple[int, int, int]:
    """List all sessions in a process of its own.

    Returns: by how many bytes the process grew at most.
    """
    command = [sys.executable, "-m", "benchmarks.memory", name]
    login = json.dumps([server.url, server.username, server.password])
    ended = subprocess.run(command, input=login, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    rows, peak, held = json.loads(ended.stdout.splitlines()[-1])
    return rows, peak, held


def _resident(field: str) -> int:
    line = next(line for line in _STATUS.read_text(encoding="ascii").splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def main() -> None:
    """Measure one contender and print rows, peak and what is held, as JSON."""
    server = Server(*json.load(sys.stdin))
    with empty_home() as home:
        work = CONTENDERS[sys.argv[1]](server, home)
        import pandas as pd

        pd.DataFrame({"a": pd.array(["a"], dtype="string")})  # so that no import is counted as data
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins here
        before = _resident("VmRSS")
        result = work()
        gc.collect()
        print(json.dumps([len(result), _resident("VmHWM") - before, _resident("VmRSS") - before]))


if __name__ == "__main__":
    main()
