"""How long each step in the plugin's windows keeps PyBpod from answering: ``python -m benchmarks.heartbeat``."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.beats import BLOCK_MS, OWNERS
from pybpod_alyx_module.demo.sandbox import SandboxServer
from tests.system.animals.rig_lab import LAB, restricted

if TYPE_CHECKING:
    from collections.abc import Sequence

_SETTINGS: Final = """\
SETTINGS_PRIORITY = 0
GENERIC_EDITOR_PLUGINS_LIST = ['pybpodgui_plugin', 'pybpod_alyx_module']
PYFORMS_SILENT_PLUGINS_FINDER = False
"""


def measure(animals: int) -> list[dict[str, Any]]:
    """Drive PyBpod with a project of so many animals.

    Returns: the steps, as `benchmarks.beats.Step` has them.
    """
    with tempfile.TemporaryDirectory(prefix="heartbeat-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        lab = folder / "lab.json"
        subjects = [restricted(f"mouse_{number:04}") for number in range(animals)]
        lab.write_text(json.dumps({**LAB, "subjects": subjects}), encoding="utf-8")
        (folder / "user_settings.py").write_text(_SETTINGS, encoding="utf-8")
        with SandboxServer("--throttle", "off", "--lab", str(lab)) as server:
            environment = {
                **os.environ,
                "ALYX_CONNECTOR_HOME": str(folder / "alyx-connector"),
                "ALYX_TOKEN_STORE": "memory",
                "HEARTBEAT_LOGIN": json.dumps([server.url, server.username, server.password]),
                "MPLBACKEND": "Agg",
                "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]),
                "QT_API": "pyqt5",
                "QT_QPA_PLATFORM": "offscreen",
            }
            log = folder / "pybpod.log"
            with log.open("w", encoding="utf-8") as logged:
                ended = subprocess.run(
                    [sys.executable, "-m", "benchmarks.windows"],
                    cwd=folder,
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=logged,
                    text=True,
                    check=False,
                )
            if ended.returncode:
                raise SystemExit(f"PyBpod ended with {ended.returncode}:\n{log.read_text(encoding='utf-8')[-2000:]}")
            return list(json.loads(ended.stdout.splitlines()[-1]))


def table(animals: int, steps: Sequence[dict[str, Any]]) -> str:
    """Put the steps of one run into lines of text."""
    head = f"{animals} animals: longest time without a pause, ms of the GUI thread's processor time, by whose code"
    lines = [head, f"{'step':34}{''.join(f'{owner:>10}' for owner in OWNERS)}{'blocks':>8}{'all':>9}"]
    for step in steps:
        longest = "".join(f"{step['longest'][owner]:10.1f}" for owner in OWNERS)
        lines.append(f"{step['name']:34}{longest}{step['blocks']:8}{step['busy']:9.0f}")
    worst = max(step["longest"]["ours"] for step in steps)
    lines.append(f"  {'met' if worst <= BLOCK_MS else 'missed'}: {worst:.1f} ms (aim: ours at most {BLOCK_MS:g} ms)")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.heartbeat", description=__doc__)
    parser.add_argument(
        "--animals", type=int, nargs="+", default=[300], help="animals of the project; one run for each"
    )
    for animals in parser.parse_args().animals:
        print(table(animals, measure(animals)), end="\n\n")


if __name__ == "__main__":
    main()
