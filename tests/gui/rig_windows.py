"""A PyBpod project whose subjects are animals of a sandbox, an outbox that sends, and what a hand does there."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from AnyQt.QtCore import Qt

from alyx_connector.accounts import Accounts
from alyx_connector.http.client import AlyxClient
from pybpod_alyx_module.gui import running_outbox as running
from pybpod_alyx_module.gui.animals.record_dialog import RecordDialog
from pybpod_alyx_module.gui.animals.run_check_dialog import RunCheckDialog
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.host.project import HostProject
from tests.fault_proxy import FaultProxy
from tests.gui.hands import alyx_home, living, wait
from tests.sandbox_server import SandboxServer
from tests.system.animals.rig_lab import write_lab

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Bench", "alyx", "alyx_home", "bench", "outbox", "proxy"]


class Alyx:
    """The sandbox, and what is on it."""

    def __init__(self, server: SandboxServer) -> None:
        self.client = AlyxClient(server.url)
        self.url, self.username = self.client.url, server.username
        self.token = self.client.login(server.username, server.password)

    def row(self, nickname: str) -> dict[str, Any]:
        named = self.client.list("subjects", {"nickname": nickname})
        own = [row for row in named if row["responsible_user"] == self.username]
        (row,) = own or named
        return row

    def of(self, route: str, nickname: str) -> list[dict[str, Any]]:
        return self.client.list(route, {"django": f"subject__pk,{self.row(nickname)['id']}"})


@pytest.fixture(scope="module")
def alyx(tmp_path_factory) -> Iterator[Alyx]:
    """A sandbox of the module's own: it is written to."""
    lab = write_lab(tmp_path_factory.mktemp("lab"))
    with SandboxServer("--throttle", "off", "--lab", str(lab)) as server:
        alyx = Alyx(server)
        yield alyx
        alyx.client.close()


@pytest.fixture
def proxy(alyx) -> Iterator[FaultProxy]:
    """What stands between PyBpod and the server."""
    with FaultProxy(alyx.url) as proxy:
        yield proxy


@pytest.fixture
def outbox(alyx_home) -> Iterator[running.RunningOutbox]:
    """The outbox of this PyBpod, whose requests live one second."""
    running.stop_outbox()
    outbox = running.RunningOutbox(life_s=1.0)
    running._running.append(outbox)
    outbox.start()
    yield outbox
    for dialog in [*living(RecordDialog), *living(RunCheckDialog)]:
        dialog.close()
        if isinstance(dialog, RecordDialog) and dialog.question.isVisible():
            dialog.go_ahead()  # what was typed is asked about
    running.stop_outbox()


class Bench:
    """A project with animals of the sandbox; jose is logged in."""

    def __init__(self, project: Any, alyx: Alyx, qtbot: Any, menu: Any, url: str) -> None:
        self.project, self.alyx, self.qtbot, self.menu, self.url = project, alyx, qtbot, menu, url

    def log_in(self) -> None:
        Accounts().remember(self.url, self.alyx.username, self.alyx.token, keep_token=True)

    def subject(self, nickname: str, **changed: Any) -> Any:
        record = {**self.alyx.row(nickname), "alyx_server": self.url, **changed}
        HostProject(self.project, running_outbox().hold).add(nickname, record.pop("id"), record)
        return self.project.subjects[-1]

    def open(self, kind: type, nickname_or_subject: Any, label: str) -> Any:
        """Choose from the menu of a subject, and wait until Alyx was asked."""
        subject = nickname_or_subject
        if isinstance(subject, str):
            subject = self.subject(subject)
        self.menu.trigger(subject.node, label)
        (dialog,) = [one for one in living(kind) if one.isVisible()]
        self.asked(dialog)
        return dialog

    def asked(self, dialog: Any) -> None:
        wait(self.qtbot, lambda: not dialog.recorder.fetching)

    def recorded(self, dialog: Any) -> None:
        """Wait until what was recorded is on Alyx."""
        wait(self.qtbot, lambda: "It is on Alyx." in dialog.status.text())

    def type(self, field: Any, text: str) -> None:
        field.selectAll()
        self.qtbot.keyClick(field, Qt.Key_Delete)
        self.qtbot.keyClicks(field, text)


@pytest.fixture
def bench(project, alyx, outbox, qtbot, menu) -> Bench:
    """A project that is logged in, without a proxy."""
    bench = Bench(project, alyx, qtbot, menu, alyx.url)
    bench.log_in()
    return bench


def lab_today() -> dt.date:
    """Return the day in the lab, whose zone is UTC."""
    return dt.datetime.now(dt.timezone.utc).date()
