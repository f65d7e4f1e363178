"""Who is logged in while PyBpod runs: a window's token goes before the stored one, until the server refuses it."""

from __future__ import annotations

import pytest

from alyx_connector import AlyxClient
from alyx_connector.accounts import Accounts
from alyx_connector.errors import LoginRequiredError
from pybpod_alyx_module.connect import Logins

SERVER, ACCOUNT = "http://127.0.0.1:9", ("http://127.0.0.1:9", "jose")
OLD, NEW = "a" * 40, "b" * 40


@pytest.fixture
def logins(tmp_path, monkeypatch):
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))
    monkeypatch.setenv("ALYX_TOKEN_STORE", "file")
    logins = Logins()
    yield logins
    logins.close()


def connected(token):
    return AlyxClient(SERVER, username="jose", token=token)


def stored(token):
    Accounts().remember(SERVER, "jose", token, keep_token=True)


def test_without_a_token_nobody_is_logged_in(logins):
    with pytest.raises(LoginRequiredError, match="as jose"):
        logins.client(*ACCOUNT)
    assert logins.client_or_none(*ACCOUNT) is None


def test_a_client_is_shared_until_the_token_is_another(logins):
    stored(OLD)
    first = logins.client(*ACCOUNT)
    assert logins.client(*ACCOUNT) is first
    logins.remember(connected(NEW))
    assert logins.client(*ACCOUNT).token == NEW


def test_a_refused_token_of_a_window_does_not_hide_the_stored_one(logins):
    logins.remember(connected(OLD))
    assert logins.client_or_none(*ACCOUNT).token == OLD
    stored(NEW)
    assert logins.client(*ACCOUNT).token == OLD
    logins.refused(*ACCOUNT)
    assert logins.client(*ACCOUNT).token == NEW


def test_a_token_that_came_after_the_refused_one_stays(logins):
    logins.remember(connected(OLD))
    logins.client_or_none(*ACCOUNT)
    logins.remember(connected(NEW))
    logins.refused(*ACCOUNT)
    assert logins.client(*ACCOUNT).token == NEW


def test_closing_forgets_the_tokens_of_windows(logins):
    logins.remember(connected(OLD))
    logins.close()
    assert logins.client_or_none(*ACCOUNT) is None


def test_logging_out_forgets_the_token_here_and_in_the_store(logins):
    stored(OLD)
    logins.remember(connected(NEW))
    assert logins.logged_in() == (ACCOUNT,)
    logins.log_out(*ACCOUNT)
    assert logins.client_or_none(*ACCOUNT) is None
    assert logins.logged_in() == ()
    assert Accounts().last_used().username == "jose"


def test_who_logged_out_in_another_program_is_logged_out_here_unless_the_token_was_never_stored(logins):
    stored(OLD)
    logins.remember(connected(OLD), stored=True)
    logins.is_at_rig(SERVER, "jose")
    assert logins.log_out_as_elsewhere() == ()
    Accounts().tokens.forget(*ACCOUNT)
    assert logins.log_out_as_elsewhere() == (ACCOUNT,)
    assert (logins.client_or_none(*ACCOUNT), logins.at_rig(SERVER)) == (None, "")
    logins.remember(connected(NEW))
    assert logins.log_out_as_elsewhere() == ()
    assert logins.client_or_none(*ACCOUNT).token == NEW


def test_who_said_so_is_at_the_rig_until_logged_out(logins):
    stored(OLD)
    assert logins.account_for(SERVER, "") == "jose"  # who was last connected
    assert not logins.somebody_is_at_rig(SERVER)
    logins.is_at_rig(SERVER, "ana")
    assert logins.somebody_is_at_rig(SERVER)
    assert not logins.somebody_is_at_rig("http://127.0.0.1:10")
    assert (logins.account_for(SERVER, ""), logins.account_for(SERVER, "jose")) == ("ana", "jose")
    logins.log_out(SERVER, "ana")
    assert not logins.somebody_is_at_rig(SERVER)
    assert logins.account_for(SERVER, "") == "jose"


@pytest.mark.parametrize(("address", "known"), [("", True), ("127.0.0.1:9", True), ("127.0.0.1:10", False)])
def test_a_rig_that_is_set_to_one_person_knows_them_where_their_login_is_remembered(logins, address, known):
    logins = Logins(lambda: (address, "jose"))
    assert not logins.somebody_is_at_rig(SERVER)
    stored(OLD)
    assert logins.somebody_is_at_rig(SERVER) is known
