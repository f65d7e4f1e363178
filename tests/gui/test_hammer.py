"""Every window and dialog of the plugin, hammered: each key twice without pause, each door after each other, closed or
taken away while it asks Alyx. PyBpod lives, nothing is recorded that nobody recorded, nothing goes on running."""

from __future__ import annotations

import importlib
import itertools
import pkgutil
from typing import TYPE_CHECKING, Any

import pytest
from AnyQt.QtCore import QEvent, Qt
from AnyQt.QtWidgets import QAbstractButton, QApplication, QDialog

import pybpod_alyx_module.gui
from pybpod_alyx_module.animals.checks_before_run import Finding
from pybpod_alyx_module.gui.animals.run_check_dialog import RunCheckDialog
from pybpod_alyx_module.gui.animals.water_dialog import GIVE_WATER, WaterDialog
from pybpod_alyx_module.gui.animals.weight_dialog import RECORD_WEIGHT, WeightDialog
from pybpod_alyx_module.gui.doctor.window import CheckWindow, open_check_window
from pybpod_alyx_module.gui.guard import is_there
from pybpod_alyx_module.gui.history.details_window import DetailsWindow
from pybpod_alyx_module.gui.manual.pages import RIG
from pybpod_alyx_module.gui.manual.window import ManualWindow, open_manual
from pybpod_alyx_module.gui.new_subject.window import NEW_SUBJECT, NewSubjectWindow
from pybpod_alyx_module.gui.outbox.discard_dialog import DiscardDialog
from pybpod_alyx_module.gui.outbox.edit_dialog import EditDialog
from pybpod_alyx_module.gui.outbox.recorded_by_question import RecordedByQuestion
from pybpod_alyx_module.gui.outbox.status_bar import ClosingQuestion
from pybpod_alyx_module.gui.outbox.window import OutboxWindow, open_outbox_window
from pybpod_alyx_module.gui.sessions.choose_animal import ChooseAnimalDialog
from pybpod_alyx_module.gui.sessions.move_dialog import MoveDialog, open_move_dialog
from pybpod_alyx_module.gui.sessions.register_dialog import RegisterDialog
from pybpod_alyx_module.gui.sessions.register_several import REGISTER_SEVERAL, SessionsWindow
from pybpod_alyx_module.gui.sync.history.syncs_window import SYNCS, SyncsWindow
from pybpod_alyx_module.gui.sync.history.undo_dialog import UndoDialog
from pybpod_alyx_module.gui.sync.log_in_dialog import LogInDialog
from pybpod_alyx_module.gui.sync.log_out_window import LOG_OUT, LogOutWindow
from pybpod_alyx_module.gui.sync.questions.choose_subjects import ChooseSubjectsDialog
from pybpod_alyx_module.gui.sync.questions.removals_dialog import RemovalsDialog
from pybpod_alyx_module.gui.sync.questions.review_dialog import ReviewDialog
from pybpod_alyx_module.gui.sync.sync_window import SyncWindow
from pybpod_alyx_module.gui.sync.users_window import USERS, UsersWindow
from pybpod_alyx_module.gui.sync.who_question import WhoQuestion
from pybpod_alyx_module.gui.today.in_advance_dialog import InAdvanceDialog
from pybpod_alyx_module.gui.today.sheet import SheetDialog
from pybpod_alyx_module.gui.today.window import TODAY, TodayWindow
from pybpod_alyx_module.gui.weigh_all.weigh_all_window import WEIGH_ALL, WeighAllWindow
from pybpod_alyx_module.gui.windows import AlyxWindow
from pybpod_alyx_module.outbox.items import OPEN as OPEN_STATES
from pybpod_alyx_module.outbox.items import Draft, Kind
from pybpod_alyx_module.sync.plan import Action, PlanEntry, SyncPlan
from pybpod_alyx_module.sync.snapshot import LocalSubject
from tests.gui.hands import living, plugin_threads, wait
from tests.gui.outboxes import put
from tests.gui.running import alyx, alyx_home, outbox, proxy, rig, unchecked

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["alyx", "alyx_home", "outbox", "proxy", "rig", "unchecked"]

