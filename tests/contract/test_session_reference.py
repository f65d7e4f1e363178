"""A session named by subject, day and number, on every server."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from alyx_connector import ConfigurationError, Connector, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.alyx_under_test import AlyxUnderTest, Animal

DAY = "2026-11-20"


@pytest.fixture(scope="module")
def animal(writable: AlyxUnderTest) -> Iterator[Animal]:
    """An animal with the sessions 1 and 2 of that day, and another 1 of the day before."""
    with writable.new_subject() as animal:
        for number, day in ((1, DAY), (2, DAY), (1, "2026-11-19")):
            body = {"subject": animal.nickname, "number": number, "start_time": f"{day}T10:00:00", "json": {}}
            assert writable.ask("POST", "/sessions", json=body).status_code == 201
        yield animal


def test_it_is_the_one_of_that_day_and_number(connector: Connector, animal: Animal) -> None:
    session = connector.session(f"{animal.nickname}/{DAY}/002")
    assert (session.subject, session.number, session.start_time.date()) == (
        animal.nickname,
        2,
        dt.date(2026, 11, 20),
    )
    assert (session.id, session.json) == (session.name, {})


@pytest.mark.parametrize("form", ["{nickname}/2026-11-20/2", "{nickname}/20261120/02/", "{id}/2026-11-20/002"])
def test_it_is_read_as_people_write_it(connector: Connector, animal: Animal, form: str) -> None:
    session = connector.session(form.format(**animal._asdict()))
    assert session.equals(connector.session(session.id))
    assert session.equals(connector.session(session))
    assert session.number == 2


def test_the_servers_own_name_of_the_animal_will_do(connector: Connector, animal: Animal) -> None:
    assert connector.session(f"{animal.key}/{DAY}/1").number == 1


def test_one_that_is_not_there_is_an_error_with_the_numbers_of_the_day(connector: Connector, animal: Animal) -> None:
    with pytest.raises(NotFoundError, match=rf"no session {animal.nickname}/{DAY}/003 .*001, 002"):
        connector.session(f"{animal.nickname}/{DAY}/3")
    for other in (f"{animal.nickname}/2025-01-01/1", f"nobody-here/{DAY}/1"):
        with pytest.raises(NotFoundError, match=r"that you may see\. Look"):
            connector.session(other)


@pytest.mark.parametrize("text", ["ea04", "ea04/2024-13-01/1", "ea04/2024-01-01", "/2024-01-01/1", ""])
def test_what_names_no_session_is_refused(connector: Connector, text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a session"):
        connector.session(text)


def test_it_does_wherever_a_session_is_named(writable: AlyxUnderTest, connector: Connector, animal: Animal) -> None:
    writer = Connector(connector.url, connector.username, write=True)
    named = f"{animal.nickname}/{DAY}/001"
    assert writer.update("sessions", named, n_trials=7).n_trials == 7
    assert writer.update_json("sessions", named, {"a": 1}).json == {"a": 1}
    assert connector.datasets(named).empty
    session = writer.session(named)
    given = writer.create(
        "water-administrations",
        subject=animal.nickname,
        water_administered=0.3,
        date_time=dt.datetime(2026, 11, 20, 10, 30),  # noqa: DTZ001 - lab time
        session=named,
    )
    assert given.session == session.id
    assert writable.get(f"/sessions/{session.id}")["n_trials"] == 7
