"""One subject asked of Alyx afresh: by its id, each part by itself, within the deadline."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from alyx_connector.http.client import AlyxClient
from alyx_connector.progress import Cancelled, CancelToken
from pybpod_alyx_module.animals import subject_state
from pybpod_alyx_module.animals.checks_before_run import run_checks
from pybpod_alyx_module.animals.subject_state import PARTS, SubjectState, fetch_state, fetch_water_types
from tests.fault_proxy import FaultProxy, Seen, _Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox_server import SandboxServer

#: Long enough for a busy machine: only the tests of the deadline itself set a short one.
PATIENT_S = 60


def id_of(client: AlyxClient, name: str, lab: str = "home") -> str:
    """Return the Alyx id of a subject."""
    (row,) = [row for row in client.list("subjects", {"nickname": name}) if lab in {row["lab"], ""}]
    return str(row["id"])


def state_of(client: AlyxClient, name: str, lab: str = "home", *, deadline_s: float = PATIENT_S) -> SubjectState:
    return fetch_state(client, id_of(client, name, lab), cancel=CancelToken(), deadline_s=deadline_s)


def today() -> dt.date:
    return dt.datetime.now(dt.timezone.utc).date()


def test_every_part_of_a_subject_arrives(client: AlyxClient) -> None:
    state = state_of(client, "watered")
    assert dict(state.not_checked) == {}
    assert (state.name, state.found, state.alive, state.to_be_culled) == ("watered", True, True, False)
    assert (state.lab, state.lab_zone, state.day, state.responsible_user) == ("home", "UTC", today(), "jose")
    assert state.sessions_today is not None
    assert [one.task_protocol for one in state.sessions_today] == ["wait_task"]
    assert state.weighings is not None
    assert [one.grams for one in state.weighings] == [Decimal(text) for text in ("23.7", "23.8", "23.9", "22.5")]
    assert (state.weighed_today, state.water_type, state.species) == (True, "Hydrogel", "Laboratory mouse")
    assert state.water is not None
    assert (state.water.reward, state.water.supplement, state.water.remaining) == (Decimal("0.5"), Decimal("0.4"), 0)


def test_few_requests_are_sent(client: AlyxClient, proxy: FaultProxy) -> None:
    subject = id_of(client, "watered")
    proxy.forget_requests()
    fetch_state(client, subject, cancel=CancelToken(), deadline_s=PATIENT_S)
    assert len(proxy.requests) == 9
    proxy.forget_requests()
    fetch_state(client, subject, cancel=CancelToken(), deadline_s=PATIENT_S)
    assert len(proxy.requests) == 8  # the server's clock was seen a moment ago
    assert {seen.method for seen in proxy.requests} == {"GET"}


def test_to_be_culled_is_told_although_no_row_has_it(client: AlyxClient) -> None:
    state = state_of(client, "culled")
    assert state.to_be_culled is True
    assert "Alyx lists culled as to be culled." in [one.sentence for one in run_checks([state], {})]


def test_an_alyx_that_does_not_know_culling_is_said_to_not_tell(rig_alyx: SandboxServer) -> None:
    class WithoutCulling(FaultProxy):
        def _record(self, seen: Seen) -> _Fault | None:
            if "to_be_culled" in "".join(seen.query.get("django", [])):
                body = {"detail": "Cannot resolve keyword 'to_be_culled' into field.", "status_code": 500}
                return _Fault("answer", 1, None, None, {"status": 500, "body": body})
            return super()._record(seen)

    with WithoutCulling(rig_alyx.url) as proxy, AlyxClient(proxy.url) as client:
        client.login(rig_alyx.username, rig_alyx.password)
        state = state_of(client, "watered")
    assert dict(state.not_checked) == {
        "culled": f"{proxy.url} does not say which subjects are to be culled. Check on Alyx."
    }
    assert state.to_be_culled is None


def test_a_subject_that_is_not_alive_is_told(client: AlyxClient) -> None:
    state = state_of(client, "dead")
    assert (state.alive, state.death_date) == (False, (today() - dt.timedelta(days=1)).isoformat())


def test_who_is_on_free_water_needs_none(client: AlyxClient) -> None:
    for name in ("free", "released"):
        state = state_of(client, name)
        assert state.water is not None
        assert (state.water.restricted, state.water.needs_water, state.water_type) == (False, False, None)
        assert state.water.expected > 0


def test_a_namesake_leaves_only_the_weights_limits_unchecked(client: AlyxClient) -> None:
    home, away = state_of(client, "twin"), state_of(client, "twin", "away")
    for state in (home, away):
        assert set(state.not_checked) == {"requirement"}
        assert "2 subjects called twin (labs: away, home)" in state.not_checked["requirement"]
        assert state.water is not None
        assert (state.requirement, state.weighed_today) == (None, False)
    assert (home.last_weight.grams, away.last_weight.grams) == (Decimal("23.9"), 31)  # type: ignore[union-attr]
    # Computed by the server for this very subject, not for its namesake.
    assert (home.water.expected, away.water.expected) == (Decimal("0.956"), Decimal("1.24"))  # type: ignore[union-attr]


def test_the_day_is_that_of_the_lab(client: AlyxClient) -> None:
    zone = ZoneInfo("Pacific/Kiritimati")
    days = {dt.datetime.now(zone).date()}
    state = state_of(client, "east", "east")
    days.add(dt.datetime.now(zone).date())
    assert state.day in days
    assert state.lab_zone == "Pacific/Kiritimati"


def test_an_id_that_alyx_does_not_have_is_told(client: AlyxClient) -> None:
    missing = "00000000-0000-4000-8000-000000000000"
    state = fetch_state(client, missing, name="gone", cancel=CancelToken(), deadline_s=PATIENT_S)
    assert (state.found, state.name, state.alive) == (False, "gone", None)
    assert "has no subject with the id of gone" in state.not_checked["requirement"]


@pytest.mark.parametrize("text", ["", "watered", "not'an],id"])
def test_what_is_no_id_is_not_sent(client: AlyxClient, proxy: FaultProxy, text: str) -> None:
    state = fetch_state(client, text, name="odd", cancel=CancelToken())
    assert set(state.not_checked) == set(PARTS)
    assert state.found is None
    assert proxy.requests == []


#: What is asked of ``watered``, and which part of its state that is.
ASKED = {
    "/water-requirement/watered": "requirement",
    "/sessions": "sessions",
    "/weighings": "weighings",
    "/water-restriction": "water type",
    "/labs/home": "lab",
}


def test_a_part_that_does_not_arrive_leaves_the_others(rig_alyx: SandboxServer) -> None:
    def without(path: str) -> tuple[str, SubjectState]:
        with FaultProxy(rig_alyx.url) as proxy, AlyxClient(proxy.url) as client:
            client.login(rig_alyx.username, rig_alyx.password)
            proxy.fault("mute", path=path)
            return proxy.url, state_of(client, "watered", deadline_s=3)

    with ThreadPoolExecutor(len(ASKED)) as pool:  # each takes as long as it waits
        found = dict(zip(ASKED, pool.map(without, ASKED), strict=True))
    for path, (url, state) in found.items():
        assert dict(state.not_checked) == {ASKED[path]: f"{url} did not answer within 3 s."}
        assert (state.alive, state.to_be_culled) == (True, False)
        assert state.water is not None


def test_a_server_that_answers_nothing_leaves_everything_unchecked(client: AlyxClient, proxy: FaultProxy) -> None:
    subject = id_of(client, "watered")
    proxy.fault("mute", times=99)
    state = fetch_state(client, subject, name="watered", cancel=CancelToken(), deadline_s=0.5)
    assert state == SubjectState(subject, "watered", dict.fromkeys(PARTS, f"{proxy.url} did not answer within 0.5 s."))
    (finding,) = run_checks([state], {"alive": "block"})
    assert (finding.level, finding.checked) == ("warn", False)


def test_a_revoked_token_is_the_reason_of_every_part(rig_alyx: SandboxServer, client: AlyxClient) -> None:
    subject = id_of(client, "watered")
    with AlyxClient(rig_alyx.url, username="jose", token="0" * 40) as revoked:
        state = fetch_state(revoked, subject, cancel=CancelToken(), deadline_s=PATIENT_S)
    assert set(state.not_checked) == set(PARTS)
    assert len(set(state.not_checked.values())) == 1
    assert state.found is None


def test_a_cancel_is_no_state(client: AlyxClient, proxy: FaultProxy) -> None:
    subject = id_of(client, "watered")
    proxy.forget_requests()
    proxy.fault("mute", times=99)
    cancel = CancelToken()
    caught: list[type[BaseException]] = []

    def ask() -> None:
        try:
            fetch_state(client, subject, cancel=cancel, deadline_s=PATIENT_S)
        except Cancelled as error:
            caught.append(type(error))

    thread = threading.Thread(target=ask)
    thread.start()
    proxy.wait_for(1)
    cancel.cancel()
    thread.join(30)
    assert caught == [Cancelled]


@pytest.fixture
def renaming(rig_alyx: SandboxServer) -> Any:
    """Takes nicknames, old and new; they are taken back at the end."""
    with AlyxClient(rig_alyx.url) as admin:
        admin.login(rig_alyx.username, rig_alyx.password)
        done: list[tuple[str, str]] = []

        def rename(old: str, new: str) -> None:
            admin.patch(("subjects", old), {"nickname": new})
            done.append((old, new))

        yield rename
        for old, new in reversed(done):
            admin.patch(("subjects", new), {"nickname": old})


def test_names_that_are_swapped_meanwhile_give_no_numbers_of_another_animal(
    client: AlyxClient, proxy: FaultProxy, renaming: Callable[[str, str], None]
) -> None:
    subject = id_of(client, "thirsty")
    swapped = threading.Event()

    def swap(seen: Seen) -> None:
        if seen.path == "/water-requirement/thirsty" and not swapped.is_set():
            swapped.set()
            for old, new in (("thirsty", "between"), ("watered", "thirsty"), ("between", "watered")):
                renaming(old, new)

    proxy.before(swap)
    state = fetch_state(client, subject, cancel=CancelToken(), deadline_s=PATIENT_S)
    proxy.before(None)
    assert swapped.is_set()
    assert state.requirement is None
    assert "was renamed" in state.not_checked["requirement"]
    # The next look finds it under its new name.
    again = fetch_state(client, subject, cancel=CancelToken(), deadline_s=PATIENT_S)
    assert again.name == "watered"
    assert again.requirement is not None
    assert again.requirement.today.implant_weight == 3


def test_a_computer_whose_clock_is_ahead_is_told(client: AlyxClient, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = today() + dt.timedelta(days=9)
    monkeypatch.setattr(subject_state, "first_day", lambda: ahead)
    state = state_of(client, "watered")
    assert "Compare the date of this computer" in state.not_checked["requirement"]
    assert "Set the clock of this computer" in state.not_checked["sessions"]
    assert state.sessions_today is None


def test_an_answer_about_another_subject_is_refused(client: AlyxClient, proxy: FaultProxy) -> None:
    subject = id_of(client, "watered")

    def other(page: dict[str, Any]) -> dict[str, Any]:
        for row in page["results"]:
            row["id"] = "00000000-0000-4000-8000-000000000000"
        return page

    proxy.fault("alter", path="/subjects", times=9, change=other)
    state = fetch_state(client, subject, name="watered", cancel=CancelToken(), deadline_s=PATIENT_S)
    assert state.alive is None
    assert "sent another subject than the one that was asked for" in state.not_checked["subject"]


def test_the_types_of_water_are_the_servers(client: AlyxClient) -> None:
    assert set(fetch_water_types(client, cancel=CancelToken())) == {"Water", "Hydrogel"}


@pytest.mark.parametrize(
    ("user", "name", "owner", "may"),
    [
        ("jose", "watered", "jose", True),
        ("jose", "delegated", "priya", True),  # priya allows jose
        ("priya", "watered", "jose", False),  # which does not make jose allow priya
        ("jose", "annas", "ana", False),
        ("jose", "numbered", "007", True),
        ("007", "annas", "ana", False),
    ],
)
def test_whether_the_user_may_handle_it_is_asked_both_ways(
    rig_alyx: SandboxServer, user: str, name: str, owner: str, may: bool
) -> None:
    with AlyxClient(rig_alyx.url) as client:
        client.login(user, f"{user}-demo")
        state = fetch_state(client, id_of(client, name, ""), cancel=CancelToken(), deadline_s=PATIENT_S)
    assert (state.responsible_user, state.may_handle) == (owner, may)


@pytest.mark.parametrize("what", ["is_stock_manager", "is_superuser"])
def test_stock_managers_and_superusers_may_handle_every_animal(
    client: AlyxClient, proxy: FaultProxy, what: str
) -> None:
    def change(page: dict[str, Any]) -> dict[str, Any]:
        jose = {"username": "jose", "allowed_users": [], "is_stock_manager": what == "is_stock_manager"}
        return {**page, "count": 1, "results": [jose], "next": None}

    subject = id_of(client, "annas")
    proxy.fault("alter", times=2, path="/users", change=change)
    state = fetch_state(client, subject, cancel=CancelToken(), deadline_s=PATIENT_S)
    assert (state.responsible_user, state.may_handle) == ("ana", True)