#: Those that are never opened themselves.
BASES = {"AlyxWindow", "AnimalDialog", "Question", "RecordDialog"}

KEYS = [
    Qt.Key_Escape, Qt.Key_Return, Qt.Key_Enter, Qt.Key_Tab, Qt.Key_Backtab, Qt.Key_Space, Qt.Key_Delete,
    Qt.Key_F1, Qt.Key_F2, Qt.Key_F4, Qt.Key_F5, Qt.Key_F10, Qt.Key_A, Qt.Key_Z, Qt.Key_1, Qt.Key_Up, Qt.Key_Down,
]  # fmt: skip


class Hammer:
    """A rig with an animal, an item that waits in the outbox, and what strikes at its windows."""

    def __init__(self, rig: Any, outbox: Any, menu: Any, dialogs: Any, host: Any) -> None:
        self.rig, self.outbox, self.menu, self.dialogs, self.host = rig, outbox, menu, dialogs, host
        self.qtbot, self.project = rig.qtbot, rig.project
        self.subject = rig.subject("ea04")
        self.session: Any = None
        self.kept: list[tuple[str, dict[str, Any]]] = []

    def put(self) -> Any:
        """Put something into the outbox that is not sent: it is of a user who is not logged in."""
        values = {"weight": 24.5, "date_time": "2026-11-21T12:00:00"}
        draft = Draft(Kind.WEIGHING, self.rig.url, "nobody", self.subject.alyx["alyx_id"], "ea04", values)
        (item,) = put(self.qtbot, self.outbox, draft)
        self.kept = self.items()
        return item

    def items(self) -> list[tuple[str, dict[str, Any]]]:
        return [(item.key, dict(item.values)) for item in self.outbox.open().items()]

    def strike(self, window: Any, key: int) -> None:
        """Press a key where the keyboard is in this window, as fast as a hand cannot."""
        for _ in range(2):
            if is_there(window):  # also where the first one closed it: the second is on its way by then
                self.qtbot.keyClick(window.focusWidget() or window, key)

    def end(self, kind: type) -> None:
        """Close what is still open, by each door and by the answer that loses what was typed; see that PyBpod lives."""
        for window in living(kind):
            window.close()
            question = getattr(window, "question", None)
            if question is not None and is_shown(window) and question.isVisible():
                question.anyway_button.click()
        wait(self.qtbot, lambda: not [window for window in living(kind) if window.isVisible()])
        assert self.dialogs.log == []

    def is_calm(self) -> None:
        """See that nothing goes on, and that nothing was recorded."""
        self.rig.idle()
        wait(self.qtbot, lambda: not plugin_threads())
        assert self.dialogs.log == []
        assert self.items() == self.kept
        assert self.host.isVisible()


def is_shown(window: Any) -> bool:
    return is_there(window) and window.isVisible()


def from_menu(kind: type, label: str, node: Callable[[Hammer], Any]) -> Callable[[Hammer], Any]:
    def open_it(hammer: Hammer) -> Any:
        hammer.menu.trigger(node(hammer), label)
        (window,) = [one for one in living(kind) if one.isVisible()]
        return window

    return open_it


def of_subject(hammer: Hammer) -> Any:
    return hammer.subject.node


def of_project(hammer: Hammer) -> Any:
    return hammer.project.node


def of_session(hammer: Hammer) -> Any:
    return hammer.session.node


def from_outbox(kind: type, press: str) -> Callable[[Hammer], Any]:
    def open_it(hammer: Hammer) -> Any:
        if not hammer.outbox.open().items(OPEN_STATES):
            hammer.put()
        (item,) = hammer.outbox.open().items(OPEN_STATES)
        window = open_outbox_window(hammer.host)
        wait(hammer.qtbot, lambda: item.key in [one.key for one in window.waiting.table.items])
        window.waiting.table.select(item.key)
        getattr(window.waiting, press).click()
        (dialog,) = living(kind)
        return dialog

    return open_it


