"""Every error has its own words, and values that look alike read differently."""

from __future__ import annotations

import datetime

import pytest

from alyx_connector import errors
from alyx_connector.errors import AlyxError
from alyx_connector.remedy import Remedy, RemedyKind
from pybpod_alyx_module.errors import SyncError
from pybpod_alyx_module.gui.messages import WORDING, describe
from pybpod_alyx_module.gui.sync.summary import COUNTED, HEADINGS, summary
from pybpod_alyx_module.gui.words import LABELS, change, is_blank, label, one_line, when, words
from pybpod_alyx_module.sync.apply import Result
from pybpod_alyx_module.sync.details import COMPARED, MISSING
from pybpod_alyx_module.sync.plan import Action, Difference, PlanEntry
from pybpod_alyx_module.sync.snapshot import LocalSubject
from tests.unit.test_remedies import PYTHON


def family(kind):
    return {kind} | {one for child in kind.__subclasses__() for one in family(child)}


def test_every_error_of_the_product_has_words_of_its_own():
    ours = {kind for kind in family(AlyxError) if not kind.__module__.startswith("tests")}
    assert ours >= {SyncError, errors.NotAlyxError}
    missing = {kind.__name__ for kind in ours - set(WORDING)}
    assert missing == set()


def test_no_two_errors_have_the_same_title():
    titles = [title for title, _advice in WORDING.values()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("kind", sorted(family(AlyxError), key=lambda kind: kind.__name__), ids=lambda k: k.__name__)
def test_a_message_says_what_happened_and_what_to_do(kind):
    message = describe(kind("http://a.example said no."))
    assert message.sentence == "http://a.example said no."
    assert message.advice
    assert describe(kind("x", hint="Do this.")).advice == "Do this."


@pytest.mark.parametrize("kind", RemedyKind)
def test_a_window_names_no_call_of_python(kind):
    remedy = Remedy(kind, "http://a.example", "jose", "sessions", "subject", ("ea04",))
    message = describe(errors.LoginRequiredError("No token.", hint=remedy))
    assert message.advice
    assert not [word for word in PYTHON if word in message.advice], message.advice


def test_a_window_says_where_its_own_login_is():
    error = errors.LoginRequiredError("No token.", hint=Remedy(RemedyKind.LOG_IN, "http://a.example", "jose"))
    assert describe(error).advice == "In Sync to Alyx (right-click the project), type the password, then press Connect."


@pytest.mark.parametrize("typed", ["x" * 100_000, "a b " * 30_000], ids=["unbroken", "in words"])
def test_of_a_very_long_sentence_beginning_and_end_are_read(typed):
    sentence = describe(errors.ConfigurationError(f"The address {typed} is none.")).sentence
    assert sentence.startswith("The address ")
    assert sentence.endswith(" is none.")
    assert len(sentence) < 1_100


def test_an_error_without_text_still_says_something():
    assert describe(errors.UnreachableError()).sentence == "Alyx cannot be reached."


def test_an_unusable_address_is_called_an_address():
    assert describe(errors.ConfigurationError("x", setting="address")).title == "This address cannot be used"
    assert describe(errors.ConfigurationError("x", setting="ALYX_TOKEN_STORE")).title == "A setting cannot be used"


def test_where_no_setting_is_wrong_none_is_blamed():
    assert describe(errors.ConfigurationError("ea04 is not linked to Alyx.")).title == "This is not possible"


def test_of_foreign_errors_only_the_type_is_named():
    message = describe(ValueError("hunter2"))
    assert "ValueError" in message.text
    assert "hunter2" not in message.text


def test_missing_none_and_empty_are_three_things_in_words():
    texts = [words(value) for value in (MISSING, None, "", 0, False, 0.0)]
    assert texts == ["(missing)", "(none)", "(empty)", "0", "no", "0.0"]
    assert [is_blank(value) for value in (MISSING, None, "", [], {}, 0, False, 0.0)] == [True] * 5 + [False] * 3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["a", "b"], "a, b"),
        ({"é": 1}, '{\n  "é": 1\n}'),
        ([{"a": 1}], '[\n  {\n    "a": 1\n  }\n]'),
        (True, "yes"),
        ("  as it is\n", "  as it is\n"),
    ],
)
def test_values_read_as_a_person_reads_them(value, text):
    assert words(value) == text


def test_a_cell_has_one_line():
    assert one_line("one\n  two") == "one ⏎ two"
    assert words({"a": [1]}, indent=None) == '{"a": [1]}'


@pytest.mark.parametrize(
    ("local", "remote", "fillable", "start"),
    [
        (None, "x", True, "added on Alyx"),
        (MISSING, "x", True, "added on Alyx"),
        (MISSING, None, True, "new, without a value"),
        ("x", None, False, "value removed on Alyx"),
        ("x", "y", False, "changed"),
        (True, False, False, "changed"),
        (0.0, 1.0, False, "changed"),
        ("", "x", False, "changed"),
    ],
)
def test_what_differs_is_said_in_words(local, remote, fillable, start):
    text = change(Difference("sex", local, remote, fillable))
    assert text.startswith(start)
    assert text.endswith("Merge fills it in" if fillable else "Merge keeps the project's")


