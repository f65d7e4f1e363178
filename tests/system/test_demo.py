"""The pieces of the two commands: the demo as a process, and the installation of Debian's libraries."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from alyx_connector import __version__
from pybpod_alyx_module import __main__ as command
from pybpod_alyx_module.demo import launch
from pybpod_alyx_module.demo.scratch import COPIES, Login, make_scratch

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
    assert result.returncode == 0, result.stdout + result.stderr
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