def from_today(kind: type, press: str) -> Callable[[Hammer], Any]:
    def open_it(hammer: Hammer) -> Any:
        window = OPEN[TodayWindow](hammer)
        wait(hammer.qtbot, lambda: window.refresh_button.isEnabled())
        getattr(window, press).click()
        (dialog,) = [one for one in living(kind) if one.isVisible()]
        return dialog

    return open_it


def another_animal(hammer: Hammer) -> Any:
    dialog = OPEN[RegisterDialog](hammer)
    wait(hammer.qtbot, lambda: dialog.other_button.isEnabled())
    dialog.other_button.click()
    (question,) = [one for one in living(ChooseAnimalDialog) if one.isVisible()]
    return question


def shown(make: Callable[[Hammer], QDialog]) -> Callable[[Hammer], Any]:
    def open_it(hammer: Hammer) -> Any:
        dialog = make(hammer)
        dialog.show()
        return dialog

    return open_it


def a_plan() -> SyncPlan:
    ask = PlanEntry(Action.ASK, "ea04", LocalSubject("key of ea04", "ea04"), None, (), "renamed on Alyx")
    return SyncPlan("http://127.0.0.1:8000", "jose", (ask, PlanEntry(Action.REMOVE, "dead")), True)


def findings() -> tuple[Finding, ...]:
    return (Finding("restriction", "warn", "ea04", "ea04 still needs 0.80 mL of water today."),)


OPEN: dict[type, Callable[[Hammer], Any]] = {
    WeightDialog: from_menu(WeightDialog, RECORD_WEIGHT, of_subject),
    WaterDialog: from_menu(WaterDialog, GIVE_WATER, of_subject),
    DetailsWindow: from_menu(DetailsWindow, "Alyx details", of_subject),
    TodayWindow: from_menu(TodayWindow, TODAY, of_project),
    SheetDialog: from_today(SheetDialog, "print_button"),
    InAdvanceDialog: from_today(InAdvanceDialog, "later_button"),
    CheckWindow: lambda hammer: open_check_window(hammer.host.model._what_is_here, hammer.host),
    ManualWindow: lambda hammer: open_manual(RIG, hammer.host),
    WeighAllWindow: from_menu(WeighAllWindow, WEIGH_ALL, of_project),
    OutboxWindow: from_menu(OutboxWindow, "Alyx outbox", of_project),
    SyncWindow: from_menu(SyncWindow, "Sync to Alyx", of_project),
    SessionsWindow: from_menu(SessionsWindow, REGISTER_SEVERAL, of_project),
    RegisterDialog: from_menu(RegisterDialog, "Register on Alyx…", of_session),
    ChooseAnimalDialog: another_animal,
    MoveDialog: lambda hammer: open_move_dialog(hammer.session),
    EditDialog: from_outbox(EditDialog, "edit_button"),
    DiscardDialog: from_outbox(DiscardDialog, "discard_button"),
    RecordedByQuestion: shown(lambda hammer: RecordedByQuestion(hammer.put(), ["jose", "ana"], hammer.host.window())),
    ClosingQuestion: shown(lambda hammer: ClosingQuestion(hammer.outbox, hammer.host.window())),
    ReviewDialog: shown(lambda hammer: ReviewDialog(a_plan(), hammer.host.window())),
    ChooseSubjectsDialog: shown(lambda hammer: ChooseSubjectsDialog(a_plan(), hammer.host.window())),
    RemovalsDialog: shown(lambda hammer: RemovalsDialog(a_plan(), hammer.host.window())),
    SyncsWindow: from_menu(SyncsWindow, SYNCS, of_project),
    NewSubjectWindow: from_menu(NewSubjectWindow, NEW_SUBJECT, of_project),
    UndoDialog: shown(lambda hammer: UndoDialog(a_plan(), "the sync of today", hammer.host.window())),
    UsersWindow: from_menu(UsersWindow, USERS, of_project),
    LogOutWindow: from_menu(LogOutWindow, LOG_OUT, of_project),
    LogInDialog: shown(lambda hammer: LogInDialog(hammer.rig.url, "To try it.", "jose", hammer.host.window())),
    WhoQuestion: shown(lambda hammer: WhoQuestion(hammer.outbox, hammer.rig.url, "jose", hammer.host.window())),
    RunCheckDialog: shown(lambda hammer: RunCheckDialog("setup", findings(), hammer.host.window())),
}

