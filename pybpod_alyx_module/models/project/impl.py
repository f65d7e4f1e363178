"""The project mixin: menu entries of its own, and a save that moves the folders of its subjects."""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.new_subject.window import NEW_SUBJECT, close_new_subject_windows, open_new_subject
from pybpod_alyx_module.gui.outbox.window import open_outbox_window
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.sessions.register_several import (
    REGISTER_SEVERAL,
    close_sessions_windows,
    open_sessions_window,
)
from pybpod_alyx_module.gui.sync.history.syncs_window import SYNCS, open_syncs_window
from pybpod_alyx_module.gui.sync.log_out_window import LOG_OUT, open_log_out_window
from pybpod_alyx_module.gui.sync.sync_window import open_sync_window
from pybpod_alyx_module.gui.sync.users_window import USERS, open_users_window
from pybpod_alyx_module.gui.today.window import TODAY, open_today
from pybpod_alyx_module.gui.weigh_all.weigh_all_window import WEIGH_ALL, open_weigh_all
from pybpod_alyx_module.gui.windows import OpenWindow
from pybpod_alyx_module.host.alyx_user import CONNECTION, alyx_user
from pybpod_alyx_module.host.menus import take_entries, with_children
from pybpod_alyx_module.host.open_mark import OpenMark, open_in_another_pybpod
from pybpod_alyx_module.host.project_user import log_out_user
from pybpod_alyx_module.host.save_journal import SaveJournal
from pybpod_alyx_module.host.subject_file import staging_of
from pybpod_alyx_module.host.subject_folders import FolderMoves
from pybpod_alyx_module.host.tree_order import sort_subjects
from pybpod_alyx_module.models.fresh_content import fresh_content
from pybpod_alyx_module.models.project.refusals import refusal

if TYPE_CHECKING:
    from pybpod_alyx_module.models.host_types import PyBpodProject
    from pybpod_alyx_module.sync.audit import Row
    from pybpod_alyx_module.sync.last_sync import LastSync
else:
    PyBpodProject = object

logger = logging.getLogger(__name__)

#: Labels of the menu entries.
SYNC = "Sync to Alyx"
OUTBOX = "Alyx outbox"

#: Key of the project's file that holds which subjects a sync gets.
SCOPE = "alyx_scope"

#: Title of the box that says why a save did not happen.
NOT_SAVED = "The project was not saved"

#: So many of the files that were put back are named.
_MOST_LISTED = 8

#: What every such box says.
LOST_WHEN_CLOSED = "Without saving, what changed since the last save is lost when PyBpod closes."


