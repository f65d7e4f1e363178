"""New records: one, or many at once that are checked together; only where writing was allowed."""

from __future__ import annotations

import uuid
import warnings
from collections import Counter
from typing import TYPE_CHECKING, Any

from alyx_connector.display.shown_progress import ShownProgress
from alyx_connector.errors import AlyxError, ConfigurationError, RowsNotMadeError
from alyx_connector.frames.columns import known_layout
from alyx_connector.progress import Estimate, Progress, only_waits
from alyx_connector.records.one_subject import find_subjects
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.warning import AlyxWarning
from alyx_connector.writing.doubtful import DOUBTED, refuse_doubtful
from alyx_connector.writing.new_records import (
    NewRecord,
    Outcome,
    by_rows,
    check_together,
    outcomes,
    read_rows,
    refuse_bad_rows,
)
from alyx_connector.writing.record_fields import fields_of, not_as_sent
from alyx_connector.writing.server_names import LookedUp
from alyx_connector.writing.session_numbers import free_number
from alyx_connector.writing.write_target import WriteTarget, may_have_stored
from alyx_connector.writing.writing import Writing
from alyx_connector.zones.moments import LAB_TIMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from alyx_connector.progress import Report
    from alyx_connector.schema.description import Field
    from alyx_connector.warning import Note

__all__ = ["Creating"]


