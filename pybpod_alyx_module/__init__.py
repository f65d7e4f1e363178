"""The Alyx plugin of PyBpod: syncs the subjects of a project with an Alyx database.

PyBpod imports this package if it is in ``GENERIC_EDITOR_PLUGINS_LIST``, at any place in the list. Then, and only then,
all that the plugin needs is imported at once, so that PyBpod's log names what is missing. The rooms without Qt can be
imported without PyBpod.
"""

from __future__ import annotations

import sys
from typing import Any

if "pyforms_generic_editor" in sys.modules:
    from pybpod_alyx_module.models.loading import load_for_host

    load_for_host()


def __getattr__(name: str) -> Any:
    """Give PyBpod's window the version that it shows, and pybpod-api the ``BpodModule`` that it asks for.

    Returns: that of the distribution; `pybpod_alyx_module.bpod_module.AlyxModule` where ``PYBPOD_API_MODULES`` lists
    the plugin.
    """
    if name == "__version__":
        from alyx_connector._version import __version__

        return __version__
    if name == "BpodModule":
        from pybpod_alyx_module.bpod_module import AlyxModule

        return AlyxModule
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
