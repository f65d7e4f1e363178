"""One subject as Alyx describes it now, within seconds: what the checks before Run and the dialogs need.

Each part has a request of its own, by the subject's id, several at once; a part that does not arrive in time is not
checked, and the others count. Only ``/water-requirement`` goes by nickname: the nickname is looked up by the id right
before, and right after must be that of this one subject alone.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import AlyxError, ConfigurationError, ProtocolError, ServerFaultError
from alyx_connector.ids import canonical_id
from alyx_connector.zones.lab_zones import last_zone, remember_zones
from alyx_connector.zones.moments import lab_zone
from alyx_connector.zones.server_offsets import see_clock, server_clock
from pybpod_alyx_module.animals.alyx_access import UntoldError, ask_at_once, fetch_subject_row, is_untold, note_untold
from pybpod_alyx_module.animals.handled_animals import may_handle
from pybpod_alyx_module.animals.requirement import Requirement, fetch_requirement
from pybpod_alyx_module.animals.rows import (
    day_in,
    first_day,
    is_counted_in_utc,
    number_of,
    running_type,
    sessions_of_day,
    utc_day_note,
    water_now,
    weighings,
)
from pybpod_alyx_module.animals.water import water_today
from pybpod_alyx_module.deadline import cancel_after
from pybpod_alyx_module.remedies import explain

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.animals.rows import SessionSeen
    from pybpod_alyx_module.animals.water import Water
    from pybpod_alyx_module.animals.weight_plausibility import Weighed

__all__ = ["PARTS", "SubjectState", "fetch_state", "fetch_water_types"]


#: What a state is made of; each is there, or `SubjectState.not_checked` says why not.
PARTS: Final = ("subject", "culled", "sessions", "weighings", "requirement", "water type", "lab", "handling")
#: All requests that do not wait for another.
_WORKERS: Final = 5
_TELL: Final = "Tell whoever runs the Alyx server."


@dataclass(frozen=True)
class SubjectState:
    """A subject as Alyx describes it now; None is what did not arrive, and `not_checked` says why."""

    #: Alyx id.
    subject_id: str
    #: Nickname now; the one that was given where it did not arrive.
    name: str
    #: Why a part is missing, a sentence by the name of the part, see `PARTS`.
    not_checked: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    #: Which of these parts this server tells of no animal: nothing is wrong, and asking again is of no use.
    untold: frozenset[str] = frozenset()
    #: Whether Alyx has it and this user may see it.
    found: bool | None = None
    alive: bool | None = None
    #: ISO date; None without one.
    death_date: str | None = None
    #: Empty where not known.
    lab: str = ""
    #: Time zone of the lab as Alyx names it, empty if it names none.
    lab_zone: str | None = None
    #: Empty where not known.
    responsible_user: str = ""
    #: Whether the user who asks may handle it, None if that did not arrive.
    may_handle: bool | None = None
    #: As Alyx names it; None without one.
    species: str | None = None
    #: Today in the lab's time zone, by the server's clock.
    day: dt.date | None = None
    to_be_culled: bool | None = None
    #: Those that started on that day, the first one first.
    sessions_today: tuple[SessionSeen, ...] | None = None
    #: Those of the last days, the newest last.
    weighings: tuple[Weighed, ...] | None = None
    requirement: Requirement | None = None
    #: Need and gifts of today.
    water: Water | None = None
    #: A sentence where the server counts water for another day than it is in the lab, else empty.
    water_day_note: str = ""
    #: Weight at the start of the water restriction as the subject's row has it, g; None without one.
    reference_weight: Decimal | None = None
    #: That of the running water restriction, None also if there is none.
    water_type: str | None = None

    @property
    def weighed_today(self) -> bool | None:
        """Whether Alyx has a weight of today, None if that did not arrive."""
        if self.requirement is not None:
            return self.requirement.today.weighing_at is not None
        if self.weighings is None or self.day is None:
            return None
        return any(one.when is not None and one.when.date() == self.day for one in self.weighings)

    @property
    def last_weight(self) -> Weighed | None:
        """The newest weight of the last days, None if there is none, or it did not arrive."""
        return self.weighings[-1] if self.weighings else None


def fetch_state(
    client: AlyxClient, subject_id: str, *, name: str = "", lab: str = "", cancel: CancelToken, deadline_s: float = 2.0
) -> SubjectState:
    """Ask for one subject.

    Returns: what goes wrong with a part is in its ``not_checked``: no `AlyxError` is raised.
    ``name``: what to call the subject where Alyx does not tell.
    ``lab``: its lab where Alyx does not tell: this computer may know the lab's zone.
    """
    alyx_id = canonical_id(subject_id)
    if alyx_id is None:
        reason = f"{subject_id!r} is not a valid Alyx id: sync the project."
        return SubjectState(subject_id, name, MappingProxyType(dict.fromkeys(PARTS, reason)))
    parts = _Parts(client, alyx_id)
    with cancel_after(deadline_s, cancel) as stop:
        parts.fetch(stop)
    cancel.raise_if_cancelled()
    late = f"{client.url} did not answer within {deadline_s:g} s."
    return parts.state(name or subject_id, lab, late)


def fetch_water_types(client: AlyxClient, *, cancel: CancelToken) -> tuple[str, ...]:
    """Ask for the types of water.

    Returns: in the server's order, empty if it has none; from a server that cannot list them, those of all water
    restrictions and of the water of the last days.
    """
    if not is_untold(client, "water types"):
        try:
            rows = client.list("water-type", cancel=cancel)
        except ServerFaultError:  # it is asked for nothing in particular: this is so for everybody
            note_untold(client, "water types")
        else:
            return tuple(row["name"] for row in rows if isinstance(row.get("name"), str))
    of_days = {"django": f"date_time__date__gte,{first_day()}"}
    used = [
        *client.list("water-restriction", cancel=cancel),
        *client.list("water-administrations", of_days, cancel=cancel),
    ]
    return tuple(sorted({row["water_type"] for row in used if isinstance(row.get("water_type"), str)}))


class _Parts:
    # What arrived and what went wrong, part by part; filled by several threads.

    def __init__(self, client: AlyxClient, subject_id: str) -> None:
        self._client = client
        self._id = subject_id
        self._since = first_day()
        self._lock = threading.Lock()
        self._arrived: dict[str, Any] = {}
        self._reasons: dict[str, str] = {}
        self._untold: set[str] = set()

    def fetch(self, cancel: CancelToken) -> None:
        after = f"subject__pk,{self._id}"
        self._fetch_parts(
            cancel,
            ("subject", self._subject),
            ("culled", self._culled),
            ("sessions", self._rows("sessions", f"{after},start_time__date__gte,{self._since}")),
            ("weighings", self._rows("weighings", f"{after},date_time__date__gte,{self._since}")),
            ("water type", self._rows("water-restriction", after)),
            ("clock", lambda stop: see_clock(self._client, cancel=stop)),
        )

    def _fetch_parts(self, cancel: CancelToken, *parts: tuple[str, Callable[[CancelToken], Any]]) -> None:
        def job(part: str, request: Callable[[CancelToken], Any]) -> Callable[[CancelToken, Any], None]:
            def run(stop: CancelToken, _report: Any) -> None:
                try:
                    answer = request(stop)
                except AlyxError as error:
                    self._keep(self._reasons, part, explain(error))
                    if isinstance(error, UntoldError):
                        self._untold.add(part)
                else:
                    self._keep(self._arrived, part, answer)

            return run

        ask_at_once(cancel, *(job(*part) for part in parts), workers=_WORKERS, until=lambda _: True)

    def _keep(self, where: dict[str, Any], part: str, value: Any) -> None:
        with self._lock:
            where[part] = value

    def _rows(self, endpoint: str, django: str) -> Callable[[CancelToken], list[dict[str, Any]]]:
        return lambda cancel: self._client.list(endpoint, {"django": django}, cancel=cancel)

    def _subject(self, cancel: CancelToken) -> dict[str, Any] | None:
        row = fetch_subject_row(self._client, self._id, cancel)
        if row is None:
            return None
        self._keep(self._arrived, "subject", row)
        owner = str(row.get("responsible_user") or self._client.username)
        parts: list[tuple[str, Callable[[CancelToken], Any]]] = [
            ("requirement", self._requirement(row["nickname"])),
            ("handling", lambda stop: may_handle(self._client, owner, stop)),
        ]
        if isinstance(row.get("lab"), str) and row["lab"]:
            parts.append(("lab", self._lab(row["lab"])))
        else:
            self._keep(self._reasons, "lab", f"{row['nickname']} has no lab on {self._client.url}.")
        self._fetch_parts(cancel, *parts)
        return row

    def _culled(self, cancel: CancelToken) -> bool:
        # The rows do not say so; the list of those to be culled does.
        marked = f"pk,{self._id},to_be_culled,True"
        try:
            return bool(self._client.list("subjects", {"django": marked}, cancel=cancel))
        except ServerFaultError as error:
            if "to_be_culled" not in error.detail:
                raise
            raise ConfigurationError(
                f"{self._client.url} does not say which subjects are to be culled.", hint="Check on Alyx."
            ) from None

    def _requirement(self, nickname: str) -> Callable[[CancelToken], Requirement]:
        return lambda cancel: fetch_requirement(self._client, self._id, nickname, self._since, cancel)

    def _lab(self, lab: str) -> Callable[[CancelToken], str]:
        def ask(cancel: CancelToken) -> str:
            answer = self._client.get(("labs", lab), cancel=cancel)
            zone = answer.get("timezone") if isinstance(answer, dict) else None
            if not isinstance(zone, str):
                raise ProtocolError(f"{self._client.url} does not give the time zone of the lab {lab}.", hint=_TELL)
            remember_zones(self._client.url, {lab: zone})
            return zone

        return ask

    def state(self, name: str, lab: str, late: str) -> SubjectState:
        with self._lock:
            arrived, reasons = dict(self._arrived), dict(self._reasons)
        row = arrived.get("subject")
        if "subject" in arrived and row is None:
            gone = f"{self._client.url} has no subject with the id of {name}, or you may not see it."
            return SubjectState(self._id, name, MappingProxyType(dict.fromkeys(PARTS[1:], gone)), found=False)
        requirement: Requirement | None = arrived.get("requirement")
        lab = lab if row is None else row.get("lab") or ""
        zone_name = arrived.get("lab") or last_zone(self._client.url, lab)
        day = requirement.today.date if requirement else day_in(zone_name)
        read, since, url = _Read(reasons), self._since, self._client.url
        zone = lab_zone(zone_name)
        sessions = read.part(
            "sessions", arrived, lambda rows: sessions_of_day(rows, day, zone, since=since, server=url)
        )
        weighed = read.part("weighings", arrived, lambda rows: weighings(rows, zone, server_clock(self._client.url)))
        water_type = read.part("water type", arrived, running_type)
        for part in PARTS:
            if part not in arrived:
                # Weight, water and lab go by what the subject's row says.
                waits = row is None and part in {"requirement", "lab", "handling"}
                reasons.setdefault(part, reasons.get("subject", late) if waits else late)
        row = row or {}
        water = read.part("water", {"water": row} if row else {}, lambda row: _water(row, requirement))
        return SubjectState(
            self._id,
            row.get("nickname", name),
            MappingProxyType({part: reasons[part] for part in PARTS if part in reasons}),
            frozenset(self._untold),
            found=True if row else None,
            alive=row.get("alive"),
            death_date=row.get("death_date"),
            lab=lab,
            lab_zone=zone_name,
            responsible_user=row.get("responsible_user") or "",
            may_handle=arrived.get("handling"),
            species=row.get("species"),
            day=day,
            to_be_culled=arrived.get("culled"),
            sessions_today=sessions,
            weighings=weighed,
            requirement=requirement,
            water=water,
            water_day_note=utc_day_note(zone) if is_counted_in_utc(row) else "",
            reference_weight=_reference_weight(row),
            water_type=water_type,
        )


class _Read:
    # Reads parts that arrived; what cannot be read has a reason, like what did not arrive.

    def __init__(self, reasons: dict[str, str]) -> None:
        self._reasons = reasons

    def part(self, part: str, arrived: Mapping[str, Any], read: Callable[[Any], Any]) -> Any:
        if part not in arrived:
            return None
        try:
            return read(arrived[part])
        except AlyxError as error:
            self._reasons[part] = explain(error)
            return None


def _water(row: dict[str, Any], requirement: Requirement | None) -> Water:
    # The days of the requirement have reward and supplement; without them the row has the sum.
    restricted = row.get("last_water_restriction") is not None
    if requirement is None:
        return water_now(row, restricted=restricted)
    return water_today(requirement, restricted_now=restricted if "last_water_restriction" in row else None)


def _reference_weight(row: dict[str, Any]) -> Decimal | None:
    return (number_of(row, "reference_weight") or None) if row.get("reference_weight") is not None else None


def not_there(state: SubjectState) -> tuple[str, ...]:
    """Return a sentence where an animal is not alive on Alyx, or not there."""
    if state.found is False:
        return (f"{state.name} is no longer on Alyx, or you may not see it.",)
    if state.alive is False:
        return (not_alive(state.name, state.death_date),)
    return ()


def not_alive(name: str, death_date: str | None) -> str:
    """Say that an animal is not alive on Alyx."""
    return f"{name} is not alive on Alyx (death date {death_date or 'not given'})."
