"""Accounts: defaults, finding the one that is meant, files that are damaged or cannot be written."""

from __future__ import annotations

import json
import stat

import pytest

from alyx_connector import Account, Accounts, ConfigurationError, LoginRequiredError
from alyx_connector.private_file import home_folder
from alyx_connector.tokens import FileTokenStore

TOKEN, OTHER = "0123456789abcdef0123456789abcdef01234567", "f" * 40


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def accounts(home):
    return Accounts(home, FileTokenStore(home))


def test_nothing_is_set_up(accounts, home):
    assert accounts.all() == []
    assert accounts.default() is accounts.last_used() is None
    for search in ({}, {"url": "lab.org"}, {"username": "jose"}):
        with pytest.raises(LoginRequiredError, match="set up") as caught:
            accounts.find(**search)
        assert "Connector.setup(url=" in caught.value.hint
    assert not home.exists(), "reading makes no folder"


def test_remember(accounts, home):
    account = accounts.remember("Localhost:8000/", "jose", TOKEN, make_default=True)
    assert account == Account("http://localhost:8000", "jose", default_server=True, default_user=True)
    assert accounts.all() == [account] == Accounts(home, FileTokenStore(home)).all()
    assert accounts.default() == accounts.last_used() == accounts.find() == account
    assert accounts.token("http://localhost:8000", "jose") == TOKEN
    assert TOKEN not in repr(account)
    assert TOKEN not in (home / "config" / "accounts.json").read_text()
    for path in home.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_defaults_of_all_and_of_each_server(accounts):
    accounts.remember("lab.org", "jose", TOKEN)
    with pytest.raises(ConfigurationError, match=r"no default server.*jose at https://lab\.org") as caught:
        accounts.find()
    assert "make_default" in caught.value.hint
    accounts.remember("lab.org", "ana", OTHER)
    assert accounts.find("lab.org").username == "jose"
    assert accounts.find("lab.org", "ana").username == "ana"
    accounts.remember("lab.org", "ana", OTHER, make_default=True)
    accounts.remember("other.org", "olu", OTHER)
    assert accounts.find().username == "ana"
    assert accounts.find(username="jose").username == "jose"
    assert accounts.last_used().username == "olu"
    with pytest.raises(LoginRequiredError, match="bob was never set up at https://lab") as caught:
        accounts.find("lab.org", "bob")
    assert 'setup(url="https://lab.org", username="bob")' in caught.value.hint
    assert "ana at https://lab.org" in str(caught.value)


def test_an_address_means_itself_else_the_one_server_of_that_host(accounts):
    accounts.remember("http://127.0.0.1:8000", "jose", TOKEN)
    assert accounts.find("127.0.0.1").url == "http://127.0.0.1:8000"
    assert accounts.find("http://127.0.0.1").url == "http://127.0.0.1:8000"
    for other in ("127.0.0.1:9000", "https://127.0.0.1", "127.0.0.1/alyx", "127.0.0.2"):
        with pytest.raises(LoginRequiredError, match="never set up"):
            accounts.find(other)
    accounts.remember("http://127.0.0.1:9000", "jose", TOKEN)
    with pytest.raises(ConfigurationError, match="8000, http://127") as caught:
        accounts.find("127.0.0.1")
    assert caught.value.setting == "url"
    accounts.remember("http://127.0.0.1", "ana", TOKEN)
    assert accounts.find("127.0.0.1").username == "ana"


def test_forget(accounts, home):
    accounts.remember("lab.org", "jose", TOKEN, make_default=True)
    accounts.remember("lab.org", "ana", OTHER)
    accounts.forget("lab.org", "nobody")
    accounts.forget("lab.org", "jose")
    assert [account.username for account in accounts.all()] == ["ana"]
    assert accounts.token("lab.org", "jose") is None
    assert accounts.token("lab.org", "ana") == OTHER
    assert accounts.default() is None
    with pytest.raises(ConfigurationError, match="no default user"):
        accounts.find()
    accounts.forget("lab.org", "ana")
    assert accounts.all() == []
    assert accounts.last_used() is None
    assert OTHER not in (home / "tokens.json").read_text()


def test_a_server_whose_last_account_is_forgotten_is_the_default_no_longer(accounts):
    accounts.remember("lab.org", "jose", TOKEN, make_default=True)
    accounts.forget("lab.org", "jose")
    assert accounts.remember("lab.org", "jose", TOKEN).default_server is False
    assert accounts.default() is None


