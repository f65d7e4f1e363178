"""The setup mixin: before a protocol starts, the plugin asks Alyx about the setup's animals."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from alyx_connector.errors import AlyxError
from pybpod_alyx_module.animals.checks_before_run import NOTE, Finding
from pybpod_alyx_module.gui.animals.run_check import RunCheck, animals_to_check
from pybpod_alyx_module.gui.animals.run_check_dialog import RunCheckDialog
from pybpod_alyx_module.gui.animals.weight_dialog import open_weight_dialog
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.windows import OpenWindow, main_window_of
from pybpod_alyx_module.read_settings import read_rig_settings
from pybpod_alyx_module.sync.names import not_in_code_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pybpod_alyx_module.animals.alyx_subject import AlyxSubject
    from pybpod_alyx_module.animals.weight import WeightNote
    from pybpod_alyx_module.models.host_types import PyBpodSetup
    from pybpod_alyx_module.rig_settings import RigSettings
else:
    PyBpodSetup = object

logger = logging.getLogger(__name__)

#: On the button while Alyx is asked.
CHECKING: Final = "Checking…"

#: Title of the box that says why nothing runs.
NOT_RUN: Final = "The setup cannot be run"

#: What was already shown in this session of PyBpod.
_shown: set[Finding] = set()


class Setup(PyBpodSetup):
    """Mixed into every PyBpod setup, also into those without Alyx subjects."""

    #: The check that goes on, None while there is none.
    alyx_check: RunCheck | None = None
    #: The question or the notice of the last check, None if it was closed.
    alyx_run_dialog = OpenWindow()

    #: What was checked: what a run would be of.
    _checked: tuple[Any, ...] | None = None

    def run_task(self) -> None:
        """Run as PyBpod does, once Alyx has answered about the animals.

        PyBpod's own objections come first. A press while the check or its question is open starts nothing.
        """
        if self.alyx_check is not None:
            self._show_checking()
            return
        if self.alyx_run_dialog is not None and self._checked is not None:
            self._restore()
            show_in_front(self.alyx_run_dialog)
            return
        settings = read_rig_settings()
        if not any(subject.is_alyx for subject in self.subjects):
            super().run_task()
            return
        if not self.can_run_task():
            return
        self._close_dialog()
        try:
            animals = animals_to_check(self, settings)
        except AlyxError as error:
            self._on_checked((Finding("alive", "warn", "", f"The animals were not checked. {error}", checked=False),))
            return
        if not animals:
            super().run_task()
            return
        self._checked = self._what_runs()
        self._check(animals, settings)

    def _check(self, animals: Sequence[AlyxSubject], settings: RigSettings) -> None:
        self.alyx_check = check = RunCheck(animals, settings)
        check.finished.connect(self._on_checked)
        check.weight_seen.connect(self._on_weight_seen)
        check.start()
        self._show_checking()

    def can_run_task(self) -> bool:
        """Ask PyBpod, then say what it could not write: it would fail without saying why."""
        if not super().can_run_task():
            return False
        names = (self.name, self.project, self.experiment, self.board, self.task, self.project.loggeduser)
        written = [one if isinstance(one, str) else one.name for one in (*names, *self.subjects)]
        lacking = not_in_code_page("".join([*written, *map(str, self.board_task.variables)]))
        if lacking:
            self.alert(f"PyBpod cannot write characters of the names and variables of this run: {lacking}.", NOT_RUN)
            self._run_task_btn.checked = False
        return not lacking

    def update_ui(self) -> None:
        """Show the state of the setup; the button says so while the animals are checked."""
        super().update_ui()
        if self.alyx_check is not None:
            self._show_checking()

    def remove(self) -> None:
        """Take the setup out of the project as PyBpod does, and give up a check."""
        super().remove()
        if self not in self.experiment.setups:
            self.give_up_check()

    @slot
    def give_up_check(self) -> None:
        """Ask no more, and run nothing: the setup or its project is gone."""
        check, self.alyx_check = self.alyx_check, None
        if check is not None:
            check.cancel()
        self._checked = None
        self._close_dialog()

    @slot
    def _on_weight_seen(self, animal: AlyxSubject, note: WeightNote | None) -> None:
        for subject in self.subjects:
            if subject.is_alyx and subject.alyx["alyx_id"] == animal.subject_id:
                subject.alyx_note_weight(note)

    @slot
    def _on_weigh_pressed(self, subject_id: str) -> None:
        for subject in self.subjects:
            if subject.is_alyx and subject.alyx["alyx_id"] == subject_id:
                dialog = open_weight_dialog(subject)
                if dialog is not None:
                    dialog.recorder.recorded.connect(self._on_weighed)
                    dialog.finished.connect(self._on_weight_dialog_closed)

    @slot
    def _on_weighed(self) -> None:
        # in the outbox, where it counts
        if self.alyx_run_dialog is None or self._checked is None or self._is_gone():
            return
        settings = read_rig_settings()
        animals = animals_to_check(self, settings)
        if self.alyx_check is not None:
            self.alyx_check.cancel()
        self.alyx_run_dialog.show_checking()
        self._checked = self._what_runs()
        self._check(animals, settings)

    @slot
    def _on_weight_dialog_closed(self) -> None:
        if self.alyx_run_dialog is not None and self._checked is not None:
            show_in_front(self.alyx_run_dialog)

    @slot
    def _on_checked(self, findings: tuple[Finding, ...]) -> None:
        self.alyx_check = None
        if self._is_gone():
            self.give_up_check()
            return
        if self._checked is not None and self._checked != self._what_runs():
            logger.info("Setup %s was changed while it was checked: it is checked again", self.name)
            if self.alyx_run_dialog is not None:
                self._on_weighed()
                return
            self._checked = None
            self._run_guarded()
            return
        # what the server tells of no animal is not said at each run
        findings = tuple(one for one in findings if one.checked or one.level != NOTE or one not in _shown)
        if self.alyx_run_dialog is not None:  # it asks already: nothing runs unasked after a weight
            self._restore()
            _shown.update(findings)
            self.alyx_run_dialog.show_findings(findings)
            return
        if any(finding.level != NOTE and finding.checked for finding in findings):
            self._restore()
            self._ask(findings)
            return
        self._checked = None
        self._start()
        if findings and self.status == self.STATUS_RUNNING_TASK:
            self._show_notice(findings)

    def _ask(self, findings: Sequence[Finding]) -> None:
        _shown.update(findings)
        dialog = RunCheckDialog(self.name, findings, main_window_of(self))
        self.alyx_run_dialog = dialog
        dialog.answered.connect(self._on_answered)
        dialog.weigh_pressed.connect(self._on_weigh_pressed)
        show_in_front(dialog)

    @slot
    def _on_answered(self, answer: bool | None) -> None:
        checked, self._checked, self.alyx_run_dialog = self._checked, None, None
        if self.alyx_check is not None:  # nothing runs, nor asks, once it was answered
            self.alyx_check.cancel()
            self.alyx_check = None
            self._restore()
        if not answer or self._is_gone():
            return
        if checked != self._what_runs():
            self._run_guarded()
            return
        self._start()

    def _show_notice(self, findings: tuple[Finding, ...]) -> None:
        # what was not checked is shown each time, what is so every day once
        if all(finding.level == NOTE and finding in _shown for finding in findings):
            return
        _shown.update(findings)
        dialog = RunCheckDialog(self.name, findings, main_window_of(self), runs=True)
        self.alyx_run_dialog = dialog
        dialog.answered.connect(self._on_notice_closed)
        dialog.show()

    @slot
    def _on_notice_closed(self) -> None:
        self.alyx_run_dialog = None

    def _start(self) -> None:
        if self.status != self.STATUS_READY:
            return
        try:
            super().run_task()
        except Exception as error:
            logger.exception("Setup %s could not be run", self.name)
            self.alert(str(error), "Unexpected Error")
        if self.status == self.STATUS_READY:
            self._restore()

    def _run_guarded(self) -> None:
        # as the button does
        self._restore()
        self._run_task()

    def _restore(self) -> None:
        # the buttons that were pressed look pressed
        self.update_ui()
        for subject in self.subjects:
            if not any(session.is_running for session in subject._sessions):
                subject.update_ui(False)

    def _show_checking(self) -> None:
        self._run_task_btn.checked = True
        self._run_task_btn.label = CHECKING

    def _close_dialog(self) -> None:
        dialog, self.alyx_run_dialog = self.alyx_run_dialog, None
        if dialog is not None:
            dialog.close()

    def _what_runs(self) -> tuple[Any, ...]:
        animals = tuple((subject.name, (subject.alyx or {}).get("alyx_id")) for subject in self.subjects)
        return animals, self.board, self.task, self.detached, self.project.loggeduser

    def _is_gone(self) -> bool:
        return bool(self.project.is_closed) or self not in self.experiment.setups
