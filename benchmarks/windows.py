"""Drives the plugin's windows in the real PyBpod, in a process of its own, and prints the steps as JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QApplication

from benchmarks.beats import Beats
from pybpod_alyx_module.demo.tour import start_pybpod
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.sessions.register_several import open_sessions_window
from tests.rig_sessions import EA04, RECORDED

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.beats import Steps


class Rig:
    """PyBpod with a project that is not saved yet, and what a hand does there."""

    def __init__(self, editor: Any, address: str, username: str, password: str) -> None:
        self.editor, self.login = editor, (address, username, password)
        self.project = editor.model.create_project()
        self.project.name = "Mice"
        self.beats: Beats | None = None

    def steps(self) -> Steps:
        """Do one thing after the other."""
        yield from self._sync()
        yield from self._water()
        yield from self._outbox()
        yield from self._animal()
        yield from self._sessions()

    def _begin(self, name: str) -> None:
        assert self.beats is not None  # noqa: S101 - a programmer's mistake
        self.beats.begin(name)

    def _sync(self) -> Steps:
        self._begin("Sync to Alyx: opened")
        self.project.open_alyx_window()
        window = self.project.alyx_window
        yield lambda: window._lookup.settled
        self._begin("Sync to Alyx: connected")
        for field, text in zip(
            (window.form.address, window.form.username, window.form.password), self.login, strict=True
        ):
            field.setText(text)
        window.form.connect_button.click()
        yield lambda: not window.working
        self._begin("Sync to Alyx: subjects added")
        window.form.get_button.click()
        yield lambda: not window.working
        self._begin("the project saved")
        self.project.save(str(Path.cwd() / "Mice"))
        yield _after(0.2)
        self._begin("Sync to Alyx: connected again")
        window.form.password.setText(self.login[2])  # without it the button disconnects
        window.form.connect_button.click()
        yield lambda: not window.working
        self._begin("Sync to Alyx: nothing to change")
        window.form.get_button.click()
        yield lambda: not window.working
        self._begin("from window to window")
        for one in (self.editor.window(), window) * 2:
            one.activateWindow()
            yield _after(0.1)
        self._begin("Sync to Alyx: closed")
        window.close()
        yield _after(0.1)

    def _water(self) -> Steps:
        self._begin("Today: opened")
        self.project.open_alyx_today()
        window = self.project.alyx_today_window
        yield lambda: window.shown is not None and window.refresh_button.isEnabled()
        self._begin("Today: all ticked")
        for place in range(window.rows.rowCount()):
            window.rows.setData(window.rows.index(place, 0), Qt.Checked, Qt.CheckStateRole)
            yield lambda: True
        self._begin("Today: given")
        window.give_button.click()
        yield lambda: window.refresh_button.isEnabled()
        self._begin("Today: sent")
        yield lambda: not self._count_open()
        self._begin("Today: refreshed")
        window.refresh_button.click()
        yield lambda: window.refresh_button.isEnabled()
        self._begin("Today: closed")
        window.close()
        yield _after(0.1)

    def _outbox(self) -> Steps:
        self._begin("Alyx outbox: opened")
        self.project.open_alyx_outbox()
        window = next(one for one in QApplication.topLevelWidgets() if one.windowTitle() == "Alyx outbox")
        yield lambda: window.sent.table.items
        self._begin("Alyx outbox: what was sent")
        window.tabs.setCurrentIndex(1)
        yield _after(0.2)
        window.close()

    def _animal(self) -> Steps:
        subject = self.project.subjects[0]
        self._begin("Alyx details: opened")
        subject.open_alyx_details()
        yield _after(0.1)
        self._begin("Record weight: opened")
        subject.record_alyx_weight()
        dialog = next(one for one in QApplication.topLevelWidgets() if one.windowTitle().startswith("Record weight"))
        yield lambda: not dialog.recorder.fetching
        self._begin("Record weight: closed")
        dialog.close()
        subject.close_alyx_details()
        yield _after(0.1)

    def _sessions(self) -> Steps:
        self._begin("the project saved with a setup")
        setup = self.project.create_experiment().create_setup()
        setup.board, setup.task = self.project.create_board(), self.project.create_task()
        self.project.save()
        make_old_sessions(Path(setup.path), [subject.name for subject in self.project.subjects])
        self.project.close(silent=True)
        self._begin("a project with old sessions opened")
        self.project = self.editor.model.open_project(str(Path.cwd() / "Mice"))
        yield _after(0.2)
        self._begin("Register sessions: opened")
        window = open_sessions_window(self.project)
        yield _after(0.2)
        self._begin("Register sessions: read")
        yield lambda: not window.busy and not window._queue and all(row.prepared is not None for row in window.rows)
        self._begin("Register sessions: one answer for all")
        window.question.anyway_button.click()
        yield lambda: not window._working.isActive()
        for typed in ("", "f", "fi", "finished", ""):
            self._begin(f"Register sessions: filter {typed!r}")
            window.filter.setText(typed)
            yield _after(0.1)
        self._begin("Register sessions: all ticked")
        window.all_button.click()
        yield _after(0.1)
        self._begin("Register sessions: registered")
        window.register_button.click()
        yield lambda: not window.busy and not window._to_register
        self._begin("Register sessions: sent")
        yield lambda: not running_outbox().counts.open and all(row.registered for row in window.rows)
        self._begin("Register sessions: closed")
        window.close()
        yield _after(0.1)

    def _count_open(self) -> int:
        window = self.project.alyx_today_window
        waiting = {"waiting", "sending", "unsure"}
        return running_outbox().counts.open + sum(
            row.item is None or row.item.state.value in waiting for row in window.rows.rows
        )


def make_old_sessions(setup: Path, names: list[str]) -> None:
    """Write as many sessions into a saved setup as there are animals; they name the first one by its name only."""
    recorded = (RECORDED / "finished.csv").read_text(encoding="utf-8")
    for number in range(len(names)):
        folder = setup / "sessions" / f"old{number:04}"
        folder.mkdir(parents=True)
        uuid, text = recorded.partition("\n")[0].partition(";")[2], recorded.replace("ea04", names[0])
        text = text.replace(EA04, EA04[::-1]).replace(uuid, f"{number:08x}{uuid[8:]}")
        (folder / f"old{number:04}.csv").write_text(text, encoding="utf-8")


def _after(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def main() -> None:
    """Start PyBpod, and drive it."""
    application, window = start_pybpod()
    rig = Rig(window.centralWidget(), *json.loads(os.environ["HEARTBEAT_LOGIN"]))
    failures: list[BaseException] = []

    def ended(error: BaseException | None) -> None:
        failures.extend([error] if error is not None else [])
        QApplication.exit(0)

    rig.beats = Beats(rig.steps(), ended)
    rig.beats.start()
    application.exec_()
    if failures:
        raise failures[0]
    print(json.dumps([asdict(step) for step in rig.beats.steps]))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # Qt's objects and PyBpod's threads are not taken apart one by one
