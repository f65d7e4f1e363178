"""Asks Alyx what must be clear before a session is registered, in a thread. No Qt."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import AlyxError, CredentialsError, NotFoundError, TransportError
from alyx_connector.http.server_time import ServerTime, utc_now
from alyx_connector.ids import is_id
from alyx_connector.progress import Cancelled
from alyx_connector.zones.lab_zones import last_zone, remember_zones
from alyx_connector.zones.moments import lab_zone, on_lab_clock
from pybpod_alyx_module.animals.handled_animals import may_handle_all
from pybpod_alyx_module.animals.rows import running_type
from pybpod_alyx_module.animals.water import default_water_type
from pybpod_alyx_module.deadline import cancel_after
from pybpod_alyx_module.lab_time import lab_span
from pybpod_alyx_module.names.alyx_names import NOUNS, fetch_list, told_now
from pybpod_alyx_module.remedies import explain
from pybpod_alyx_module.sessions.alyx_session import FIND_BY_UUID, OURS, OUTBOX_KEY
from pybpod_alyx_module.sessions.earlier_registration import EarlierRegistration
from pybpod_alyx_module.sessions.on_rig import Animal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, tzinfo

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.names.alyx_names import AlyxNames, Told
    from pybpod_alyx_module.sessions.prepared_session import Choice, PreparedSession
    from pybpod_alyx_module.sessions.session_csv import SessionFile

#: How long the server may take for all questions about a session, in seconds.
PATIENCE_S: Final = 10.0

_A_DAY: Final = timedelta(days=1)
#: Told apart from None, which is "Alyx did not answer".
_MISSING: Final = object()


class SessionQuestions:
    """Asks Alyx about the animals of sessions; what was answered is not asked again.

    ``client``: ``client(server, username)`` gives a connected client, or raises an `AlyxError`.
    """

    def __init__(self, client: Callable[[str, str], AlyxClient]) -> None:
        self.client = client
        #: By account and question.
        self.answers: dict[tuple[Any, ...], Any] = {}
        #: By server: why nothing more is asked there.
        self.down: dict[str, str] = {}
        #: By server: how far this computer's clock is ahead of its clock, to some seconds.
        self.clocks: dict[str, timedelta] = {}

    def ask(self, prepared: PreparedSession, cancel: CancelToken) -> PreparedSession:
        """Ask Alyx about each animal of a session.

        Parameters
        ----------
        prepared : PreparedSession
            What `prepare_session` returned.
        cancel : CancelToken
            Stops it.

        Returns
        -------
        PreparedSession
            What Alyx did not answer stands in ``not_checked``.

        Raises
        ------
        Cancelled
            If cancelled.
        """
        with cancel_after(PATIENCE_S, cancel) as stop:
            choices = tuple(_checked(_Questions(self, choice, stop), prepared.file) for choice in prepared.choices)
        cancel.raise_if_cancelled()
        return replace(prepared, choices=choices, checked_on_alyx=True)


class _Questions:
    # about one animal; what fails is noted, and a server that is down gets no further question

    def __init__(self, session: SessionQuestions, choice: Choice, stop: CancelToken) -> None:
        self.choice = choice
        self.notes: list[str] = []
        self._session = session
        self._account = choice.server, choice.username
        self._stop = stop

    def rows(self, what: str, endpoint: str, django: str | None = None) -> list[dict[str, Any]] | None:
        params = {"django": django} if django else None

        def fetch(client: AlyxClient) -> list[dict[str, Any]]:
            time = ServerTime()
            rows = client.list(endpoint, params, cancel=self._stop, server_time=time)
            if time.date is not None:
                self._session.clocks[self.choice.server] = utc_now() - time.date
            return rows

        found: list[dict[str, Any]] | None = self._ask(what, (endpoint, django), fetch)
        return found

    def one(self, what: str, *path: str) -> Any:
        """Ask for one record; `_MISSING` where there is none."""
        return self._ask(what, path, lambda client: client.get(path, cancel=self._stop), missing=_MISSING)

    @property
    def clock_ahead(self) -> timedelta | None:
        """How far this computer's clock is ahead of the server's; None where the server did not say."""
        return self._session.clocks.get(self.choice.server)

    def names(self, *fields: str) -> AlyxNames:
        """Ask for the names that fields may have; as they were told last where they do not arrive."""
        told: dict[str, Told] = {}
        for name in fields:
            fetch = partial(fetch_list, name=name, cancel=self._stop)
            found: Told | None = self._ask(f"The {NOUNS[name]}", ("names", name), fetch)
            if found is not None:
                told[name] = found
        return told_now(self.choice.server, told)

    def may_handle_all(self) -> bool:
        """Ask whether the user may handle every animal; False where that did not arrive."""
        username = self.choice.username
        return bool(
            self._ask(
                "Whether the user may handle every animal",
                ("handles all",),
                lambda client: may_handle_all(client, username, self._stop),
            )
        )

    def _ask(
        self, what: str, question: tuple[Any, ...], fetch: Callable[[AlyxClient], Any], *, missing: Any = None
    ) -> Any:
        # None where there is no answer, and ``missing`` where there is no such record
        answers, down = self._session.answers, self._session.down
        server, question = self.choice.server, (*self._account, *question)
        if question in answers:
            return answers[question]
        if server in down:
            self.notes.append(down[server])
            return None
        try:
            answer = fetch(self._session.client(*self._account))
        except Cancelled:
            self._note_down(f"{server} did not answer within {PATIENCE_S:g} s, so nothing could be checked there.")
            return None
        except NotFoundError:
            return missing
        except (TransportError, CredentialsError) as error:
            self._note_down(f"Nothing could be checked on Alyx. {explain(error)}")
            return None
        except AlyxError as error:
            self.notes.append(f"{what} could not be checked. {explain(error)}")
            return None
        answers[question] = answer
        return answer

    def _note_down(self, sentence: str) -> None:
        self._session.down[self.choice.server] = sentence
        self.notes.append(sentence)


def _checked(questions: _Questions, file: SessionFile) -> Choice:
    choice = questions.choice
    subject_id = choice.subject.alyx_id
    animal = _animal(questions)
    zone = _lab_timezone(questions, animal.lab)
    start, _end = lab_span(file.started, file.end, lab_zone(zone), None)
    # The server's day may be another one than the lab's.
    days = f"start_time__date__gte,{start.date() - _A_DAY},start_time__date__lte,{start.date() + _A_DAY}"
    around = questions.rows("Other sessions of that day", "sessions", f"subject__pk,{subject_id},{days}")
    earlier = _earlier(questions, file, animal)
    allowed = _allowed_users(questions, animal.responsible_user) if animal.responsible_user != choice.username else ()
    restrictions = questions.rows("The type of water", "water-restriction", f"subject__pk,{subject_id}")
    names = questions.names("water_type", "location", "projects", "procedures")
    return replace(
        choice,
        animal=animal,
        lab_timezone=zone,
        clock_ahead=questions.clock_ahead,
        same_day=None if around is None else _on_day(around, start.date(), lab_zone(zone)),
        allowed_users=allowed,
        names=names,
        water_type=default_water_type(running_type(restrictions or ()), names.of("water_type")),
        earlier=earlier,
        not_checked=tuple(dict.fromkeys(questions.notes)),
    )


def _animal(questions: _Questions) -> Animal:
    choice = questions.choice
    rows = questions.rows("The animal", "subjects", f"pk,{choice.subject.alyx_id}")
    if rows:
        return Animal.of(rows[0])
    if rows is not None:
        questions.notes.append(
            f"There is no animal {choice.animal.nickname} on {choice.server} under its Alyx id, or Alyx does not "
            f"show it to {choice.username}."
        )
    return choice.animal


def _on_day(rows: Sequence[dict[str, Any]], day: date, zone: tzinfo | None) -> tuple[dict[str, Any], ...]:
    # With the times that the lab's clock showed.
    in_lab = [{**row, "start_time": on_lab_clock(row.get("start_time"), zone)} if zone else row for row in rows]
    return tuple(row for row in in_lab if str(row.get("start_time"))[:10] == day.isoformat())


def _lab_timezone(questions: _Questions, lab: str | None) -> str | None:
    # None: this computer never learned it; empty: Alyx has none
    server = questions.choice.server
    labs = questions.rows("The lab's time zone", "labs") if lab else None
    if labs is None:
        return last_zone(server, lab)
    zones = {str(row.get("name")): str(row.get("timezone") or "") for row in labs}
    remember_zones(server, zones)
    return zones.get(str(lab), "")


def _allowed_users(questions: _Questions, owner: str | None) -> tuple[str, ...] | None:
    if owner is None:
        return None
    user = questions.one("Whom the responsible user allows", "users", owner)
    if not isinstance(user, dict) or "allowed_users" not in user:  # no answer, or a server that does not tell
        return None
    allowed = tuple(str(name) for name in user["allowed_users"] or ())
    username = questions.choice.username
    return (*allowed, username) if username not in allowed and questions.may_handle_all() else allowed


def _earlier(questions: _Questions, file: SessionFile, animal: Animal) -> EarlierRegistration | None:
    earlier = questions.choice.earlier
    session_id = earlier.session_id if earlier is not None else None
    if session_id is None and is_id(file.uuid) and (earlier is None or earlier.item is None):
        where = f"{FIND_BY_UUID},{file.uuid},subject__pk,{animal.id}"
        found = questions.rows("Whether this session is on Alyx already", "sessions", where)
        session_id = str(found[0]["id"]) if found else None
    if session_id is None:
        return earlier
    record = questions.one("The session as it is on Alyx", "sessions", session_id)
    if record is _MISSING:
        questions.notes.append(
            f"The session was registered on {questions.choice.server} ({session_id}), but is not there any more: "
            "somebody deleted it, or Alyx does not show it."
        )
        return earlier
    if not isinstance(record, dict):
        return replace(earlier, session_id=session_id) if earlier is not None else None
    if record.get("subject") not in (None, animal.nickname):
        questions.notes.append(f"On Alyx this session is of {record['subject']}: somebody moved it there.")
    free = record.get("json")
    ours = free.get(OURS) if isinstance(free, dict) else None
    ours = ours if isinstance(ours, dict) else {}
    key, host = str(ours.get(OUTBOX_KEY) or file.uuid), str(ours.get("host") or "")
    base = earlier or EarlierRegistration(key, host, session_id, "")
    # What the outbox says holds; a note of the registration alone says nothing of the water.
    water = (base.item is not None and base.water) or bool(record.get("wateradmin_session_related"))
    return replace(base, session_id=session_id, record=record, water=water)
