"""Start the demo: sandbox, scratch project, PyBpod; wait until PyBpod ends; clean up."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alyx_connector.http.client import AlyxClient
from pybpod_alyx_module.demo.sandbox import SandboxServer
from pybpod_alyx_module.demo.scratch import Login, make_scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import IO

#: How long the tour through the windows may take, in seconds.
TOUR_LIMIT_S: Final = 300

_PREFIX: Final = "pybpod-alyx-demo-"

#: What the demo needs beside the plugin: module, and how to get it.
_NEEDED: Final = {
    "pybpodgui_plugin": (
        "PyBpod itself: in a copy of the plugin's repository, python -m pip install --no-deps -r requirements/host.txt"
    ),
    "django": 'the sandbox: python -m pip install "pybpod-gui-plugin-alyx[sandbox]>=2.dev0"',
}


def missing_parts() -> list[str]:
    """Tell what the demo needs and this environment does not have.

    Returns: a sentence for each; empty when nothing is missing.
    """
    return [how for module, how in _NEEDED.items() if importlib.util.find_spec(module) is None]


def has_display(environment: Mapping[str, str], platform: str) -> bool:
    """Tell whether a window can be shown."""
    if environment.get("QT_QPA_PLATFORM") in {"offscreen", "minimal"}:
        return False
    if platform in {"win32", "darwin"}:
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def run_demo(*, offscreen: bool, output: Path | None, say: Callable[[str], None]) -> int:
    """Run the demo and wait for its end.

    Parameters
    ----------
    offscreen : bool
        Press the buttons itself, without a display, and write screenshots.
    output : Path, optional
        Folder for the screenshots; without it a temporary one that stays.
    say : callable
        Takes each line for the user.

    Returns
    -------
    int
        0 when all went well, otherwise PyBpod's exit code.

    Raises
    ------
    AlyxError
        The sandbox did not answer as it should.
    RuntimeError
        The sandbox did not start.
    KeyboardInterrupt
        It was told to stop; nothing of it runs any more.
    """
    with _ended_by_signals(), tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        say("Starting a sandbox Alyx server with a demo lab...")
        with SandboxServer() as sandbox:
            say(f"  {sandbox.ready_line.strip()}")
            login = Login(sandbox.url, sandbox.username, sandbox.password)
            with AlyxClient(login.address) as client:
                client.login(login.username, login.password)
                rows = client.list("subjects", {"responsible_user": login.username})
            project = make_scratch(folder, login, rows)
            say(f"Made a scratch project, as version 1 of the plugin left it: {project}")
            return _run_pybpod(folder, offscreen=offscreen, output=output, say=say)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    # Whoever tells the demo to stop tells all of it: what it started ends with it, once.
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]

    def stop(_number: int, _frame: object) -> None:
        for name in names:
            signal.signal(getattr(signal, name), signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {name: signal.signal(getattr(signal, name), stop) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _run_pybpod(folder: Path, *, offscreen: bool, output: Path | None, say: Callable[[str], None]) -> int:
    home = folder / "alyx-connector"
    environment = {**os.environ, "QT_API": "pyqt5", "ALYX_CONNECTOR_HOME": str(home), "ALYX_TOKEN_STORE": "file"}
    if offscreen:
        return _run_tour(folder, environment, output, say)
    say("Opening PyBpod. In its window: right-click the project 'Demo', choose 'Sync to Alyx', press 'Connect',")
    say("then 'Get Subjects'. Close PyBpod to end the demo; the scratch project and the sandbox go with it.")
    # What PyBpod prints looks like errors where nothing is wrong: libraries that it does not need here.
    log = folder / "pybpod.log"
    with log.open("wb") as logged:
        code = _run([sys.executable, "-m", "pybpodgui_plugin"], folder, environment, stdout=logged)
    return _told(code, log, say)


def _run_tour(folder: Path, environment: dict[str, str], output: Path | None, say: Callable[[str], None]) -> int:
    screenshots = (output or Path(tempfile.mkdtemp(prefix="pybpod-alyx-screenshots-"))).resolve()
    screenshots.mkdir(parents=True, exist_ok=True)
    log = screenshots / "pybpod.log"
    say(f"Driving PyBpod's windows without a display; what PyBpod logs goes to {log}")
    command = [sys.executable, "-m", "pybpod_alyx_module.demo.tour", str(screenshots)]
    environment = {**environment, "QT_QPA_PLATFORM": "offscreen", "MPLBACKEND": "Agg"}
    with log.open("wb") as logged:
        try:
            code = _run(command, folder, environment, stderr=logged, limit_s=TOUR_LIMIT_S)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"PyBpod did not end within {TOUR_LIMIT_S} s; see {log}") from None
    return _told(code, log, say)


def _run(
    command: list[str],
    folder: Path,
    environment: dict[str, str],
    *,
    stdout: IO[bytes] | None = None,
    stderr: IO[bytes] | int = subprocess.STDOUT,
    limit_s: float | None = None,
) -> int:
    # In a session of its own: a protocol that PyBpod started is ended with it.
    process = subprocess.Popen(  # noqa: S603
        command, cwd=folder, env=environment, stdout=stdout, stderr=stderr, start_new_session=True
    )
    try:
        return process.wait(limit_s)
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if os.name == "posix":
        with suppress(ProcessLookupError, PermissionError):  # all of it has ended
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _told(code: int, log: Path, say: Callable[[str], None]) -> int:
    if code:
        say(f"The demo failed. The end of {log}:")
        say("".join(log.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)[-15:]))
    return code
