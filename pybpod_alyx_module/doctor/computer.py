"""The computer itself: the folder of the plugin, the outbox, where logins are kept, the projects, the code page."""

from __future__ import annotations

import ctypes
import locale
import os
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import AlyxError
from alyx_connector.private_file import HOME_SETTING, home_folder
from alyx_connector.tokens import STORE_SETTING, choose_token_store
from pybpod_alyx_module.doctor.check import LIMIT_S, Check, State, within
from pybpod_alyx_module.log_file import FIRST_NAME, FOLDER
from pybpod_alyx_module.outbox.items import OPEN
from pybpod_alyx_module.outbox.outbox import FILE_NAME, Outbox
from pybpod_alyx_module.outbox.sqlite_file import SenderLocks
from pybpod_alyx_module.outbox.words import count_words, local_time
from pybpod_alyx_module.remedies import what_to_do

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.outbox.items import Item

GROUP: Final = "This computer"

#: Free space below which something may soon fail, and below which it does, in bytes.
_SCARCE: Final = 500 * 2**20
_NONE_LEFT: Final = 20 * 2**20
#: What waits longer than this is told.
_LONG: Final = timedelta(days=1)
#: Kinds of file systems that other computers serve.
_SHARES: Final = ("nfs", "cifs", "smb", "afs", "ceph", "gluster", "fuse.sshfs", "9p", "ncpfs", "webdav", "davfs")
#: What Windows calls a drive of another computer.
_DRIVE_REMOTE: Final = 4
#: Asked for in the keyring: nobody's.
_NOBODY: Final = ("https://alyx.invalid", "nobody")


def check_computer(projects: Sequence[str], trouble: str, cancel: CancelToken) -> Iterator[Check]:
    """Look at disks, files and the keyring.

    ``projects``: folders of PyBpod projects.
    ``trouble``: why this PyBpod sends nothing; empty where it sends, or is no PyBpod.
    """
    home = home_folder()
    yield _folder("Folder of the plugin", home, cancel, HOME_SETTING)
    yield from _outbox(home / FILE_NAME, trouble, cancel)
    yield _token_store(cancel)
    for project in projects:
        yield _folder(f"Project {Path(project).name}", Path(project), cancel, "")
    yield _log(home / FOLDER / FIRST_NAME)
    yield _code_page()


def _folder(title: str, folder: Path, cancel: CancelToken, setting: str) -> Check:
    try:
        free, share = within(lambda: (_free_after_writing(folder), is_share(folder)), cancel)
    except TimeoutError:
        found = f"The disk of {folder} did not answer within {LIMIT_S:g} s."
        return Check(GROUP, title, State.WRONG, found, "Check the network, if it is a folder of another computer.")
    except OSError as error:
        found = f"Nothing can be written to {folder}: {(error.strerror or str(error)).lower()}."
        other = f", or name another folder in the environment variable {setting}" if setting else ""
        return Check(GROUP, title, State.WRONG, found, f"Make it a folder that you can write to{other}.")
    found = f"{folder} can be written to; {free / 2**30:.1f} GB are free."
    if free < _NONE_LEFT:
        return Check(GROUP, title, State.WRONG, found, "Make room on this disk.")
    if free < _SCARCE:
        return Check(GROUP, title, State.WARNING, found, "Make room on this disk soon.")
    if share:
        found = f"{found} It is on a network share ({share})."
        if setting:
            advice = f"Keep the outbox on a disk of this computer: name a folder in {setting}."
        else:
            advice = "Open it on one computer at a time. Without the network it cannot be saved."
        return Check(GROUP, title, State.WARNING, found, advice)
    return Check(GROUP, title, State.OK, found)


def _free_after_writing(folder: Path) -> int:
    # The nearest folder that is there: the plugin makes its own when it needs it.
    there = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    with tempfile.NamedTemporaryFile(dir=there, prefix=".alyx-check-") as file:
        file.write(b"x")
        file.flush()
    return shutil.disk_usage(there).free


def is_share(folder: Path) -> str:
    """Say of which kind the network share is that a folder is on; empty where it is none, or that cannot be told."""
    path = os.path.realpath(folder)
    if sys.platform == "win32":
        drive = os.path.splitdrive(path)[0]
        remote = drive.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(f"{drive}\\") == _DRIVE_REMOTE
        return "of Windows" if remote else ""
    try:
        mounts = Path("/proc/self/mounts").read_text("utf-8", "replace")
    except OSError:
        return ""
    return kind_of_share(path, mounts)


def kind_of_share(path: str, mounts: str) -> str:
    """Find the kind of share in what Linux lists as mounted.

    ``mounts``: lines of device, folder, kind and more.
    """
    best, kind = "", ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        place = fields[1].replace("\\040", " ") if len(fields) > 2 else ""
        if place and len(place) >= len(best) and (path + "/").startswith(place.rstrip("/") + "/"):
            best, kind = place, fields[2]
    return kind if kind.startswith(_SHARES) else ""


