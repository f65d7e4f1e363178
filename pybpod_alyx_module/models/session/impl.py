"""The session mixin: menu entries and mark of a session that is, or can be, registered on Alyx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtGui import QIcon
from AnyQt.QtWidgets import QAction

from pybpod_alyx_module.errors import RigError
from pybpod_alyx_module.gui.alyx_page import OPEN_IN_ALYX, SESSION_PAGE, open_on_alyx
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.sessions.follow_registered import registration_follower
from pybpod_alyx_module.gui.sessions.move_dialog import open_move_dialog
from pybpod_alyx_module.gui.sessions.register_dialog import open_register_dialog
from pybpod_alyx_module.gui.sessions.register_several import REGISTER_SEVERAL, open_sessions_window
from pybpod_alyx_module.gui.sessions.session_ended import session_ended
from pybpod_alyx_module.gui.windows import OpenWindow
from pybpod_alyx_module.gui.words import plain_tip
from pybpod_alyx_module.host.menus import take_entries
from pybpod_alyx_module.models.session.badge import session_icon
from pybpod_alyx_module.read_settings import read_rig_settings
from pybpod_alyx_module.sessions.pybpod_session import csv_of, linked_subjects, listed_in, lists_any, marks_of, uuid_of
from pybpod_alyx_module.sessions.registration_note import has_note, read_registrations
from pybpod_alyx_module.sessions.registration_state import RegistrationState, registration_state

if TYPE_CHECKING:
    from pybpod_alyx_module.models.host_types import PyBpodSession
    from pybpod_alyx_module.outbox.items import Item
    from pybpod_alyx_module.sessions.register import RegistrationResult
    from pybpod_alyx_module.sessions.registration_note import Registration
    from pybpod_alyx_module.sessions.session_csv import SessionSubject
else:
    PyBpodSession = object

#: Labels of the menu entries; a session has those that fit its state.
REGISTER: Final = "Register on Alyx…"
UPDATE: Final = "Update on Alyx…"
MOVE: Final = "Move to another animal…"


class Session(PyBpodSession):
    """Mixed into every PyBpod session."""

    #: The open dialog, None where there is none; `open_register_dialog` keeps it here.
    alyx_dialog = OpenWindow()
    #: The same for the dialog that moves it; `open_move_dialog` keeps it here.
    alyx_move_dialog = OpenWindow()
    #: Whether this PyBpod saw its protocol break off; None where it did not see it end.
    alyx_broken_off: bool | None = None

    _alyx_end_seen: bool = False
    _alyx_state: RegistrationState = RegistrationState()
    _alyx_uuid: str | None = None
    _alyx_listed: tuple[SessionSubject, ...] | None = None

    def create_treenode(self, tree: Any) -> Any:
        """Make the session's node; with the first one of a setup the setup's entry for all of its sessions."""
        node = super().create_treenode(tree)
        entries = tree._items.get(id(self.setup.node), [])
        if not any(getattr(entry, "text", str)() == REGISTER_SEVERAL for entry in entries):
            _add(tree, self.setup.node, QAction(REGISTER_SEVERAL, tree), lambda: open_sessions_window(self.setup))
        return node

    def load(self, path: str) -> None:
        """Read the session as PyBpod does, and show whether it was registered."""
        super().load(path)
        self._alyx_listed = listed_in(self)  # a project of thousands of sessions is opened slowly anyway
        self._alyx_read_note()

    def show(self) -> None:
        """Show the session's details; its menu is made anew, as it is selected."""
        self.alyx_refresh()
        super().show()

    def update_ui(self) -> None:
        """Show whether the session runs, else whether it is registered."""
        super().update_ui()
        self._alyx_mark()

    def remove(self) -> None:
        """Remove the session as PyBpod does, with its menu entries."""
        nodes = self._alyx_nodes()
        super().remove()
        if self not in self.setup.sessions:
            take_entries(self.tree, nodes)
            if not self.setup.sessions:
                self._alyx_drop_setup_entry()

    @property
    def alyx_is_gone(self) -> bool:
        """Whether the session was taken out of the project."""
        return (
            self not in self.setup.sessions
            or self.setup not in self.setup.experiment.setups
            or self.setup.experiment not in self.project.experiments
        )

    @property
    def alyx_registration_state(self) -> RegistrationState:
        """Whether and where it is registered, as last looked up."""
        return self._alyx_state

    @property
    def alyx_uuid(self) -> str | None:
        """PyBpod's identity of the session, also of a detached run; None where neither PyBpod nor the CSV has it."""
        self._alyx_uuid = self._alyx_uuid or uuid_of(self)
        return self._alyx_uuid

    @property
    def alyx_listed(self) -> tuple[SessionSubject, ...]:
        """The subjects that it lists."""
        if self._alyx_listed is None or self.is_running:
            self._alyx_listed = listed_in(self)
        return self._alyx_listed

    @slot
    def alyx_ended(self, code: int | None) -> None:
        """Let the session be registered, once, as the settings say; the process is gone."""
        if self._alyx_end_seen:
            return
        self._alyx_end_seen = True
        if self.alyx_broken_off is None:
            self.alyx_broken_off = code != 0
        self.alyx_refresh()
        session_ended(self, read_rig_settings())

    @slot
    def alyx_refresh(self) -> None:
        """Look on the disk whether the session was registered, and show it."""
        self._alyx_read_note()
        self._alyx_fill_menus()

    @slot
    def _alyx_read_note(self) -> None:
        # while a project is opened this alone: its menus are filled when a node is selected
        try:
            folder = csv_of(self).parent
            found = read_registrations(folder, self.alyx_uuid) if has_note(folder) else ()
            self._alyx_state = registration_state(found, self._alyx_state.items)
        except RigError as error:
            self._alyx_state = RegistrationState(problem=str(error))
        if self._alyx_state.pending:
            registration_follower().follow(self)
        self._alyx_mark()

    @slot
    def alyx_registered(self, result: RegistrationResult) -> None:
        """Show that the session is in the outbox."""
        self._alyx_uuid = result.session_uuid
        self._alyx_state = registration_state((result.registration,), {})
        self.alyx_refresh()
        if not self._alyx_state.registration:  # it could not be noted beside the session
            self._alyx_state = registration_state((result.registration,), {})
            registration_follower().follow(self)
            self._alyx_mark()
            self._alyx_fill_menus()

    def alyx_registration_changed(self, registration: Registration, item: Item) -> None:
        """Show whether the outbox has sent the session."""
        before, self._alyx_state = self._alyx_state, registration_state((registration,), {item.key: item})
        self._alyx_mark()
        if (before.registration is None, before.sent) != (self._alyx_state.registration is None, self._alyx_state.sent):
            self._alyx_fill_menus()

    @slot
    def open_alyx_dialog(self) -> None:
        """Show the dialog that registers or updates the session."""
        open_register_dialog(self)

    @slot
    def open_alyx_move_dialog(self) -> None:
        """Show the dialog that gives the session to another animal."""
        open_move_dialog(self)

    @slot
    def open_in_alyx(self) -> None:
        """Show the session's page on Alyx in the browser."""
        registration = self._alyx_state.registration
        if registration is not None and registration.session_id is not None:
            open_on_alyx(registration.server, SESSION_PAGE, registration.session_id)

    def _alyx_nodes(self) -> list[Any]:
        return [self.node, *self.subjects_nodes.values()]

    def _alyx_labels(self) -> tuple[str, ...]:
        state = self._alyx_state
        if self.is_running or state.problem or not csv_of(self).is_file():
            return ()
        if not lists_any(self, marks_of(linked_subjects(self.project))):
            return ()
        if state.registration is None:
            return (REGISTER,)
        return (OPEN_IN_ALYX, UPDATE, MOVE) if state.registration.session_id is not None else (UPDATE, MOVE)

    def _alyx_fill_menus(self) -> None:
        if not hasattr(self, "node") or self.project.is_closed or self.alyx_is_gone:
            return  # PyBpod's tree keeps entries by the id of a node, which another one may get
        functions = {
            **{REGISTER: self.open_alyx_dialog, OPEN_IN_ALYX: self.open_in_alyx, UPDATE: self.open_alyx_dialog},
            MOVE: self.open_alyx_move_dialog,
        }
        labels = self._alyx_labels()
        for node in self._alyx_nodes():
            entries = self.tree._items.get(id(node), [])
            ours = [entry for entry in entries if getattr(entry, "text", str)() in functions]
            if [entry.text() for entry in ours] == list(labels):
                continue
            for action in ours:
                entries.remove(action)
                action.deleteLater()
            for label in labels:
                _add(self.tree, node, QAction(label, self.tree), functions[label])

    def _alyx_mark(self) -> None:
        if not hasattr(self, "node"):
            return
        state = self._alyx_state
        for node in self._alyx_nodes():
            node.setToolTip(0, plain_tip(state.words))
            if not self.running:
                node.setIcon(0, session_icon(sent=state.sent) if state.registration else QIcon())

    def _alyx_drop_setup_entry(self) -> None:
        entries = self.tree._items.get(id(self.setup.node), [])
        for entry in [entry for entry in entries if getattr(entry, "text", str)() == REGISTER_SEVERAL]:
            entries.remove(entry)
            entry.deleteLater()


def _add(tree: Any, node: Any, action: QAction, function: Any) -> None:
    action.triggered.connect(slot(function))
    tree._items.setdefault(id(node), []).append(action)
