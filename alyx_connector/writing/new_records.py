"""Many new records: read from rows, checked beside each other and what the server has, and what became of each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import groupby
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import ConfigurationError, InvalidDataError, RowsNotMadeError
from alyx_connector.frames.columns import KIND_OF_FIELD, Column, Kind
from alyx_connector.frames.tables import identity, make_table
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.writing.doubtful import (
    SAME,
    doubt_beside,
    doubt_of_itself,
    guessed_before,
    records_around,
    same_record,
)
from alyx_connector.writing.session_numbers import checked_number
from alyx_connector.zones.moments import read_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from alyx_connector.http.client import AlyxClient

__all__ = ["NewRecord", "Outcome", "by_rows", "check_together", "outcomes", "read_rows", "refuse_bad_rows"]


class Outcome(str, Enum):
    """What became of a row."""

    #: Nothing of it was sent.
    NOT_SENT = "not sent"
    #: The server has it now.
    MADE = "made"
    #: The answer was lost: the server may have it.
    MAY_BE_MADE = "may be made"
    #: The server had it before.
    THERE = "there already"


@dataclass
class NewRecord:
    """A row that is to become a record."""

    #: As the index of the frame calls it; in a list counted from 0.
    row: Any
    #: Its fields, as they were given.
    given: dict[str, Any]
    #: Its fields, as the server takes them.
    sent: dict[str, Any] = field(default_factory=dict)
    #: The row of its animal; empty without one.
    animal: dict[str, Any] = field(default_factory=dict)
    #: What became of it.
    outcome: Outcome = Outcome.NOT_SENT
    #: The id of the record on the server; None if there is none, or it is not known.
    id: str | None = None
    #: Why it cannot be made, or was not.
    reasons: list[str] = field(default_factory=list)
    #: What to do about these.
    hints: list[str | Remedy] = field(default_factory=list)

    @property
    def is_to_be_sent(self) -> bool:
        """Whether nothing speaks against it, and the server does not have it."""
        return not self.reasons and self.outcome is Outcome.NOT_SENT

    def refuse(self, reason: str, hint: str | Remedy) -> None:
        """Take note of why it cannot be made, and what to do about it."""
        self.reasons.append(reason)
        self.hints.append(hint)


def read_rows(rows: Any) -> tuple[list[NewRecord], pd.Index]:
    """Read what is to be made: rows of a frame, whose empty cells are left out, or mappings.

    Returns: a record a row, and the index of the frame; for mappings one from 0 on.
    """
    import pandas as pd

    if isinstance(rows, pd.DataFrame):
        given = _dicts(rows)
        index = rows.index
    elif isinstance(rows, list | tuple) and all(isinstance(one, Mapping) for one in rows):
        given, index = [dict(one) for one in rows], pd.RangeIndex(len(rows))
    else:
        raise ConfigurationError(
            f"rows cannot be {type(rows).__name__}.",
            hint="Give a DataFrame with a column for each field, or a list of dicts.",
            setting="rows",
        )
    labels = index if index.is_unique else range(len(index))
    return [NewRecord(label, fields) for label, fields in zip(labels, given, strict=True)], index


def _dicts(frame: pd.DataFrame) -> list[dict[str, Any]]:
    if not frame.columns.is_unique:
        raise ConfigurationError(
            f"Several columns have one name: {', '.join(map(str, frame.columns[frame.columns.duplicated()]))}.",
            hint="Keep one of them.",
            setting="rows",
        )
    return [
        {str(name): _cell(name, value) for name, value in row.items() if not _is_empty(value)}
        for row in frame.to_dict("records")
    ]


def _cell(name: Any, value: Any) -> Any:
    # Beside empty cells, pandas makes whole numbers into floats.
    is_whole = KIND_OF_FIELD.get(name) is Kind.COUNT and isinstance(value, float) and value.is_integer()
    return int(value) if is_whole else value


def _is_empty(value: Any) -> bool:
    is_nan = isinstance(value, float) and math.isnan(value)
    return value is None or is_nan or type(value).__name__ in {"NaTType", "NAType"}


def check_together(
    client: AlyxClient, endpoint: str, records: Sequence[NewRecord], *, force: bool, numbered: bool
) -> None:
    """Check records beside each other and beside what their animals have, and find those that the server has already.

    ``endpoint``: one of `DOUBTED`.
    ``force``: whether doubtful weights are meant.
    ``numbered``: whether the server takes each number of a subject's day only once.
    """
    asked = [record for record in records if not record.reasons and _is_complete(endpoint, record)]
    if not asked:
        return
    there = records_around(client, endpoint, [(record.sent, record.animal) for record in asked])
    by_animal: dict[str, list[NewRecord]] = {}
    for record in asked:
        by_animal.setdefault(str(record.sent["subject"]), []).append(record)
    for animal, ours in by_animal.items():
        theirs = there.get(animal, [])
        _find_same(endpoint, ours, theirs)
        _find_guessed(endpoint, ours, theirs, client.url)
        if not force:
            _doubt(endpoint, ours, theirs)
        if numbered:
            _number(ours, theirs, client.url)


def _is_complete(endpoint: str, record: NewRecord) -> bool:
    # Without these, a row that is sent again could not be told from a second record.
    missing = [name for name in ("subject", *SAME[endpoint]) if record.sent.get(name) is None]
    if missing:
        record.refuse(f"There is no {' and no '.join(missing)}.", "Fill it in.")
    elif not record.animal:
        record.refuse(f"{record.given['subject']!r} is not a subject.", Remedy(RemedyKind.LIST_SUBJECTS))
    return not record.reasons


def _find_same(endpoint: str, ours: Sequence[NewRecord], theirs: Sequence[dict[str, Any]]) -> None:
    for place, record in enumerate(ours):
        known = same_record(endpoint, record.sent, theirs)
        first = next((one for one in ours[:place] if same_record(endpoint, record.sent, [one.sent])), None)
        if first is not None:
            record.refuse(f"It is the same as row {first.row}.", "Keep one of them.")
        elif known is not None:
            record.outcome, record.id = Outcome.THERE, identity(known)


def _find_guessed(endpoint: str, ours: Sequence[NewRecord], theirs: Sequence[dict[str, Any]], url: str) -> None:
    # What an earlier call sent as it guessed; what is another row's is not that.
    taken = {record.id for record in ours}
    for record in ours:
        if not record.is_to_be_sent:
            continue
        left = [one for one in theirs if identity(one) not in taken]
        for before in guessed_before(endpoint, record.sent, record.animal, record.given, url):
            known = same_record(endpoint, before, left)
            if known is not None:
                record.outcome, record.id = Outcome.THERE, identity(known)
                taken.add(record.id)
                break


def _doubt(endpoint: str, ours: Sequence[NewRecord], theirs: Sequence[dict[str, Any]]) -> None:
    for record in ours:
        doubt = doubt_of_itself(endpoint, record.sent, record.animal) if record.is_to_be_sent else None
        if doubt is not None:
            record.refuse(doubt.sentence, Remedy(RemedyKind.FORCE))
    time = SAME[endpoint][0]
    moments = [(read_time(record.sent[time]), record) for record in ours if record.is_to_be_sent]
    for moment, record in moments:
        before = [other.sent for then, other in moments if other is not record and moment and then and then <= moment]
        doubt = doubt_beside(endpoint, record.sent, record.animal, [*theirs, *before], record.given)
        if doubt is not None:
            record.refuse(doubt.sentence, Remedy(RemedyKind.FORCE))


def _number(ours: Sequence[NewRecord], theirs: Sequence[dict[str, Any]], url: str) -> None:
    taken = list(theirs)
    for record in ours:
        if not record.is_to_be_sent:
            continue
        try:
            record.sent["number"] = checked_number(record.sent, taken, url)
        except InvalidDataError as error:
            record.refuse(error.message, error.hint)
        taken.append(record.sent)


def refuse_bad_rows(endpoint: str, url: str, records: Sequence[NewRecord], index: pd.Index) -> None:
    """Refuse all, and name each row that cannot be made."""
    bad = [record for record in records if record.reasons]
    if not bad:
        return
    said = [(record, *pair) for record in bad for pair in zip(record.reasons, record.hints, strict=True)]
    hints = {hint for _, _, hint in said}
    if len(hints) == 1:
        hint, sentences = hints.pop(), [(record, reason) for record, reason, _ in said]
    else:
        hint = "Correct these rows, then call again."
        sentences = [(record, str(ConfigurationError(reason, hint=mend))) for record, reason, mend in said]
    lines = [f"{len(bad)} of {len(records)} rows cannot become {endpoint} at {url}. Nothing was sent."]
    raise RowsNotMadeError(
        "\n".join([*lines, *by_rows(records, sentences)]), hint=hint, outcomes=outcomes(records, index)
    )


def by_rows(records: Sequence[NewRecord], said: Iterable[tuple[NewRecord, str]]) -> list[str]:
    """Put each sentence once, after the rows that it is about: ``Rows 3, 7 to 9: …``."""
    places = {id(record): place for place, record in enumerate(records)}
    grouped: dict[str, list[int]] = {}
    for record, sentence in said:
        grouped.setdefault(sentence, []).append(places[id(record)])
    told = []
    for sentence, where in grouped.items():
        runs = [[place for _, place in run] for _, run in groupby(enumerate(where), lambda pair: pair[1] - pair[0])]
        parts = [
            f"{records[run[0]].row} to {records[run[-1]].row}"
            if len(run) > 2
            else ", ".join(str(records[place].row) for place in run)
            for run in runs
        ]
        told.append(f"Row{'s' * (len(where) > 1)} {', '.join(parts)}: {sentence}")
    return told


def outcomes(records: Sequence[NewRecord], index: pd.Index) -> pd.DataFrame:
    """Make a frame of what became of each row, and of what of it was sent or would be."""
    rows: list[dict[str, Any]] = []
    for record in records:
        told = {"outcome": record.outcome.value, "reason": " ".join(record.reasons) or None, "id": record.id}
        animal = {"subject_id": str(record.animal["id"])} if record.animal else {}
        # A row that cannot be sent is shown as it was given.
        rows.append({**told, **animal, **(record.sent or record.given)})
    first = [Column(name, Kind.TEXT) for name in ("outcome", "reason", "id")]
    names = dict.fromkeys(name for row in rows for name in row)
    fields = [Column(name, _kind(name)) for name in names if name not in {"outcome", "reason", "id"}]
    frame = make_table(rows, [*first, *fields], tell=lambda note: None)
    frame.index = index
    return frame


def _kind(name: str) -> Kind:
    # Times are texts, so that their offsets are seen.
    kind = KIND_OF_FIELD.get(name, Kind.TEXT)
    return Kind.TEXT if kind is Kind.TIME else kind