def _outbox(path: Path, trouble: str, cancel: CancelToken) -> Iterator[Check]:
    if not path.exists():
        yield Check(GROUP, "Outbox", State.OK, f"Nothing was recorded yet: there is no {path}.")
        return
    try:
        damage = within(lambda: _damage(path), cancel)
        items = () if damage else within(lambda: _open_items(path), cancel)
    except TimeoutError:
        found = f"{path} did not answer within {LIMIT_S:g} s."
        yield Check(GROUP, "Outbox", State.WRONG, found, "Close other programs that use it.")
        return
    except AlyxError as error:
        yield Check(GROUP, "Outbox", State.WRONG, error.message, what_to_do(error))
        return
    if damage:
        advice = (
            "Start PyBpod: it moves the file aside and begins a new one. Then compare with Alyx, and record again what "
            "is missing there."
        )
        yield Check(GROUP, "Outbox", State.WRONG, f"{path} is damaged: {damage}.", advice)
        return
    yield _waiting(path, items)
    if trouble:
        yield Check(GROUP, "Sending", State.WRONG, trouble, "Remove the cause; PyBpod then goes on by itself.")
    elif items:
        yield from _senders(path, items, cancel)


def _damage(path: Path) -> str:
    # Looked at without changing it: to open it as the plugin does would move a damaged file aside.
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=LIMIT_S)) as connection:
            found: Any = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        return "" if isinstance(error, sqlite3.OperationalError) else str(error)  # not damage: opening says what it is
    return "" if found == "ok" else str(found)


def _open_items(path: Path) -> tuple[Item, ...]:
    outbox = Outbox(path)
    try:
        return outbox.items(OPEN)
    finally:
        outbox.close()


def _waiting(path: Path, items: tuple[Item, ...]) -> Check:
    if not items:
        return Check(GROUP, "Outbox", State.OK, f"Nothing waits in {path}.")
    needing = sum(item.needs_person for item in items)
    oldest = min(item.created for item in items)
    found = f"{count_words(len(items) - needing, needing)}, the oldest since {local_time(oldest)}; in {path}."
    if needing:
        return Check(GROUP, "Outbox", State.WARNING, found, "Open Alyx outbox in PyBpod: it says what to do.")
    if datetime.now(timezone.utc) - oldest > _LONG:
        return Check(GROUP, "Outbox", State.WARNING, found, "Open Alyx outbox in PyBpod: it says why it waits.")
    return Check(GROUP, "Outbox", State.OK, found)


def _senders(path: Path, items: tuple[Item, ...], cancel: CancelToken) -> Iterator[Check]:
    for account in dict.fromkeys(item.account for item in items):
        server, username = account
        title = f"Sending as {username}"
        try:
            sends = within(lambda account=account: _is_sent_for(path, account), cancel)  # type: ignore[misc]
        except (TimeoutError, AlyxError) as error:
            yield Check(GROUP, title, State.WARNING, f"It could not be told whether a PyBpod sends: {error}.")
            continue
        if sends:
            yield Check(GROUP, title, State.OK, f"An open PyBpod sends to {server} as {username}.")
        else:
            found = f"No open PyBpod sends to {server} as {username}, for whom something waits."
            advice = f"Open PyBpod, and connect to {server} as {username}."
            yield Check(GROUP, title, State.WARNING, found, advice)


def _is_sent_for(path: Path, account: tuple[str, str]) -> bool:
    locks = SenderLocks(path)
    try:
        return not locks.take(account)
    finally:
        locks.leave_all()


def _token_store(cancel: CancelToken) -> Check:
    def ask() -> str:
        store = choose_token_store()
        store.get(*_NOBODY)
        return store.describe()

    title = "Logins"
    try:
        where = within(ask, cancel)
    except TimeoutError:
        found = f"The keyring of this computer did not answer within {LIMIT_S:g} s."
        advice = (
            f"Look for a window that asks for its password. Or set the environment variable {STORE_SETTING} to file."
        )
        return Check(GROUP, title, State.WARNING, found, advice)
    except AlyxError as error:
        return Check(GROUP, title, State.WRONG, error.message, what_to_do(error))
    state = State.WARNING if "which failed" in where else State.OK
    return Check(GROUP, title, state, f"Remembered logins are kept in: {where}.")


def _log(path: Path) -> Check:
    try:
        written = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
    except OSError:
        return Check(GROUP, "Log", State.OK, f"Nothing was logged yet: there is no {path}.")
    return Check(GROUP, "Log", State.OK, f"{path}, last written {local_time(written)}.")


def _code_page() -> Check:
    page = locale.getpreferredencoding(False)
    title = "Text encoding"
    if page.replace("-", "").lower() in {"utf8", "cp65001"}:
        return Check(GROUP, title, State.OK, "PyBpod writes text in UTF-8.")
    found = f"PyBpod writes text in {page}. Animals whose names have other letters cannot be run."
    advice = "Set the environment variable PYTHONUTF8 to 1, and start PyBpod again: see docs/windows.md."
    return Check(GROUP, title, State.WARNING, found, advice)