class Project(PyBpodProject):
    """Mixed into every PyBpod project."""

    #: The sync window, None before it is first opened; `open_sync_window` keeps it here.
    alyx_window = OpenWindow()
    #: The window *Today*, None if none is open.
    alyx_today_window = OpenWindow()
    #: The window *Weigh all*, None if none is open.
    alyx_weigh_window = OpenWindow()
    #: The window *What syncs changed…*, None if none is open.
    alyx_syncs_window = OpenWindow()
    #: The window *Get users from Alyx…*, None if none is open.
    alyx_users_window = OpenWindow()
    #: Where the files of the subjects are written while a save in place goes on; None otherwise.
    alyx_staging: Path | None = None
    #: Server and user of who was logged in to the project by connecting to Alyx.
    alyx_account: tuple[str, str] | None = None
    #: In the project's folder: that it is open here.
    alyx_open_mark: OpenMark | None = None

    # What was chosen since the project was loaded: None for the usual scope, empty where nothing was.
    _chosen_scope: tuple[dict[str, Any] | None, ...] = ()

    def __init__(self, *args: Any) -> None:
        #: Subjects that a sync took out since the last save: that save moves their folders.
        self.removed_by_sync: list[Any] = []
        #: What syncs changed since the last save, see `sync.audit`.
        self.unsaved_syncs: list[Row] = []
        #: What an undo needs, where a sync or an undo changed that since the last save; see `sync.last_sync`.
        self.unsaved_last_sync: LastSync | None = None
        #: What the user is shown at the end of a save.
        self.save_notes: list[str] = []
        super().__init__(*args)

    def create_treenode(self, tree: Any) -> Any:
        """Make the project's node and its menu, *Sync to Alyx* and *Alyx outbox* with it."""
        node = super().create_treenode(tree)
        tree.add_popup_menu_option(SYNC, self.open_alyx_window, item=node)
        tree.add_popup_menu_option(NEW_SUBJECT, self.open_alyx_new_subject, item=node)
        tree.add_popup_menu_option(REGISTER_SEVERAL, self.register_alyx_sessions, item=node)
        tree.add_popup_menu_option(TODAY, self.open_alyx_today, item=node)
        tree.add_popup_menu_option(WEIGH_ALL, self.open_alyx_weigh_all, item=node)
        tree.add_popup_menu_option(OUTBOX, self.open_alyx_outbox, item=node)
        tree.add_popup_menu_option(SYNCS, self.open_alyx_syncs, item=node)
        tree.add_popup_menu_option(USERS, self.open_alyx_users, item=node)
        tree.add_popup_menu_option(LOG_OUT, self.open_alyx_log_out, item=node)
        return node

    @property
    def alyx_scope(self) -> dict[str, Any] | None:
        """Which subjects a sync gets, see `pybpod_alyx_module.sync.scope.Scope.as_record`; None for the usual ones."""
        if self._chosen_scope:
            return self._chosen_scope[0]
        return self.data.get(SCOPE) if self.data else None  # PyBpod asks while it loads, too

    @alyx_scope.setter
    def alyx_scope(self, scope: dict[str, Any] | None) -> None:
        self._chosen_scope = (scope,)

    @slot
    def open_alyx_window(self) -> None:
        """Show the sync window."""
        open_sync_window(self)

    @slot
    def open_alyx_new_subject(self) -> None:
        """Show the window that makes an animal on Alyx."""
        open_new_subject(self)

    @slot
    def alyx_logged_out(self, server: str, username: str) -> None:
        """Take who was logged out of Alyx off the project."""
        if self.alyx_account == (server, username):
            self.alyx_account = None
            log_out_user(self, username)

    @slot
    def alyx_show_user(self) -> None:
        """Show in the tree who said to be at the rig, where PyBpod has no Alyx user; the project stays as it is."""
        if self.is_closed or alyx_user(self):
            return
        servers = {str(subject.alyx.get("alyx_server")) for subject in self.subjects if subject.is_alyx}
        at_rig = sorted(filter(None, map(running_outbox().logins.at_rig, servers)))
        self.name = self.name  # PyBpod shows its own user behind it
        if at_rig:
            self.node.setText(0, f"{self.node.text(0)} ({', '.join(at_rig)}@{CONNECTION})")

    @slot
    def open_alyx_log_out(self) -> None:
        """Show who is logged in to Alyx, and log out."""
        open_log_out_window(self.mainwindow)

    @slot
    def open_alyx_users(self) -> None:
        """Show the users of Alyx, to be added to the project."""
        open_users_window(self)

    @slot
    def open_alyx_outbox(self) -> None:
        """Show what waits to be sent to Alyx."""
        open_outbox_window(self.mainwindow)

    @slot
    def open_alyx_syncs(self) -> None:
        """Show what syncs changed."""
        open_syncs_window(self)

    @slot
    def register_alyx_sessions(self) -> None:
        """Show the sessions that are not registered on Alyx."""
        open_sessions_window(self)

    @slot
    def open_alyx_today(self) -> None:
        """Show which animals still need water today."""
        open_today(self)

    @slot
    def open_alyx_weigh_all(self) -> None:
        """Weigh the project's animals one after the other."""
        open_weigh_all(self)

    def load(self, project_path: str) -> None:
        """Open the project as PyBpod does, after what a killed PyBpod left of a save was taken back."""
        back = SaveJournal(project_path).take_back_of_killed()
        super().load(project_path)
        sort_subjects(self)
        self._mark_open()
        if back:
            listed = "\n".join(str(path) for path in back[:_MOST_LISTED])
            more = f"\nand {len(back) - _MOST_LISTED} more" if len(back) > _MOST_LISTED else ""
            self.info(
                "PyBpod ended while it was saving this project. Folders and files are again as they were before that "
                f"save; look whether what you changed is there, and save again.\n\nPut back:\n{listed}{more}",
                "The last save was taken back",
            )
        others = open_in_another_pybpod(project_path)
        if others:
            self.info(
                f"Another PyBpod has this project open: {'; '.join(others)}. The one that saves last overwrites what "
                "the other saved. Close the project in one of them.",
                "The project is open twice",
            )

    def save(self, project_path: str | None = None) -> bool:
        """Move the folders of renamed and removed subjects, then save as PyBpod does; tell what was moved or failed.

        PyBpod connects this to menus and calls it while it quits: an error is shown, not raised. After one the
        project counts as unsaved and the folders are where they were. A closed project writes nothing: PyBpod keeps
        it among those that *Save all projects* saves, over what the same project holds that was opened again.

        Returns: whether it was saved; PyBpod does not look at it.
        ``project_path``: folder to save to. Without it the project's own, or one that the user is asked for; menus
        send False.
        """
        if self.is_closed:
            return False
        reason = refusal(self, in_place=self.path is not None and not self._is_elsewhere(project_path or None))
        if reason:
            self.warning(f"{reason}\n\nNothing of the project {self.name!r} was saved. {LOST_WHEN_CLOSED}", NOT_SAVED)
            return False
        while True:
            error = self._try_to_save(project_path or None)
            if error is None:
                self._mark_open()
                self._say_moved()
                return self.path is not None
            if not self._ask_again(error, project_path or self.path):
                return False

    def is_saved(self) -> bool:
        """Tell whether a save would change nothing on disk.

        Returns: True for a closed project, which is never saved. False where PyBpod cannot tell: it fails where a
        setup has sessions but no board, and would abort while it quits.
        """
        if self.is_closed:
            return True
        try:
            return super().is_saved()
        except Exception:
            logger.exception("PyBpod could not say whether project %s is saved", self.name)
            return False

    def collect_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Add what makes the project unsaved when it changes: which subjects a sync gets, where that was chosen."""
        data = super().collect_data(data)
        if self.alyx_scope is not None:
            data[SCOPE] = self.alyx_scope
        return data

    def _keep_scope(self) -> None:
        scope = self.alyx_scope
        if scope is None:
            if self.data:
                self.data.pop(SCOPE, None)
            return
        if not self.data:  # never loaded: PyBpod would make fresh content at each save, without it
            self.data = fresh_content(self.uuid4, "This file contains information about a PyBpod project.")
        self.data[SCOPE] = scope

    def _is_elsewhere(self, project_path: str | None) -> bool:
        return project_path is not None and (
            self.path is None or os.path.realpath(project_path) != os.path.realpath(self.path)
        )

    def _try_to_save(self, project_path: str | None) -> Exception | None:
        path, saved_hash = self.path, self.data_hash
        folders = [(subject, subject.saved_folder) for subject in (*self.subjects, *self.removed_by_sync)]
        elsewhere = self._is_elsewhere(project_path)
        journal: SaveJournal | None = None  # of a save in place, once it is begun
        self.save_notes.clear()
        self.data_hash = None  # PyBpod sets it at the end of a save: what tells one from a folder dialog cancelled
        try:
            with ExitStack() as stack:
                if path is not None and not elsewhere:
                    begun = SaveJournal(path)
                    begun.begin(self.unsaved_syncs, self.unsaved_last_sync)
                    journal = begun
                    self._move_folders(FolderMoves(path, journal), path)
                    self.alyx_staging = stack.enter_context(staging_of(Path(path)))
                    stack.callback(setattr, self, "alyx_staging", None)
                self._keep_scope()
                super().save(project_path)
        except Exception as error:
            logger.exception("Project %s could not be saved", self.name)
            for subject, folder in folders:
                subject.saved_folder = folder
            if journal is not None:
                journal.take_back()
            if elsewhere or self.path != path:  # what stands at the old place is as it was
                self.path, self.data_hash = path, saved_hash
            return error
        problem = journal.end() if journal is not None else ""
        if self.data_hash is None:
            self.data_hash = saved_hash
            return None
        if journal is None and self.path is not None and self.unsaved_syncs:
            problem = SaveJournal(self.path).add_syncs(self.unsaved_syncs, self.unsaved_last_sync)
        if problem:
            self.save_notes.append(problem)
            last = self.unsaved_last_sync
            self.unsaved_last_sync = journal.last_sync if journal is not None else last and last.elsewhere()
        else:
            self.unsaved_syncs.clear()
            self.unsaved_last_sync = None
        self.removed_by_sync.clear()
        return None

    @slot
    def save_as(self) -> None:
        """Ask for a folder and save there; the folders at the old place stay as they are."""
        super().save_as()

    def close(self, silent: bool = False) -> None:
        """Close the project as PyBpod does, and with it the windows that the plugin opened for it."""
        super().close(silent)
        if self.is_closed:
            self._clean_up()

    @property
    def is_closed(self) -> bool:
        """Whether the project was taken off PyBpod's tree."""
        return self.node.treeWidget() is None

    def _mark_open(self) -> None:
        mark = self.alyx_open_mark
        if self.path is None or (mark is not None and mark.folder == Path(os.path.realpath(self.path))):
            return
        self._unmark()
        self.alyx_open_mark = OpenMark(self.path)
        self.alyx_open_mark.put()

    def _unmark(self) -> None:
        mark, self.alyx_open_mark = self.alyx_open_mark, None
        if mark is not None:
            mark.take_away()

    @slot
    def _clean_up(self) -> None:
        self._unmark()
        take_entries(self.tree, with_children(self.node))
        window, self.alyx_window = self.alyx_window, None
        if window is not None:
            window.close()
        close_sessions_windows(self)
        close_new_subject_windows(self)
        windows = (self.alyx_today_window, self.alyx_weigh_window, self.alyx_syncs_window, self.alyx_users_window)
        for shown in filter(None, windows):
            shown.close()
        for subject in self.subjects:
            subject.close_alyx_windows("The PyBpod project was closed.")
        for setup in [setup for experiment in self.experiments for setup in experiment.setups]:
            setup.give_up_check()

    def _move_folders(self, moves: FolderMoves, path: str) -> None:
        inside = Path(os.path.realpath(path))
        goals = {subject: inside / "subjects" / subject.name for subject in self.subjects if subject.name}
        for subject in self.removed_by_sync:
            folder = subject.saved_folder
            if folder is None or folder.parent != inside / "subjects" or not folder.is_dir():
                continue
            subject.saved_folder = moves.remove(folder)
            self.save_notes.append(
                f"Subject {subject.name!r} is no longer in this project: its folder is now {subject.saved_folder}."
            )
        # as text: on Windows two paths are equal that differ in case, and that is a rename, too
        staying = {str(goal) for subject, goal in goals.items() if str(subject.saved_folder) == str(goal)}
        wanted: dict[Path, Path] = {}
        for subject, goal in goals.items():
            folder = subject.saved_folder
            if folder is None or str(folder) in staying or inside not in folder.parents or not folder.is_dir():
                continue
            wanted[folder] = goal
        for before, now in moves.rename(wanted, staying):
            self.save_notes.append(
                f"A folder that belongs to no subject was in the way: what was {before} is now {now}."
            )

    def _ask_again(self, error: Exception, path: str | None) -> bool:
        # a question, because PyBpod closes after "Save all projects?" whether or not that went well
        answer = self.question(
            f"{error or type(error).__name__}\n\nThe project {self.name!r} is not saved (folder {path}). Remove the "
            f"cause, then save again. {LOST_WHEN_CLOSED}\n\nSave again now?",
            NOT_SAVED,
        )
        return bool(answer == "yes")

    def _say_moved(self) -> None:
        for note in self.save_notes:
            logger.info(note)
        if self.save_notes:
            self.info("\n\n".join(self.save_notes), "The project was saved")
