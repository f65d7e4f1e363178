"""Whether a protocol runs in PyBpod."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


def is_anything_running(projects: Iterable[Any]) -> bool:
    """Tell whether a setup of one of these projects runs a protocol."""
    setups = (setup for project in projects for experiment in project.experiments for setup in experiment.setups)
    return any(setup.status == setup.STATUS_RUNNING_TASK for setup in setups)
