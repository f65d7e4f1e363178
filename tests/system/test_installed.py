"""Wheel and source distribution: what is in them, and the main job from a wheel in an environment of its own."""

from __future__ import annotations

import email
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from alyx_connector import __version__

ROOT = Path(__file__).parents[2]
NAME = "pybpod_gui_plugin_alyx"
BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"
#: What analysts write, with mistakes that only types can show.
TYPED = """\
from alyx_connector import Connector, parse_address

def columns(connector: Connector) -> list[str]:
    return list(connector.search(subject="ea04").columns)

Connector(url=8000)
reveal_type(parse_address("alyx.mylab.org").url)
"""

#: What an analyst writes, and what is refused of it.
SEARCHES = """\
import datetime
from alyx_connector import Connector

connector = Connector()
sessions = connector.search(subject="ea04", extended_qc={"pass": True}, date_range=("2024-01-01", None))
connector.search("sessions", qc="PASS", number=1, lab={"wait", "zador"}, details=False, limit=3)
connector.search("subjects", nickname=["ea04", "jo002"], alive=True, birth_date=datetime.date(2024, 1, 1))
connector.search("weighings", subject=sessions["subject"], weight=24.5, refresh=True)
connector.search("subjects", a_filter_of_our_own_server="x")
for name in connector.endpoints()["endpoint"]:
    connector.search(name)
connector.search("sesions", subject="ea04")  # refused
connector.search("subjects", alive="yes")  # refused
connector.search("weighings", weight="heavy")  # refused
connector.search(limit="3")  # refused
"""


def run(*command, cwd, **environment):
    """Run a program that does not see this checkout."""
    own = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "COLUMNS"}}
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=cwd, env=own | environment, capture_output=True, text=True, check=False)


