"""A rig: an Alyx, a real protocol process that writes PyBpod's own messages, and the outbox.

The Alyx is the sandbox, or the real one that ``ALYX_TEST_URL`` names.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from AnyQt.QtWidgets import QApplication

from alyx_connector.accounts import Accounts
from alyx_connector.http.client import AlyxClient
from pybpod_alyx_module.gui import running_outbox as running
from pybpod_alyx_module.gui.animals.run_check_dialog import RunCheckDialog
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.sessions.register_dialog import RegisterDialog
from pybpod_alyx_module.host.project import HostProject
from pybpod_alyx_module.host.project_user import log_in_user
from pybpod_alyx_module.rig_settings import CHECKS
from tests.contract.alyx_under_test import AlyxUnderTest, given_server
from tests.fault_proxy import FaultProxy
from tests.gui.hands import alyx_home, living, wait
from tests.gui.hands import press as press_button
from tests.rig_sessions import BPOD
from tests.sandbox_server import SandboxServer

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["alyx", "alyx_home", "outbox", "proxy", "rig"]

#: How the protocol goes on after three trials and 0.009 mL of water.
ENDS = {
    "by itself": "bpod.close()\n",
    "when told": """
import sys
bpod.begin()
for line in sys.stdin:
    if line.startswith(('close', 'kill')):
        break
bpod.end(broken_off=True)
bpod.close()
""",
    "with an error": "bpod.close()\nraise SystemExit('a part of the rig is missing')\n",
    "with a crash": "bpod.begin()\nimport os\nos._exit(1)\n",
}


class Lab:
    """What there is on the server, as an administrator sees it."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self.client = AlyxClient(url)
        self.url, self.username, self.password = self.client.url, username, password
        self.token = self.client.login(username, password)

    def row(self, nickname: str) -> dict[str, Any] | None:
        """Return an animal as the server has it."""
        rows = self.client.list("subjects", {"nickname": nickname})
        return next((row for row in rows if row["nickname"] == nickname), None)

    def of(self, route: str, nickname: str) -> list[dict[str, Any]]:
        """Return the rows of an animal that are there."""
        return self.client.list(route, {"django": f"subject__pk,{self.row(nickname)['id']}"})

    def sessions(self, nickname: str, project: str) -> list[dict[str, Any]]:
        """Return an animal's sessions of a PyBpod project, in full."""
        found = self.client.list(
            "sessions", {"django": f"json__pybpod__project,{project},subject__pk,{self.row(nickname)['id']}"}
        )
        return [self.client.get(("sessions", row["id"])) for row in found]


@pytest.fixture(scope="module")
def alyx() -> Iterator[Lab]:
    """A sandbox of the module's own, or the real Alyx that the environment names: sessions are written to it."""
    given = given_server()
    if given is not None:
        if not AlyxUnderTest(*given).may_write:
            pytest.skip("sessions are written only to a server on this machine, or with ALYX_TEST_WRITE=1")
        lab = Lab(*given)
        yield lab
        lab.client.close()
        return
    with SandboxServer("--throttle", "off") as server:
        lab = Lab(server.url, server.username, server.password)
        yield lab
        lab.client.close()


@pytest.fixture
def proxy(alyx) -> Iterator[FaultProxy]:
    """What stands between PyBpod and the server."""
    with FaultProxy(alyx.url) as proxy:
        yield proxy


@pytest.fixture
def outbox(alyx_home) -> Iterator[running.RunningOutbox]:
    """The outbox of this PyBpod, whose requests live one second."""
    outbox = running.RunningOutbox(life_s=1.0)
    running.stop_outbox()
    running._running.append(outbox)
    outbox.start()
    yield outbox
    running.stop_outbox()
    for dialog in [*living(RegisterDialog), *living(RunCheckDialog)]:
        dialog.close()


