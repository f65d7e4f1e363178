"""``python -m alyx_sandbox``: read the lab, make the database, serve it until told to stop."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alyx_sandbox.lab_checks import LabFileError
from alyx_sandbox.lab_file import read_lab
from alyx_sandbox.options import Options, parse_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alyx_sandbox.server import StopSignal

#: What the sandbox is made of, by the names under which Python imports it.
PARTS = ("django", "rest_framework", "django_filters", "drf_spectacular", "waitress")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sandbox until it is told to stop.

    ``arguments``: the words after the program's name; default: those of this process.
    """
    options = parse_options(arguments)
    missing = [part for part in PARTS if find_spec(part) is None]
    if missing:
        print(
            f"alyx_sandbox: {', '.join(missing)} is not installed here. Install what the sandbox needs:\n"
            '    python -m pip install "pybpod-gui-plugin-alyx[sandbox]>=2.dev0"',
            file=sys.stderr,
        )
        return 1
    # These need Django and waitress.
    from alyx_sandbox.server import StopSignal
    from alyx_sandbox.settings import configure

    stop = StopSignal()
    try:
        lab = read_lab(options.lab)
        with _folder(options) as folder:
            configure(options, folder, lab["server_timezone"])
            _run(options, lab, folder, stop)
    except (LabFileError, OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.filename is None else error
        print(f"alyx_sandbox: {reason}", file=sys.stderr)
        return 1
    except SystemExit:
        pass
    return 0


def _run(options: Options, lab: dict[str, Any], folder: Path, stop: StopSignal) -> None:
    # These need the settings of Django.
    from alyx_sandbox.database import open_database
    from alyx_sandbox.server import HOST, listen, serve, stop_when_stdin_ends

    with listen(options.port) as listening:
        open_database(options, lab, folder)
        port = listening.getsockname()[1]

        def ready() -> None:
            user, passwords = lab["main_user"], {one["username"]: one["password"] for one in lab["users"]}
            password = passwords.pop(user)
            where = f", {options.kind.title} below {options.kind.root}" * (options.kind.root != "/")
            lines = [f"alyx_sandbox ready at http://{HOST}:{port}/ (user {user}, password {password}){where}"]
            if passwords:
                others = ", ".join(f"{name} (password {password})" for name, password in passwords.items())
                lines.append(f"Other users: {others}")
            # In a single write, also where nothing is buffered: programs read the first line, and may then hang up.
            sys.stdout.write("\n".join([*lines, ""]))
            sys.stdout.flush()
            if options.stop_with_stdin:
                stop_when_stdin_ends()

        serve(listening, options.workers, options.latency, stop, ready)


@contextmanager
def _folder(options: Options) -> Iterator[Path]:
    if options.data:
        try:
            options.data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RuntimeError(f"the folder {options.data} cannot be used: {error.strerror}; name another") from error
        yield options.data
        return
    folder = Path(tempfile.mkdtemp(prefix="alyx-sandbox-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
