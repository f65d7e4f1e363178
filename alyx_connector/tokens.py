"""Where tokens live: the OS keyring, a file that only its owner can read, or memory."""

from __future__ import annotations

import os
import queue
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import ConfigurationError
from alyx_connector.private_file import JsonFile, home_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from keyring.backend import KeyringBackend

__all__ = [
    "STORE_SETTING",
    "FileTokenStore",
    "KeyringTokenStore",
    "MemoryTokenStore",
    "TokenStore",
    "choose_token_store",
]

#: Environment variable that chooses the store.
STORE_SETTING = "ALYX_TOKEN_STORE"
#: A keyring below this priority cannot be used: the "fail" and "null" backends, and those that keep clear text.
REAL_KEYRING_PRIORITY = 1
#: How long a keyring may take to answer, in seconds: it may have to ask the user for a password first.
KEYRING_LIMIT_S = 60.0


class TokenStore(ABC):
    """Keeps one token for each user at each server."""

    @abstractmethod
    def get(self, url: str, username: str) -> str | None:
        """Return the token of this user at this server; None if there is none."""

    @abstractmethod
    def put(self, url: str, username: str, token: str) -> None:
        """Keep a token, in place of an earlier one."""

    @abstractmethod
    def forget(self, url: str, username: str) -> None:
        """Remove a token; none is fine."""

    @abstractmethod
    def describe(self) -> str:
        """Say in words where tokens are kept, and what is wrong with it if anything is."""


class MemoryTokenStore(TokenStore):
    """Keeps tokens until the program ends; all stores of this kind in a process are one."""

    _tokens: dict[tuple[str, str], str] = {}  # noqa: RUF012 - shared by all on purpose
    _lock = threading.Lock()

    def get(self, url: str, username: str) -> str | None:
        """See `TokenStore`."""  # noqa: DOC201
        with self._lock:
            return self._tokens.get((url, username))

    def put(self, url: str, username: str, token: str) -> None:
        """See `TokenStore`."""
        with self._lock:
            self._tokens[url, username] = token

    def forget(self, url: str, username: str) -> None:
        """See `TokenStore`."""
        with self._lock:
            self._tokens.pop((url, username), None)

    def describe(self) -> str:
        """See `TokenStore`."""  # noqa: DOC201
        return "memory, until this program ends"


class FileTokenStore(TokenStore):
    """Keeps tokens in ``tokens.json``, which only its owner can read.

    Parameters
    ----------
    home : Path, optional
        Folder to keep it in; the usual one if left out.
    """

    def __init__(self, home: Path | None = None) -> None:
        self._file = JsonFile((home or home_folder()) / "tokens.json", _check_tokens)

    def get(self, url: str, username: str) -> str | None:
        """See `TokenStore`."""  # noqa: DOC201
        token: str | None = self._file.read().get(url, {}).get(username)
        return token

    def put(self, url: str, username: str, token: str) -> None:
        """See `TokenStore`."""

        def edit(tokens: dict[str, Any]) -> None:
            tokens.setdefault(url, {})[username] = token

        self._file.change(edit)

    def forget(self, url: str, username: str) -> None:
        """See `TokenStore`."""
        if username in self._file.read().get(url, {}) or self._file.has_leftovers:

            def edit(tokens: dict[str, Any]) -> None:
                users = tokens.get(url, {})
                users.pop(username, None)
                if not users:
                    tokens.pop(url, None)

            self._file.change(edit)

    def describe(self) -> str:
        """See `TokenStore`."""  # noqa: DOC201
        private = "readable only by its owner" if os.name == "posix" else "in your own user folder"
        return "; ".join([f"file {self._file.path}, {private}", *self._file.notes])