#: Those that ask Alyx when they are opened; the sync window when *Connect* is pressed.
ASKING = (
    DetailsWindow,
    WeightDialog,
    WaterDialog,
    TodayWindow,
    WeighAllWindow,
    SyncWindow,
    SessionsWindow,
    RegisterDialog,
    NewSubjectWindow,
)

NEED_SESSION = (SessionsWindow, RegisterDialog, ChooseAnimalDialog, MoveDialog)


@pytest.fixture(autouse=True)
def settings(pybpod_settings, monkeypatch):
    """Nothing opens by itself when a session ends."""
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_REGISTER_SESSIONS", "never", raising=False)


@pytest.fixture
def hammer(request, rig, outbox, menu, dialogs, host, proxy):
    found = Hammer(rig, outbox, menu, dialogs, host)
    if request.node.callspec.params["kind"] in NEED_SESSION:
        found.session = rig.run()
        rig.project.save()
    yield found
    proxy.release()
    for window in living(OutboxWindow):
        window.close()
    for kind in OPEN:
        for window in living(kind):
            window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.DeferredDelete)


def each(kinds):
    return pytest.mark.parametrize("kind", list(kinds), ids=lambda kind: kind.__name__)


def test_every_window_is_hammered():
    package = pybpod_alyx_module.gui
    modules = [
        importlib.import_module(found.name) for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    kinds = {
        one
        for module in modules
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, (QDialog, AlyxWindow)) and one.__module__ == module.__name__
    }
    assert {kind.__name__ for kind in kinds} - BASES == {kind.__name__ for kind in OPEN}


@each(OPEN)
def test_each_key_twice_without_pause(hammer, kind):
    for key in KEYS:
        window = OPEN[kind](hammer)
        hammer.strike(window, key)
        hammer.end(kind)
    hammer.is_calm()


def doors(window: Any) -> list[str]:
    return ["close", "Escape", *(["reject", "accept", "done"] if isinstance(window, QDialog) else [])]


def leave(hammer: Hammer, window: Any, door: str) -> None:
    if door == "Escape":
        hammer.qtbot.keyClick(window, Qt.Key_Escape)
    elif door == "done":
        window.done(0)
    else:
        getattr(window, door)()


@each(OPEN)
def test_each_door_after_each_other(hammer, kind):
    of_kind = doors(OPEN[kind](hammer))
    hammer.end(kind)
    for first, second in itertools.product(of_kind, of_kind):
        window = OPEN[kind](hammer)
        for door in (first, second):
            leave(hammer, window, door)
        hammer.end(kind)
    hammer.is_calm()


def close_project(hammer: Hammer, _window: Any) -> None:
    hammer.project.close(silent=True)


def remove_subject(hammer: Hammer, _window: Any) -> None:
    hammer.subject.remove(silent=True)


def escape_twice(hammer: Hammer, window: Any) -> None:
    hammer.strike(window, Qt.Key_Escape)


def escape_and_close(hammer: Hammer, window: Any) -> None:
    escape_twice(hammer, window)
    if is_shown(window):
        window.close()


def destroy(_hammer: Hammer, window: Any) -> None:
    window.deleteLater()
    QApplication.sendPostedEvents(window, QEvent.DeferredDelete)


