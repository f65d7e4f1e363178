"""The outbox of the PyBpod under test, a lab for it, and what is seen of it in the windows."""

from __future__ import annotations

from typing import Any

import pytest

from alyx_connector import AlyxClient
from alyx_connector.accounts import Accounts
from pybpod_alyx_module.gui import running_outbox as running
from pybpod_alyx_module.gui.outbox.window import OutboxWindow, open_outbox_window
from pybpod_alyx_module.outbox.items import Draft, Kind
from tests.fault_proxy import FaultProxy
from tests.gui.hands import living, wait
from tests.sandbox_server import SandboxServer


class Lab:
    """A sandbox behind a proxy, as jose sees it."""

    def __init__(self, server: SandboxServer, proxy: FaultProxy) -> None:
        self.server, self.proxy = server, proxy
        self.url, self.username = proxy.url, server.username
        self.client = AlyxClient(server.url)
        self.token = self.client.login(server.username, server.password)
        rows = self.client.list("subjects", {"responsible_user": self.username})
        self.ids = {row["nickname"]: row["id"] for row in rows}

    def log_in(self) -> None:
        """Leave a token in the store, as *Remember me* does."""
        Accounts().remember(self.url, self.username, self.token, keep_token=True)

    def weighing(self, name: str = "ea04", weight: float = 24.5, **more: Any) -> Draft:
        return self.draft(Kind.WEIGHING, name, {"weight": weight, "date_time": "2026-11-21T12:00:00"}, **more)

    def water(self, name: str = "ea04", amount: float = 0.8, **more: Any) -> Draft:
        values = {"water_administered": amount, "date_time": "2026-11-21T12:05:00"}
        return self.draft(Kind.WATER, name, {**values, **more.pop("values", {})}, **more)

    def session(self, name: str = "ea04", **values: Any) -> Draft:
        return self.draft(
            Kind.SESSION, name, {"start_time": "2026-11-21T10:00:00", "task_protocol": "wait_task", **values}
        )

    def draft(self, kind: Kind, name: str, values: dict[str, Any], **more: Any) -> Draft:
        known = {"server": self.url, "username": self.username, "subject_id": self.ids.get(name, more.pop("id", ""))}
        return Draft(kind=kind, subject_name=name, values=values, **{**known, **more})

    def on_alyx(self, route: str, server_id: str) -> dict[str, Any]:
        return self.client.list(route, {"django": f"pk,{server_id}"})[0]


@pytest.fixture(scope="module")
def alyx():
    """A sandbox of the module's own: it is written to."""
    with SandboxServer("--throttle", "off") as server:
        yield server


@pytest.fixture
def lab(alyx):
    with FaultProxy(alyx.url) as proxy:
        lab = Lab(alyx, proxy)
        yield lab
        lab.client.close()


@pytest.fixture
def start(host, alyx_home, qtbot):
    """Give a function that starts the outbox of this PyBpod, again, too, as PyBpod's start does."""

    def begin(life_s=1.0):
        running.stop_outbox()
        outbox = running.RunningOutbox(life_s)
        running._running.append(outbox)
        outbox.start()
        wait(qtbot, lambda: host.model.alyx_outbox is not None)
        host.model.alyx_outbox.follow(outbox)
        return outbox

    yield begin
    for window in living(OutboxWindow):
        window.close()
    running.stop_outbox()
    host.model.alyx_outbox.follow(running.RunningOutbox())


@pytest.fixture
def outbox(start):
    return start()


def finished(qtbot, task):
    """Start a task, wait, and return what it gave."""
    given, failed = [], []
    task.succeeded.connect(given.append)
    task.failed.connect(failed.append)
    task.start()
    wait(qtbot, lambda: task.settled)
    if failed:
        raise failed[0]
    return given[0]


def put(qtbot, outbox, *drafts):
    return finished(qtbot, outbox.add(*drafts))


def item(qtbot, outbox, key):
    return finished(qtbot, outbox.read(lambda opened: opened.item(key)))


def wait_for(qtbot, outbox, key, state):
    """Wait until an item is in a state, and return it."""
    found = []

    def reached():
        found[:] = [item(qtbot, outbox, key)]
        return found[0].state is state

    try:
        wait(qtbot, reached)
    except qtbot.TimeoutError:
        raise AssertionError(f"{key} is not {state.value}: {found}") from None
    return found[0]


def shown(qtbot, host):
    """Open the window, and wait until it has read."""
    window = open_outbox_window(host)
    wait(qtbot, lambda: window._reading is None)
    return window


def states(page):
    """What the table of a page says of each item: animal and state."""
    return [(one.subject_name, one.state.value) for one in page.table.items]


def text_of(table, row, title):
    model = table.model()
    columns = [model.headerData(number, 1) for number in range(model.columnCount())]
    return model.data(model.index(row, columns.index(title)))
