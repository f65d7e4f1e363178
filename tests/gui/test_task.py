"""Work off the GUI thread: one outcome, one end, whatever the work does."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading

import pytest
from AnyQt.QtCore import QObject, QThread, QTimer
from AnyQt.QtWidgets import QApplication, QPushButton, QWidget

from alyx_connector.errors import UnreachableError
from alyx_connector.progress import Cancelled, Progress
from pybpod_alyx_module.gui import guard
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.task import Task


class Log(QObject):
    """Everything that a task sends, with whether it came in the GUI thread."""

    def __init__(self, task):
        super().__init__()
        self.sent = []
        self.threads = set()
        for name in ("progressed", "succeeded", "failed", "cancelled", "finished"):
            getattr(task, name).connect(lambda *values, name=name: self.note(name, *values))

    def note(self, name, *values):
        self.sent.append((name, *values))
        self.threads.add(QThread.currentThread() is self.thread())

    @property
    def names(self):
        return [name for name, *_values in self.sent]


def run(qtbot, work):
    task = Task(work)
    log = Log(task)
    with qtbot.waitSignal(task.finished, timeout=10_000):
        task.start()
    QApplication.processEvents()
    assert log.threads == {True}
    return log


def test_a_result_comes_once_and_in_the_gui_thread(qtbot):
    log = run(qtbot, lambda report, cancel: threading.current_thread().name)
    assert log.sent == [("succeeded", "alyx-task"), ("finished",)]


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), RuntimeError("x"), UnreachableError("x"), BaseException("x"), SystemExit(3), KeyboardInterrupt()],
    ids=lambda error: type(error).__name__,
)
def test_every_exception_is_told_and_finished_comes_all_the_same(qtbot, error):
    def work(report, cancel):
        raise error

    assert run(qtbot, work).sent == [("failed", error), ("finished",)]


def test_work_that_gives_up_is_cancelled_not_failed(qtbot):
    def work(report, cancel):
        raise Cancelled

    assert run(qtbot, work).sent == [("cancelled",), ("finished",)]


def test_progress_is_thinned_out_and_the_last_one_arrives(qtbot):
    def work(report, cancel):
        for done in range(20_000):
            report(Progress("list", done + 1, 20_000))

    log = run(qtbot, work)
    shown = [values[0].done for name, *values in log.sent if name == "progressed"]
    assert shown[-1] == 20_000
    assert len(shown) < 2_000
    assert log.names[-2:] == ["succeeded", "finished"]


def test_progress_before_a_long_silence_is_shown(qtbot):
    seen = threading.Event()

    def work(report, cancel):
        report(Progress("list", 1))
        report(Progress("list", 2))
        assert seen.wait(10)

    task = Task(work)
    task.progressed.connect(lambda progress: seen.set() if progress.done == 2 else None)
    log = Log(task)
    with qtbot.waitSignal(task.finished, timeout=10_000):
        task.start()
    assert ("succeeded", None) in log.sent


def test_cancel_settles_at_once_and_what_comes_later_is_dropped(qtbot):
    started, go_on = threading.Event(), threading.Event()
    asked = []

    def work(report, cancel):
        cancel.subscribe(lambda: asked.append(True))
        started.set()
        assert go_on.wait(10)
        report(Progress("list", 1))
        return "late"

    task = Task(work)
    log = Log(task)
    task.start()
    assert started.wait(10)
    task.cancel()
    assert log.sent == [("cancelled",), ("finished",)]
    assert asked == [True]
    assert task.settled
    go_on.set()
    qtbot.waitUntil(lambda: not task._thread.is_alive())
    QApplication.processEvents()
    task.cancel()
    assert log.sent == [("cancelled",), ("finished",)]


def test_a_window_that_is_gone_hears_nothing(qtbot):
    go_on = threading.Event()
    heard = []

    class Window(QWidget):
        @slot
        def on_result(self, result):
            heard.append(result)

    window = Window()
    task = Task(lambda report, cancel: go_on.wait(10))
    task.succeeded.connect(window.on_result)
    task.start()
    window.deleteLater()
    qtbot.waitUntil(lambda: not [one for one in QApplication.topLevelWidgets() if isinstance(one, Window)])
    with qtbot.waitSignal(task.finished, timeout=10_000):
        go_on.set()
    assert heard == []


HANGS = """
import threading, sys
from AnyQt.QtCore import QTimer
from AnyQt.QtWidgets import QApplication
from pybpod_alyx_module.gui.task import Task
application = QApplication([])
started = threading.Event()
def work(report, cancel):
    started.set()
    threading.Event().wait()
