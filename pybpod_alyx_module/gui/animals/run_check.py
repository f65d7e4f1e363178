"""The check before Run: the plugin asks Alyx about the animals of a setup, in threads, before its protocol starts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import QObject, QTimer, Signal

from pybpod_alyx_module.animals.alyx_subject import AlyxSubject, alyx_subject_of
from pybpod_alyx_module.animals.checks_before_run import Finding, run_checks
from pybpod_alyx_module.animals.overview import AnimalOverview, fetch_overview, unknown_state
from pybpod_alyx_module.animals.weight import last_notes
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.rig_settings import CHECKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.animals.alyx_access import AlyxAccess
    from pybpod_alyx_module.animals.subject_state import SubjectState
    from pybpod_alyx_module.gui.task import Work
    from pybpod_alyx_module.host.pybpod_objects import Setup
    from pybpod_alyx_module.rig_settings import RigSettings

#: Seconds from Run until the protocol starts or a question is shown, whatever the server does.
CHECK_S: Final = 2.0

#: Seconds of these that are left for handing over what arrived.
_MARGIN_S: Final = 0.2


class RunCheck(QObject):
    """Checks the Alyx subjects of a setup once, all of them at the same time.

    ``settings``: what each check does; a setting of a check that cannot be used is reported, too.
    """

    #: What there is to show (a tuple of `Finding`); sent once, `CHECK_S` seconds after the start at the latest.
    finished = Signal(object)
    #: Alyx told the last weight of an animal: an `AlyxSubject`, and its `WeightNote` or None.
    weight_seen = Signal(object, object)

    def __init__(self, animals: Sequence[AlyxSubject], settings: RigSettings) -> None:
        super().__init__()
        self._animals = tuple(animals)
        self._policy = dict(settings.checks)
        self._wrong = tuple(
            Finding("alive", "warn", "", problem.text, checked=False)
            for problem in settings.problems
            if problem.setting in CHECKS.values()
        )
        self._states: dict[int, SubjectState] = {}
        self._tasks: list[Task] = []
        self._arrivals: list[_Arrival] = []
        self._over = False
        self._limit = QTimer(self, singleShot=True)
        self._limit.timeout.connect(self._on_limit)

    def start(self) -> None:
        """Ask; once."""
        end = time.monotonic() + CHECK_S - _MARGIN_S
        access = running_outbox()
        self._limit.start(int(CHECK_S * 1000))
        for number, animal in enumerate(self._animals):
            arrival = _Arrival(self, number)
            self._arrivals.append(arrival)  # Qt does not keep Python objects alive
            task = Task(_work(access, animal, end), "alyx-run-check")
            self._tasks.append(start_task(task, succeeded=arrival.take, failed=arrival.fail))

    def cancel(self) -> None:
        """Give up; nothing is sent any more."""
        self._over = True
        self._limit.stop()
        for task in self._tasks:
            task.cancel()

    def put(self, number: int, state: SubjectState) -> None:
        """Take the state of one animal."""
        self._states[number] = state
        for note in last_notes(state):
            self.weight_seen.emit(self._animals[number], note)
        if len(self._states) == len(self._animals):
            self._finish()

    def animal(self, number: int) -> AlyxSubject:
        """Return one of the animals."""
        return self._animals[number]

    @slot
    def _on_limit(self) -> None:
        self._finish()

    def _finish(self) -> None:
        if self._over:
            return
        self.cancel()
        states = [
            self._states.get(number) or unknown_state(animal, f"{animal.where} did not answer within {CHECK_S:g} s.")
            for number, animal in enumerate(self._animals)
        ]
        self.finished.emit((*run_checks(states, self._policy), *self._wrong))


class _Arrival:
    # What one task brings goes to its place.

    def __init__(self, check: RunCheck, number: int) -> None:
        self._check, self._number = check, number

    @slot
    def take(self, overview: AnimalOverview) -> None:
        self._check.put(self._number, overview.state)

    @slot
    def fail(self, error: BaseException) -> None:
        animal = self._check.animal(self._number)
        self._check.put(self._number, unknown_state(animal, describe(error).text))


def animals_to_check(setup: Setup, settings: RigSettings) -> tuple[AlyxSubject, ...]:
    """Return the animals of a setup that are to be checked.

    Parameters
    ----------
    setup : object
        The PyBpod setup.
    settings : RigSettings
        Test subjects are left out; where all checks are off, all are.

    Returns
    -------
    tuple of AlyxSubject
        Empty where there is nothing to check.

    Raises
    ------
    ConfigurationError
        If a subject's file does not say where it is on Alyx.
    """
    if all(level == "off" for level in settings.checks.values()):
        return ()
    linked = [subject for subject in setup.subjects if subject.is_alyx]
    return tuple(alyx_subject_of(subject) for subject in linked if not settings.sessions.is_test_subject(subject.name))


def _work(access: AlyxAccess, animal: AlyxSubject, end: float) -> Work:
    def work(_report: Any, cancel: CancelToken) -> AnimalOverview:
        left = max(round(end - time.monotonic(), 1), 0.1)
        return fetch_overview(access, animal, deadline_s=left, cancel=cancel)

    return work
