"""What happens when a session with Alyx subjects ended: the dialog opens, it is registered, or it is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.sessions.register_dialog import open_register_dialog
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.sessions.advice import unattended_request
from pybpod_alyx_module.sessions.ask_alyx_about_session import SessionQuestions
from pybpod_alyx_module.sessions.prepared_session import prepare_session
from pybpod_alyx_module.sessions.pybpod_session import alyx_subjects, csv_of, linked_subjects, read_pybpod_session
from pybpod_alyx_module.sessions.register import register

if TYPE_CHECKING:
    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.rig_settings import RigSettings
    from pybpod_alyx_module.sessions.prepared_session import PreparedSession


def session_ended(session: Any, settings: RigSettings) -> None:
    """Do with a session that just ended as the settings say.

    Nothing happens where it lists no Alyx subject, only test subjects, or where its protocol wrote no file.
    """
    rule = settings.sessions
    names = alyx_subjects(session, linked_subjects(session.project))
    if rule.register == "never" or all(rule.is_test_subject(name) for name in names) or not csv_of(session).is_file():
        return
    if rule.register == "always":
        _register_silently(session, settings)
    else:
        open_register_dialog(session, quietly=True)


def _register_silently(session: Any, settings: RigSettings) -> None:
    outbox = running_outbox()
    recorded = read_pybpod_session(session)

    def prepare(report: Report, cancel: CancelToken) -> PreparedSession:
        del report
        prepared = prepare_session(recorded, outbox.open(), outbox.account_for)
        return SessionQuestions(outbox.client).ask(prepared, cancel)

    @slot
    def on_prepared(prepared: PreparedSession) -> None:
        request = unattended_request(prepared, settings)
        if request is None:
            open_register_dialog(session, prepared, quietly=True)
            return
        writing = outbox.read(lambda opened: register(request, opened), name="alyx-register-session")
        start_task(writing, succeeded=session.alyx_registered, failed=on_failed)

    @slot
    def on_failed() -> None:
        open_register_dialog(session, quietly=True)  # it meets the same failure, and shows it

    start_task(Task(prepare, "alyx-prepare-session"), succeeded=on_prepared, failed=on_failed)
