"""Start the demo: sandbox, scratch project, PyBpod; wait until PyBpod ends; clean up."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alyx_connector.http.client import AlyxClient
from pybpod_alyx_module.demo.sandbox import SandboxServer
from pybpod_alyx_module.demo.scratch import Login, make_scratch
from pybpod_alyx_module.demo.stop_signals import StopSignals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import IO

#: How long the tour through the windows may take, in seconds.
TOUR_LIMIT_S: Final = 300

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
    with StopSignals() as signals, ExitStack() as stack:
        scratch = tempfile.TemporaryDirectory(prefix="pybpod-alyx-demo-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(scratch))
        say("Starting a sandbox Alyx server with a demo lab...")
        with signals.held():
            sandbox = stack.enter_context(SandboxServer())
        say(f"  {sandbox.ready_line.strip()}")
        login = Login(sandbox.url, sandbox.username, sandbox.password)
        with AlyxClient(login.address) as client:
            client.login(login.username, login.password)
            rows = client.list("subjects", {"responsible_user": login.username})
        project = make_scratch(folder, login, rows)
        say(f"Made a scratch project, as version 1 of the plugin left it: {project}")
        return _PyBpod(folder, signals, say).run(offscreen=offscreen, output=output)


class _PyBpod:
    """PyBpod in the scratch folder, until it ends or the demo is told to stop."""

    def __init__(self, folder: Path, signals: StopSignals, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._signals = signals
        self._say = say
        home = str(folder / "alyx-connector")
        self._environment = {**os.environ, "QT_API": "pyqt5", "ALYX_CONNECTOR_HOME": home, "ALYX_TOKEN_STORE": "file"}

    def run(self, *, offscreen: bool, output: Path | None) -> int:
        """Return its exit code."""
        return self._tour(output) if offscreen else self._window()

    def _window(self) -> int:
        self._say(
            "Opening PyBpod. In its window: right-click the project 'Demo', choose 'Sync to Alyx', press 'Connect',"
        )
        self._say("then 'Get Subjects'. Close PyBpod to end the demo; the scratch project and the sandbox go with it.")
        # What PyBpod prints looks like errors where nothing is wrong: libraries that it does not need here.
        log = self._folder / "pybpod.log"
        with log.open("wb") as logged:
            code = self._wait_for([sys.executable, "-m", "pybpodgui_plugin"], stdout=logged)
        return told(code, log, self._say)

    def _tour(self, output: Path | None) -> int:
        screenshots = (output or Path(tempfile.mkdtemp(prefix="pybpod-alyx-screenshots-"))).resolve()
        screenshots.mkdir(parents=True, exist_ok=True)
        log = screenshots / "pybpod.log"
        self._say(f"Driving PyBpod's windows without a display; what PyBpod logs goes to {log}")
        self._environment |= {"QT_QPA_PLATFORM": "offscreen", "MPLBACKEND": "Agg"}
        command = [sys.executable, "-m", "pybpod_alyx_module.demo.tour", str(screenshots)]
        with log.open("wb") as logged:
            try:
                code = self._wait_for(command, stderr=logged, limit_s=TOUR_LIMIT_S)
            except subprocess.TimeoutExpired:
                raise RuntimeError(f"PyBpod did not end within {TOUR_LIMIT_S} s; see {log}") from None
        return told(code, log, self._say)

    def _wait_for(
        self,
        command: list[str],
        *,
        stdout: IO[bytes] | None = None,
        stderr: IO[bytes] | int = subprocess.STDOUT,
        limit_s: float | None = None,
    ) -> int:
        process = None
        try:
            with self._signals.held():
                process = subprocess.Popen(  # noqa: S603
                    command,
                    cwd=self._folder,
                    env=self._environment,
                    stdout=stdout,
                    stderr=stderr,
                    start_new_session=True,  # a protocol that PyBpod started is ended with it
                )
            return process.wait(limit_s)
        finally:
            if process is not None:
                _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if os.name == "posix":
        with suppress(ProcessLookupError, PermissionError):  # all of it has ended
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def told(code: int, log: Path, say: Callable[[str], None]) -> int:
    """Show the end of what PyBpod said where it failed; return its exit code."""
    if code:
        say(f"The demo failed. The end of {log}:")
        say("".join(log.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)[-15:]))
    return code