@pytest.fixture(autouse=True)
def counted_water(pybpod_settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked when a session ends; the protocol counts its water."""
    for name, value in {"REGISTER_SESSIONS": "never", "WATER_VARIABLE": "reward_ml", "WATER_UNIT": "mL"}.items():
        monkeypatch.setattr(pybpod_settings, f"ALYX_PLUGIN_{name}", value, raising=False)


@pytest.fixture(autouse=True)
def no_boxes(dialogs: Any) -> Iterator[None]:
    """See that nothing was told in a box."""
    yield
    assert dialogs.log == []


class Rig:
    """A saved project with a setup, a board and a protocol, connected to Alyx as jose."""

    def __init__(self, project: Any, alyx: Lab, url: str, qtbot: Any) -> None:
        self.project, self.alyx, self.url, self.qtbot = project, alyx, url, qtbot
        self.setup: Any = None

    def subject(self, nickname: str, *, ticked: bool = True, **changed: Any) -> Any:
        """Add an animal of Alyx to the project, and to the setup where it is ticked there."""
        row = self.alyx.row(nickname)
        if row is None:
            pytest.skip(f"the lab has no {nickname}")
        record = {**row, "alyx_server": self.url, "alyx_synced_at": "2026-11-19T10:00:00+00:00", **changed}
        alyx_id = record.pop("id")
        HostProject(self.project, running_outbox().hold).add(nickname, alyx_id, record)
        subject = self.project.subjects[-1]
        if ticked:
            self.setup += subject
        self.project.save()
        return subject

    def fresh(self) -> str:
        """Return the name of an animal of the user that no other has, without a session since yesterday."""
        rows = self.alyx.client.list("subjects", {"responsible_user": self.alyx.username, "alive": "True"})
        since = (datetime.datetime.now().astimezone() - datetime.timedelta(days=1)).date()
        for row in rows:
            chosen = f"subject__pk,{row['id']},start_time__date__gte,{since}"
            alike = self.alyx.client.list("subjects", {"nickname": row["nickname"]})
            if len(alike) == 1 and not self.alyx.client.list("sessions", {"django": chosen}):
                return str(row["nickname"])
        pytest.skip("each animal of this user has a session")

    def protocol(self, end: str = "by itself") -> None:
        Path(self.setup.task.filepath).write_text(BPOD + ENDS[end])

    def start(self) -> Any:
        """Press Run, and Run again where the check before it asks; return the session that runs."""
        names = {session.name for session in self.setup.sessions}
        wait(self.qtbot, lambda: datetime.datetime.now().astimezone().strftime("%Y%m%d-%H%M%S") not in names)
        self.setup._run_task()
        wait(self.qtbot, lambda: self._started(names) or self._asks())
        if not self._started(names):
            press_button(self.qtbot, self.setup.alyx_run_dialog.run_button)
        self.setup.board._timer.setInterval(20)  # PyBpod itself looks twice a second how the protocol goes
        return self._started(names)

    def run(self, end: str = "by itself", press: str | None = None, *, detached: bool = False) -> Any:
        """Run, perhaps press Stop or Kill once three trials are over, and wait until PyBpod is ready again."""
        self.protocol(end)
        self.setup.detached = detached
        session = self.start()
        if press is not None:
            file = Path(session.path, f"{session.name}.csv")
            wait(self.qtbot, lambda: file.exists() and file.read_text().count("TRIAL;") >= 4)
            {"Stop": self.setup.stop_task, "Kill": self.setup.kill_task}[press]()
        wait(self.qtbot, lambda: self.setup.status == self.setup.STATUS_READY)
        return session

    def _started(self, names: set[str]) -> Any:
        return next((session for session in self.setup.sessions if session.name not in names), None)

    def _asks(self) -> bool:
        # a notice of an earlier run may still be up while the next is checked
        return self.setup.alyx_check is None and self.setup.alyx_run_dialog is not None

    def dialog(self, session: Any) -> RegisterDialog:
        """Wait for the dialog of a session, and until it knows what it asks."""
        wait(self.qtbot, lambda: session.alyx_dialog is not None)
        dialog = session.alyx_dialog
        wait(self.qtbot, lambda: not dialog.busy)
        return dialog

    def on_alyx(self, session: Any) -> None:
        """Wait until a session was sent."""
        wait(self.qtbot, lambda: session.alyx_registration_state.sent)

    def written(self, nickname: str) -> list[dict[str, Any]]:
        """Return the animal's sessions of this project on Alyx."""
        return self.alyx.sessions(nickname, self.project.name)

    def zone(self, nickname: str) -> ZoneInfo:
        """Return the time zone of an animal's lab."""
        lab = self.alyx.row(nickname)["lab"]
        return next(ZoneInfo(row["timezone"]) for row in self.alyx.client.list("labs") if row["name"] == lab)

    def idle(self) -> None:
        """Wait until what PyBpod's own event loop has in store was done."""
        for _ in range(3):
            QApplication.processEvents()


@pytest.fixture
def unchecked(pybpod_settings, monkeypatch) -> None:
    """Let Run start at once: what is checked before has tests of its own."""
    for check in CHECKS.values():
        monkeypatch.setattr(pybpod_settings, check, "off", raising=False)


@pytest.fixture
def rig(project, alyx, proxy, outbox, unchecked, tmp_path, qtbot) -> Rig:
    """A rig without animals yet; its server stands behind the proxy."""
    project.name = f"Mice-{uuid4().hex[:12]}"  # tells the sessions of one test from those of another
    project.save(str(tmp_path / project.name))
    board = project.create_board()
    board.name, board.serial_port = "box1", "/dev/ttyFAKE"
    task = project.create_task()
    task.name = "wait_task"
    project.save()
    found = Rig(project, alyx, proxy.url, qtbot)
    found.setup = project.create_experiment().create_setup()
    found.setup.board, found.setup.task = board, task
    log_in_user(project, alyx.username)
    Accounts().remember(proxy.url, alyx.username, alyx.token)
    project.save()
    return found
