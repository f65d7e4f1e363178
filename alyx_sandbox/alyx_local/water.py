"""Water and weight by the rules of Alyx-Local: days are those of UTC, a reference weight includes the implant."""

from __future__ import annotations

from datetime import datetime, timezone, tzinfo

from alyx_sandbox.clock import wall_time
from alyx_sandbox.water import WaterControl

#: mL for each gram that is missing, and the least and most a day.
_PER_GRAM = 1.5
_LEAST = 0.5
_MOST = 1.2


class AlyxLocalWaterControl(WaterControl):
    """The water and weight of one subject, as Alyx-Local computes them."""

    @staticmethod
    def zone_of_days(lab_zone: str) -> tzinfo:
        """Return UTC: the zone of the lab plays no part."""
        return timezone.utc

    def server_time(self, moment: datetime) -> datetime:
        """Return a stored time in UTC."""
        return wall_time(moment, timezone.utc)

    def reference_weight(self, moment: datetime | None = None) -> float:
        """Return the reference weight (g), with the implant; 0 where there is none."""
        return self._reference_weighing(moment) or 0.0

    def expected_water(self, moment: datetime | None = None) -> float:
        """Return the water (mL) of a day, which a subject on free water needs as well."""
        moment = moment or self._now()
        implant = sum(weight for _, weight in self.implants)
        expected = self.reference_weight_pct * (self.reference_weight(moment) - implant) + implant
        missing = (expected if self.reference_weight_pct else 0.0) - self._weight(moment)
        return min(max(_PER_GRAM * missing, _LEAST), _MOST)