class Creating(Writing):
    """The part of `Connector` that makes new records."""

    def create(self, endpoint: str, /, *, dry_run: bool = False, force: bool = False, **fields: Any) -> pd.Series:
        """Make a new record. Needs ``Connector(write=True)``.

        Nothing on the server stops a second identical one, so it is sent once. Where the answer is lost the record may
        be there all the same: look before you call again.

        Parameters
        ----------
        endpoint : str
            What to make: ``"sessions"``, ``"weighings"``, ``"water-administrations"``, …
        dry_run : bool
            Whether to check everything and send nothing.
        force : bool
            Whether to make also what is hardly meant: a weight that the species cannot have or that is 10 % off one of
            the last three days, a record that the animal has already, a session without ``start_time``.
        **fields
            As for `update`, and also ``json={…}``. ``subject`` is a nickname or an id, ``session`` of water what
            `Connector.session` takes. Units: weights g, water mL.

        Returns
        -------
        pandas.Series
            The record as the server stored it; see `update`. Of a dry run what would be sent, with the id of its animal
            as ``subject_id``.

        Raises
        ------
        ConfigurationError
            See `update`; also if there is no such subject, or several have its nickname (with their labs): the server
            cannot tell them apart. Nothing was written.
        InvalidDataError
            If the server refuses the values, or misses one; ``fields`` says which; if it takes each number of a
            subject's day only once, and that is taken: names the next. Nothing was written.
        PermissionDeniedError
            If this user may not write.
        AlyxError
            Whatever else goes wrong; see `update`.

        Examples
        --------
        >>> import datetime
        >>> connector = Connector(write=True)
        >>> when = datetime.datetime(2024, 3, 1, 9, 30)
        >>> print(connector.create("weighings", subject="ea04", weight=24.5, date_time=when).weight)
        24.5
        """
        self._check_write("create", dry_run)
        notes: list[Note] = []
        with self._explained():
            target = self._list(endpoint)
            sent, animal = self._checked(target, self._created(target, fields, notes), fields, "made", notes)
            if not force and target.endpoint in DOUBTED and animal:
                refuse_doubtful(self._client, target.endpoint, sent, animal, fields)
            if target.endpoint == "sessions" and sent.get("start_time") and self._dialect().names_sessions:
                sent["number"] = free_number(self._client, sent)
            answer = None if dry_run else self._make(target, sent)
        if answer is None:
            return self._unsent({**sent, **({"subject_id": str(animal["id"])} if animal else {})}, notes)
        notes += not_as_sent(sent, answer)
        return self._table(target.endpoint, [answer], target.columns, notes, details=False).iloc[0]

    def create_many(self, endpoint: str, rows: Any, /, *, dry_run: bool = False, force: bool = False) -> pd.DataFrame:
        """Make many new records: weighings that were typed in a sheet, say. Needs ``Connector(write=True)``.

        All rows are checked before the first is sent: names of fields, values, animals, and, of weighings, water and
        sessions, what is hardly meant, beside what the server has and beside each other. Then they are sent one by
        one, in order, each once, until one is refused or its answer is lost.

        To go on after that, call again with the same rows: weighings, water and sessions that the server has already
        are recognized by animal, time and amount, and not made a second time.

        Parameters
        ----------
        endpoint : str
            What to make; see `create`.
        rows : pandas.DataFrame or list of dict
            A record each, with its fields as for `create`. Empty cells of a frame are left out. Weighings, water and
            sessions must have a subject, a time and an amount.
        dry_run : bool
            Whether to check everything and send nothing; needs no ``write=True``.
        force : bool
            Whether to make also doubtful weights; see `create`. What the server has already is never made again.

        Returns
        -------
        pandas.DataFrame
            A row for each of ``rows``, in their order and with their index: ``outcome`` string: ``made``, ``there
            already``, or, of a dry run, ``not sent``; ``reason`` string, missing here; ``id`` string, that of the
            record, missing where there is none; then what is sent, as it is sent: ``subject_id`` string, the id of the
            animal; ``subject``, as this server calls it; times as texts: those of weighings and water on the server's
            clock, others in lab time, all with the lab's offset where the server keeps zones; the other fields. What
            the server did not store as it was sent is warned of (`AlyxWarning`).

        Raises
        ------
        RowsNotMadeError
            If some rows cannot be sent: names each of them and says why, and nothing was sent. If the server refused a
            row, or the answer was lost (``__cause__`` is that error): what follows it was not sent. ``outcomes`` is the
            frame above, with the ``outcome`` also ``may be made`` where the answer was lost, and the ``reason``.
        ConfigurationError
            If writing is off, there is no such list, or ``rows`` is something else than rows. Nothing was sent.
        AlyxError
            Whatever else goes wrong before the first row is sent.

        Examples
        --------
        >>> import pandas as pd
        >>> sheet = pd.DataFrame({"subject": ["ea04", "jo006"], "weight": [24.4, 21.9]})
        >>> sheet["date_time"] = "2024-03-02 09:30"
        >>> Connector().create_many("weighings", sheet, dry_run=True).outcome.to_list()
        ['not sent', 'not sent']
        """
        self._check_write("create_many", dry_run)
        notes: list[Note] = []
        with self._explained():
            target = self._list(endpoint)
            records, index = read_rows(rows)
            self._check_all(target, records, force, notes)
            refuse_bad_rows(target.endpoint, self.url, records, index)
            failure = None if dry_run else self._make_all(target, records, notes)
        frame = outcomes(records, index)
        told = list(dict.fromkeys(map(str, notes)))
        frame.attrs = {"url": self.url, "username": self.username, "endpoint": target.endpoint, "notes": told}
        for note in told:
            warnings.warn(note, AlyxWarning, stacklevel=2)
        if failure is not None:
            kind = RemedyKind.SEND_AGAIN if target.endpoint in DOUBTED else RemedyKind.SEND_REST
            raise RowsNotMadeError(
                _told(target.endpoint, self.url, records, failure),
                hint=Remedy(kind, endpoint=target.endpoint),
                outcomes=frame,
            ) from failure
        return frame

    def _check_all(self, target: WriteTarget, records: list[NewRecord], force: bool, notes: list[Note]) -> None:
        known = self._created(target, {name: None for record in records for name in record.given}, notes)
        dialect = self._dialect()
        subjects = [record.given.get("subject") for record in records]
        animals = find_subjects(
            self._client,
            [str(one) for one in subjects if isinstance(one, str | uuid.UUID)],
            dialect,
            by_nickname=target.endpoint == "sessions",
        )
        has_times = any(name in record.given for record in records for name in LAB_TIMES)
        looked_up = LookedUp(animals, self._zones.server_keeps_zones() if has_times else None)
        for record in records:
            try:
                record.sent, record.animal = self._checked(target, known, record.given, "made", notes, looked_up)
            except ConfigurationError as error:
                record.refuse(error.message, error.remedy or error.hint)
        if target.endpoint in DOUBTED:
            numbered = target.endpoint == "sessions" and dialect.names_sessions
            check_together(self._client, target.endpoint, records, force=force, numbered=numbered)

    def _make_all(self, target: WriteTarget, records: list[NewRecord], notes: list[Note]) -> AlyxError | None:
        # What ended it, if not all were made.
        otherwise: list[tuple[NewRecord, str]] = []
        failure = None
        wanted = [record for record in records if record.is_to_be_sent]
        estimate = Estimate(len(wanted), workers=1)
        with ShownProgress() as shown:
            for done, record in enumerate(wanted):
                sentence = f"New {target.endpoint} at {self.url}."
                shown(Progress("post", done, len(wanted), sentence, estimate.left(done)))
                try:
                    with self._explained():
                        answer = self._make(target, record.sent, only_waits(shown))
                except AlyxError as error:
                    failure = error
                    record.reasons.append(error.message)
                    record.outcome = Outcome.MAY_BE_MADE if may_have_stored(error) else Outcome.NOT_SENT
                    break
                record.outcome, record.id = Outcome.MADE, answer["id"]
                otherwise += [(record, sentence) for sentence in not_as_sent(record.sent, answer)]
        notes += by_rows(records, otherwise)
        return failure

    def _created(self, target: WriteTarget, fields: Iterable[str], notes: list[Note]) -> Sequence[Field]:
        # What a new record can hold.
        if target.described:
            return target.described.created
        columns = known_layout(target.endpoint)
        if not columns:
            notes.append(
                f"{self._client.url} does not describe its lists: names of fields cannot be checked, and the "
                "server ignores unknown ones."
            )
        return fields_of([column.name for column in target.columns] if columns else fields)

    def _make(self, target: WriteTarget, sent: Mapping[str, Any], report: Report | None = None) -> dict[str, Any]:
        with target.may_be_stored(str(sent.get("subject") or "")):
            return self._record(target, self._client.post(target.route, sent, report=report))


def _told(endpoint: str, url: str, records: Sequence[NewRecord], failure: AlyxError) -> str:
    counts = Counter(record.outcome for record in records)
    failed = next(record for record in records if record.reasons)
    why = failure.message if failed.outcome is Outcome.MAY_BE_MADE else str(failure)
    parts = [f"{counts[outcome]} {outcome.value}" for outcome in Outcome if counts[outcome]]
    return f"Row {failed.row} of these {endpoint} was not made at {url}: {why} Of all rows: {', '.join(parts)}."
