"""What is said of an animal that should not be written about without a thought. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pybpod_alyx_module.animals.subject_state import SubjectState


def not_there(state: SubjectState) -> tuple[str, ...]:
    """Tell that an animal is not alive on Alyx, or not there.

    Parameters
    ----------
    state : SubjectState
        As Alyx says.

    Returns
    -------
    tuple of str
        One sentence, or none where it is alive or that is not known.
    """
    if state.found is False:
        return (f"{state.name} is no longer on Alyx, or you may not see it.",)
    if state.alive is False:
        return (f"{state.name} is not alive on Alyx (death date {state.death_date or 'not given'}).",)
    return ()