def test_every_compared_field_has_a_label():
    assert set(COMPARED) <= set(LABELS)
    assert label("something_new") == "something_new"


NOW = datetime.datetime(2026, 11, 20, 12, 0, tzinfo=datetime.timezone.utc)


@pytest.mark.parametrize(
    ("age", "text"),
    [
        ({"seconds": 20}, "just now"),
        ({"minutes": 1}, "1 minute ago"),
        ({"minutes": 59}, "59 minutes ago"),
        ({"hours": 3}, "3 hours ago"),
        ({"days": 40}, "40 days ago"),
        ({"hours": -2}, "in the future"),
    ],
)
def test_the_age_of_a_copy_is_told_in_words(age, text):
    moment = NOW - datetime.timedelta(**age)
    assert text in when(moment.isoformat(), NOW)
    assert f"{moment.astimezone():%Y-%m-%d %H:%M}" in when(moment.isoformat(), NOW)


@pytest.mark.parametrize("nothing", [None, "", "yesterday", 12, "2026-11-20T12:00:00", "9999-12-31T23:59:59-23:00"])
def test_a_time_that_is_none_is_not_known(nothing):
    assert when(nothing, NOW) is None


def result(action, name, reason="", applied=True, message="", **more):
    return Result(PlanEntry(action, name, reason=reason, **more), applied, message)


def test_the_summary_tells_counts_names_and_reasons():
    local = LocalSubject("k", "ea04")
    differences = (Difference("sex", "M", "F", False), Difference("line", None, "Ai32", True))
    results = [
        result(Action.ADD, "a1"),
        result(Action.ADD, "a2"),
        result(Action.OVERRIDE, "ea04", "not yet linked", local=local, differences=differences),
        result(Action.MERGE, "m", local=LocalSubject("m", "m", "id"), differences=differences),
        result(Action.KEEP, "k", local=local, differences=differences),
        result(Action.REMOVE, "r", "not alive on Alyx (death date 2026-01-02)"),
        result(Action.POSTPONE, "p", "not alive on Alyx (death date 2026-01-02), but it is in a running session"),
        *(result(Action.UP_TO_DATE, name) for name in ("same", "too")),
        result(Action.UP_TO_DATE, "u", applied=False, message="it changed in the project meanwhile: sync again"),
    ]
    text = summary(results)
    assert text.startswith(
        "2 added, 1 merged, 1 overridden, 1 kept, 1 removed from this PyBpod project, 1 removals postponed, "
        "2 up to date, 1 not changed."
    )
    for line in (
        "Added (2): a1, a2",
        "    ea04: Sex, Line; now linked to Alyx",
        "    m: Line",
        "    k: differs in Sex, Line",
        "    r: not alive on Alyx (death date 2026-01-02)",
        "Removal postponed (1):",
        "Not changed (1):",
        "    u: it changed in the project meanwhile: sync again",
    ):
        assert line in text.splitlines()
    assert "same" not in text  # hundreds of names that nobody asked for


def test_a_kept_subject_does_not_differ_in_what_has_no_value_on_either_side():
    differences = (Difference("sex", "M", "F", False), Difference("json", MISSING, None, True))
    local = LocalSubject("k", "jo002", "id")
    kept, overridden = (
        summary([result(action, "jo002", local=local, differences=differences)]).splitlines()[-1]
        for action in (Action.KEEP, Action.OVERRIDE)
    )
    assert kept == "    jo002: differs in Sex"
    assert overridden == "    jo002: Sex, JSON", "what was written is told"


def test_of_what_was_not_changed_no_field_is_told():
    local = LocalSubject("k", "jo002")
    differences = (Difference("description", "a", "b", False), Difference("json", None, {}, True))
    results = [
        result(Action.KEEP, "jo001", local=local, differences=differences),
        *(
            result(action, "jo002", "not yet linked", False, "it is no longer in the project", local=local,
                    differences=differences)
            for action in (Action.OVERRIDE, Action.MERGE, Action.KEEP)
        ),
        result(Action.REMOVE, "r", "not alive on Alyx", False, "not removed: it is in a running session"),
    ]  # fmt: skip
    text = summary(results)
    assert text.splitlines()[0] == "1 kept, 4 not changed."
    assert text.splitlines()[-5:] == [
        "Not changed (4):",
        *["    jo002: it is no longer in the project"] * 3,
        "    r: not alive on Alyx; not removed: it is in a running session",
    ]


def test_every_action_that_can_end_a_sync_is_counted():
    assert set(HEADINGS) == set(COUNTED) == set(Action) - {Action.ASK}
