"""What headless rooms tell of an error of the client, for a window: what happened, and no call of Python."""

from __future__ import annotations

import pytest

from alyx_connector.errors import ConfigurationError, LoginRequiredError, ServerFaultError
from alyx_connector.remedy import Remedy, RemedyKind
from pybpod_alyx_module.animals.alyx_access import find_client
from pybpod_alyx_module.outbox.outcomes import outcome_of_reading, outcome_of_writing
from pybpod_alyx_module.remedies import explain

#: What no window says.
PYTHON = ("connector", "Connector", "django", "=", "iloc", "()", "update_json")


def an_error(kind):
    remedy = Remedy(kind, "http://a.example", "jose", "sessions", "name", ("1",))
    return ServerFaultError("The server failed.", hint=remedy, status=500)


@pytest.mark.parametrize("kind", RemedyKind)
def test_no_kind_names_a_call_of_python(kind):
    error = an_error(kind)
    told = [explain(error), outcome_of_reading(error).hint, outcome_of_writing(error).hint]
    assert not [text for text in told if any(word in text for word in PYTHON)]
    assert told[0].startswith("The server failed.")


def test_a_plain_hint_is_told():
    assert explain(ConfigurationError("It is wrong.", hint="Correct it.")) == "It is wrong. Correct it."


def test_whose_token_was_revoked_reads_where_to_log_in():
    error = LoginRequiredError("It was revoked.", hint=Remedy(RemedyKind.LOG_IN_ANEW))
    assert explain(error).startswith("It was revoked. In Sync to Alyx")


def test_who_is_not_logged_in_reads_what_to_press():
    class Access:
        def account_for(self, _server, _user):
            raise an_error(RemedyKind.LOG_IN)

    username, client, why = find_client(Access(), "http://a.example", "jose")
    assert (username, client) == ("jose", None)
    assert why.startswith("The server failed. In Sync to Alyx")
