"""What Alyx keeps of animals, and of one session: weights, water, datasets."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from alyx_connector.display.shown_progress import ShownProgress
from alyx_connector.errors import AlyxError, ConfigurationError, NotFoundError
from alyx_connector.frames.columns import WATER_REQUIREMENT, Column, Kind
from alyx_connector.progress import CancelToken
from alyx_connector.records.named_animals import is_several, named_animals
from alyx_connector.records.one_session import is_reference, session_id
from alyx_connector.records.one_subject import refuse_namesakes
from alyx_connector.records.requirements import fetch_requirements
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.schema.dialect import Dialect
from alyx_connector.search.connector_search import ConnectorSearch
from alyx_connector.search.days import checked_day
from alyx_connector.warning import AlyxWarning

if TYPE_CHECKING:
    import pandas as pd

    from alyx_connector.warning import Note

__all__ = ["SubjectRecords"]

#: What an answer of ``/water-requirement`` says of an animal, whatever the day.
_LIMITS = ("implant_weight", "reference_weight_pct", "zscore_weight_pct")


class SubjectRecords(ConnectorSearch):
    """The part of `Connector` that is about animals, or one session.

    An animal is named by its nickname, by its id where several have one nickname, or by a row of a search: its own, or
    one that is of it. Several are a list of these, a column of a frame or a frame.
    """

    def subject(self, subject: Any, *, lab: str | None = None) -> pd.DataFrame:
        """Return what Alyx records of animals, alive or not.

        Parameters
        ----------
        subject : str, pandas.Series, or a list of them
            Nickname or id, or a row of a search; several are asked for in one request.
        lab : str, optional
            Tells animals of one nickname apart.

        Returns
        -------
        pandas.DataFrame
            A row an animal, more if several have its nickname, none if there is no such animal: with a warning in
            both cases. Columns and dtypes as of ``search("subjects")``: ``birth_date`` and
            ``death_date`` datetime64[ns]; ``age_weeks`` Int64, whole weeks;
            ``reference_weight`` Float64, g; ``expected_water`` and
            ``remaining_water`` Float64, mL; ``alive`` boolean, as the server computes it.

        Raises
        ------
        AlyxError
            If the server cannot be asked; see `Connector.search`.

        Examples
        --------
        >>> Connector().subject("ea04").iloc[0].lab
        'haisslab'
        >>> Connector().subject(["ea04", "jo006"]).nickname.to_list()
        ['ea04', 'jo006']
        """
        names, of_lab = named_animals(subject)
        lab = lab if lab is not None else of_lab
        wanted: dict[str, Any] = {"nickname": names} if lab is None else {"nickname": names, "lab": lab}
        frame = self.search("subjects", details=False, **wanted)
        for name, several in frame.groupby("nickname"):
            if len(several) > 1:
                listed = ", ".join(f"{one.nickname} of {one.lab} (id {one.id})" for one in several.itertuples())
                note = f"Several animals are called {name}: {listed}. Name one by its id."
                frame.attrs["notes"] = [*frame.attrs["notes"], note]
                warnings.warn(note, AlyxWarning, stacklevel=2)
        return frame

    def weights(self, subject: Any, *, lab: str | None = None, percentage: bool = False) -> pd.DataFrame:
        """Return the weighings of animals, newest first.

        Parameters
        ----------
        subject : str, pandas.Series, or a list of them
            Nickname or id, or a row of a search; several are asked for in one request.
        lab : str, optional
            Tells animals of one nickname apart.
        percentage : bool
            Whether to add what the server computes for the day of each weighing: a request an animal, several at once.

        Returns
        -------
        pandas.DataFrame
            Shape ``(n_weighings, 6)``, indexed by id: ``id`` string; ``subject`` string, the nickname (where the
            server names animals with their lab, that name); ``date_time`` datetime64[ns], lab time; ``weight``
            Float64, g, an implant included; ``user`` and ``url`` string. With ``percentage`` two more, Float64:
            ``percentage_weight``, percent of the expected weight, implant off both, and ``min_weight``, g, implant
            included (0: no limit set on Alyx); missing, with a warning, where the server does not tell them. No
            weighing gives zero rows with the same columns and dtypes.

        Raises
        ------
        AlyxError
            If the server cannot be asked; see `Connector.search`.

        Examples
        --------
        >>> Connector().weights("ea04").weight.to_list()
        [23.8, 24.1]
        >>> len(Connector().weights(["ea04", "jo006"]))
        13
        """
        frame = self._actions("weighings", subject, lab)
        return self._with_percentage(frame) if percentage else frame

    def water(self, subject: Any, *, lab: str | None = None) -> pd.DataFrame:
        """Return the water that animals were given, newest first.

        Parameters
        ----------
        subject : str, pandas.Series, or a list of them
            Nickname or id, or a row of a search; several are asked for in one request.
        lab : str, optional
            Tells animals of one nickname apart.

        Returns
        -------
        pandas.DataFrame
            Shape ``(n_administrations, 9)``, indexed by id: ``id``, ``subject`` (see `weights`), ``water_type``,
            ``user``, ``url`` string; ``date_time`` datetime64[ns], lab time; ``water_administered`` Float64, mL;
            ``session`` string, the id of the session in which it was a reward, missing for a supplement; ``adlib``
            boolean. No water gives zero rows with the same columns and dtypes.

        Raises
        ------
        AlyxError
            If the server cannot be asked; see `Connector.search`.
        """
        return self._actions("water-administrations", subject, lab)

    def water_requirement(self, subject: Any, start: Any, end: Any, *, lab: str | None = None) -> pd.DataFrame:
        """Return what animals weighed and drank, and should have, day by day: the server's own numbers.

        Parameters
        ----------
        subject : str, pandas.Series, or a list of them
            Nickname or id, or a row of a search. It costs a request an animal, several at once.
        start, end : str or datetime.date
            First and last day, both included; or months or years.
        lab : str, optional
            Tells animals of one nickname apart; the server itself cannot.

        Returns
        -------
        pandas.DataFrame
            One row a day, oldest first, indexed by date: ``date`` datetime64[ns]; in g, Float64: ``weight`` (the last
            known), ``weighing_at`` (missing on a day without a weighing), ``reference_weight`` (implant taken off),
            ``expected_weight`` and ``min_weight`` (implant included; 0: no limit set on Alyx), ``implant_weight``;
            ``percentage_weight`` Float64, percent of the expected weight, implant off both; in mL, Float64:
            ``given_water_reward``, ``given_water_supplement``, ``given_water_total``, ``expected_water``,
            ``excess_water``; ``is_water_restricted`` boolean. ``attrs`` also holds ``implant_weight`` (g),
            ``reference_weight_pct`` and ``zscore_weight_pct``. No animal gives zero rows with the same columns and
            dtypes.

            Of a list: animal by animal, with a first column ``subject`` string, the nickname; those three of ``attrs``
            are dicts by nickname, and an animal that the server does not answer for is missing, with a warning.

        Raises
        ------
        ConfigurationError
            If several animals have this nickname, which the server cannot answer for, or the days are unusable.
        ProtocolError
            If the answer makes no sense.
        AlyxError
            If the server cannot be asked.
        """
        first, last = checked_day("start", start), checked_day("end", end, last=True)
        if last < first:
            raise ConfigurationError(
                f"The days end ({last}) before they begin ({first}).",
                hint="Give the first day, then the last.",
                setting="end",
            )
        found = self.subject(subject, lab=lab)
        dialect = self._dialect()
        names = {dialect.subject_name(one): one["nickname"] for one in found.to_dict("records")}
        several = is_several(subject)
        if names and not several and dialect.subject_key == Dialect.subject_key:
            with self._explained():
                refuse_namesakes(self._client, next(iter(names)))
        answers = self._requirements(dict.fromkeys(names, (first, last)))
        notes: list[Note] = []
        rows: list[dict[str, Any]] = []
        limits: dict[str, dict[str, Any]] = {name: {} for name in _LIMITS}
        for name, nickname in names.items():
            answer = answers.get(name)
            if isinstance(answer, dict):
                named = {"subject": nickname} if several else {}
                rows += [{"id": record.get("date"), **named, **record} for record in answer["records"]]
                for limit in _LIMITS:
                    limits[limit][nickname] = answer.get(limit)
            elif not several and answer is not None:
                raise answer
        self._tell_unanswered(list(names), answers, notes)
        columns = (*((Column("subject", Kind.TEXT),) if several else ()), *WATER_REQUIREMENT)
        frame = self._table("water-requirement", rows, columns, notes, details=False)
        frame = frame.set_index("date", drop=False).drop(columns="id")
        frame.index.name = None
        for limit in _LIMITS:
            frame.attrs[limit] = limits[limit] if several else next(iter(limits[limit].values()), None)
        return frame

    def session(self, session: Any, *, refresh: bool = False, offline: bool = False) -> pd.Series:
        """Return what Alyx records of one session.

        Parameters
        ----------
        session : str or pandas.Series
            Its id, its row of a search, or subject, day and number: ``"ea04/2024-01-01/001"``, also
            ``"ea04/2024-01-01/1"``. The subject may also be an id.
        refresh, offline : bool
            As for `search`; offline a session can be named only by its id or its row.

        Returns
        -------
        pandas.Series
            Its row, with details, as ``search("sessions")`` has it.

        Raises
        ------
        ConfigurationError
            If that does not name a session, or several have this subject, day and number: lists them.
        NotFoundError
            If there is no such session; lists the numbers of that day.
        AlyxError
            If the server cannot be asked; see `Connector.search`.

        Examples
        --------
        >>> session = Connector().session("ea04/2024-01-01/001")
        >>> session.subject, int(session.number)
        ('ea04', 1)
        """
        if offline and is_reference(session):
            raise ConfigurationError(
                f"Offline, {session} cannot be looked up: subject, day and number are not kept.",
                hint="Name the session by its id.",
                setting="offline",
            )
        one = self._session_id(session)
        found = self.search("sessions", id=one, details=True, refresh=refresh, offline=offline)
        if found.empty:
            raise NotFoundError(
                f"There is no session {one} at {self._client.url} that you may see.",
                hint=Remedy(RemedyKind.GIVE_SESSION),
                endpoint="sessions",
            )
        return found.iloc[0]

    def datasets(self, session: Any) -> pd.DataFrame:
        """Return the datasets of a session.

        Parameters
        ----------
        session : str or pandas.Series
            The session, as for `session`.

        Returns
        -------
        pandas.DataFrame
            One row a dataset, indexed by id, columns and dtypes as of ``search("datasets")``: ``name``,
            ``dataset_type``, ``collection``, … string; ``file_size`` Int64, bytes; ``created_datetime``
            datetime64[ns], server time. No dataset gives zero rows with the same columns and dtypes.

        Raises
        ------
        ConfigurationError
            If that does not name a session, or names several.
        NotFoundError
            If there is no session of that subject, day and number.
        AlyxError
            If the server cannot be asked; see `Connector.search`.
        """
        return self.search("datasets", session=self._session_id(session), details=False)

    def _session_id(self, session: Any) -> str:
        with self._explained():
            return session_id(self._client, session, self._dialect())

    def _actions(self, endpoint: str, subject: Any, lab: str | None) -> pd.DataFrame:
        names, of_lab = named_animals(subject)
        notes: list[str] = []
        if lab is not None or of_lab is not None:
            found = self.subject(names, lab=lab if lab is not None else of_lab)
            names, notes = found["id"].to_list(), found.attrs["notes"]
        frame = self.search(endpoint, details=False, subject=names)
        frame.attrs["notes"] = [*notes, *frame.attrs["notes"]]
        return frame.sort_values("date_time", ascending=False, kind="stable")

    def _with_percentage(self, weighings: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd

        days = weighings["date_time"].dt.strftime("%Y-%m-%d")
        by_animal = days.dropna().groupby(weighings["subject"])
        answers = self._requirements({str(name): (min(group), max(group)) for name, group in by_animal})
        notes: list[Note] = []
        self._tell_unanswered([str(name) for name in by_animal.groups], answers, notes)
        of_day = {
            (name, record.get("date")): record
            for name, answer in answers.items()
            if isinstance(answer, dict)
            for record in answer["records"]
        }
        records = [of_day.get(key, {}) for key in zip(weighings["subject"], days, strict=True)]
        frame = weighings.copy()
        for column in ("percentage_weight", "min_weight"):
            frame[column] = pd.array([record.get(column) for record in records], dtype="Float64")
        frame.attrs["notes"] = [*weighings.attrs["notes"], *map(str, notes)]
        for note in notes:
            warnings.warn(note, AlyxWarning, stacklevel=3)
        return frame

    def _requirements(self, days: dict[str, tuple[str, str]]) -> dict[str, dict[str, Any] | AlyxError]:
        with self._explained(), ShownProgress() as shown:
            return fetch_requirements(self._client, days, cancel=CancelToken(), report=shown)

    def _tell_unanswered(
        self, names: list[str], answers: dict[str, dict[str, Any] | AlyxError], notes: list[Note]
    ) -> None:
        failed = [name for name in names if not isinstance(answers.get(name), dict)]
        if failed:
            reason = next(error.message for error in answers.values() if isinstance(error, AlyxError))
            some = f"{len(failed)} of {len(names)} animals ({', '.join(failed[:10])})"
            whose = some if len(failed) < len(names) else "these animals"
            notes.append(f"{self._client.url} does not tell expected and minimum weights of {whose}: {reason}")
