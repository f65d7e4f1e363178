"""What to do about an error of the Alyx client, in words for windows; the client itself names a call of Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alyx_connector.remedy import RemedyKind

if TYPE_CHECKING:
    from alyx_connector.errors import AlyxError

_LOG_IN: Final = "In Sync to Alyx (right-click the project), type the password, then press Connect."
#: What to do in a window. A kind that is not here is about searches, which no window makes.
REMEDIES: Final[dict[RemedyKind, str]] = {
    RemedyKind.SET_UP: _LOG_IN,
    RemedyKind.LOG_IN: _LOG_IN,
    RemedyKind.LOG_IN_ANEW: _LOG_IN,
    RemedyKind.LOOK: "Look at the record on Alyx.",
    RemedyKind.LOOK_BEFORE_SENDING_AGAIN: (
        "It may have been stored all the same: look on Alyx before you send it again."
    ),
    RemedyKind.CHECK_FILTERS: "Try again later; if it stays, tell whoever runs the Alyx server.",
    RemedyKind.CHOOSE_SERVER: "Type the whole address of the server.",
    RemedyKind.CHOOSE_USER: "Type the user.",
    RemedyKind.CHOOSE_DEFAULT: "Type the address of the server.",
}


def what_to_do(error: AlyxError) -> str:
    """Say what to do about an error, empty where the error does not say."""
    return REMEDIES.get(error.remedy.kind, "") if error.remedy else error.hint


def explain(error: AlyxError) -> str:
    """Say what happened and what to do, in one line."""
    return " ".join(part for part in (error.message, what_to_do(error)) if part)