def close_project_after_escape(hammer: Hammer, window: Any) -> None:
    escape_twice(hammer, window)
    close_project(hammer, window)


@each(OPEN)
def test_taken_away_by_qt(hammer, kind):
    """As a window goes with the one that it is shown in."""
    destroy(hammer, OPEN[kind](hammer))
    hammer.is_calm()
    assert is_shown(OPEN[kind](hammer))
    hammer.end(kind)
    destroy(hammer, OPEN[kind](hammer))
    hammer.project.close(silent=True)  # which closes what is open for it
    hammer.is_calm()


@pytest.mark.parametrize(
    "strike",
    [escape_twice, escape_and_close, close_project, remove_subject, close_project_after_escape, destroy],
    ids=lambda strike: strike.__name__,
)
@each(ASKING)
def test_while_it_asks_alyx(hammer, proxy, kind, strike):
    before = len(proxy.requests)
    proxy.fault("mute", times=100_000)
    window = OPEN[kind](hammer)
    if kind is SyncWindow:
        window.form.address.setText(hammer.rig.url)
        window.form.username.setText("jose")
        window.form.password.setText("jose-demo")
        window.form.connect_button.click()
    wait(hammer.qtbot, lambda: len(proxy.requests) > before)
    strike(hammer, window)
    hammer.rig.idle()
    proxy._faults.clear()
    proxy.release()
    hammer.is_calm()
    assert hammer.project.is_closed is (strike in (close_project, close_project_after_escape))
    if not hammer.project.is_closed and (hammer.subject in hammer.project.subjects or kind is TodayWindow):
        again = OPEN[kind](hammer)
        assert is_shown(again)
    hammer.end(kind)
    hammer.is_calm()


def press_twice(hammer: Hammer, button: Any) -> None:
    for _ in range(2):
        hammer.qtbot.keyClick(button, Qt.Key_Space)


@pytest.mark.parametrize("kind", [TodayWindow])
def test_given_twice_without_pause_is_recorded_once(hammer, kind):
    window = OPEN[kind](hammer)
    wait(hammer.qtbot, lambda: window.rows.rows)
    window.rows.setData(window.rows.index(0, 0), Qt.Checked, Qt.CheckStateRole)
    press_twice(hammer, window.give_button)
    wait(hammer.qtbot, lambda: window.rows.rows[0].item is not None)
    hammer.rig.idle()
    assert len(hammer.items()) == 1
    hammer.end(kind)


@pytest.mark.parametrize("kind", [RegisterDialog])
def test_registered_twice_without_pause_is_recorded_once(hammer, kind):
    OPEN[kind](hammer)
    dialog = hammer.rig.dialog(hammer.session)
    dialog.form.water.amount.setText("0")
    press_twice(hammer, dialog.register_button)
    wait(hammer.qtbot, lambda: hammer.session.alyx_dialog is None)
    assert [item.kind for item in hammer.outbox.open().items()] == [Kind.SESSION]
    hammer.end(kind)


def buttons(window: Any) -> list[str]:
    """Return the texts of what can be pressed in a window."""
    found = [one for one in window.findChildren(QAbstractButton) if one.isVisible() and one.isEnabled()]
    return [one.text() for one in found if one.text()]


@each(OPEN)
def test_each_button_twice_without_pause(hammer, kind):
    for text in buttons(OPEN[kind](hammer)):
        hammer.end(kind)
        window = OPEN[kind](hammer)
        (button, *_) = [one for one in window.findChildren(QAbstractButton) if one.text() == text]
        for _ in range(2):
            if is_there(button):
                hammer.qtbot.keyClick(button, Qt.Key_Space)
        hammer.rig.idle()
        assert hammer.dialogs.log == []
        assert hammer.host.isVisible()
        wait(hammer.qtbot, lambda: not plugin_threads())
    hammer.end(kind)
