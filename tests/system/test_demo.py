"""The pieces of the two commands: the demo as a process, and the installation of Debian's libraries."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest

from alyx_connector import __version__
from pybpod_alyx_module import __main__ as command
from pybpod_alyx_module.demo import launch
from pybpod_alyx_module.demo.scratch import COPIES, Login, make_scratch
from pybpod_alyx_module.demo.stop_signals import StopSignals

ROOT = Path(__file__).parents[2]
INSTALL = ROOT / "requirements/install-libraries.sh"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The offscreen demo, run once: its output and the folder of its screenshots."""
    folder = tmp_path_factory.mktemp("demo")
    before = set(Path.home().iterdir())
    environment = {key: value for key, value in os.environ.items() if key not in {"DISPLAY", "WAYLAND_DISPLAY"}}
    result = subprocess.run(
        [sys.executable, "-m", "pybpod_alyx_module", "demo", "--output", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environment,
    )
    assert (result.returncode, result.stderr) == (0, ""), result.stdout + result.stderr
    assert set(Path.home().iterdir()) <= before, "the demo left something in the home folder"
    return result.stdout, folder


def test_the_demo_tells_what_became_of_each_subject(demo):
    lines = demo[0].splitlines()
    assert "Overridden: ea04" in lines
    assert "Merged: jo003" in lines
    assert "Kept: jo002" in lines
    assert "Removed from this PyBpod project: jo007" in lines
    (added,) = [line for line in lines if line.startswith("Added: ")]
    assert {"jo001", "jo005", "future_cull"} <= set(added.removeprefix("Added: ").split(", "))
    assert "jo008" not in added


def test_the_demo_saves_the_project_and_keeps_the_folder_of_the_removed_subject(demo):
    (saved,) = [line for line in demo[0].splitlines() if "is saved and holds" in line]
    assert "pilot animal" in saved
    assert "jo007" not in saved
    assert "Folders kept in its 'removed' folder: jo007" in demo[0]


def test_the_demo_prints_the_path_of_each_screenshot_on_a_line(demo):
    shots = [Path(line) for line in demo[0].splitlines() if line.endswith(".png")]
    assert len(shots) >= 3
    assert {path.name for path in shots} == {path.name for path in demo[1].glob("*.png")}
    assert all(path.read_bytes().startswith(PNG) for path in shots)


#: The demo with a window, on a display that is none.
WITH_WINDOW = """
import sys
from pybpod_alyx_module import __main__ as command
from pybpod_alyx_module.demo import launch
launch.has_display = lambda *_: True
sys.exit(command.main(["demo"]))
"""

#: Closes PyBpod's window once it is there, as a person does.
CLOSES = """
import sys, threading, time
def close():
    while True:
        time.sleep(0.05)
        kind = getattr(sys.modules.get("AnyQt.QtWidgets"), "QApplication", None)  # it may be half imported
        application = kind and kind.instance()
        if application and any(type(one).__name__ == "StandAloneContainer" and one.isVisible()
                               for one in application.topLevelWidgets()):
            from AnyQt.QtCore import QMetaObject, Qt
            QMetaObject.invokeMethod(application, "closeAllWindows", Qt.QueuedConnection)
            return
if "pybpodgui_plugin" in sys.orig_argv:
    threading.Thread(target=close, daemon=True).start()
"""


class ShownDemo:
    """A demo with a window, in a session of its own; ``left`` is what still runs of it."""

    def __init__(self, folder, **more):
        self.mark = f"ALYX_DEMO_TEST={uuid4()}"
        name, _, value = self.mark.partition("=")
        environment = {**os.environ, name: value, "QT_QPA_PLATFORM": "offscreen", "TMPDIR": str(folder), **more}
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", WITH_WINDOW],
            env=environment,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    @property
    def left(self):
        return [pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if self._is_of_it(pid)]

    def _is_of_it(self, pid):
        try:
            return self.mark.encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            return False

    def wait_for_pybpod(self):
        """Wait until PyBpod has loaded the plugin."""
        while not list(self.folder.glob("pybpod-alyx-demo-*/alyx-connector/log/plugin.log")):
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.05)
        assert len(self.left) >= 3  # the demo, its sandbox, PyBpod

    def end(self):
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@pytest.fixture
def shown_demo(tmp_path):
    started = []

    def start(**more):
        started.append(ShownDemo(tmp_path, **more))
        return started[0]

    yield start
    for one in started:
        for pid in one.left:
            os.kill(pid, signal.SIGKILL)
        one.process.wait()


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_told_to_stop_the_demo_leaves_nothing(shown_demo, number, tmp_path):
    demo = shown_demo()
    demo.wait_for_pybpod()
    demo.process.send_signal(number)
    code, out, err = demo.end()
    assert (code, err) == (0, "")
    assert demo.left == []
    assert list(tmp_path.glob("*alyx*")) == []
    assert "Error" not in out


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
def test_told_to_stop_before_its_server_is_ready(shown_demo, tmp_path):
    demo = shown_demo()
    assert "Starting" in demo.process.stdout.readline()
    demo.process.send_signal(signal.SIGTERM)
    code, _, err = demo.end()
    assert (code, err) == (0, "")
    assert demo.left == []
    assert list(tmp_path.glob("*alyx*")) == []


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
def test_the_demo_ends_with_its_window_and_prints_no_errors(shown_demo, tmp_path_factory):
    hooks = tmp_path_factory.mktemp("hooks")
    (hooks / "sitecustomize.py").write_text(CLOSES)
    demo = shown_demo(PYTHONPATH=os.pathsep.join([str(hooks), str(ROOT)]))
    code, out, err = demo.end()
    assert (code, err) == (0, ""), out
    assert "Close PyBpod to end the demo" in out
    assert not [word for word in ("cv2", "rror", "Traceback", "will not work") if word in out]
    assert demo.left == []
    assert list(demo.folder.glob("*alyx*")) == []


