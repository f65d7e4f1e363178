"""Where tokens live, and what happens when that place fails."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from alyx_connector import ConfigurationError
from alyx_connector.tokens import FileTokenStore, KeyringTokenStore, MemoryTokenStore, choose_token_store

TOKEN, OTHER = "0123456789abcdef0123456789abcdef01234567", "f" * 40
SERVER = "https://lab.org"


class DictKeyring(KeyringBackend):
    """A keyring that works until it is broken."""

    priority = 5
    name = "Dict"

    def __init__(self):
        self.kept = {}
        self.broken = None

    def _check(self):
        if self.broken:
            raise self.broken

    def get_password(self, service, username):
        self._check()
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self._check()
        self.kept[service, username] = password

    def delete_password(self, service, username):
        self._check()
        del self.kept[service, username]


class NoKeyring(DictKeyring):
    priority = 0


@pytest.fixture
def os_keyring():
    before = keyring.get_keyring()
    backend = DictKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture
def no_keyring():
    before = keyring.get_keyring()
    keyring.set_keyring(NoKeyring())
    yield
    keyring.set_keyring(before)


def stores(tmp_path):
    return [FileTokenStore(tmp_path / "a"), KeyringTokenStore(DictKeyring(), FileTokenStore(tmp_path / "b"))]


def test_every_store_keeps_replaces_and_forgets(tmp_path):
    for store in [*stores(tmp_path), MemoryTokenStore()]:
        assert store.get(SERVER, "jose") is None
        store.forget(SERVER, "jose")
        store.put(SERVER, "jose", TOKEN)
        store.put(SERVER, "ana", OTHER)
        store.put("https://other.org", "jose", OTHER)
        assert store.get(SERVER, "jose") == TOKEN
        store.put(SERVER, "jose", OTHER)
        assert store.get(SERVER, "jose") == OTHER
        store.forget(SERVER, "jose")
        assert store.get(SERVER, "jose") is None
        assert store.get(SERVER, "ana") == store.get("https://other.org", "jose") == OTHER
        assert TOKEN not in store.describe() + repr(store)
        store.forget(SERVER, "ana")
        store.forget("https://other.org", "jose")


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_the_file_is_private_from_its_creation_and_made_private_again(tmp_path, monkeypatch):
    modes = []
    real = os.replace

    def watch(source, target, **known):
        modes.append(stat.S_IMODE(os.stat(source).st_mode))
        return real(source, target, **known)

    monkeypatch.setattr(os, "replace", watch)
    old = os.umask(0)
    try:
        store = FileTokenStore(tmp_path / "new" / "home")
        store.put(SERVER, "jose", TOKEN)
    finally:
        os.umask(old)
    path = tmp_path / "new" / "home" / "tokens.json"
    assert modes == [0o600]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    assert store.get(SERVER, "jose") == TOKEN
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "change", [lambda store: store.forget(SERVER, "jose"), lambda store: store.put(SERVER, "a", OTHER)]
)
def test_what_a_killed_writer_left_goes_with_the_next_change(tmp_path, change):
    code = (
        "import os, pathlib, sys; from alyx_connector import private_file, tokens\n"
        "private_file.replace_file = lambda source, target: os._exit(9)\n"
        "tokens.FileTokenStore(pathlib.Path(sys.argv[1])).put(*sys.argv[2:])"
    )
    killed = subprocess.run([sys.executable, "-c", code, tmp_path, SERVER, "jose", TOKEN], check=False, timeout=60)
    left = [path for path in tmp_path.iterdir() if TOKEN in path.read_text(encoding="utf-8")]
    assert (killed.returncode, len(left)) == (9, 1)
    (tmp_path / ".tokens.jsonl").write_text("another's", encoding="utf-8")
    change(FileTokenStore(tmp_path))
    assert not left[0].exists()
    assert (tmp_path / ".tokens.jsonl").exists()


@pytest.mark.parametrize("error", [KeyringLocked("locked"), RuntimeError(f"no D-Bus for {TOKEN}")])
def test_a_keyring_that_fails_loses_no_login_and_says_so(tmp_path, error):
    backend = DictKeyring()
    store = KeyringTokenStore(backend, FileTokenStore(tmp_path))
    assert store.describe() == "OS keyring (Dict)"
    store.put(SERVER, "jose", TOKEN)
    backend.broken = error
    assert store.get(SERVER, "jose") is None
    store.put(SERVER, "jose", OTHER)
    assert store.get(SERVER, "jose") == OTHER
    assert type(error).__name__ in store.describe()
    assert "tokens.json" in store.describe()
    assert TOKEN not in store.describe()
    store.forget(SERVER, "nobody")
    backend.broken = None
    assert store.get(SERVER, "jose") == OTHER, "the newer one counts, not what the keyring still holds"
    store.put(SERVER, "jose", TOKEN)
    assert store.get(SERVER, "jose") == TOKEN
    assert FileTokenStore(tmp_path).get(SERVER, "jose") is None, "no copy stays in the file"
    assert store.describe() == "OS keyring (Dict)"


def test_the_choice(tmp_path, monkeypatch, os_keyring):
    monkeypatch.delenv("ALYX_TOKEN_STORE", raising=False)
    assert isinstance(choose_token_store(home=tmp_path), KeyringTokenStore)
    monkeypatch.setenv("ALYX_TOKEN_STORE", " File ")
    assert isinstance(choose_token_store(home=tmp_path), FileTokenStore)
    assert isinstance(choose_token_store("memory"), MemoryTokenStore)
    assert isinstance(choose_token_store("keyring", home=tmp_path), KeyringTokenStore)
    monkeypatch.setenv("ALYX_TOKEN_STORE", "vault")
    with pytest.raises(ConfigurationError, match="vault") as caught:
        choose_token_store()
    assert caught.value.setting == "ALYX_TOKEN_STORE"
    assert "auto, keyring, file or memory" in caught.value.hint


def test_a_keyring_that_never_answers_is_asked_once_and_loses_no_login(tmp_path):
    asked, release = [], threading.Event()

    class MuteKeyring(DictKeyring):
        def _check(self):
            asked.append(1)
            release.wait()

    store = KeyringTokenStore(MuteKeyring(), FileTokenStore(tmp_path), limit_s=0.05)
    try:
        assert store.get(SERVER, "jose") is None
        store.put(SERVER, "jose", TOKEN)
        assert store.get(SERVER, "jose") == TOKEN
        assert "TimeoutError" in store.describe()
        assert len(asked) == 1
    finally:
        release.set()


def test_a_keyring_that_was_demanded_never_falls_back_to_the_disk(tmp_path, os_keyring):
    store = choose_token_store("keyring", home=tmp_path)
    os_keyring.broken = KeyringLocked("locked")
    store.put(SERVER, "jose", TOKEN)
    assert store.get(SERVER, "jose") == TOKEN
    assert list(tmp_path.iterdir()) == []
    store.forget(SERVER, "jose")


def test_a_keyring_that_is_none_does_not_count(tmp_path, no_keyring):
    store = choose_token_store("auto", home=tmp_path)
    assert isinstance(store, FileTokenStore)
    assert "readable only by its owner" in store.describe()
    with pytest.raises(ConfigurationError, match="keyring"):
        choose_token_store("keyring", home=tmp_path)


def test_memory_is_one_for_the_process():
    MemoryTokenStore().put(SERVER, "jose", TOKEN)
    assert MemoryTokenStore().get(SERVER, "jose") == TOKEN
    MemoryTokenStore().forget(SERVER, "jose")
    assert MemoryTokenStore().get(SERVER, "jose") is None
