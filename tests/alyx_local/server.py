"""A running Alyx-Local with the demo lab: a filled cluster that is kept between runs, and a copy of it in use."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

import requests

from tests.alyx_local.cluster import Cluster, ending_with_us, programs

if TYPE_CHECKING:
    from types import TracebackType

ROOT: Final = Path(__file__).parents[2]
HERE: Final = Path(__file__).parent
LAB: Final = ROOT / "alyx_sandbox" / "demo_lab.json"
#: Kept between runs, beside the virtual environment of ours; `make alyx-local` makes it.
KEPT: Final = ROOT / ".alyx-local"
_PYTHON: Final = KEPT / "venv" / "bin" / "python"
_PREFIX: Final = "alyx-local-"
_FILLED: Final = "filled"
_START_S: Final = 120


def missing() -> str | None:
    """Return what this machine lacks to run an Alyx-Local; None where nothing."""
    if programs() is None:
        return "PostgreSQL is not installed (apt-get install postgresql)"
    if shutil.which("setpriv") is None:
        return "setpriv of util-linux is not installed"
    if not (KEPT / "venv" / ".installed").exists():
        return "its package is not installed (make alyx-local)"
    return None


class AlyxLocalServer:
    """An Alyx-Local on a free port of this machine, whose databases are gone when it stops.

    Attributes
    ----------
    url : str
        ``http://127.0.0.1:<port>``; its API is below ``/api``.
    username, password : str
        The main user of the demo lab.
    """

    username = "jose"
    password = "jose-demo"

    def __init__(self) -> None:
        filled = _filled_cluster()
        self._folder, self._lock = _new_folder()
        self._cluster = Cluster(self._folder / "pg")
        self._web: subprocess.Popen[bytes] | None = None
        try:
            self._cluster.copy(filled)
            self._cluster.start()
            self._serve()
        except BaseException:
            self.stop()
            raise

    def _serve(self) -> None:
        log = self._folder / "web.log"
        with socket.create_server(("127.0.0.1", 0)) as listening, log.open("wb") as output:
            # Who asks before it is ready waits at the port, which nobody else can take meanwhile.
            self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            command = [_PYTHON, "-m", "gunicorn", "alyx.base.wsgi", "--bind", f"fd://{listening.fileno()}"]
            self._web = subprocess.Popen(
                ending_with_us(*command, "--threads", "8", "--keep-alive", "75"),
                cwd=self._folder,
                env=_environment(self._folder),
                pass_fds=[listening.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            answer = requests.get(f"{self.url}/api/auth-token", timeout=_START_S)
        except requests.RequestException as error:
            raise RuntimeError(f"Alyx-Local does not start: {error}\n{log.read_text(errors='replace')}") from None
        assert answer.status_code == 405, answer.text

    def reset(self) -> None:
        """Put the lab back to what it was at the start; the tokens of its users stay."""
        self._cluster.ask("dropdb", "--force", "alyx")
        self._cluster.ask("createdb", "--template", _FILLED, "alyx")

    def stop(self) -> None:
        """Stop it and remove what it stored."""
        if self._web is not None:
            self._web.terminate()
            self._web.wait(_START_S)
        self._cluster.stop()
        shutil.rmtree(self._folder)
        self._lock.close()

    def __enter__(self) -> AlyxLocalServer:
        """Return the server itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()


def _filled_cluster() -> Path:
    """Return the folder of databases that hold the demo lab; one worker makes it, the others wait."""
    folder, stamp = KEPT / _FILLED, KEPT / "filled-from"
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = _made_from()
        if not (stamp.exists() and stamp.read_text() == wanted):
            stamp.unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            _fill(folder)
            stamp.write_text(wanted)
    return folder


def _made_from() -> str:
    # The demo lab speaks of today.
    digest = sha256(f"{programs()} {datetime.now(timezone.utc).date()}".encode())
    for path in (
        HERE / "fill.py",
        *sorted((HERE / "settings").glob("*.py")),
        LAB,
        ROOT / "requirements/alyx-local.txt",
    ):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _fill(kept: Path) -> None:
    folder, lock = _new_folder()
    cluster = Cluster(folder / "pg")
    try:
        cluster.create()
        cluster.start()
        cluster.ask("createdb", "alyx")
        for words in (["-m", "django", "migrate", "--verbosity", "0"], [HERE / "fill.py", LAB]):
            done = subprocess.run(
                [_PYTHON, *words], cwd=folder, env=_environment(folder), capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise RuntimeError(f"Alyx-Local cannot be filled:\n{done.stderr}")
        cluster.ask("createdb", "--template", "alyx", _FILLED)
        cluster.stop()
        subprocess.run(["cp", "-r", folder / "pg", kept], check=True)
    finally:
        cluster.stop()
        shutil.rmtree(folder)
        lock.close()


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(HERE / "settings"),
        "DJANGO_SETTINGS_MODULE": "alyx_local_test_settings",
        "ALYX_LOCAL_FOLDER": str(folder),
    }


def _new_folder() -> tuple[Path, TextIO]:
    """Return a folder that postgres can reach, and its lock; those that killed runs left behind are removed."""
    for old in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/in-use"):
        try:
            with old.open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(old.parent)
        except OSError:  # in use, or another user's
            continue
    # Short, because the name of a socket may have 107 characters only.
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    folder.chmod(0o755)
    lock = (folder / "in-use").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock
