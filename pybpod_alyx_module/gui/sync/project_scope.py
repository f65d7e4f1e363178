"""Which subjects a project gets: its choice, kept with it, and the names that it may be of."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from AnyQt.QtCore import QObject

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.sync.scope import NAMED, Kind, Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from alyx_connector.http.client import AlyxClient
    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.gui.sync.project_login import ProjectLogin
    from pybpod_alyx_module.gui.sync.sync_form import SyncForm
    from pybpod_alyx_module.host.pybpod_objects import Project

#: The list that has the names of a kind.
_LISTS = {Kind.LAB: "labs", Kind.PROJECT: "projects"}


class ProjectScope(QObject):
    """Fills the row of the form, and keeps in the project what was chosen there."""

    def __init__(self, project: Project, form: SyncForm, login: ProjectLogin) -> None:
        super().__init__()
        self._project, self._form, self._login = project, form, login
        self._names: Task | None = None
        form.scope.names_wanted.connect(self._on_names_wanted)
        login.changed.connect(self._on_login_changed)
        form.scope.show_scope(Scope.of(project.alyx_scope))

    def chosen(self) -> Scope | None:
        """Return what is chosen, and keep it in the project; None, with a message, where a name is missing."""
        form, scope = self._form, self._form.scope.scope
        if scope.kind in NAMED and not scope.name:
            what = "lab" if scope.kind is Kind.LAB else "Alyx project"
            form.tell(f"The name of the {what} is missing: choose it, then press Get Subjects.")
            form.scope.name.setFocus()
            return None
        self._project.alyx_scope = None if scope == Scope() else scope.as_record()
        return scope

    @slot
    def _on_login_changed(self) -> None:
        if self._form.scope.scope.kind in NAMED:
            self._on_names_wanted(self._form.scope.scope.kind)

    @slot
    def _on_names_wanted(self, kind: Kind) -> None:
        connection = self._login.connection
        if self._names is not None:
            self._names.cancel()  # of another kind, or of who was connected before
            self._names = None
        if connection is None:
            return
        self._names = start_task(
            Task(_asking(connection.client, _LISTS[kind]), "alyx-names-of-scope"),
            succeeded=partial(self._form.scope.offer, kind),
            failed=self._on_failed,
        )

    @slot
    def _on_failed(self, error: BaseException) -> None:
        self._form.tell(describe(error).text)


def _asking(client: AlyxClient, endpoint: str) -> Callable[[Report, CancelToken], list[str]]:
    def work(report: Report, cancel: CancelToken) -> list[str]:
        rows = client.list(endpoint, report=report, cancel=cancel)
        return sorted({str(row["name"]) for row in rows if row.get("name")}, key=str.casefold)

    return work
