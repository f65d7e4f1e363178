"""On which servers a fact does not hold, and why. A fact is a test of the fixture `each_server`, or one case of it.

Each test runs on each server. What stands here is expected to fail there, and red as soon as it does not.
`docs/servers.md` is made from it.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

SANDBOX: Final = "sandbox"
ALYX: Final = "alyx"
ALYX_LOCAL: Final = "alyx-local"
#: The sandbox with ``--like alyx-local``.
SANDBOX_LOCAL: Final = "sandbox-local"


class Why(Enum):
    """Whose affair a difference is."""

    #: The server answers otherwise, and may.
    OTHERWISE = "differs"
    #: The server fails where it should not.
    FAULT = "a fault of the server"
    #: Our client is not yet right there.
    CLIENT = "client"


class Difference(NamedTuple):
    """Tests that do not hold on a server, all for one reason."""

    why: Why
    reason: str
    tests: tuple[str, ...]
    #: In what the second is not like the first would be listed for one of them alone.
    servers: tuple[str, ...] = (ALYX_LOCAL, SANDBOX_LOCAL)
    #: They would wait for what does not come: not even tried there.
    is_long: bool = False


_AS_ALYX: Final = (SANDBOX, ALYX)


def _cases(test: str, *cases: str) -> tuple[str, ...]:
    return tuple(f"{test}[{case}]" for case in cases)


def _client(reason: str, *tests: str, is_long: bool = False) -> Difference:
    return Difference(Why.CLIENT, reason, tests, is_long=is_long)


DIFFERENCES: Final = (
    # names
    Difference(
        Why.OTHERWISE,
        "subjects are told apart by their name, <lab>__<nickname>, which no two have",
        (
            "test_recorded_answers.py::test_refused_write[weighing_ambiguous_subject]",
            "test_connector.py::test_the_water_requirement_of_namesakes_is_refused",
        ),
    ),
    Difference(
        Why.OTHERWISE,
        "the species of a new subject is Mus musculus",
        ("test_writes.py::test_a_new_subject_is_a_laboratory_mouse",),
    ),
    Difference(
        Why.OTHERWISE,
        "the species of a new subject is Laboratory mouse",
        ("test_writes.py::test_a_new_subject_is_a_mus_musculus",),
        _AS_ALYX,
    ),
    # subjects
    Difference(
        Why.OTHERWISE,
        "a subject with a death date is dead, also if that day is still to come",
        ("test_lists.py::test_a_death_date_in_the_future_is_alive",),
    ),
    Difference(
        Why.OTHERWISE,
        "a subject is alive until its death date",
        ("test_lists.py::test_a_death_date_in_the_future_is_dead",),
        _AS_ALYX,
    ),
    Difference(
        Why.OTHERWISE,
        "subjects have no json, so no history either",
        ("test_writes.py::test_a_subject_holds_json", "test_writes.py::test_a_renamed_subject_remembers_its_name"),
    ),
    Difference(
        Why.OTHERWISE,
        "users have no is_stock_manager",
        ("test_lists.py::test_users_say_who_manages_the_stock",),
    ),
    Difference(
        Why.OTHERWISE,
        "users have no allowed_users",
        ("test_scopes.py::test_those_that_the_user_may_handle_are_listed",),
    ),
    Difference(
        Why.OTHERWISE,
        "users say whom they allow",
        ("test_scopes.py::test_where_users_do_not_say_whom_they_allow_the_sync_says_so",),
        _AS_ALYX,
    ),
    # times
    Difference(
        Why.OTHERWISE,
        "times carry the offset of the server's zone, and an offset that is sent is honoured",
        (
            "test_writes.py::test_a_time_is_given_back_as_it_was_sent",
            "test_writes.py::test_an_offset_is_converted_to_utc_and_dropped",
        ),
    ),
    Difference(
        Why.OTHERWISE,
        "times carry no offset: one that is sent is converted to UTC and dropped",
        (
            "test_writes.py::test_a_time_is_given_back_with_the_offset_of_the_servers_zone",
            "test_writes.py::test_an_offset_is_kept_as_a_moment",
        ),
        _AS_ALYX,
    ),
    # sessions
    Difference(
        Why.OTHERWISE,
        "subject, day and number are one session's only; without a number it takes the next",
        (
            "test_writes.py::test_the_same_session_can_be_stored_twice",
            "test_writes.py::test_a_session_without_a_number_has_none",
            "test_connector_writes.py::test_sessions_may_share_a_number",
        ),
    ),
    Difference(
        Why.OTHERWISE,
        "sessions may be alike, and have no number but the one that is sent",
        (
            "test_writes.py::test_subject_day_and_number_are_one_session_only",
            "test_writes.py::test_a_session_without_a_number_takes_the_next",
            "test_connector_writes.py::test_a_number_that_is_taken_is_refused_with_the_next",
        ),
        _AS_ALYX,
    ),
    Difference(
        Why.OTHERWISE,
        "what a narrative says of whiskers is put into json",
        ("test_connector_writes.py::test_a_narrative_changes_nothing_else",),
    ),
    Difference(
        Why.OTHERWISE,
        "a narrative is a text and nothing else",
        ("test_connector_writes.py::test_what_a_server_reads_in_the_narrative_is_said_and_stays",),
        _AS_ALYX,
    ),
    Difference(
        Why.OTHERWISE,
        "a new dataset names its session by the session's name, and its format by the file's extension",
        (
            "test_writes.py::test_a_dataset_answers_to_a_change_with_all_fields",
            "test_writes.py::test_a_dataset_finds_its_session_and_becomes_the_default_one",
        ),
    ),
    # filters
    Difference(
        Why.OTHERWISE,
        "the subject of sessions is exact, several with commas, and nickname is no filter of theirs",
        (
            "test_lists.py::test_subject_filters_of_sessions_ignore_case_and_take_no_list",
            "test_connector.py::test_a_nickname_matches_whatever_its_case",
        ),
    ),
    Difference(
        Why.OTHERWISE,
        "the subject of sessions is one nickname, whatever its case",
        ("test_lists.py::test_subject_of_sessions_is_exact_and_takes_a_list",),
        _AS_ALYX,
    ),
    Difference(
        Why.OTHERWISE,
        "of several users of sessions any is enough",
        ("test_lists.py::test_users_of_sessions_must_all_be_there",),
    ),
    Difference(
        Why.OTHERWISE,
        "of several users of sessions all must be there",
        ("test_lists.py::test_any_of_the_users_of_sessions_is_enough",),
        _AS_ALYX,
    ),
    Difference(
        Why.OTHERWISE,
        "values in json= and extended_qc= are JSON, and pairs have a semicolon between them",
        ("test_json_filters.py::test_a_value_is_words_of_python",),
    ),
    Difference(
        Why.OTHERWISE,
        "values in json= and extended_qc= are words of Python, and pairs have a comma between them",
        ("test_json_filters.py::test_a_value_is_json",),
        _AS_ALYX,
    ),
    Difference(
        Why.OTHERWISE,
        "an extended_qc= that cannot be read is a 400",
        ("test_lists.py::test_an_odd_extended_qc_is_a_500",),
    ),
    Difference(
        Why.FAULT,
        "an extended_qc= that cannot be read is a 500",
        ("test_lists.py::test_an_odd_extended_qc_is_a_400",),
        _AS_ALYX,
    ),
    Difference(
        Why.OTHERWISE,
        "weighings have no filters lab, users and date_range: they are ignored",
        ("test_lists.py::test_weighings_cannot_be_filtered_by_what_is_listed_as_a_filter",),
    ),
    Difference(
        Why.FAULT,
        "the filters lab, users and date_range of weighings are a 500",
        ("test_lists.py::test_weighings_have_no_such_filter",),
        _AS_ALYX,
    ),
    Difference(
        Why.OTHERWISE,
        "the server's description gives datasets a date and a number, which its answers do not have",
        _cases("test_connector.py::test_other_lists_have_the_known_columns_and_nothing_else", "datasets"),
        _AS_ALYX,
    ),
    # water
    Difference(
        Why.OTHERWISE,
        "weights and water are told day by day",
        ("test_connector.py::test_a_server_that_tells_no_water_requirement_says_what_to_ask_instead",),
        _AS_ALYX,
    ),
    Difference(
        Why.FAULT,
        "water-requirement is a 500 for everybody",
        (
            "test_writes.py::test_rewards_and_supplements_are_told_by_the_water_requirement",
            "test_connector.py::test_the_water_requirement_is_the_servers",
            "test_documented_use.py::test_the_snippets_of_the_readme",
            "test_rig_numbers.py::test_percentage_and_distance_are_the_servers",
            "test_rig_numbers.py::test_need_and_remainder_are_the_servers",
            "test_rig_numbers.py::test_a_weight_is_judged_before_it_is_stored_as_the_server_judges_it_afterwards",
            "test_rig_numbers.py::test_what_remains_after_an_amount_is_what_the_server_says_afterwards",
            "test_rig_numbers.py::test_water_ad_lib_counts_no_amount",
            "test_rig_numbers.py::test_a_state_holds_what_the_server_answers",
        ),
    ),
    Difference(
        Why.OTHERWISE,
        "water of a dead subject is taken",
        ("test_writes.py::test_water_after_death_is_a_500_that_stores_nothing",),
    ),
    Difference(
        Why.FAULT,
        "water after death is a 500",
        ("test_writes.py::test_water_after_death_is_taken",),
        _AS_ALYX,
    ),
    # our client
    _client(
        "the columns that are filled are those of Alyx",
        *_cases("test_connector.py::test_sessions_have_the_known_columns_and_nothing_else", "True", "False"),
        *_cases("test_connector.py::test_other_lists_have_the_known_columns_and_nothing_else", "subjects", "datasets"),
    ),
)


def difference(fact: str, server: str) -> Difference | None:
    """Return why a test, or this case of it, does not hold on a server."""
    test = fact.partition("[")[0]
    found = [one for one in DIFFERENCES if server in one.servers and (fact in one.tests or test in one.tests)]
    return found[0] if found else None
