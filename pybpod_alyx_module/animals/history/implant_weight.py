"""The weight of an animal's implant where no row has it: asked for by the server's filters.

Alyx-Local keeps it with the subject and tells it in no row, but its list of subjects can be filtered by it.
"""

from __future__ import annotations

import weakref
from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken

#: g: the smallest step that is looked for, and the heaviest implant.
_STEP: Final = Decimal("0.01")
_STEPS: Final = 2048

#: What was found, by client and Alyx id: it is asked again whether it is still so, in one request.
_FOUND: Final[weakref.WeakKeyDictionary[AlyxClient, dict[str, Decimal]]] = weakref.WeakKeyDictionary()


def fetch_implant(client: AlyxClient, subject_id: str, cancel: CancelToken) -> Decimal | None:
    """Find out the weight of an implant, g; 0 without one, None where it is none of the weights that are looked for."""

    def holds(condition: str) -> bool:
        return bool(client.list("subjects", {"django": f"pk,{subject_id},{condition}"}, cancel=cancel))

    if not holds("implant_weight__gt,0"):
        return Decimal(0)
    found = _FOUND.setdefault(client, {})
    known = found.get(subject_id)
    if known is not None and holds(f"implant_weight,{known}"):
        return known
    low, high = 0, _STEPS  # it weighs at least the one and less than the other
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(f"implant_weight__gte,{middle * _STEP}") else (low, middle)
    weight = low * _STEP
    if not holds(f"implant_weight,{weight}"):
        return None
    found[subject_id] = weight
    return weight
