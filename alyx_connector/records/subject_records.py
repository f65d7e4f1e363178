"""What Alyx keeps of one animal, and of one session: weights, water, datasets."""

from __future__ import annotations

import warnings
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from alyx_connector.errors import ConfigurationError, ProtocolError
from alyx_connector.frames.columns import WATER_REQUIREMENT
from alyx_connector.ids import is_id
from alyx_connector.records.one_subject import refuse_namesakes, subject_filters
from alyx_connector.remedy import Remedy, RemedyKind
from alyx_connector.schema.dialect import Dialect
from alyx_connector.search.connector_search import ConnectorSearch
from alyx_connector.search.filters import checked_day
from alyx_connector.warning import AlyxWarning

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SubjectRecords"]


class SubjectRecords(ConnectorSearch):
    """The part of `Connector` that is about one animal or one session.

    An animal is named by its nickname, or by its id where several have one nickname.
    """

    def subject(self, subject: str, *, lab: str | None = None) -> pd.DataFrame:
        """Return what Alyx records of an animal, alive or not.

        Parameters
        ----------
        subject : str
            Nickname or id.
        lab : str, optional
            Tells animals of one nickname apart.

        Returns
        -------
        pandas.DataFrame
            One row, more if several animals have this nickname, none if there is no such animal: with a warning in
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
        """
        in_lab: dict[str, Any] = {} if lab is None else {"lab": lab}
        for wanted in subject_filters(str(subject), self._dialect()):
            frame = self.search("subjects", details=False, **{**wanted, **in_lab})
            if len(frame):
                break
        listed = [f"{one.nickname} of {one.lab} (id {one.id})" for one in frame.itertuples()]
        if len(listed) != 1:
            several = f"Several animals are called {subject}: {', '.join(listed)}. Name one by its id."
            note = several if listed else f"There is no subject {subject} at {self._client.url} that you may see."
            frame.attrs["notes"] = [*frame.attrs["notes"], note]
            warnings.warn(note, AlyxWarning, stacklevel=2)
        return frame

    def weights(self, subject: str, *, lab: str | None = None) -> pd.DataFrame:
        """Return the weighings of an animal, newest first.

        Parameters
        ----------
        subject : str
            Nickname or id.
        lab : str, optional
            Tells animals of one nickname apart.

        Returns
        -------
        pandas.DataFrame
            Shape ``(n_weighings, 6)``, indexed by id: ``id`` string; ``subject`` string, the nickname; ``date_time``
            datetime64[ns], lab time; ``weight`` Float64, g, an implant included; ``user`` and ``url`` string. No
            weighing gives zero rows with the same columns and dtypes.

        Raises
        ------
        AlyxError
            If the server cannot be asked; see `Connector.search`.

        Examples
        --------
        >>> Connector().weights("ea04").weight.to_list()
        [23.8, 24.1]
        """
        return self._actions("weighings", subject, lab)

    def water(self, subject: str, *, lab: str | None = None) -> pd.DataFrame:
        """Return the water that an animal was given, newest first.

        Parameters
        ----------
        subject : str
            Nickname or id.
        lab : str, optional
            Tells animals of one nickname apart.

        Returns
        -------
        pandas.DataFrame
            Shape ``(n_administrations, 9)``, indexed by id: ``id``, ``subject`` (the nickname), ``water_type``,
            ``user``, ``url`` string; ``date_time`` datetime64[ns], lab time; ``water_administered`` Float64, mL;
            ``session`` string, the id of the session in which it was a reward, missing for a supplement; ``adlib``
            boolean. No water gives zero rows with the same columns and dtypes.

        Raises
        ------
        AlyxError
            If the server cannot be asked; see `Connector.search`.
        """
        return self._actions("water-administrations", subject, lab)

    def water_requirement(self, subject: str, start: Any, end: Any, *, lab: str | None = None) -> pd.DataFrame:
        """Return what an animal weighed and drank, and should have, day by day: the server's own numbers.

        Parameters
        ----------
        subject : str
            Nickname or id.
        start, end : str or datetime.date
            First and last day, both included.
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

        Raises
        ------
        ConfigurationError
            If several animals have this nickname, which the server cannot answer for, or the days are unusable.
        ProtocolError
            If the answer makes no sense.
        AlyxError
            If the server cannot be asked.
        """
        first, last = checked_day("start", start), checked_day("end", end)
        if last < first:
            raise ConfigurationError(
                f"The days end ({last}) before they begin ({first}).",
                hint="Give the first day, then the last.",
                setting="end",
            )
        days = {"start_date": first, "end_date": last}
        found = self.subject(subject, lab=lab)
        answer: dict[str, Any] = {"records": []}
        with self._explained():
            if len(found):
                dialect = self._dialect()
                if dialect.subject_key == Dialect.subject_key:
                    refuse_namesakes(self._client, found.iloc[0]["nickname"])
                answer = self._client.get(("water-requirement", dialect.subject_name(found.iloc[0])), days)
        if not isinstance(answer, dict) or not isinstance(answer.get("records"), list):
            raise ProtocolError(f"{self._client.url} answered water-requirement without records.", hint="Try again.")
        rows = [{"id": record.get("date"), **record} for record in answer["records"]]
        frame = self._table("water-requirement", rows, WATER_REQUIREMENT, [], details=False)
        frame = frame.set_index("date", drop=False).drop(columns="id")
        frame.index.name = None
        for name in ("implant_weight", "reference_weight_pct", "zscore_weight_pct"):
            frame.attrs[name] = answer.get(name)
        return frame

    def datasets(self, session: Any) -> pd.DataFrame:
        """Return the datasets of a session.

        Parameters
        ----------
        session : str or pandas.Series
            Id of the session, or its row of a search.

        Returns
        -------
        pandas.DataFrame
            One row a dataset, indexed by id, columns and dtypes as of ``search("datasets")``: ``name``,
            ``dataset_type``, ``collection``, … string; ``file_size`` Int64, bytes; ``created_datetime``
            datetime64[ns], server time. No dataset gives zero rows with the same columns and dtypes.

        Raises
        ------
        ConfigurationError
            If that is no session.
        AlyxError
            If the server cannot be asked; see `Connector.search`.
        """
        named = str(session.get("id") if hasattr(session, "get") else session)
        if not is_id(named):
            raise ConfigurationError(
                f"{shorten(named, 60, placeholder='…')!r} is not a session.",
                hint=Remedy(RemedyKind.GIVE_RECORD),
                setting="session",
            )
        return self.search("datasets", session=named, details=False)

    def _actions(self, endpoint: str, subject: str, lab: str | None) -> pd.DataFrame:
        found = self.subject(subject, lab=lab)
        frame = self.search(endpoint, details=False, django=[{"subject": one} for one in found["id"]])
        frame.attrs["notes"] = [*found.attrs["notes"], *frame.attrs["notes"]]
        return frame.sort_values("date_time", ascending=False, kind="stable")