class KeyringTokenStore(TokenStore):
    """Keeps tokens in the keyring of the operating system, and in another store while that does not work.

    Parameters
    ----------
    keyring : keyring.backend.KeyringBackend
        The keyring.
    fallback : TokenStore
        Takes the tokens that the keyring does not take, because it is locked, say.
    limit_s : float
        How long the keyring may take to answer, in seconds: it may have to ask the user to unlock it.
    """

    def __init__(self, keyring: KeyringBackend, fallback: TokenStore, limit_s: float = KEYRING_LIMIT_S) -> None:
        self._keyring = keyring
        self._fallback = fallback
        self._limit_s = limit_s
        self._silent = False
        self._trouble = ""

    def _ask(self, call: Callable[[], str | None]) -> str | None:
        # in a thread of its own, which is left behind when the keyring never answers; then it is not asked again
        if self._silent:
            raise TimeoutError("the keyring does not answer")
        answers: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()

        def work() -> None:
            try:
                answers.put(call())
            except Exception as error:  # noqa: BLE001 - raised again by the one who waits
                answers.put(error)

        threading.Thread(target=work, name="alyx-keyring", daemon=True).start()
        try:
            answer = answers.get(timeout=self._limit_s)
        except queue.Empty:
            self._silent = True
            raise TimeoutError("the keyring does not answer") from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def get(self, url: str, username: str) -> str | None:
        """See `TokenStore`."""  # noqa: DOC201
        # What the fallback holds is newer: a token that the keyring took was removed from it.
        token = self._fallback.get(url, username)
        if token is not None:
            return token
        try:
            return self._ask(lambda: self._keyring.get_password(_service(url), username))
        except Exception as error:  # noqa: BLE001 - backends raise what their system raises
            self._note(error)
            return None

    def put(self, url: str, username: str, token: str) -> None:
        """See `TokenStore`."""
        try:
            self._ask(lambda: self._keyring.set_password(_service(url), username, token))
        except Exception as error:  # noqa: BLE001 - backends raise what their system raises
            self._note(error)
            self._fallback.put(url, username, token)
        else:
            self._trouble = ""
            self._fallback.forget(url, username)

    def forget(self, url: str, username: str) -> None:
        """See `TokenStore`."""
        self._fallback.forget(url, username)
        try:
            if self._ask(lambda: self._keyring.get_password(_service(url), username)) is not None:
                self._ask(lambda: self._keyring.delete_password(_service(url), username))
        except Exception as error:  # noqa: BLE001 - backends raise what their system raises
            self._note(error)

    def describe(self) -> str:
        """See `TokenStore`."""  # noqa: DOC201
        name = f"OS keyring ({getattr(self._keyring, 'name', type(self._keyring).__name__)})"
        return f"{name}, which failed ({self._trouble}); instead {self._fallback.describe()}" if self._trouble else name

    def _note(self, error: Exception) -> None:
        # The type alone: what a backend says might hold what it was given.
        self._trouble = type(error).__name__


def choose_token_store(setting: str | None = None, *, home: Path | None = None) -> TokenStore:
    """Choose where tokens live.

    Parameters
    ----------
    setting : str, optional
        ``auto`` (the keyring if there is a real one, else the file), ``keyring``, ``file`` or ``memory``; if left out,
        the environment variable ``ALYX_TOKEN_STORE``, else ``auto``.
    home : Path, optional
        Folder of the file; the usual one if left out.

    Returns
    -------
    TokenStore
        The store; `TokenStore.describe` says which.

    Raises
    ------
    ConfigurationError
        If there is no such setting, or no real keyring where one is demanded.
    """
    chosen = (setting if setting is not None else os.environ.get(STORE_SETTING, "")).strip().lower() or "auto"
    if chosen not in {"auto", "keyring", "file", "memory"}:
        raise ConfigurationError(
            f"{STORE_SETTING} is {chosen!r}, but there is no such store of tokens.",
            hint="Use auto, keyring, file or memory.",
            setting=STORE_SETTING,
        )
    if chosen == "memory":
        return MemoryTokenStore()
    if chosen == "file":
        return FileTokenStore(home)
    keyring = _real_keyring()
    if keyring is not None:
        return KeyringTokenStore(keyring, FileTokenStore(home) if chosen == "auto" else MemoryTokenStore())
    if chosen == "keyring":
        raise ConfigurationError(
            f"{STORE_SETTING} demands a keyring, but this system has none that can be used.",
            hint="Use auto, file or memory.",
            setting=STORE_SETTING,
        )
    return FileTokenStore(home)


def _real_keyring() -> KeyringBackend | None:
    try:
        import keyring

        backend = keyring.get_keyring()
        return backend if backend.priority >= REAL_KEYRING_PRIORITY else None
    except Exception:  # noqa: BLE001 - whatever a broken backend raises, there is no keyring then
        return None


def _service(url: str) -> str:
    return f"alyx-connector {url}"


def _check_tokens(content: Any) -> None:
    for users in content.values():
        if not isinstance(users, dict) or not all(isinstance(token, str) and token for token in users.values()):
            raise TypeError("not a file of tokens")
