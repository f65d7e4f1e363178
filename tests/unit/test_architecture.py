"""Who may import whom, and that each room can be entered alone."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("alyx_connector", "pybpod_alyx_module", "alyx_sandbox")

#: What must not be loaded by importing the room on the left.
HEADLESS = {
    "alyx_connector": (
        "AnyQt",
        "PyQt5",
        "pyforms",
        "confapp",
        "pybpodgui_plugin",
        "pandas",
        "numpy",
        "pyarrow",
        "django",
        "rich",
    ),
    "pybpod_alyx_module.sync.make_plan": ("AnyQt", "PyQt5", "pyforms", "confapp", "pybpodgui_plugin", "requests"),
    "pybpod_alyx_module.sync.fetch": ("AnyQt", "PyQt5", "pyforms", "confapp", "pybpodgui_plugin"),
    "pybpod_alyx_module.sessions.alyx_session": ("AnyQt", "PyQt5", "pyforms", "confapp", "pybpodgui_plugin"),
    "pybpod_alyx_module.sessions.registration_note": ("AnyQt", "PyQt5", "pyforms", "confapp", "pybpodgui_plugin"),
    "pybpod_alyx_module.animals.checks_before_run": (
        "AnyQt",
        "PyQt5",
        "pyforms",
        "confapp",
        "pybpodgui_plugin",
        "serial",
    ),
    "pybpod_alyx_module.scale.reader": ("AnyQt", "PyQt5", "pyforms", "confapp", "pybpodgui_plugin", "serial"),
    "pybpod_alyx_module.outbox.sender": ("AnyQt", "PyQt5", "pyforms", "confapp", "pybpodgui_plugin", "pandas"),
    "pybpod_alyx_module.doctor.examine": ("AnyQt", "PyQt5", "pyforms", "confapp", "pybpodgui_plugin", "pandas"),
    "pybpod_alyx_module.__main__": ("AnyQt", "PyQt5", "pyforms", "confapp", "pybpodgui_plugin", "django"),
}

NO_QT = "no Qt outside gui and models"
UPWARDS = "nothing in the plugin imports upwards"
TRADES = "no trade's windows import another's, but all may ask for the log-in"

#: Where a forbidden import is planted, what it is, and the contract (or contracts) that must break.
PLANTS = [
    ("pybpod_alyx_module/sync/make_plan.py", "from AnyQt import QtCore", NO_QT),
    ("alyx_connector/http/client.py", "import PyQt5", NO_QT),
    ("pybpod_alyx_module/sync/apply.py", "import pybpod_alyx_module.gui.guard", (NO_QT, UPWARDS)),
    (
        "pybpod_alyx_module/sessions/alyx_session.py",
        "import pybpod_alyx_module.gui.task",
        (NO_QT, UPWARDS),
    ),
    ("alyx_connector/http/client.py", "import pybpod_alyx_module.sync", "the client knows nothing of the plugin"),
    ("alyx_connector/http/client.py", "import django", "only the sandbox imports Django"),
    ("pybpod_alyx_module/gui/guard.py", "import alyx_sandbox", "the sandbox is a process"),
    ("pybpod_alyx_module/sync/fetch.py", "import pybpodgui_api", "only host and models know PyBpod"),
    ("pybpod_alyx_module/sessions/session_csv.py", "import pybpodapi", "only host and models know PyBpod"),
    ("pybpod_alyx_module/doctor/examine.py", "from AnyQt import QtCore", NO_QT),
    ("pybpod_alyx_module/outbox/states.py", "from AnyQt import QtCore", NO_QT),
    ("pybpod_alyx_module/outbox/sender.py", "import pybpodapi", "only host and models know PyBpod"),
    ("pybpod_alyx_module/outbox/outbox.py", "import pybpod_alyx_module.read_settings", "the outbox stands alone"),
    ("pybpod_alyx_module/host/subject_file.py", "import pybpod_alyx_module.animals.weight", UPWARDS),
    ("pybpod_alyx_module/gui/guard.py", "import pybpod_alyx_module.models.loading", UPWARDS),
    ("alyx_connector/http/calls.py", "import alyx_connector.search.listing", "nothing in the client imports upwards"),
    ("pybpod_alyx_module/gui/sync/sync_window.py", "import pybpod_alyx_module.gui.outbox.window", TRADES),
    ("pybpod_alyx_module/gui/outbox/window.py", "import pybpod_alyx_module.gui.animals.open_dialog", TRADES),
]


def lint(where: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--config", "pyproject.toml", "--no-cache"]
    return subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)


@pytest.fixture
def copy_of_the_tree(tmp_path):
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            target = tmp_path / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    return tmp_path


def test_the_contracts_are_kept():
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


@pytest.mark.parametrize(("path", "line", "contract"), PLANTS)
def test_each_contract_breaks_on_a_planted_import(copy_of_the_tree, path, line, contract):
    planted = copy_of_the_tree / path
    planted.write_text(f"{planted.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")
    result = lint(copy_of_the_tree)
    broken = [row.partition(" BROKEN")[0] for row in result.stdout.splitlines() if " BROKEN" in row]
    assert broken == ([contract] if isinstance(contract, str) else list(contract)), result.stdout


@pytest.mark.parametrize("room", HEADLESS)
def test_a_room_can_be_entered_alone(room):
    check = f"import sys, {room}; print(sorted({set(HEADLESS[room])} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert result.stdout.strip() == "[]", result.stderr


def test_every_package_on_disk_is_installed():
    listed = (ROOT / "setup.py").read_text(encoding="utf-8")
    for package in PACKAGES:
        for init in (ROOT / package).rglob("__init__.py"):
            name = ".".join(init.parent.relative_to(ROOT).parts)
            assert f'"{name}"' in listed


def test_a_module_has_one_purpose_and_no_folder_is_a_heap():
    modules = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    long = {str(path.relative_to(ROOT)): n for path in modules if (n := len(path.read_bytes().splitlines())) > 400}
    assert long == {}
    folders = Counter(str(path.parent.relative_to(ROOT)) for path in modules if path.name != "__init__.py")
    del folders["alyx_sandbox"]  # one Django application, which is flat by habit
    assert {folder: count for folder, count in folders.items() if count > 15} == {}
