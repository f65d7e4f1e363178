"""An animal's last weeks, as the server itself shows them: Alyx's water requirement, and the page of Alyx-Local."""

from __future__ import annotations

import datetime as dt
import html
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import requests

from alyx_connector.errors import ConfigurationError, TransportError
from alyx_connector.http.client import AlyxClient
from alyx_connector.progress import Cancelled, CancelToken
from pybpod_alyx_module.animals.alyx_subject import AlyxSubject
from pybpod_alyx_module.animals.history.animal_now import animal_now
from pybpod_alyx_module.animals.history.fetch_history import HISTORY_DAYS, fetch_history
from pybpod_alyx_module.animals.history.look import Look, fetch_look, known_look
from pybpod_alyx_module.animals.history.session_details import fetch_session_details
from pybpod_alyx_module.animals.weight import Level
from pybpod_alyx_module.numbers import shown
from pybpod_alyx_module.outbox.items import Draft, Kind
from pybpod_alyx_module.outbox.outbox import Outbox
from tests.contract.facts import ALYX_LOCAL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pybpod_alyx_module.animals.history.animal_history import AnimalHistory, HistoryDay
    from tests.fault_proxy import FaultProxy
    from tests.sandbox_server import SandboxServer
    from tests.servers import Server

#: Animals of the demo lab: weighed well, with an implant and below the minimum, without a limit, released.
ANIMALS = ("jo006", "implant_1", "nolimit_1", "jo007", "an003")


@pytest.fixture
def demo(each_server: Server) -> Iterator[AlyxClient]:
    with AlyxClient(each_server.url) as client:
        client.login(each_server.username, each_server.password)
        yield client


def row_of(client: AlyxClient, nickname: str, lab: str = "") -> dict[str, Any]:
    found = client.list("subjects", {"nickname": nickname})
    return next(row for row in found if not lab or row["lab"] == lab)


def history_of(client: AlyxClient, nickname: str, lab: str = "") -> AnimalHistory:
    return fetch_history(client, row_of(client, nickname, lab)["id"], nickname, cancel=CancelToken())


def told_by_alyx(client: AlyxClient, nickname: str) -> dict[str, list[Any]]:
    """What `/water-requirement` says, day by day."""
    answer = client.get(("water-requirement", nickname), {"start_date": "2000-01-01"})
    names = (
        "weight", "weighing_at", "percentage_weight", "min_weight", "given_water_reward", "given_water_supplement",
        "expected_water", "implant_weight", "is_water_restricted",
    )  # fmt: skip
    return {record["date"]: [record[name] for name in names] for record in answer["records"]}


def page_of_alyx_local(client: AlyxClient, subject_id: str) -> dict[str, list[str]]:
    """The table of Alyx-Local's own page, by day; only weighed days have a row."""
    page = requests.get(f"{client.url}/admin-actions/water-history/{subject_id}", timeout=60).text
    rows = {}
    for row in re.findall(r"<tr.*?</tr>", page, flags=re.DOTALL):
        cells = [
            html.unescape(re.sub(r"<[^>]+>|\s+", " ", one)).strip()
            for one in re.findall(r"<td.*?</td>", row, flags=re.DOTALL)
        ]
        if len(cells) > 10:
            rows[dt.datetime.strptime(cells[0], "%a %d %b, %Y").date().isoformat()] = cells[1:]  # noqa: DTZ007
    return rows


def as_page(day: HistoryDay) -> list[str]:
    def rounded(value: Decimal | None, decimals: int) -> str:
        return shown(value or Decimal(0), decimals)

    grams, water = (day.weight, day.reference, day.limit), (day.reward, day.supplement, day.given)
    return [
        *(f"{rounded(value, 1)} g" for value in grams),
        f"{rounded(day.percentage, 1)}%",
        f"{rounded(day.second_limit, 1)} g",
        *(f"{rounded(value, 2)} mL" for value in (*water, day.expected_water, day.excess)),
    ]


@pytest.mark.parametrize("name", ANIMALS)
def test_every_day_is_as_the_server_itself_shows_it(demo: AlyxClient, each_server: Server, name: str) -> None:
    history = history_of(demo, name)
    days = {day.date.isoformat(): day for day in history.days}
    if each_server.name == ALYX_LOCAL:
        page = page_of_alyx_local(demo, history.subject_id)
        assert len(page) >= 2
        assert {date: as_page(days[date]) for date in page} == page
        return
    told = told_by_alyx(demo, name)
    for date, day in days.items():
        weight, weighed, percentage, minimum, reward, supplement, water, implant, restricted = told[date]
        if not weight:  # Alyx goes on with 0 g
            percentage = water = 0
        assert day.weighing == (None if weighed is None else pytest.approx(Decimal(str(weighed))))
        assert float(day.percentage or 0) == pytest.approx(percentage)
        assert float(day.limit if day.limit is not None else implant) == pytest.approx(minimum)
        assert (float(day.reward), float(day.supplement)) == (reward, supplement)
        assert float(day.expected_water or 0) == pytest.approx(water)
        assert (float(day.implant or 0), day.restricted) == (implant, restricted)
    assert len(days) > 7


