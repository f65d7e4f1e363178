"""One sync of a project, from opening it to saving it; what would be asked is answered in advance."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from alyx_connector.address import parse_address
from alyx_connector.errors import ConfigurationError, LoginRequiredError
from alyx_connector.http.client import AlyxClient
from alyx_connector.private_file import home_folder
from alyx_connector.remedy import Remedy, RemedyKind
from pybpod_alyx_module.animals.handled_animals import list_owners
from pybpod_alyx_module.connect import PROGRAM, Logins, last_account
from pybpod_alyx_module.errors import OpenElsewhereError, OutboxError, SyncError
from pybpod_alyx_module.gui.outlook import Outlook
from pybpod_alyx_module.gui.sync.project_port import port_of
from pybpod_alyx_module.host.open_mark import OpenMark, open_elsewhere
from pybpod_alyx_module.outbox.items import OPEN
from pybpod_alyx_module.outbox.outbox import FILE_NAME, Outbox
from pybpod_alyx_module.read_settings import read_settings
from pybpod_alyx_module.sync.apply import apply_plan
from pybpod_alyx_module.sync.fetch import fetch_remote
from pybpod_alyx_module.sync.last_sync import note_sync
from pybpod_alyx_module.sync.make_plan import make_plan
from pybpod_alyx_module.sync.plan import Action
from pybpod_alyx_module.sync.scope import Scope

if TYPE_CHECKING:
    from pathlib import Path

    from alyx_connector.progress import CancelToken, Progress
    from pybpod_alyx_module.sync.apply import Result
    from pybpod_alyx_module.sync.plan import SyncPlan


def refuse_if_open(folder: Path, mine: OpenMark | None = None) -> None:
    """Raise OpenElsewhereError if another process has the project open.

    ``mine``: the mark of this process.
    """
    others = open_elsewhere(str(folder), mine)
    if others:
        raise OpenElsewhereError(
            f"The project in {folder} is open in PyBpod ({'; '.join(others)}). Nothing was changed.",
            hint="Close it there, or sync it there. If nobody has it open, delete that file in the folder.",
        )


class UnattendedSync:
    """A sync of one project: `plan`, then `carry_out` or not, then `close`.

    ``project``: of the real PyBpod, open.
    """

    def __init__(self, project: Any, folder: Path) -> None:
        self._project = project
        self._folder = folder
        self._port = port_of(project, _outlook().hold)

    def plan(self, client: AlyxClient, scope: Scope | None, policy: Action, cancel: CancelToken) -> SyncPlan:
        """Ask the server, and decide; nothing changes.

        Returns: the plan, without questions.
        ``scope``: which subjects; None for those that the project gets. Where a person chooses whom of them to add,
        nobody is added.
        ``policy``: what becomes of the subjects that differ: override, merge or keep.
        """
        local = self._port.subjects()
        kept = Scope.of(self._project.alyx_scope)
        remote = fetch_remote(client, client.username or "", local, scope or kept, list_owners, cancel=cancel)
        plan = make_plan(local, remote)
        if scope is None and kept.asks_which:
            plan = plan.adding_only(())
        return plan.answered({entry.local.key: policy for entry in plan.of(Action.ASK) if entry.local is not None})

    def carry_out(self, plan: SyncPlan, username: str) -> tuple[Result, ...]:
        """Apply a plan and save the project.

        Returns: one for each entry. Raises a SyncError, and the project's files are as they were.
        """
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        results = tuple(apply_plan(plan, self._port, synced_at=now))
        note_sync(self._port, results, server=plan.server, username=username, time=now)
        refuse_if_open(self._folder, self._project.alyx_open_mark)  # it may have been opened meanwhile
        if not self._project.save():
            raise SyncError(
                f"The project in {self._folder} could not be saved: its files are as they were.",
                hint="Remove the cause that PyBpod names above, then sync again.",
            )
        return results

    def close(self) -> None:
        """Close the project, saved or not."""
        self._project.close(silent=True)


def log_in(address: str, username: str, cancel: CancelToken) -> AlyxClient:
    """Connect as a user whose token is remembered, or whose password is in user_settings.py; nothing is remembered.

    ``address``, ``username``: where empty, those of user_settings.py count, else those that were used last.
    """
    settings = read_settings()
    last = last_account(address or settings.address, username or settings.username)(_report, cancel)
    if not last.address or not last.username:
        raise ConfigurationError(
            "It is not known which Alyx server and user are meant.",
            hint="Give --url and --user, or set ALYX_PLUGIN_ADDRESS and ALYX_PLUGIN_USERNAME in user_settings.py.",
        )
    server = parse_address(last.address).url
    try:
        if (last.address, last.username) == (settings.address, settings.username) and settings.password.strip():
            client = AlyxClient(server, program=PROGRAM)
            client.login(last.username, settings.password, cancel=cancel)
        else:
            client = Logins().client(server, last.username)
            client.check_token(cancel=cancel)
    except LoginRequiredError as error:
        remedy = Remedy(RemedyKind.LOG_IN, url=server, username=last.username)
        raise LoginRequiredError(error.message, hint=remedy) from None
    return client


def _report(progress: Progress) -> None:
    del progress


def _outlook() -> Outlook:
    if not (home_folder() / FILE_NAME).exists():
        return Outlook()
    try:
        outbox = Outbox()
    except OutboxError as error:
        return Outlook(problem=str(error))
    try:
        return Outlook.of(outbox.items(OPEN))
    except OutboxError as error:
        return Outlook(problem=str(error))
    finally:
        outbox.close()
