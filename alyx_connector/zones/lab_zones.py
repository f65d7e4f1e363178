"""Which time zone each lab of a server has, and whether the server keeps zones at all: asked for once, and kept."""

from __future__ import annotations

import logging
import weakref
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import AlyxError, ConfigurationError, CredentialsError, ProtocolError, ServerFaultError
from alyx_connector.http.retry import RETRIED_STATUSES
from alyx_connector.private_file import JsonFile, home_folder
from alyx_connector.zones.moments import lab_times, lab_zone

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping
    from zoneinfo import ZoneInfo

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken, Report

__all__ = ["FILE_NAME", "LabZones", "last_zone", "remember_zones", "zones_of"]

LOG = logging.getLogger(__name__)

#: In the folder of `alyx_connector.private_file.home_folder`.
FILE_NAME: Final = "lab_zones.json"
_LABS_HINT: Final = "Try again; if it stays, look for a proxy before the server that repeats old answers."
#: Lists of which a row tells whether the server keeps zones.
_TELLING: Final = ("sessions", "weighings", "water-administrations")


class LabZones:
    """The time zones of the labs of one server."""

    def __init__(self, client: AlyxClient) -> None:
        # Weakly, because `zones_of` keeps this by its client.
        self._client_ref = weakref.ref(client)
        self._names: dict[str, str] | None = None
        self._wanted: set[str] = set()
        self._failure: AlyxError | None = None
        self._keeps: bool | None = None
        self._sample: dt.datetime | None = None

    @property
    def _client(self) -> AlyxClient:
        client = self._client_ref()
        if client is None:
            raise ConfigurationError("The client of these zones is gone.", hint="Make new ones.", setting="client")
        return client

    def names(
        self,
        labs: Iterable[str | None] = (),
        *,
        cancel: CancelToken | None = None,
        report: Report | None = None,
        ask: bool = True,
    ) -> Mapping[str, str]:
        """Return the name of the zone of each lab; as last known where the server is not asked, or does not tell.

        Returns: empty if nothing is known. A lab without a zone has an empty one.
        ``labs``: where one of them is not among those of an earlier answer, they are asked for again, once.
        """
        new = {lab for lab in labs if lab} - self._wanted - (self._names or {}).keys()
        self._wanted |= new
        if ask and (self._names is None or new):
            try:
                rows = self._client.list("labs", cancel=cancel, report=report)
                if not all(isinstance(row, dict) and row.get("name") and "timezone" in row for row in rows):
                    # What was sent by the clock of a lab that is then forgotten would not be found, and be sent again.
                    raise ProtocolError(f"{self._client.url} sent something else than labs.", hint=_LABS_HINT)
            except CredentialsError:
                raise
            except AlyxError as error:
                LOG.debug("labs of %s: %s", self._client.url, error)
                self._wanted -= new
                self._failure = error
            else:
                self._failure = None
                told = {str(row["name"]): str(row["timezone"] or "") for row in rows}
                remember_zones(self._client.url, told)
                self._names = {**_kept(self._client.url), **told}  # an old answer may lack some
        return _kept(self._client.url) if self._names is None else self._names

    def zone(
        self,
        lab: str | None,
        *,
        cancel: CancelToken | None = None,
        report: Report | None = None,
        ask: bool = True,
    ) -> ZoneInfo | None:
        """Return the zone of a lab; None if it has none. An error where it was never told, and cannot be asked for."""
        names = self.names([lab], cancel=cancel, report=report, ask=ask)
        if ask and str(lab) not in names and self._failure is not None:
            raise self._failure
        return lab_zone(names.get(str(lab)))

    def observe(self, rows: Iterable[Mapping[str, Any]]) -> bool:
        """Learn from rows of the server whether it keeps zones: it does if it says any lab time with an offset.

        Returns: whether these rows have such a time.
        """
        times = lab_times(rows)
        moments = [time for time in times if time.tzinfo is not None]
        if times:
            self._keeps = bool(moments)
            self._sample = max(moments, default=None)
        return bool(moments)

    def server_keeps_zones(self, *, cancel: CancelToken | None = None, report: Report | None = None) -> bool:
        """Tell whether the server keeps zones; reads a row where none was seen yet, and an error if it cannot be read.

        Returns: False also where there is no row that could tell.
        """
        for endpoint in _TELLING if self._keeps is None else ():
            try:
                page = self._client.get(endpoint, {"limit": 1}, cancel=cancel, report=report)
            except ServerFaultError as error:
                if error.status in RETRIED_STATUSES:
                    raise
                LOG.debug("a row of %s at %s: %s", endpoint, self._client.url, error)
                continue
            rows = page.get("results") if isinstance(page, dict) else None
            self.observe(row for row in rows or () if isinstance(row, dict))
            if self._keeps is not None:
                break
        return bool(self._keeps)

    def days_may_differ(self, *, cancel: CancelToken | None = None) -> bool:
        """Tell whether a day of the server may be another one in a lab: it keeps zones, and not those of all labs."""
        if not self.server_keeps_zones(cancel=cancel) or self._sample is None:
            return False
        zones = [lab_zone(name) for name in self.names(cancel=cancel).values()]
        return any(
            zone is not None and self._sample.astimezone(zone).utcoffset() != self._sample.utcoffset() for zone in zones
        )


_ZONES: weakref.WeakKeyDictionary[AlyxClient, LabZones] = weakref.WeakKeyDictionary()


def zones_of(client: AlyxClient) -> LabZones:
    """Return the zones that a client's server was asked for before, or new ones."""
    return _ZONES.setdefault(client, LabZones(client))


def last_zone(server: str, lab: str | None) -> str | None:
    """Return the time zone that a lab had when Alyx last answered; None where this computer never learned it."""
    return _kept(server).get(str(lab))


def remember_zones(server: str, zones: Mapping[str, str]) -> None:
    """Store the time zones of a server's labs on this computer, beside those of its other labs.

    ``zones``: time zone by name of the lab.
    """
    kept = _kept(server)
    if {**kept, **zones} == kept:
        return
    try:
        _file().change(lambda content: content.setdefault(server, {}).update(zones))
    except ConfigurationError as error:
        LOG.warning("%s", error)


def _kept(server: str) -> dict[str, str]:
    try:
        zones = _file().read().get(server, {})
    except ConfigurationError as error:
        LOG.warning("%s", error)
        return {}
    return {name: zone for name, zone in zones.items() if isinstance(zone, str)}


def _file() -> JsonFile:
    return JsonFile(home_folder() / FILE_NAME, _check)


def _check(content: Any) -> None:
    if not all(isinstance(zones, dict) for zones in content.values()):
        raise TypeError("not time zones")
