"""Writing to Alyx: change a record, merge into its JSON; only where it was allowed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import ConfigurationError, InvalidDataError, ProtocolError, ServerFaultError
from alyx_connector.frames.tables import identity
from alyx_connector.ids import canonical_id, is_id
from alyx_connector.records.one_session import session_id
from alyx_connector.records.one_subject import find_subject
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.search.connector_account import ConnectorAccount, warn
from alyx_connector.search.filter_check import find_endpoint
from alyx_connector.search.lab_times import labs_of
from alyx_connector.writing.changes import Changes
from alyx_connector.writing.record_fields import (
    JSON_FIELDS,
    check_names,
    fields_of,
    json_holds,
    json_or_text,
    merged,
    not_as_sent,
    same_json,
    sendable,
)
from alyx_connector.writing.server_names import NOTHING_LOOKED_UP, LookedUp, server_names
from alyx_connector.writing.session_numbers import free_number
from alyx_connector.writing.times_to_send import with_times_to_send
from alyx_connector.writing.write_target import WriteTarget

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from alyx_connector.schema.description import Field
    from alyx_connector.warning import Note

__all__ = ["Writing"]


class Writing(ConnectorAccount):
    """The part of `Connector` that changes records; there is no delete."""

    def __init__(self, url: str | None = None, username: str | None = None, *, write: bool = False) -> None:
        super().__init__(url, username, write=write)
        self._changes = Changes(self._client.url)

    def update(self, endpoint: str, record: Any, /, *, dry_run: bool = False, **fields: Any) -> pd.Series:
        """Change fields of a record; the others stay as they are. Needs ``Connector(write=True)``.

        Parameters
        ----------
        endpoint : str
            Whose list the record is in: ``"sessions"``, ``"subjects"``, …
        record : str or pandas.Series
            Its id, or its row of a search; a subject also by its nickname, if it is the only one of that name; a
            session also by subject, day and number (``"ea04/2024-01-01/001"``); what Alyx knows by its name (labs,
            projects, …) by that.
        dry_run : bool
            Whether to check everything and send nothing.
        **fields
            The new values: text, numbers, True or False, dates, naive datetimes in lab time, lists, values of NumPy
            and pandas; None, NaT and NA store null. ``json`` and ``extended_qc`` are for `update_json`.

        Returns
        -------
        pandas.Series
            The whole record as the server stored it, like a row of ``search(endpoint)``. What it did not store as it
            was sent is warned of (`AlyxWarning`). Of a dry run what would be sent.

        Raises
        ------
        ConfigurationError
            If writing is off, there is no such list or field (with the nearest names: the server would ignore it), the
            server sets the field itself, a value cannot be sent, several animals have one nickname, or nothing tells
            the clock of a server on which a weight's or water's time counts. Nothing was written.
        InvalidDataError
            If the server refuses the values; ``fields`` says which, and why. Nothing was written.
        NotFoundError
            If there is no such record.
        PermissionDeniedError
            If this user may not write.
        AlyxError
            Whatever else goes wrong. A change whose answer is lost may have been stored all the same, and is not sent
            again: the error says how to look.

        Examples
        --------
        >>> connector = Connector(write=True)
        >>> session = connector.search(subject="ea04").iloc[3]
        >>> print(connector.update("sessions", session, narrative="left port sticky", n_trials=340).n_trials)
        340
        """
        self._check_write("update", dry_run)
        notes: list[Note] = []
        with self._explained():
            target = self._target(endpoint, record)
            for name in JSON_FIELDS:
                if name in fields:
                    raise ConfigurationError(
                        f"update() would drop all other keys of {name}.",
                        hint=Remedy(RemedyKind.MERGE_JSON, endpoint=target.endpoint, name=name),
                        setting=name,
                    )
            known = target.described.updated if target.described else fields_of(self._read(target))
            sent, _ = self._checked(target, known, fields, "changed", notes)
            answer = None if dry_run else self._change(target, sent)
        if answer is None:
            return self._unsent(sent, notes, target.name)
        notes += not_as_sent(sent, answer)
        return self._table(target.endpoint, [answer], target.columns, notes, details=False).iloc[0]

    def update_json(
        self, endpoint: str, record: Any, changes: Mapping[str, Any], /, *, field: str = "json", since: Any = None
    ) -> pd.Series:
        """Merge changes into the JSON of a record; its other keys stay. Needs ``Connector(write=True)``.

        The record is read, merged, read once more, and written only if nobody changed it in between. Alyx itself
        cannot refuse a late write: what somebody else writes in the moment between that second reading and the arrival
        of ours is overwritten, unnoticed. ``since`` covers the time since you looked, not that moment.

        Parameters
        ----------
        endpoint, record
            See `update`.
        changes : mapping
            What it should hold. Objects merge, at any depth; everything else, a list too, replaces the value that is
            there; None stores null. No key can be taken out.
        field : str
            ``"json"`` or ``"extended_qc"``.
        since : pandas.Series, optional
            The row of a search with details on which the changes rest: if the field, or the time of the record's last
            change, is no longer what it says, nothing is written.

        Returns
        -------
        pandas.Series
            The whole record as the server has it now, like a row of ``search(endpoint)``; the next ``since``. Where
            the changes stand there already nothing is written.

        Raises
        ------
        ConflictError
            If somebody else changed the record; ``changed`` says what. Nothing was written.
        InvalidDataError
            If the field holds something else than an object, null or a text of these, or the server refuses the
            values.
        ConfigurationError
            See `update`; also if there is nothing to merge, or ``since`` is no row of this record.
        ProtocolError
            If the server answers that it stored something else.
        AlyxError
            Whatever else goes wrong; see `update`.

        Examples
        --------
        >>> connector = Connector(write=True)
        >>> session = connector.search(subject="ea04").iloc[3]
        >>> session = connector.update_json("sessions", session, {"qc": {"noise": 3}}, since=session)
        >>> list(session.json), session.json["qc"]
        (['whisker_stims', 'qc'], {'noise': 3})
        """
        self._check_write("update_json")
        if field not in JSON_FIELDS:
            raise ConfigurationError(
                f"{field!r} is not a field that holds JSON.",
                hint=f"There are: {', '.join(JSON_FIELDS)}.",
                setting="field",
            )
        if not isinstance(changes, Mapping) or not changes:
            raise ConfigurationError(
                f"The changes to {field} must be a dict that is not empty.",
                hint='For example {"qc": {"noise": 3}}.',
                setting="changes",
            )
        wanted = sendable(field, changes)
        with self._explained():
            target = self._target(endpoint, record)
            if target.described:
                check_names([field], target.described.updated, target.endpoint, self._client.url)
            before = self._read(target)
            check_names([field], fields_of(before), target.endpoint, self._client.url)
            if since is not None:
                self._changes.check_since(target, before, since, field)
            current = self._object(target, before, field)
            after = merged(current, wanted)
            answer = before
            if not same_json(after, current):
                self._changes.check_unchanged(target, before, self._read(target), field)
                answer = self._change(target, {field: after}, before)
                if not json_holds(json_or_text(answer.get(field)), after):
                    raise ProtocolError(
                        f"{self._client.url} answered that it stored something else as {field} of {target}.",
                        hint=target.look(RemedyKind.LOOK),
                    )
        return self._table(target.endpoint, [answer], target.columns, [], details=False).iloc[0]

    def _check_write(self, method: str, dry_run: bool = False) -> None:
        if not (self._write or dry_run):
            raise ConfigurationError(
                f"This Connector only reads: {method}() is off.",
                hint=Remedy(RemedyKind.ALLOW_WRITING, self._client.url, self._client.username or ""),
                setting="write",
            )

    def _unsent(self, sent: Mapping[str, Any], notes: list[Note], name: str | None = None) -> pd.Series:
        # What a dry run would send.
        import pandas as pd

        for note in notes:
            warn(note)
        return pd.Series(dict(sent), name=name, dtype=object)

    def _list(self, endpoint: str) -> WriteTarget:
        name = str(endpoint).strip("/")
        schema = self._schemas.schema(tell=lambda note: None)  # what cannot be checked is warned of by who needs it
        return WriteTarget(name, find_endpoint(schema, name, self.url) if schema else None, (name,))

    def _target(self, endpoint: str, record: Any) -> WriteTarget:
        listed = self._list(endpoint)
        endpoint, described = listed.endpoint, listed.described
        key = described.detail_by if described and endpoint != "subjects" else "id"
        named = record.get(key, record.get("id")) if hasattr(record, "get") else record
        if not isinstance(named, str | uuid.UUID) or not str(named).strip():
            raise ConfigurationError(
                f"A record of {endpoint} cannot be named by {type(named).__name__}.",
                hint=Remedy(RemedyKind.GIVE_RECORD),
                setting="record",
            )
        name = str(named)
        if described and not (described.detail_by and described.updated):
            raise ConfigurationError(
                f"{endpoint} of {self._client.url} cannot be changed.",
                hint="The server only takes new ones, or none.",
                setting="endpoint",
            )
        if endpoint == "subjects":
            dialect = self._dialect()
            subject = find_subject(self._client, name, dialect)
            return WriteTarget(
                endpoint, described, (endpoint, dialect.subject_name(subject)), str(subject["id"]), by_id=True
            )
        if endpoint == "sessions":
            name = session_id(self._client, name, self._dialect())
        by_id = is_id(name)
        if described and described.detail_by == "id" and not by_id:
            raise ConfigurationError(
                f"{name!r} is not a valid id of {endpoint}.",
                hint="Give the id of the record, or its row.",
                setting="record",
            )
        name = canonical_id(name) or name if by_id else name
        return WriteTarget(endpoint, described, (endpoint, name), name, by_id)

    def _checked(
        self,
        target: WriteTarget,
        known: Sequence[Field],
        fields: Mapping[str, Any],
        verb: str,
        notes: list[Note],
        looked_up: LookedUp = NOTHING_LOOKED_UP,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        # What is sent, and the row of its subject; empty without a subject.
        if not known or not fields:
            why = "there is no field to send" if known else "the server takes none"
            raise ConfigurationError(
                f"{target.endpoint} at {self._client.url} cannot be {verb}: {why}.",
                hint="Name fields and their values." if known else Remedy(RemedyKind.LIST_ENDPOINTS),
                setting="fields" if known else "endpoint",
            )
        check_names(fields, known, target.endpoint, self._client.url)
        named, animal = server_names(self._client, target.endpoint, fields, self._dialect(), looked_up.animals)
        kinds = {field.name: field.format for field in known}
        sent = {name: sendable(name, value, kinds[name]) for name, value in {**fields, **named}.items()}
        sent = with_times_to_send(
            sent,
            target.endpoint,
            self._client,
            self._zones,
            lambda: self._whose(target, sent, animal),
            notes.append,
            looked_up.keeps_zones,
        )
        return sent, animal

    def _whose(self, target: WriteTarget, sent: Mapping[str, Any], animal: Mapping[str, Any]) -> dict[str, Any]:
        # Of which lab a record is; and what is known of its animal.
        lab = sent.get("lab") or animal.get("lab")
        if not lab and target.name:
            lab = labs_of([self._read(target)], self._zones.names(), self._client, target.endpoint)[0]
        return {**animal, "lab": lab}

    def _read(self, target: WriteTarget) -> dict[str, Any]:
        return self._record(target, self._client.get(target.route))

    def _change(
        self, target: WriteTarget, sent: Mapping[str, Any], before: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            with target.may_be_stored():
                answer = self._record(target, self._client.patch(target.route, sent))
        except ServerFaultError:
            if target.endpoint == "sessions" and self._dialect().names_sessions:
                free_number(self._client, {**self._read(target), **sent})  # says so where the number is taken
            raise
        self._changes.wrote(target, before, answer)
        return answer

    def _record(self, target: WriteTarget, answer: Any) -> dict[str, Any]:
        if not isinstance(answer, dict) or (target.by_id and answer.get("id", target.name) != target.name):
            raise ProtocolError(f"{self._client.url} answered with something else than {target}.", hint="Try again.")
        return {"id": identity(answer), **answer}

    def _object(self, target: WriteTarget, record: Mapping[str, Any], field: str) -> dict[str, Any]:
        value = json_or_text(record.get(field))
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        kind = "a list" if isinstance(value, list) else "neither an object nor a text of one"
        raise InvalidDataError(
            f"{field} of {target} at {self._client.url} is {kind}: there are no keys to merge with. "
            "Nothing was written.",
            hint="Change it on Alyx.",
            endpoint=target.endpoint,
            fields={field: [f"is {kind}"]},
        )