@pytest.mark.parametrize("name", ANIMALS)
def test_today_needs_the_water_that_the_subjects_row_says(demo: AlyxClient, name: str) -> None:
    history, row = history_of(demo, name), row_of(demo, name)
    assert float(history.today.expected_water or 0) == pytest.approx(row["expected_water"])
    assert float(history.water.expected) == pytest.approx(row["expected_water"])
    assert history.water.restricted is (row["last_water_restriction"] is not None)
    assert (history.water.reward, history.water.supplement) == (history.today.reward, history.today.supplement)


def test_weights_restrictions_and_sessions_are_those_of_the_rows(demo: AlyxClient) -> None:
    history = history_of(demo, "jo006")
    of_animal = {"django": f"subject__pk,{history.subject_id}"}
    weights = sorted(Decimal(str(row["weight"])) for row in demo.list("weighings", of_animal))
    assert sorted(one.grams for one in history.weighings) == weights
    assert {one.id for one in history.sessions} == {row["id"] for row in demo.list("sessions", of_animal)}
    assert [(one.reference, one.end, one.water_type) for one in history.restrictions] == [(25, None, "Water")]
    assert history.running is history.restrictions[0]
    assert history.running.start is not None
    assert history.running.start.date() == history.today.date - dt.timedelta(days=12)


def test_the_trials_of_sessions_come_from_their_details(demo: AlyxClient) -> None:
    history = history_of(demo, "jo006")
    ids = [one.id for one in history.sessions]
    details, missing = fetch_session_details(demo, ids, cancel=CancelToken(), report=lambda _progress: None)
    assert (len(details), missing) == (5, "")
    for one in ids:
        told = demo.get(("sessions", one))
        found = details[one]
        assert (found.trials, found.correct) == (told["n_trials"], told["n_correct_trials"])
        assert (found.task_protocol, list(found.users)) == (told["task_protocol"], told["users"])
        assert found.trials
    _details, missing = fetch_session_details(
        demo, ["00000000-0000-4000-8000-000000000000"], cancel=CancelToken(), report=lambda _progress: None
    )
    assert "00000000" in missing


def test_a_lab_without_a_limit_has_no_limit(demo: AlyxClient, each_server: Server) -> None:
    today = history_of(demo, "nolimit_1").today
    assert today.restricted
    assert today.limit is None
    if each_server.name == ALYX_LOCAL:  # 70 % there in every lab
        assert (today.second_limit, today.level(Decimal("19.45")), today.level(Decimal(17))) == (
            Decimal("17.5"), Level.FINE, Level.FAR_BELOW,
        )  # fmt: skip
    else:
        assert (today.second_limit, today.percentage, today.level(Decimal("19.45"))) == (None, None, None)


def test_an_implant_is_found_and_taken_off(demo: AlyxClient) -> None:
    history = history_of(demo, "implant_1")
    assert history.not_judged == ""
    today = history.today
    assert (today.implant, today.reference) == (3, 25)
    assert float(today.percentage or 0) == pytest.approx(100 * 16.45 / 22)
    assert today.reference_without_implant == 22


def test_after_a_restriction_nothing_is_judged(demo: AlyxClient) -> None:
    history = history_of(demo, "jo007")
    assert history.running is None
    assert history.ended is not None
    assert history.ended.end is not None
    assert history.ended.end.date() < history.today.date
    assert history.today.level(Decimal(10)) is None
    assert history.days[0].restricted
    assert len(history.days) == HISTORY_DAYS


def test_an_animal_of_which_little_is_known_has_a_week(demo: AlyxClient) -> None:
    history = history_of(demo, "jo002")
    assert len(history.days) == 7
    assert (history.weighings, history.sessions, history.restrictions) == ((), (), ())
    assert {day.weight for day in history.days} == {None}


# On a sandbox with the lab of the rig ---------------------------------------------------------------------------


def test_few_requests_are_sent(client: AlyxClient, proxy: FaultProxy) -> None:
    subject = row_of(client, "watered")["id"]
    fetch_history(client, subject, "watered", cancel=CancelToken())
    proxy.forget_requests()
    history = fetch_history(client, subject, "watered", cancel=CancelToken())
    assert sorted(seen.path for seen in proxy.requests) == [
        "/labs/home", "/sessions", "/subjects", "/subjects", "/water-requirement/watered", "/water-restriction",
        "/weighings",
    ]  # fmt: skip
    assert (history.today.reward, history.today.supplement) == (Decimal("0.5"), Decimal("0.4"))
    assert history.today.weighing == Decimal("22.5")


