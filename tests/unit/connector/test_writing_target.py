"""How a write whose answer is lost says how to look."""

from __future__ import annotations

import pytest

from alyx_connector import ProtocolError, ServerFaultError, UnreachableError
from alyx_connector.remedy import RemedyKind, in_python
from alyx_connector.writing.write_target import WriteTarget

NAME = "7c33db36-0333-4d48-84fa-a3448def9b51"
SESSION = WriteTarget("sessions", None, ("sessions", NAME), NAME, by_id=True)


@pytest.mark.parametrize(
    "error", [UnreachableError("cut", maybe_processed=True), ServerFaultError("500", status=500), ProtocolError("half")]
)
def test_what_may_have_been_stored_says_how_to_look(error):
    with pytest.raises(type(error)) as caught, SESSION.may_be_stored():
        raise error
    assert caught.value.hint.startswith("It may have been stored all the same.")
    assert f'connector.search("sessions", id="{NAME}")' in caught.value.hint
    assert caught.value.remedy == SESSION.look(RemedyKind.LOOK_BEFORE_SENDING_AGAIN)


def test_what_was_never_sent_keeps_its_own_hint():
    with pytest.raises(UnreachableError) as caught, SESSION.may_be_stored():
        raise UnreachableError("nothing listens there", hint="Check the address.", maybe_processed=False)
    assert caught.value.hint == "Check the address."


@pytest.mark.parametrize(
    ("target", "subject", "call"),
    [
        (SESSION, "", f'connector.search("sessions", id="{NAME}")'),
        (WriteTarget("labs", None, ("labs", "lab"), "lab"), "", 'connector.search("labs")'),
        (WriteTarget("weighings", None, ("weighings",)), "ea04", 'connector.weights("ea04")'),
        (WriteTarget("water-administrations", None, ("x",)), "ea04", 'connector.water("ea04")'),
        (WriteTarget("sessions", None, ("sessions",)), "ea04", 'connector.search("sessions", subject="ea04")'),
    ],
)
def test_how_to_look(target, subject, call):
    assert in_python(target.look(RemedyKind.LOOK, subject)) == f"Look at it: {call}."
