"""What PyBpod writes into a file that was never loaded: kept, because PyBpod makes it anew at each save."""

from __future__ import annotations

from typing import Any

import pybpodgui_api
from sca.formats.json import scadict


def fresh_content(uuid4: Any, text: str) -> scadict:
    """Return the head of a file of PyBpod.

    ``uuid4``: of what the file is of.
    ``text``: what it says of itself.
    """
    return scadict(
        uuid4_id=uuid4,
        software=f"PyBpod GUI API v{pybpodgui_api.__version__}",
        def_url="http://pybpod.readthedocs.org",
        def_text=text,
    )