def test_of_namesakes_the_own_weights_are_shown_and_not_judged(client: AlyxClient) -> None:
    home, away = history_of(client, "twin", "home"), history_of(client, "twin", "away")
    assert [one.grams for one in away.weighings] == [31]
    assert [one.grams for one in home.weighings] == [Decimal(text) for text in ("23.4", "23.7", "23.8", "23.9")]
    for one in (home, away):
        assert "2 subjects called twin (labs: away, home)" in one.not_judged
        assert (one.today.percentage, one.today.limit, one.today.level(Decimal(1))) == (None, None, None)
        assert one.today.restricted
    assert home.water.expected == Decimal("0.956")  # of this very subject, by its own row


def test_an_animal_that_alyx_does_not_have_is_said_to_be_gone(client: AlyxClient) -> None:
    with pytest.raises(ConfigurationError, match="no longer has gone"):
        fetch_history(client, "00000000-0000-4000-8000-000000000000", "gone", cancel=CancelToken())


def test_the_day_is_that_of_the_lab(client: AlyxClient) -> None:
    history = history_of(client, "east", "east")
    assert history.lab_zone == "Pacific/Kiritimati"
    assert history.today.date == (dt.datetime.now(dt.timezone.utc) + dt.timedelta(hours=14)).date()


class Access:
    """A running outbox that sends nothing."""

    def __init__(self, outbox: Outbox, client: AlyxClient) -> None:
        self.outbox, self.known = outbox, client

    def open(self) -> Outbox:
        return self.outbox

    def account_for(self, server: str, alyx_user: str) -> str:
        return alyx_user

    def client(self, server: str, username: str) -> AlyxClient:
        return self.known


@pytest.fixture
def access(client: AlyxClient, tmp_path: Path) -> Iterator[Access]:
    outbox = Outbox(tmp_path / "outbox.sqlite")
    yield Access(outbox, client)
    outbox.close()


def animal_of(client: AlyxClient, nickname: str) -> AlyxSubject:
    return AlyxSubject(client.url, row_of(client, nickname)["id"], nickname, "jose", "home")


def look_at(access: Access, animal: AlyxSubject) -> Look:
    return fetch_look(access, animal, cancel=CancelToken())


def test_what_waits_in_the_outbox_is_counted_in(access: Access, client: AlyxClient) -> None:
    animal = animal_of(client, "thirsty")
    now = dt.datetime.now(dt.timezone.utc).isoformat()
    values = [(Kind.WEIGHING, {"weight": 17.5}), (Kind.WATER, {"water_administered": 0.2})]
    for kind, value in values:
        access.outbox.add(Draft(kind, animal.server, "jose", animal.subject_id, "thirsty", {**value, "date_time": now}))
    look = look_at(access, animal)
    assert look.history is not None
    seen = animal_now(look.history, look.unsent)
    assert (seen.weight.grams, seen.weighed_today, seen.level) == (Decimal("17.5"), True, Level.FAR_BELOW)  # type: ignore[union-attr]
    assert float(seen.percentage or 0) == pytest.approx(100 * 14.5 / 22)
    assert (seen.water.given, seen.water.supplement) == (Decimal("0.2"), Decimal("0.2"))
    assert [one.grams for one in seen.unsent_weights] == [Decimal("17.5")]
    assert len(seen.unsent) == 2
    without = animal_now(look.history, ())
    assert (without.weight.grams, without.weighed_today, without.level) == (Decimal("23.9"), False, Level.FINE)  # type: ignore[union-attr]


def test_a_server_that_is_away_leaves_what_it_said_last(
    access: Access, client: AlyxClient, rig_alyx: SandboxServer, quick_retries: None
) -> None:
    animal = animal_of(client, "watered")
    first = look_at(access, animal)
    assert (first.problem, first.username) == ("", "jose")

    class Away(Access):
        def client(self, server: str, username: str) -> AlyxClient:
            raise TransportError("It does not answer.", hint="Try later.")

    away = look_at(Away(access.outbox, client), animal)
    assert (away.history, away.asked_at) == (first.history, first.asked_at)
    assert away.problem == "It does not answer. Try later."
    assert known_look(animal) == Look("", first.history, first.asked_at, ())
    unknown = look_at(Away(access.outbox, client), animal_of(client, "annas"))
    assert (unknown.history, unknown.asked_at) == (None, None)


def test_a_server_that_answers_nothing_is_given_up_and_said_to_be_silent(
    access: Access, client: AlyxClient, proxy: FaultProxy
) -> None:
    animal = animal_of(client, "free")
    proxy.fault("mute", times=99)
    look = fetch_look(access, animal, cancel=CancelToken(), deadline_s=0.5)
    assert (look.history, look.problem) == (None, f"{animal.where} did not answer within 0.5 s.")
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        fetch_look(access, animal, cancel=cancel, deadline_s=0.5)
