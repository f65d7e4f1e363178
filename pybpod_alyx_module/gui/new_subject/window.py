"""The window *New subject on Alyx*, for an animal that the project does not have, or for one of its own subjects."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtCore import Qt, QTimer
from AnyQt.QtWidgets import QApplication, QPlainTextEdit, QPushButton, QVBoxLayout

from alyx_connector.errors import AlyxError, InvalidDataError
from pybpod_alyx_module.errors import MaybeMadeError
from pybpod_alyx_module.gui.guard import override, slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.new_subject.form import SubjectForm
from pybpod_alyx_module.gui.new_subject.open_facts import opening
from pybpod_alyx_module.gui.question_frame import QuestionFrame
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.show_in_front import show_in_front
from pybpod_alyx_module.gui.sync.plan_run import PlanRun
from pybpod_alyx_module.gui.sync.sync_window import SAVE_FIRST, open_sync_window
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.gui.widgets import BigLabel, Scrolled, button_row, plain_label
from pybpod_alyx_module.gui.windows import AlyxWindow, main_window_of, press_focused, resize_to_screen
from pybpod_alyx_module.gui.words import without_long_words
from pybpod_alyx_module.host.alyx_user import alyx_user
from pybpod_alyx_module.host.project import HostProject
from pybpod_alyx_module.new_subject.draft import filled, problems
from pybpod_alyx_module.new_subject.link import plan_of_one
from pybpod_alyx_module.new_subject.make_subject import AlreadyThere, Made, Namesakes, make_subject, rows_of
from pybpod_alyx_module.read_settings import read_settings
from pybpod_alyx_module.sync.last_sync import note_sync

if TYPE_CHECKING:
    from collections.abc import Callable

    from AnyQt.QtGui import QCloseEvent, QKeyEvent

    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.gui.new_subject.open_facts import Opened
    from pybpod_alyx_module.host.pybpod_objects import Project, Subject
    from pybpod_alyx_module.sync.apply import Result
    from pybpod_alyx_module.sync.snapshot import RemoteSubject

#: Labels of the menu entries of a project, and of a subject that is not linked.
NEW_SUBJECT: Final = "New subject on Alyx…"
SEND_SUBJECT: Final = "Send to Alyx…"

#: What is said where the server refused fields, each of which has its reason below it.
NOT_TAKEN: Final = "Alyx refused this; nothing was made. Correct what is marked, then press Make it on Alyx again."

#: Milliseconds without a key before Alyx is asked about a nickname.
_PAUSE_MS: Final = 400


class NewSubjectWindow(AlyxWindow):
    """Makes an animal on Alyx, then adds it to the project, or links it to the project's subject."""

    def __init__(self, project: Project, subject: Subject | None = None) -> None:
        super().__init__(main_window_of(project))
        self.project = project
        self._key = subject.alyx_key if subject is not None else ""
        self._name = subject.name if subject is not None else ""
        self._opened: Opened | None = None
        self._task: Task | None = None
        self._look: Task | None = None
        self._run: PlanRun | None = None
        #: What was sent, where no answer told what became of it.
        self._unsure: dict[str, str] | None = None
        #: What was seen on Alyx of a nickname.
        self._seen: tuple[str, str] = "", ""
        self._anyway: Callable[[], object] = self.close
        self._may_close = self._is_done = False
        self.setWindowTitle(f"Send {self._name} to Alyx" if self._key else "New subject on Alyx")
        resize_to_screen(self, 620, 700)
        self.form = SubjectForm()
        self.heading = BigLabel(self.windowTitle(), points=4)
        self.where = plain_label()
        self.status = plain_label()
        self.question = QuestionFrame(self._on_anyway, self._on_back)
        self.connect_button = QPushButton("&Connect…")
        self.make_button = QPushButton("&Make it on Alyx")
        self.close_button = QPushButton("&Close")
        column = QVBoxLayout(self)
        column.addWidget(self.heading)
        column.addWidget(self.where)
        column.addWidget(Scrolled(self.form), 1)
        column.addWidget(self.status)
        column.addWidget(self.question)
        column.addLayout(button_row(self.make_button, self.close_button, left=self.connect_button))
        self._pause = QTimer(self, interval=_PAUSE_MS, singleShot=True)
        self._pause.timeout.connect(self._look_up)
        self.form.changed.connect(self._on_typed)
        self.make_button.clicked.connect(self.make)
        self.close_button.clicked.connect(self.close)
        self.connect_button.clicked.connect(self._on_connect)
        running_outbox().users_changed.connect(self._on_users_changed)
        self.form.fields["nickname"].setText(self._name)
        self._initial = self.form.values()
        self.form.go_to("nickname")
        self._open()

    @property
    def is_busy(self) -> bool:
        """Whether Alyx is being asked, or the project changed."""
        return self._task is not None or self._run is not None

    @property
    def subject_key(self) -> str:
        """Names the project's subject that is sent; empty where a new one is added."""
        return self._key

    @property
    def unrecorded(self) -> str:
        """What was typed and is not on Alyx, for people."""
        typed = not self._is_done and (self.form.values() != self._initial or self.is_making)
        return f"the new subject {self.form.values()['nickname']}".rstrip() if typed else ""

    @property
    def is_making(self) -> bool:
        """Whether it is being made."""
        return self.is_busy and self._opened is not None

    # What the server takes ---------------------------------------------------------------------------------------

    def _open(self) -> None:
        settings = read_settings()
        project = self.project
        work = opening(running_outbox(), project.alyx_account, alyx_user(project), settings.address, settings.username)
        self.status.setText("Asking Alyx what it takes…")
        self._task = start_task(
            Task(work, "alyx-new-subject"), succeeded=self._on_opened, failed=self._on_failed, finished=self._on_over
        )
        self._update()

    @slot
    def _on_opened(self, opened: Opened) -> None:
        untouched = self.form.values() == self._initial
        self._opened = opened
        self.where.setText(f"at {opened.facts.server} as {opened.facts.username}")
        self.status.clear()
        self.form.know(opened.facts)
        if untouched:
            self._initial = self.form.values()
        self._on_typed()

    @slot
    def _on_users_changed(self) -> None:
        if self._opened is None and not self.is_busy and self.isVisible():
            self._open()

    @slot
    def _on_connect(self) -> None:
        open_sync_window(self.project)

    @slot
    def _on_over(self) -> None:
        self._task = None
        self._update()

    def _update(self) -> None:
        ready = not self.is_busy and not self._is_done
        asks = not self.question.isHidden()
        self.form.setEnabled(not self.is_making and not self._is_done and not asks)
        self.make_button.setVisible(not self._is_done and not asks)
        self.make_button.setEnabled(ready and self._opened is not None)
        self.connect_button.setVisible(ready and self._opened is None)

    # What is typed -----------------------------------------------------------------------------------------------

    def _problems(self) -> dict[str, str]:
        opened = self._opened
        if opened is None:
            return {}
        names = HostProject(self.project, running_outbox().hold).names()
        others = [name for key, name in names.items() if key != self._key]
        return problems(self.form.values(), opened.facts, others, dt.datetime.now().astimezone().date())

    @slot
    def _on_typed(self) -> None:
        if self._opened is None or self._is_done:
            return
        values = self.form.values()
        found = {name: sentence for name, sentence in self._problems().items() if values[name]}
        nickname = values["nickname"]
        if "nickname" not in found and nickname:
            if self._seen[0] == nickname:
                found["nickname"] = self._seen[1]
            else:
                self._pause.start()
            if self._key and nickname != self._name:
                renamed = f"The subject {self._name} of this project is then renamed, too."
                found["nickname"] = f"{found.get('nickname', '')} {renamed}".strip()
        self.form.say(found)

    @slot
    def _look_up(self) -> None:
        opened, nickname = self._opened, self.form.values()["nickname"]
        if opened is None or self.is_busy or not nickname or "nickname" in self._problems():
            return
        if self._look is not None:
            self._look.cancel()

        def work(report: Report, cancel: CancelToken) -> tuple[str, list[str]]:
            del report
            return nickname, [str(row.get("lab")) for row in rows_of(opened.client, nickname, cancel)]

        self._look = start_task(Task(work, "alyx-look-up-nickname"), succeeded=self._on_looked_up)

    @slot
    def _on_looked_up(self, seen: tuple[str, list[str]]) -> None:
        nickname, labs = seen
        where = " and ".join(f"lab {lab}" for lab in sorted(labs))
        self._seen = nickname, f"Alyx already has an animal of this nickname in {where}." if labs else ""
        self._on_typed()

    # Making ------------------------------------------------------------------------------------------------------

    @slot
    def make(self) -> None:
        """Check what was typed, look it up, and make the animal on Alyx."""
        self._make(with_namesakes=False)

    def _make(self, *, with_namesakes: bool) -> None:
        opened = self._opened
        if opened is None or self.is_busy or self._is_done:
            return
        if found := self._problems():
            self.form.say(found)
            self.form.go_to(next(name for name in self.form.fields if name in found))
            return
        if self._key and self._key not in HostProject(self.project, running_outbox().hold).names():
            self.status.setText(f"{self._name} is no longer in the PyBpod project. Nothing was sent.")
            return
        values, unsure = filled(self.form.values(), opened.facts), self._unsure
        self._sent = values

        def work(report: Report, cancel: CancelToken) -> Made | AlreadyThere | Namesakes:
            del report
            return make_subject(
                opened.client, opened.facts, values, cancel, unsure=unsure, with_namesakes=with_namesakes
            )

        self.status.setText(f"Making {values['nickname']} at {opened.facts.server}…")
        self._pause.stop()
        self._task = start_task(
            Task(work, "alyx-make-subject"), succeeded=self._on_answer, failed=self._on_failed, finished=self._on_over
        )
        self._update()

    @slot
    def _on_answer(self, answer: Made | AlreadyThere | Namesakes) -> None:
        self.status.clear()
        nickname = self._sent["nickname"]
        if isinstance(answer, Made):
            self._is_done, self._unsure = True, None
            self._take(answer.animal, f"{answer.animal.nickname} is on Alyx, in lab {answer.animal.lab}")
        elif isinstance(answer, AlreadyThere):
            there = answer.animal
            self._ask(
                f"Alyx already has {there.nickname} in lab {there.lab} (responsible user {there.responsible_user}). "
                "No second one was made.",
                f"&Link {self._name} to that one" if self._key else "&Add that one to the project",
                partial(self._take, there, f"{there.nickname} was on Alyx already"),
            )
        else:
            labs = " and ".join(sorted(f"lab {one.lab}" for one in answer.subjects))
            self._ask(
                f"Alyx already has an animal called {nickname} in {labs}. Where two animals have one nickname, Alyx "
                "may refuse weights, water and sessions of both. Nothing was made.",
                "Make it &all the same",
                partial(self._make, with_namesakes=True),
            )

    def _take(self, remote: RemoteSubject, told: str) -> None:
        opened = self._opened
        if opened is None:
            return
        self._told = told
        port = HostProject(self.project, running_outbox().hold)
        try:
            plan = plan_of_one(opened.facts.server, port.subjects(), remote, self._key)
        except AlyxError as error:
            self._on_not_taken(error)
            return
        self._run = run = PlanRun(plan, port)
        run.succeeded.connect(partial(self._on_taken, port))
        run.failed.connect(self._on_not_taken)
        run.start()
        self._update()

    @slot
    def _on_taken(self, port: HostProject, results: tuple[Result, ...]) -> None:
        run, self._run = self._run, None
        opened = self._opened
        if run is None or opened is None:
            return
        if refused := [result.message for result in results if not result.applied]:
            self.status.setText(f"{self._told}, but the project was not changed: {refused[0]}.")
        else:
            self._is_done = True
            note_sync(port, results, server=opened.facts.server, username=opened.facts.username, time=run.time)
            did = f"the project's subject {self._name} is linked to it" if self._key else "and in the PyBpod project"
            self.status.setText(f"{self._told}, {did}. {SAVE_FIRST}")
        self._update()
        self.close_button.setFocus()

    @slot
    def _on_not_taken(self, error: BaseException) -> None:
        self._run = None
        self.status.setText(without_long_words(f"{self._told}. {describe(error).text}"))
        self._update()

    @slot
    def _on_failed(self, error: BaseException) -> None:
        if isinstance(error, MaybeMadeError):
            self._unsure = self._sent
        refused = error.fields if isinstance(error, InvalidDataError) else {}
        said = {name: f"Alyx: {' '.join(reasons)}" for name, reasons in refused.items() if name in self.form.fields}
        self.form.say(said)
        at_fields = bool(said) and said.keys() == refused.keys()
        self.status.setText(NOT_TAKEN if at_fields else without_long_words(describe(error).text))
        for name in list(said)[:1]:
            QTimer.singleShot(0, partial(self.form.go_to, name))

    # Questions and closing ---------------------------------------------------------------------------------------

    def _ask(self, text: str, anyway: str, then: Callable[[], object], back: str = "Go &back") -> None:
        self._anyway = then
        self.question.ask(without_long_words(text), anyway, back)
        self._update()

    @slot
    def _on_anyway(self) -> None:
        self.question.hide()
        self._update()
        self._anyway()

    @slot
    def _on_back(self) -> None:
        self.question.hide()
        self._update()
        self.form.go_to("nickname")

    def _close_anyway(self) -> None:
        self._may_close = True
        self.close()

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter makes the animal, or presses the button that has the keyboard; Escape closes."""
        if event.key() in (Qt.Key_Return, Qt.Key_Enter):
            if press_focused(self) or isinstance(self.focusWidget(), QPlainTextEdit):
                return
            if self.make_button.isVisible():
                self.make_button.click()
            return
        super().keyPressEvent(event)

    @override
    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Ask before what was typed is lost."""
        asks = self.unrecorded and not (self._may_close or self.project.is_closed)
        if asks and not QApplication.instance().isSavingSession():
            event.ignore()
            show_in_front(self)
            why = (
                "Alyx has not answered yet: it may be made all the same. The next sync shows it."
                if self.is_making or self._unsure
                else "What you typed was not sent to Alyx."
            )
            self._ask(why, "Close &without making it", self._close_anyway)
            return
        for task in (self._task, self._look):
            if task is not None:
                task.cancel()
        super().closeEvent(event)
        self.deleteLater()


def open_new_subject(project: Project, subject: Subject | None = None) -> NewSubjectWindow:
    """Show the window of a project, or of a subject of it that is not linked: the one that is open, or a new one."""
    key = subject.alyx_key if subject is not None else ""
    shown = [one for one in QApplication.topLevelWidgets() if isinstance(one, NewSubjectWindow) and one.isVisible()]
    same = [one for one in shown if one.project is project and one.subject_key == key]
    window: Any = same[0] if same else NewSubjectWindow(project, subject)
    show_in_front(window)
    return window


def close_new_subject_windows(project: Project) -> None:
    """Close those of a project that was closed."""
    for one in QApplication.topLevelWidgets():
        if isinstance(one, NewSubjectWindow) and one.project is project:
            one.close()