task = Task(work)
task.start()
assert started.wait(10)
QTimer.singleShot(0, application.quit)
application.exec_()
print("ended")
"""


def test_work_that_hangs_does_not_keep_pybpod_from_ending():
    ended = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout.strip()) == (0, "ended"), ended.stderr


# -- the guard around slots


def test_an_exception_in_a_slot_is_shown_and_goes_no_further(qtbot, dialogs):
    class Window(QWidget):
        @slot
        def on_click(self):
            raise ValueError("secret text")

    window = Window()
    qtbot.addWidget(window)
    button = QPushButton(window)
    button.clicked.connect(window.on_click)
    with qtbot.captureExceptions() as raised:
        button.click()
    assert raised == []
    [(title, text)] = dialogs.log
    assert title == "A fault in the Alyx plugin"
    assert "ValueError" in text
    assert "secret text" not in text


def test_a_slot_gets_as_many_arguments_as_it_takes(qtbot, dialogs):
    got = []

    class Window(QWidget):
        @slot
        def none(self):
            got.append(())

        @slot
        def one(self, checked):
            got.append(checked)

    window = Window()
    qtbot.addWidget(window)
    button = QPushButton(window)
    button.clicked.connect(window.none)
    button.clicked.connect(window.one)
    button.click()
    assert got == [(), False]
    assert dialogs.log == []


def test_a_slot_that_fails_in_another_thread_opens_nothing(qtbot, dialogs):
    @slot
    def fails():
        raise ValueError

    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    assert dialogs.log == []


def test_the_box_does_not_block_and_is_there_once(qtbot, monkeypatch):
    from AnyQt.QtWidgets import QMessageBox

    monkeypatch.undo()  # real boxes
    monkeypatch.setattr(guard, "_boxes", {})  # those of other tests were never pressed

    @slot
    def fails():
        raise ValueError

    def boxes():
        return [one for one in QApplication.topLevelWidgets() if isinstance(one, QMessageBox) and one.isVisible()]

    timer = QTimer(interval=0)
    timer.timeout.connect(fails)
    calls = []
    timer.timeout.connect(lambda: calls.append(1))
    timer.start()
    qtbot.waitUntil(lambda: len(calls) >= 5)
    timer.stop()
    (box,) = boxes()
    box.button(QMessageBox.Ok).click()
    qtbot.waitUntil(lambda: not boxes())


def test_a_box_that_goes_with_its_window_is_shown_again_and_garbage_calls_nothing(qtbot, monkeypatch):
    from AnyQt.QtWidgets import QMessageBox, QWidget

    monkeypatch.undo()  # real boxes
    monkeypatch.setattr(guard, "_boxes", {})
    for _ in range(3):
        window = QWidget()
        window.show()
        window.itself = window  # only the garbage collector takes it, in the midst of which Qt ends its box
        guard.show_error(ValueError(), window)
        (box,) = guard._boxes.values()
        assert box.isVisible()
        assert box.parent() is window
        del window, box
        gc.collect()
        (gone,) = guard._boxes.values()
        assert not guard.is_there(gone)
        del gone
    assert not [one for one in QApplication.topLevelWidgets() if isinstance(one, QMessageBox) and one.isVisible()]