def test_told_to_stop_while_it_starts_a_program_it_stops_afterwards():
    started = []
    before = signal.getsignal(signal.SIGTERM)
    with StopSignals() as signals:

        def start():
            with signals.held():
                os.kill(os.getpid(), signal.SIGTERM)
                started.append("a program")

        with pytest.raises(KeyboardInterrupt):
            start()
        os.kill(os.getpid(), signal.SIGTERM)  # while it cleans up
    assert started == ["a program"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_pybpod_said_is_shown_where_it_fails(tmp_path):
    log = tmp_path / "pybpod.log"
    log.write_text("\n".join(f"line {number}" for number in range(100)), encoding="utf-8")
    said = []
    assert launch.told(3, log, said.append) == 3
    assert "line 99" in said[-1]
    assert "line 84\n" not in said[-1]
    assert launch.told(0, log, pytest.fail) == 0


@pytest.mark.parametrize(
    ("environment", "platform", "shown"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"DISPLAY": ":0", "QT_QPA_PLATFORM": "offscreen"}, "linux", False),
        ({}, "win32", True),
        ({}, "darwin", True),
    ],
)
def test_a_display_is_recognised(environment, platform, shown):
    assert launch.has_display(environment, platform) is shown


def test_the_demo_says_what_is_not_installed(monkeypatch, capsys):
    monkeypatch.setattr(launch, "_NEEDED", {"no_such_module": "how to get it"})
    assert command.main(["demo"]) == 1
    assert "how to get it" in capsys.readouterr().err


def test_a_wrong_usage_exits_with_2(capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(["nonsense"])
    assert stopped.value.code == 2
    assert "demo" in capsys.readouterr().err


def test_without_a_command_the_help_is_shown(capsys):
    assert command.main([]) == 2
    assert "see the subjects of a demo lab arrive in PyBpod" in capsys.readouterr().err


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"pybpod-alyx {__version__} (pybpod-gui-plugin-alyx)\n"


def test_a_lab_without_the_subjects_of_the_demo_is_told(tmp_path):
    with pytest.raises(LookupError, match=next(iter(COPIES))):
        make_scratch(tmp_path, Login("http://127.0.0.1:1", "jose", "x"), [])


@pytest.fixture
def tools(tmp_path):
    """A folder with the few tools that the script needs, to which a test adds stand-ins for Debian's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "grep", "tr"):
        (folder / name).symlink_to(shutil.which(name))

    def add(name, script):
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    return folder, add


def install(folder, tmp_path, *packages):
    wanted = tmp_path / "apt.txt"
    wanted.write_text("# comment\n" + "\n".join(packages) + "\n", encoding="utf-8")
    return subprocess.run(
        ["sh", str(INSTALL), str(wanted)], capture_output=True, text=True, check=False, env={"PATH": str(folder)}
    )


def test_nothing_is_installed_where_nothing_is_missing(tools, tmp_path):
    folder, add = tools
    add("dpkg-query", 'echo "install ok installed x"')
    result = install(folder, tmp_path, "libgl1")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_missing_libraries_are_installed_as_root(tools, tmp_path):
    folder, add = tools
    add("dpkg-query", '[ "$3" = libgl1 ] && echo "install ok installed x"; exit 1')
    add("id", "echo 0")
    add("apt-get", f'echo "$@" >> {tmp_path}/calls')
    result = install(folder, tmp_path, "libgl1", "libfoo")
    assert result.returncode == 0
    calls = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert calls == ["update -qq", "install -y -qq --no-install-recommends libfoo"]


def test_missing_libraries_are_installed_through_sudo(tools, tmp_path):
    folder, add = tools
    add("dpkg-query", "exit 1")
    add("id", "echo 1000")
    add("sudo", f'echo "$@" >> {tmp_path}/calls')
    assert install(folder, tmp_path, "libfoo").returncode == 0
    assert "apt-get update -qq" in (tmp_path / "calls").read_text(encoding="utf-8")


def test_without_root_and_sudo_the_missing_libraries_are_named(tools, tmp_path):
    folder, add = tools
    add("dpkg-query", "exit 1")
    add("id", "echo 1000")
    result = install(folder, tmp_path, "libfoo", "libbar")
    assert result.returncode == 1
    assert "apt-get install -y --no-install-recommends libfoo libbar" in result.stderr


def test_a_failing_apt_get_is_told(tools, tmp_path):
    folder, add = tools
    add("dpkg-query", "exit 1")
    add("id", "echo 0")
    add("apt-get", "exit 100")
    result = install(folder, tmp_path, "libfoo")
    assert result.returncode == 1
    assert "could not install: libfoo" in result.stderr


def test_another_system_is_told_what_it_needs(tools, tmp_path):
    result = install(tools[0], tmp_path, "libfoo")
    assert result.returncode == 0
    assert "libfoo" in result.stdout
