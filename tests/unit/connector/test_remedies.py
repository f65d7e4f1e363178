"""Every remedy has words in Python and on the command line, and neither speaks as the other does."""

from __future__ import annotations

import pickle
import re

import pytest

from alyx_connector import AlyxError, AlyxWarning
from alyx_connector.cli.words import COMMAND_WORDS, filter_on_the_command_line, hint_of, note_of, on_the_command_line
from alyx_connector.remedy import PYTHON_WORDS, Remedy, RemedyKind, filter_in_python, in_python

#: A call, or an argument of one.
PYTHON = re.compile(r"\w\(|\b\w+=|Connector|iloc|\{")
#: A command, or an option.
COMMANDS = re.compile(r"alyx-connector|--\w")
WHOLE = {
    "url": "http://a.org",
    "username": "jo b",
    "endpoint": "weighings",
    "name": "date_time",
    "values": ("2024-01-01",),
}


@pytest.mark.parametrize("kind", RemedyKind)
def test_every_kind_has_words_in_both(kind):
    for given in (WHOLE, {**WHOLE, "url": "", "username": ""}, {**WHOLE, "name": "subject"}):
        remedy = Remedy(kind, **given)
        python, command = in_python(remedy), on_the_command_line(remedy)
        assert python.endswith(".")
        assert command
        assert not PYTHON.search(command), command
        assert not COMMANDS.search(python), python


@pytest.mark.parametrize("words", [PYTHON_WORDS, COMMAND_WORDS])
def test_there_are_words_for_the_kinds_that_there_are(words):
    assert set(words) == set(RemedyKind)


KIND = RemedyKind
SESSION = "7c33db36-0333-4d48-84fa-a3448def9b51"


@pytest.mark.parametrize(
    ("remedy", "python", "command"),
    [
        (
            Remedy(KIND.SET_UP),
            'Set it up: Connector.setup(url="…", username="…").',
            "Set it up: alyx-connector login",
        ),
        (
            Remedy(KIND.SET_UP, "https://a.org"),
            'Set it up: Connector.setup(url="https://a.org", username="…").',
            "Set it up: alyx-connector login https://a.org",
        ),
        (
            Remedy(KIND.LOG_IN, "https://a.org", "jo b"),
            'Log in again: Connector.setup(url="https://a.org", username="jo b").',
            "Log in again: alyx-connector login https://a.org --user 'jo b'",
        ),
        (
            Remedy(KIND.CHOOSE_DEFAULT),
            'Say which: Connector(url="…"), or make one the default: Connector.setup(url="…", make_default=True).',
            "Say which: --url URL, or make one the default: alyx-connector login --default",
        ),
        (
            Remedy(KIND.CHOOSE_SERVER, "http://a"),
            'Say which: Connector(url="http://a").',
            "Say which: --url http://a",
        ),
        (
            Remedy(KIND.CHOOSE_USER, "http://a"),
            'Say which: Connector(url="http://a", username="…").',
            "Say which: --url http://a --user USER",
        ),
        (
            Remedy(KIND.LIST_FILTERS, endpoint="sessions"),
            'connector.filters("sessions") lists all of them.',
            "alyx-connector filters sessions lists all of them.",
        ),
        (
            Remedy(KIND.LIST_ENDPOINTS),
            "connector.endpoints() lists all of them.",
            "alyx-connector endpoints lists all of them.",
        ),
        (
            Remedy(KIND.GIVE_LIST, name="subject", values=("a", "b c")),
            "Give a list: subject=['a', 'b c'].",
            "Give --subject a --subject 'b c'",
        ),
        (
            Remedy(KIND.USE_DJANGO, name="date_time__date__gte", values=("2024-01-01",)),
            'Use django={"date_time__date__gte": "2024-01-01"}.',
            "Use --django date_time__date__gte,2024-01-01",
        ),
        (Remedy(KIND.ADD_LAB), "Add lab= to tell them apart.", "Add --lab to tell them apart."),
        (
            Remedy(KIND.LOOK, endpoint="sessions", name="id", values=(SESSION,)),
            f'Look at it: connector.search("sessions", id="{SESSION}").',
            f"Look at it: alyx-connector get sessions {SESSION}",
        ),
        (
            Remedy(KIND.LOOK, endpoint="weighings", name="subject", values=("ea 04",)),
            'Look at it: connector.weights("ea 04").',
            "Look at it: alyx-connector search weighings --subject 'ea 04'",
        ),
        (
            Remedy(KIND.LOOK, endpoint="labs"),
            'Look at it: connector.search("labs").',
            "Look at it: alyx-connector search labs",
        ),
    ],
)
def test_a_remedy_in_python_and_on_the_command_line(remedy, python, command):
    assert in_python(remedy) == python
    assert on_the_command_line(remedy) == command


def test_a_filter_to_use_instead_is_named_alone():
    lab = Remedy(KIND.USE_DJANGO, name="subject__lab__name", values=("<lab>",))
    assert filter_in_python(lab) == 'django={"subject__lab__name": "<lab>"}'
    assert filter_on_the_command_line(lab) == "--django 'subject__lab__name,<lab>'"
    location = Remedy(KIND.USE_FILTER_OF, endpoint="sessions", name="location")
    assert filter_in_python(location) == "location= of sessions"
    assert filter_on_the_command_line(location) == "--location of sessions"


def test_a_text_in_a_call_is_quoted():
    assert 'username="a\\"b"' in in_python(Remedy(KIND.LOG_IN, "http://a", 'a"b'))


def test_an_error_carries_its_remedy():
    error = AlyxError("Gone.", hint=Remedy(KIND.ADD_LAB))
    assert (str(error), hint_of(error)) == ("Gone. Add lab= to tell them apart.", "Add --lab to tell them apart.")
    error = AlyxError("Gone.", hint="Try again.")
    assert (str(error), hint_of(error)) == ("Gone. Try again.", "Try again.")
    error.remedy = Remedy(KIND.ADD_LAB)
    assert error.hint == "Add lab= to tell them apart.", "a caller may know better"


def test_a_warning_carries_its_remedy():
    warning = AlyxWarning("Several.", Remedy(KIND.ADD_LAB))
    assert (str(warning), note_of(warning)) == (
        "Several. Add lab= to tell them apart.",
        "Several. Add --lab to tell them apart.",
    )
    assert str(pickle.loads(pickle.dumps(warning))) == str(warning)
    assert str(AlyxWarning("Plain.")) == note_of(AlyxWarning("Plain.")) == "Plain."
