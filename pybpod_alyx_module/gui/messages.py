"""What a user reads when something failed: a title, what happened, and what to do next. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from alyx_connector import errors
from alyx_connector.errors import AlyxError
from pybpod_alyx_module.animals.alyx_access import UntoldError
from pybpod_alyx_module.connect import PasswordMissingError
from pybpod_alyx_module.errors import (
    MaybeMadeError,
    NotTakenBackError,
    OpenElsewhereError,
    OutboxError,
    RigError,
    SyncError,
)
from pybpod_alyx_module.gui.words import brief
from pybpod_alyx_module.log_file import where_is_log
from pybpod_alyx_module.remedies import what_to_do


@dataclass(frozen=True)
class Message:
    """An error in words."""

    #: A few words that tell this kind of failure from the others.
    title: str
    #: What happened, and at which server or file.
    sentence: str
    #: What to do next; may be empty.
    advice: str = ""

    @property
    def text(self) -> str:
        """The message in one paragraph: title, sentence and advice."""
        return " ".join(part for part in (f"{self.title}.", self.sentence, self.advice) if part)


#: Title and advice of every error of the Alyx client, the outbox, the rig and a sync; what the error itself says to do
#: takes the advice's place.
WORDING: Final[dict[type[AlyxError], tuple[str, str]]] = {
    AlyxError: ("Alyx did not work", "Try again; if it stays, ask whoever runs the Alyx server."),
    errors.ConfigurationError: ("A setting cannot be used", "Correct it, then try again."),
    errors.CredentialsError: ("Alyx did not let this user in", "Check user and password, then connect again."),
    errors.LoginRequiredError: ("Log in again", "Type the password, then press Connect."),
    PasswordMissingError: ("Log in", "Type the password, then press Connect."),
    errors.LoginRejectedError: ("Wrong user or password", "Check both (capitals count), then press Connect again."),
    errors.PermissionDeniedError: ("Not permitted", "Ask an Alyx administrator for the right to do this."),
    OpenElsewhereError: ("The project is open in PyBpod", "Close it there, then sync again."),
    errors.TransportError: ("The connection failed", "Check the network, then try again."),
    errors.UnreachableError: (
        "Alyx cannot be reached",
        "Check the address and the network (is a VPN needed?), then try again.",
    ),
    errors.RequestTimeoutError: ("Alyx did not answer in time", "The server may be busy: try again in a minute."),
    errors.CertificateError: (
        "The certificate of the server was refused",
        "Check the address and this computer's date; if both are right, ask whoever runs the Alyx server.",
    ),
    errors.ResponseError: ("Alyx answered with an error", "Try again; if it stays, ask whoever runs the Alyx server."),
    errors.NotFoundError: ("Not found on Alyx", "Check the address; the record may have been deleted on Alyx."),
    errors.InvalidDataError: ("Alyx refused the data", "Correct what it names, then try again."),
    errors.ConflictError: ("Somebody else changed it", "Look at the record on Alyx, then try again."),
    errors.RowsNotMadeError: ("Some records were not made", "Look which records are on Alyx, then send the others."),
    errors.RateLimitedError: ("Too many requests", "Alyx asks for a pause: wait a minute, then try again."),
    errors.ServerFaultError: (
        "The Alyx server failed",
        "This is a fault on the server: try again later, or tell whoever runs it.",
    ),
    errors.ProtocolError: ("The answer makes no sense", "Try again; if it stays, ask whoever runs the Alyx server."),
    errors.NotAlyxError: (
        "This is not an Alyx server",
        "Check the address. On a guest network, open a web browser first and log in there.",
    ),
    UntoldError: ("Alyx does not tell it", "There is nothing to be done: this server tells it of no animal."),
    SyncError: ("PyBpod could not do this", "Try again; if it stays, save the project and restart PyBpod."),
    MaybeMadeError: ("No answer from Alyx", "Press Make it on Alyx again: it is looked for before anything is sent."),
    OutboxError: ("The Alyx outbox could not do this", "Try again; what the outbox holds is as it was."),
    RigError: ("A file of the rig cannot be used", "Correct or remove the file that it names, then try again."),
    NotTakenBackError: (
        "The project was left half changed",
        "Close the project without saving, then open it again: its files are as they were.",
    ),
}

#: Title and advice where it is the address that cannot be used.
UNUSABLE_ADDRESS: Final = ("This address cannot be used", "Correct it, then try again.")

#: Title and advice where it is no setting that stands in the way.
NOT_POSSIBLE: Final = ("This is not possible", "Correct it, then try again.")


def is_unusable_address(error: BaseException) -> bool:
    """Tell whether an error says that the typed address is not valid."""
    return isinstance(error, errors.ConfigurationError) and error.setting == "address"


def describe(error: BaseException) -> Message:
    """Put an error into words for a user.

    Returns: the words. Of an error that is not ours only its type is named: its text could hold anything, a password
    too.
    """
    if not isinstance(error, AlyxError):
        return Message(
            "A fault in the Alyx plugin",
            f"Something unexpected happened ({type(error).__name__}). PyBpod and a running protocol go on.",
            f"The details are in {where_is_log()}: please report them.",
        )
    title, advice = next(WORDING[kind] for kind in type(error).__mro__ if kind in WORDING)
    if is_unusable_address(error):
        title, advice = UNUSABLE_ADDRESS
    elif isinstance(error, errors.ConfigurationError) and not error.setting:
        title, advice = NOT_POSSIBLE
    return Message(title, brief(error.message) or f"{title}.", what_to_do(error) or advice)
