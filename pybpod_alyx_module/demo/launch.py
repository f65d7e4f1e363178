"""Start the demo: sandbox, scratch project, PyBpod; wait until PyBpod ends; clean up."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alyx_connector.http.client import AlyxClient
from pybpod_alyx_module.demo.sandbox import SandboxServer
from pybpod_alyx_module.demo.scratch import Login, make_scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    """
    with tempfile.TemporaryDirectory(prefix="pybpod-alyx-demo-", ignore_cleanup_errors=True) as scratch:
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


def _run_pybpod(folder: Path, *, offscreen: bool, output: Path | None, say: Callable[[str], None]) -> int:
    home = folder / "alyx-connector"
    environment = {**os.environ, "QT_API": "pyqt5", "ALYX_CONNECTOR_HOME": str(home), "ALYX_TOKEN_STORE": "file"}
    if offscreen:
        return _run_tour(folder, environment, output, say)
    say("Opening PyBpod. In its window: right-click the project 'Demo', choose 'Sync to Alyx', press 'Connect',")
    say("then 'Get Subjects'. Close PyBpod to end the demo; the scratch project and the sandbox go with it.")
    return subprocess.run(
        [sys.executable, "-m", "pybpodgui_plugin"], cwd=folder, env=environment, check=False
    ).returncode


def _run_tour(folder: Path, environment: dict[str, str], output: Path | None, say: Callable[[str], None]) -> int:
    screenshots = (output or Path(tempfile.mkdtemp(prefix="pybpod-alyx-screenshots-"))).resolve()
    screenshots.mkdir(parents=True, exist_ok=True)
    log = screenshots / "pybpod.log"
    say(f"Driving PyBpod's windows without a display; what PyBpod logs goes to {log}")
    command = [sys.executable, "-m", "pybpod_alyx_module.demo.tour", str(screenshots)]
    with log.open("w", encoding="utf-8") as logged:
        try:
            code = subprocess.run(  # noqa: S603
                command,
                cwd=folder,
                env={**environment, "QT_QPA_PLATFORM": "offscreen", "MPLBACKEND": "Agg"},
                stderr=logged,
                timeout=TOUR_LIMIT_S,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"PyBpod did not end within {TOUR_LIMIT_S} s; see {log}") from None
    if code:
        say(f"The demo failed. The end of {log}:")
        say("".join(log.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)[-15:]))
    return code
