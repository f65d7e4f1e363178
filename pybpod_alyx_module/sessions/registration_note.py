"""The note ``alyx.json`` in a session's folder: that it is registered, so that every copy of the project knows."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pybpod_alyx_module.errors import RigError
from pybpod_alyx_module.host.subject_file import staged
from pybpod_alyx_module.sync.servers import same_server

if TYPE_CHECKING:
    import os

#: Beside the session's CSV. PyBpod moves the whole folder when the session is renamed, and leaves its files alone.
FILE_NAME: Final = "alyx.json"

_VERSION: Final = 1


@dataclass(frozen=True)
class Registration:
    """One session on one Alyx server."""

    #: Address of the server.
    server: str
    #: Alyx id of the session; None while it waits in the outbox of ``host``.
    session_id: str | None
    #: Alyx id of the animal.
    subject_id: str
    #: UTC, ISO.
    registered_at: str
    #: The outbox's key of it, which is also in the record's ``json``.
    key: str
    #: The computer whose outbox has or had it.
    host: str
    #: The animal's nickname when it was registered; empty in notes of earlier versions.
    subject_name: str = ""
    #: The names that the session's file has, where a person said that it was another animal.
    listed: tuple[str, ...] = ()


def has_note(folder: str | os.PathLike[str]) -> bool:
    """Tell whether a session has a note; True also where only reading it can tell."""
    try:
        Path(folder, FILE_NAME).lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def read_registrations(folder: str | os.PathLike[str], session_uuid: str | None) -> tuple[Registration, ...]:
    """Read where a session was registered, and for which animals.

    Parameters
    ----------
    folder : path
        The session's folder.
    session_uuid : str or None
        PyBpod's identity of the session: the note of another session, in a folder that was copied, does not count.

    Returns
    -------
    tuple of Registration
        Empty where nothing was registered.

    Raises
    ------
    RigError
        There is such a file, but it cannot be read: the session may be on Alyx.
    """
    file = Path(folder, FILE_NAME)
    try:
        content = json.loads(file.read_bytes())
        if content["version"] != _VERSION:
            raise RigError(
                f"{file} was written by a newer version of the plugin.",
                hint="Update the plugin (pybpod-gui-plugin-alyx) on this computer.",
            )
        if content["session_uuid"] != session_uuid:
            return ()
        return tuple(_registration(entry) for entry in content["registrations"])
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise RigError(
            f"{file} cannot be read: {error.strerror or error}.",
            hint="It notes whether this session is on Alyx. Get the right to read it.",
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RigError(
            f"{file} is damaged, so this computer cannot find out whether the session is on Alyx.",
            hint="Look for the session on Alyx. Move the file away only if the session is not there.",
        ) from error


def find_registration(found: tuple[Registration, ...], server: str, subject_id: str) -> Registration | None:
    """Choose the registration of an animal on a server; None where there is none."""
    return next((one for one in found if one.subject_id == subject_id and same_server(one.server, server)), None)


def write_registration(
    folder: str | os.PathLike[str],
    session_uuid: str | None,
    registration: Registration,
    in_place_of: str | None = None,
) -> None:
    """Note beside a session that it was registered, or what its id on Alyx is now.

    Parameters
    ----------
    folder : path
        The session's folder.
    session_uuid : str or None
        PyBpod's identity of the session.
    registration : Registration
        Takes the place of an earlier one of the same animal on the same server; others stay.
    in_place_of : str, optional
        Alyx id of the animal that had the session before.

    Raises
    ------
    RigError
        It cannot be written; what was there stays.
    """
    file = Path(folder, FILE_NAME)
    found = read_registrations(folder, session_uuid)
    animals = (registration.subject_id, in_place_of or "")
    earlier = [find_registration(found, registration.server, animal) for animal in animals]
    content = {
        "version": _VERSION,
        "session_uuid": session_uuid,
        "registrations": [asdict(one) for one in (*(one for one in found if one not in earlier), registration)],
    }
    if not file.parent.is_dir():
        raise RigError(
            f"The session is registered, but that could not be noted beside it: there is no folder {file.parent}.",
            hint="Check whether the session was renamed or moved meanwhile.",
        )
    try:
        with staged(file.parent) as place:
            (place / FILE_NAME).write_text(json.dumps(content, indent=1), encoding="utf-8")
    except OSError as error:
        raise RigError(
            f"The session is registered, but that could not be noted in {file}: {error.strerror or error}.",
            hint="Get the right to write in that folder.",
        ) from error


def _registration(entry: Any) -> Registration:
    known = {name: entry[name] for name in Registration.__dataclass_fields__ if name in entry}
    found = Registration(**{**known, "listed": tuple(known.get("listed", ()))})
    texts = (
        *(found.server, found.subject_id, found.registered_at, found.key, found.host, found.subject_name),
        *found.listed,
    )
    if not all(isinstance(text, str) for text in texts) or not isinstance(found.session_id, str | None):
        raise TypeError("not text")
    return found