def build(kind, source, target):
    """Build what an index takes: ``build_sdist`` or ``build_wheel``."""
    built = run(sys.executable, "-c", BUILD, kind, target, cwd=source)
    assert built.returncode == 0, built.stderr
    return next(target.iterdir())


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the repository, without what git ignores."""
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()]
    target = tmp_path_factory.mktemp("copy") / "repository"
    shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns(".git", *ignored))
    return target


@pytest.fixture(scope="module")
def sdist(copy, tmp_path_factory):
    files = {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()}
    return build("build_sdist", copy, tmp_path_factory.mktemp("sdist")), files


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """The wheel as an index or pip makes it: from the source distribution, without the repository."""
    unpacked = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist[0]) as archive:
        archive.extractall(unpacked, filter="data")
    return build("build_wheel", next(unpacked.iterdir()), tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """An environment with the wheel and, from the folder of this one, what it requires."""
    folder = tmp_path_factory.mktemp("environment")
    assert run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder).returncode == 0
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel]
    installed = run(*pip, cwd=folder)
    assert installed.returncode == 0, installed.stderr
    site_packages = Path(
        run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).stdout[:-1]
    )
    required = [path for path in sys.path if Path(path).name == "site-packages"]
    # What is a .pth there is not obeyed here, so the editable installation of this checkout is not seen.
    (site_packages / "requirements.pth").write_text("\n".join(required), encoding="utf-8")
    return folder


class TestDistributions:
    def test_the_source_distribution_is_a_copy_of_the_repository(self, sdist):
        path, files = sdist
        assert {"docs/connector.md", "CHANGELOG.md", "requirements/host.txt", "tests/conftest.py", "Makefile"} <= files
        with tarfile.open(path) as archive:
            packed = {name.partition("/")[2] for name in archive.getnames() if archive.getmember(name).isfile()}
        made = {name for name in packed if name.startswith(f"{NAME}.egg-info/")} | {"PKG-INFO", "setup.cfg"}
        assert packed - made == files

    def test_the_wheel_holds_the_packages_and_the_marker_of_types(self, wheel):
        with zipfile.ZipFile(wheel) as archive:
            names = set(archive.namelist())
        assert {name.partition("/")[0] for name in names} == {
            "alyx_connector",
            "alyx_sandbox",
            "pybpod_alyx_module",
            f"{NAME}-{__version__}.dist-info",
        }
        assert {"alyx_connector/py.typed", "alyx_sandbox/demo_lab.json"} <= names
        manual = {"docs/rig-use.md", "docs/troubleshooting.md", "resources/screenshots/weight.png"}
        assert {f"pybpod_alyx_module/{name}" for name in manual} <= names
        assert {f"alyx_connector/schema/{name}" for name in ("known_filters.json", "search_signatures.pyi")} <= names

    def test_what_an_index_shows(self, wheel):
        with zipfile.ZipFile(wheel) as archive:
            shown = email.message_from_bytes(archive.read(f"{NAME}-{__version__}.dist-info/METADATA"))
        assert shown["Author"]
        assert "Typing :: Typed" in shown.get_all("Classifier")
        assert shown["License-Expression"] == "MIT"
        assert shown["Home-page"] is None
        assert shown.get_all("Project-URL") is None
        text = shown.get_payload()
        assert text.startswith("# Alyx in PyBpod")
        assert "docs/sync.md" in text
        targets = [rest.partition(")")[0] for rest in text.split("](")[1:]]
        assert targets
        assert [target for target in targets if not target.startswith("https://")] == []


def test_the_oldest_versions_that_are_tested_are_those_that_are_allowed(wheel):
    with zipfile.ZipFile(wheel) as archive:
        metadata = email.message_from_bytes(archive.read(f"{NAME}-{__version__}.dist-info/METADATA"))
    required = [Requirement(line) for line in metadata.get_all("Requires-Dist")]
    allowed = {
        one.name: Version(bound.version)
        for one in required
        if str(one.marker) in {"None", 'extra == "parquet"', 'extra == "sandbox"'}
        for bound in one.specifier
        if bound.operator == ">="
    }
    lines = (ROOT / "requirements" / "oldest.txt").read_text(encoding="utf-8").splitlines()
    tested = {}
    for pin in [Requirement(line) for line in lines if not line.startswith("#")]:
        tested.setdefault(pin.name, Version(next(iter(pin.specifier)).version))
    del tested["numpy"]  # pandas asks for it, not we
    assert tested == allowed


def test_no_program_tells_to_install_the_predecessor():
    lines = [
        (path.name, line.strip())
        for package in ("alyx_connector", "alyx_sandbox", "pybpod_alyx_module")
        for path in (ROOT / package).rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "pip install" in line and "pybpod-gui-plugin-alyx" in line
    ]
    assert len(lines) >= 3
    assert [line for line in lines if ">=2.dev0" not in line[1]] == []


class TestOutsideTheCheckout:
    def test_the_main_job(self, environment, sandbox, tmp_path):
        command = environment / "bin" / "alyx-connector"
        home = {"ALYX_CONNECTOR_HOME": str(tmp_path / "home"), "ALYX_TOKEN_STORE": "file"}
        version = run(command, "--version", cwd=tmp_path)
        assert version.stdout == f"alyx-connector {__version__} (pybpod-gui-plugin-alyx)\n"
        setup = (
            "import alyx_connector; print(alyx_connector.__file__); from alyx_connector import Connector; "
            f"Connector.setup({sandbox.url!r}, {sandbox.username!r}, {sandbox.password!r}, make_default=True)"
        )
        said = run(environment / "bin" / "python", "-c", setup, cwd=tmp_path, **home)
        assert said.returncode == 0, said.stderr
        assert Path(said.stdout.strip()).is_relative_to(environment)
        searched = run(command, "search", "--subject", "ea04", "--columns", "subject,number", cwd=tmp_path, **home)
        assert searched.returncode == 0, searched.stderr
        assert searched.stdout.splitlines()[0] == "subject\tnumber"
        assert {line.split("\t")[0] for line in searched.stdout.splitlines()[1:]} == {"ea04"}

    def test_the_sandbox_starts(self, environment, tmp_path):
        command = [environment / "bin" / "python", "-m", "alyx_sandbox", "--port", "0", "--stop-with-stdin"]
        with subprocess.Popen(
            [str(word) for word in command], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            assert "ready at http://127.0.0.1:" in server.stdout.readline()
            server.stdin.close()
        assert server.returncode == 0

    def test_mypy_sees_the_types(self, environment, tmp_path):
        (tmp_path / "analysis.py").write_text(TYPED, encoding="utf-8")
        python = environment / "bin" / "python"
        checked = run(sys.executable, "-m", "mypy", "--python-executable", python, "analysis.py", cwd=tmp_path)
        lines = checked.stdout.splitlines()
        assert any(line.startswith('analysis.py:6: error: Argument "url" to "Connector"') for line in lines), lines
        assert 'analysis.py:7: note: Revealed type is "str"' in [line.replace("builtins.", "") for line in lines]
        assert not [line for line in lines if line.startswith("analysis.py:1:")]

    def test_mypy_knows_lists_and_filters(self, environment, tmp_path):
        (tmp_path / "analysis.py").write_text(SEARCHES, encoding="utf-8")
        python = environment / "bin" / "python"
        checked = run(sys.executable, "-m", "mypy", "--python-executable", python, "analysis.py", cwd=tmp_path)
        refused = [line for line in checked.stdout.splitlines() if ": error: " in line]
        expected = [number for number, line in enumerate(SEARCHES.splitlines(), 1) if line.endswith("# refused")]
        assert [int(line.split(":")[1]) for line in refused] == expected, checked.stdout
        assert all("call-overload" in line for line in refused)


class TestOtherPackageInTheSameFolder:
    @pytest.fixture
    def mixed(self, tmp_path):
        """Our files and those of alyx-connector 2.1.47 which Python prefers, installed before ours."""
        shutil.copytree(ROOT / "alyx_connector", tmp_path / "alyx_connector")
        theirs = tmp_path / "alyx_connector" / "connector"
        theirs.mkdir()
        (theirs / "__init__.py").write_text("class Connector: ...\n", encoding="utf-8")
        return tmp_path

    def test_theirs_first(self, mixed):
        found = run(sys.executable, "-c", "import alyx_connector", cwd=mixed, PYTHONPATH=str(mixed))
        assert "ImportError: The packages alyx-connector and pybpod-gui-plugin-alyx are both" in found.stderr
        assert f"installed in {mixed}" in found.stderr

    def test_ours_first(self, mixed):
        (mixed / "alyx_connector" / "__init__.py").write_text(
            "from .connector import Connector\n__version__ = '2.1.47'\n", encoding="utf-8"
        )
        command = "from alyx_connector.cli.main import main; main(['--version'])"
        found = run(sys.executable, "-c", command, cwd=mixed, PYTHONPATH=str(mixed))
        assert "pip uninstall alyx-connector pybpod-gui-plugin-alyx" in found.stderr
        assert found.stdout == ""

    def test_a_folder_that_an_uninstallation_left_is_no_package(self, mixed):
        (mixed / "alyx_connector" / "connector" / "__init__.py").unlink()
        found = run(sys.executable, "-c", "import alyx_connector.cli.main", cwd=mixed, PYTHONPATH=str(mixed))
        assert found.returncode == 0, found.stderr
