"""The animal that a window writes about, as frozen values: they outlive its PyBpod subject."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alyx_connector.address import parse_address
from alyx_connector.errors import ConfigurationError
from alyx_connector.ids import canonical_id
from pybpod_alyx_module.animals.weight_plausibility import WeightFacts, weight_facts
from pybpod_alyx_module.host.alyx_user import alyx_user
from pybpod_alyx_module.sync.details import SYNCED_AT

if TYPE_CHECKING:
    from pybpod_alyx_module.host.pybpod_objects import Subject
    from pybpod_alyx_module.rig_settings import SessionSettings

_SYNC = (
    "Right-click the project, choose Sync to Alyx and get the subjects. Where the sync asks about this one, choose "
    "Merge or Override."
)


@dataclass(frozen=True)
class AlyxSubject:
    """An Alyx subject of a PyBpod project."""

    #: Address of its server.
    server: str
    #: Alyx id.
    subject_id: str
    #: Its name in PyBpod.
    name: str
    #: Alyx user who is logged in to the PyBpod project, empty if none is.
    alyx_user: str
    #: Its lab as the project's copy has it, empty if it has none.
    lab: str = ""
    #: What the project's copy says of its weight, for when Alyx does not answer.
    copy: WeightFacts = field(default_factory=WeightFacts)
    #: Its responsible user as the project's copy has it, empty if it has none.
    responsible_user: str = ""

    @property
    def where(self) -> str:
        """The server as people call it."""
        return server_name(self.server)

    def is_same_animal(self, other: AlyxSubject) -> bool:
        """Tell whether another one is the same animal on the same server, whatever the names."""
        return (self.server, self.subject_id) == (other.server, other.subject_id)


def server_name(server: str) -> str:
    """Return the address of a server without its scheme, for example ``alyx.mylab.org``."""
    return server.partition("://")[2] or server


def alyx_subject_of(subject: Subject) -> AlyxSubject:
    """Freeze who a subject is on Alyx; for the GUI thread.

    Parameters
    ----------
    subject : object
        The PyBpod subject.

    Returns
    -------
    AlyxSubject
        Who it is.

    Raises
    ------
    ConfigurationError
        If it is not an Alyx subject, or its file has no server or no valid id.
    """
    record = subject.alyx
    if record is None:
        raise ConfigurationError(f"{subject.name} is not linked to Alyx.", hint=_SYNC)
    server = record.get("alyx_server")
    if not isinstance(server, str) or not server:
        raise ConfigurationError(f"{subject.name}'s file does not name its Alyx server.", hint=_SYNC)
    subject_id = canonical_id(record["alyx_id"])
    if subject_id is None:
        raise ConfigurationError(f"{subject.name}'s file contains an invalid Alyx id.", hint=_SYNC)
    lab = str(record.get("lab") or "")
    copy = weight_facts(record, str(record.get(SYNCED_AT) or "")[:10])
    return AlyxSubject(
        parse_address(server).url,
        subject_id,
        subject.name,
        alyx_user(subject.project),
        lab,
        copy,
        str(record.get("responsible_user") or ""),
    )


def refuse_test_subject(animal: AlyxSubject, settings: SessionSettings) -> None:
    """Refuse to write about a subject that serves to try out the rig.

    Parameters
    ----------
    animal : AlyxSubject
        The subject.
    settings : SessionSettings
        They name the test subjects.

    Raises
    ------
    ConfigurationError
        If it is one.
    """
    if settings.is_test_subject(animal.name):
        raise ConfigurationError(
            f"{animal.name} is a test subject (ALYX_PLUGIN_TEST_SUBJECTS): nothing about it is sent to Alyx.",
            hint="Choose another animal, or take it out of that setting and start PyBpod again.",
        )