def test_a_token_that_is_not_kept_lives_in_memory_and_an_older_one_goes(accounts, home):
    accounts.remember("lab.org", "jose", OTHER)
    accounts.remember("lab.org", "jose", TOKEN, keep_token=False)
    assert accounts.token("lab.org", "jose") == TOKEN
    text = (home / "tokens.json").read_text()
    assert TOKEN not in text
    assert OTHER not in text
    assert accounts.last_used().username == "jose"
    accounts.forget("lab.org", "jose")
    assert accounts.token("lab.org", "jose") is None


def test_a_token_that_is_the_callers_own_changes_no_token(accounts):
    accounts.remember("lab.org", "ana", OTHER)
    for username in ("jose", "ana"):
        accounts.remember("lab.org", username, TOKEN, keep_token=None)
        assert accounts.last_used().username == username
    assert accounts.token("lab.org", "jose") is None
    assert accounts.token("lab.org", "ana") == OTHER


@pytest.mark.parametrize(("username", "token"), [("", TOKEN), ("jose", "")])
def test_nobody_and_no_token_are_not_remembered(accounts, username, token):
    with pytest.raises(ConfigurationError):
        accounts.remember("lab.org", username, token)
    assert accounts.all() == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b'{"servers": []}',
        b'{"servers": {"https://lab.org": []}}',
        b'{"servers": {"lab.org": {"users": {}}}}',
        b'{"servers": {"https://lab.org": {"users": ["jose"]}}}',
        b'{"servers": {"https://lab.org": {"users": {"jose": 1}}}}',
        b'{"servers": {}, "default_server": 3}',
        b'{"servers": {}, "last_used": "jose"}',
    ],
)
def test_a_damaged_file_is_moved_aside_and_told(accounts, home, content):
    path = home / "config" / "accounts.json"
    path.parent.mkdir(parents=True)
    path.with_name("accounts.json.damaged-1").write_text("an earlier one")
    path.write_bytes(content)
    assert accounts.all() == []
    aside = path.with_name("accounts.json.damaged-2")
    assert aside.read_bytes() == content
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    assert str(aside) in accounts.notes[0]
    with pytest.raises(LoginRequiredError, match="damaged"):
        accounts.find()
    accounts.remember("lab.org", "jose", TOKEN)
    assert aside.read_bytes() == content
    assert [account.username for account in accounts.all()] == ["jose"]


def test_a_damaged_file_of_tokens_costs_a_login_and_is_told(accounts, home):
    accounts.remember("lab.org", "jose", TOKEN)
    (home / "tokens.json").write_text('{"https://lab.org": "x"}')
    assert accounts.token("lab.org", "jose") is None
    assert "damaged" in accounts.tokens.describe()


def test_the_file_of_a_newer_program_is_left_alone(accounts, home):
    path = home / "config" / "accounts.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"version": 2, "servers": "in another way"}')
    for work in (accounts.all, lambda: accounts.remember("lab.org", "jose", TOKEN)):
        with pytest.raises(ConfigurationError, match="newer"):
            work()
    assert json.loads(path.read_text())["version"] == 2


def test_unknown_keys_are_kept(accounts, home):
    accounts.remember("lab.org", "jose", TOKEN)
    path = home / "config" / "accounts.json"
    content = json.loads(path.read_text())
    content["theme"] = content["servers"]["https://lab.org"]["users"]["jose"]["note"] = "kept"
    path.write_text(json.dumps(content))
    accounts.remember("lab.org", "jose", OTHER, make_default=True)
    content = json.loads(path.read_text())
    assert content["theme"] == content["servers"]["https://lab.org"]["users"]["jose"]["note"] == "kept"


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    home = tmp_path / "file" / "home"
    accounts = Accounts(home, FileTokenStore(tmp_path / "elsewhere"))
    with pytest.raises(ConfigurationError, match=r"accounts\.json cannot be written") as caught:
        accounts.remember("lab.org", "jose", TOKEN)
    assert caught.value.setting == "ALYX_CONNECTOR_HOME"
    assert "ALYX_CONNECTOR_HOME" in caught.value.hint


def test_a_write_that_fails_leaves_the_file_as_it_was(accounts, home, monkeypatch):
    accounts.remember("lab.org", "jose", TOKEN)
    path = home / "config" / "accounts.json"
    before = path.read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        accounts.remember("lab.org", "ana", OTHER)
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["accounts.json", "accounts.json.lock"]


def test_the_home_can_be_chosen(tmp_path, monkeypatch):
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path / "x"))
    assert home_folder() == tmp_path / "x"
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", " ")
    assert home_folder().name == "alyx-connector"
