"""The subject mixin: an Alyx subject is a PyBpod subject with a record."""

from __future__ import annotations

import copy
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from AnyQt.QtCore import Qt
from AnyQt.QtGui import QIcon
from confapp import conf

from alyx_connector.address import parse_address
from pybpod_alyx_module.gui.animals.open_dialog import tell_dialogs
from pybpod_alyx_module.gui.animals.water_dialog import GIVE_WATER, open_water_dialog
from pybpod_alyx_module.gui.animals.weight_dialog import RECORD_WEIGHT, open_weight_dialog
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.history.details_window import open_details_window
from pybpod_alyx_module.gui.new_subject.window import SEND_SUBJECT, open_new_subject
from pybpod_alyx_module.gui.windows import OpenWindow
from pybpod_alyx_module.gui.words import plain_tip
from pybpod_alyx_module.host.menus import take_entries, with_children
from pybpod_alyx_module.host.subject_file import SubjectFileError, is_damaged, keep_damaged, staged
from pybpod_alyx_module.host.subject_folders import subject_folder
from pybpod_alyx_module.host.subject_record import is_linked, overlay, read_record, saved_details
from pybpod_alyx_module.models.fresh_content import fresh_content
from pybpod_alyx_module.models.subject.badge import alyx_icon, low_level, tooltip, weight_words
from pybpod_alyx_module.sync.details import LAST_WEIGHT, MISSING, RECORD_KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pybpod_alyx_module.animals.weight import WeightNote
    from pybpod_alyx_module.models.host_types import PyBpodSubject
    from pybpod_alyx_module.sync.plan import Former
else:
    PyBpodSubject = object

logger = logging.getLogger(__name__)

#: Label of the first of the menu entries that only Alyx subjects have.
DETAILS = "Alyx details"

#: Why the name of an Alyx subject cannot be edited.
NAME_FROM_ALYX = "The name comes from Alyx: rename the animal there, then sync."


class Subject(PyBpodSubject):
    """Mixed into every PyBpod subject, also into those that Alyx does not know."""

    #: The details window opened last, None before.
    alyx_details_window = OpenWindow()
    #: Where the subject is on disk since it was loaded or saved; None for one that was never saved.
    saved_folder: Path | None = None

    _alyx: dict[str, Any] | None = None
    # What is_saved compares of the record; PyBpod asks for that of all subjects at once, and often.
    _saved_details: dict[str, Any] | None = None
    # Whether what PyBpod saves has the record already.
    _is_covered: bool = False
    _alyx_actions: tuple[Any, ...] = ()
    # Whether the menu is that of an Alyx subject; None before it was made.
    _has_alyx_menu: bool | None = None
    _damaged: bool = False
    _staging: Path | None = None

    def __init__(self, project: Any) -> None:
        #: Names this subject to a sync; its uuid4 would not: two subjects may share one.
        self.alyx_key = uuid4().hex
        # What stood in the file under the keys that the record covers, should the link be undone.
        self._covered: dict[str, Any] = {}
        super().__init__(project)
        # PyBpod makes a UUID here and text when it loads. Text from the start: its toJSON cannot write a UUID, so that
        # Run failed with PYBPOD_EXTRA_INFO until the project was opened again; its find_subject_by_id compares text.
        self.uuid4 = str(self.uuid4)
        self._show_link()

    @property
    def alyx(self) -> dict[str, Any] | None:
        """The keys of the subject's file that come from Alyx, as a copy; None for a subject that is not linked."""
        return None if self._alyx is None else dict(self._alyx)

    @alyx.setter
    def alyx(self, record: dict[str, Any] | None) -> None:
        if record is not None and not is_linked(record):
            raise ValueError(f"the record of {self.name!r} has no alyx_id")
        self._saved_details, self._is_covered = None, False
        if record is None:
            self._alyx = None
        else:
            self._alyx = {str(key): copy.deepcopy(record[key]) for key in RECORD_KEYS if key in record}
        self._show_link()

    @property
    def is_alyx(self) -> bool:
        """Whether the subject is linked to one on Alyx."""
        return self._alyx is not None

    @property
    def alyx_jobs(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        """What can be done with an Alyx subject, by what its menu and its details window call it."""
        return (RECORD_WEIGHT, self.record_alyx_weight), (GIVE_WATER, self.give_alyx_water)

    @property
    def path(self) -> str:
        """Folder of the subject, as PyBpod asks for it; while a save goes on the folder in which it happens."""
        return super().path if self._staging is None else str(self._staging)

    def load(self, path: str) -> None:
        """Read the subject's file, also one that the predecessor wrote."""
        super().load(path)
        self.saved_folder = subject_folder(self.project.path, self.name)
        self._look_for_damage()
        self.alyx = read_record(self.data)

    def alyx_load_from(self, folder: Path, name: str) -> None:
        """Read the subject's file where a sync left it, to be moved to its place by the next save.

        ``name``: of the file, without its suffix.
        """
        self._staging = folder
        try:
            super().load(str(folder.with_name(name)))
        finally:
            self._staging = None
        self.saved_folder = folder
        self.alyx = read_record(self.data)

    def alyx_put_back(self, former: Former) -> Callable[[], None]:
        """Give the record its former values, or, where the subject was not linked, take it away.

        Returns: what restores the record.
        """
        before, covered = self.alyx, self._covered

        def restore() -> None:
            self.alyx, self._covered = before, covered

        record = {key: value for key, value in (before or {}).items() if key not in former.dropped}
        gone = dict.fromkeys(RECORD_KEYS if former.unlinked else former.dropped, MISSING)
        self.alyx = None if former.unlinked else {**record, **json.loads(former.fields)}
        self._covered = {**covered, **gone, **json.loads(former.beneath)}
        return restore

    def save(self) -> Any:
        """Write the subject's file: whole, or not at all.

        Returns: what PyBpod's save returns.
        """
        if not self.name:
            return super().save()
        folder = Path(super().path)
        kept = None
        try:
            self._cover()
            with staged(folder, self.project.alyx_staging) as staging:
                self._staging = staging
                try:
                    result = super().save()
                finally:
                    self._staging = None
                if self._damaged:
                    kept = keep_damaged(folder / f"{self.name}.json")
        except (OSError, TypeError, ValueError, RecursionError) as error:
            raise SubjectFileError(
                f"The file {folder / self.name}.json of subject {self.name!r} could not be written: {error}. The file "
                "on disk is as it was."
            ) from error
        self._damaged = False
        if kept is not None:
            self.project.save_notes.append(f"The damaged file of subject {self.name!r} was kept as {kept}.")
        if self.saved_folder is None or self.saved_folder.name != self.name or self.project.alyx_staging is None:
            self.saved_folder = subject_folder(self.project.path, self.name)
        return result

    def collect_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Add what makes the project unsaved when it changes; nothing in it changes by itself.

        Returns: with the identity and the compared details of an Alyx subject under ``alyx``.
        """
        data = super().collect_data(data)
        if self._alyx is not None:
            if self._saved_details is None:
                self._saved_details = saved_details(self._alyx)
            data["alyx"] = self._saved_details
        return data

    def toJSON(self) -> str:  # noqa: N802  # PyBpod's name
        """Return the subject for a run's settings file, where ``PYBPOD_EXTRA_INFO`` lists ``Subjects``.

        PyBpod writes the text between quotes into a Python file and does not escape it: a quote in a description kept
        the protocol from starting. So backslashes are doubled here and a quote becomes ``\u0027``, which JSON reads
        as a quote.
        """
        data = json.loads(super().toJSON())
        data["uuid4"] = str(self.uuid4)
        if self._alyx is not None:
            data |= self._alyx
        return json.dumps(data, default=str).replace("\\", "\\\\").replace("'", "\\u0027")

    def update_ui(self, sessionrunning: bool = False) -> None:
        """Show whether a session runs; an Alyx subject keeps its icon."""
        super().update_ui(sessionrunning)
        if not sessionrunning:
            self._mark()

    def remove(self, silent: bool = False) -> None:
        """Take the subject out of the project as PyBpod does, with its menu entries, and close its details."""
        super().remove(silent)
        if self not in self.project.subjects:
            take_entries(self.tree, with_children(self.node))
            for session in self._sessions:  # Qt takes the nodes away with this one, and PyBpod goes on drawing on them
                session.subjects_nodes.pop(id(self.node), None)
            self.close_alyx_windows(f"{self.name} was taken out of the PyBpod project.")

    @slot
    def alyx_note_weight(self, note: WeightNote | None) -> None:
        """Keep what was seen of the last weight in the project's copy, and show it in the tree; None forgets it.

        It does not make the project unsaved: it changes by itself.
        """
        record = None if note is None else note.as_record()
        if self._alyx is None or self._alyx.get(LAST_WEIGHT) == record:
            return
        self._is_covered = False
        if record is None:
            del self._alyx[LAST_WEIGHT]
        else:
            self._alyx[LAST_WEIGHT] = record
        if self in self.project.subjects:
            self._mark()

    @slot
    def alyx_note_weights(self, server: str, user: str, seen: Mapping[str, WeightNote | None]) -> None:
        """Take from what was seen of all water-restricted animals of a user what is of this one.

        ``seen``: by Alyx id; None where nothing new is known.
        """
        record = self._alyx
        if record is None or not (record["alyx_id"] in seen or LAST_WEIGHT in record):
            return
        if parse_address(str(record.get("alyx_server"))).url != server:
            return
        if record["alyx_id"] not in seen:
            if record.get("responsible_user") == user:  # it is water-restricted no more
                self.alyx_note_weight(None)
        elif (note := seen[record["alyx_id"]]) is not None:
            self.alyx_note_weight(note)

    @slot
    def open_alyx_details(self) -> None:
        """Show what is known from Alyx, as it is now."""
        self.alyx_details_window = open_details_window(self)

    @property
    def _local_jobs(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        return ((SEND_SUBJECT, self.send_to_alyx),)

    @slot
    def send_to_alyx(self) -> None:
        """Show the window that makes the animal on Alyx and links this subject to it."""
        open_new_subject(self.project, self)

    @slot
    def close_alyx_details(self) -> None:
        """Close the details window, where one is open."""
        window, self.alyx_details_window = self.alyx_details_window, None
        if window is not None:
            window.close()

    @slot
    def record_alyx_weight(self) -> None:
        """Show the dialog that records a weight."""
        open_weight_dialog(self)

    @slot
    def give_alyx_water(self) -> None:
        """Show the dialog that records water."""
        open_water_dialog(self)

    @slot
    def close_alyx_windows(self, why: str) -> None:
        """Close what shows the subject; a dialog in which something is typed already stays and says so."""
        self.close_alyx_details()
        tell_dialogs(self, why)

    def _cover(self) -> None:
        if self._is_covered:
            return
        if self._alyx is not None and not self.data:
            # never loaded: PyBpod would make fresh content at each save, without the record
            self.data = fresh_content(self.uuid4, "This file contains information about a subject used on PyBpod GUI.")
        if self.data:
            self._covered = overlay(self.data, self._alyx or {}, self._covered)
            self._is_covered = True

    def _look_for_damage(self) -> None:
        if self.data is not None and "__CREATED-ON__" in self.data:
            return
        file = Path(super().path, f"{self.name}.json")
        self._damaged = is_damaged(file)
        if not self._damaged:
            return
        logger.error("%s is damaged; a save will keep it beside", file)
        if self.data is not None:  # PyBpod took it for an empty subject and said nothing
            self.warning(
                f"The file {file} is damaged: the subject gets a new identity. When the project is saved the damaged "
                "file is kept beside it; to repair it first, close the project without saving.",
                "Damaged subject file",
            )

    def _show_link(self) -> None:
        self._name.readonly = self.is_alyx
        self._name.form.setToolTip(NAME_FROM_ALYX if self.is_alyx else self._name.help)
        if self.is_alyx is not self._has_alyx_menu:
            was_alyx, self._has_alyx_menu = self._has_alyx_menu, self.is_alyx
            self._fill_menu()
            if was_alyx:
                self.close_alyx_windows(f"{self.name} is not linked to Alyx any more.")
        self._mark()

    def _fill_menu(self) -> None:
        actions, entries = self._alyx_actions, self.tree._items.get(id(self.node), [])
        for action in actions:
            if action in entries:
                entries.remove(action)
            action.deleteLater()
        jobs = ((DETAILS, self.open_alyx_details), *self.alyx_jobs) if self.is_alyx else self._local_jobs
        self._alyx_actions = tuple(
            self.tree.add_popup_menu_option(label, opened, item=self.node) for label, opened in jobs
        )

    def _mark(self) -> None:
        record = self._alyx
        self.node.setToolTip(0, "" if record is None else plain_tip(tooltip(record)))
        self.node.setData(0, Qt.AccessibleDescriptionRole, "" if record is None else weight_words(record))
        if any(session.running for session in self._sessions):
            return
        if record is None:
            self.node.setIcon(0, QIcon(conf.SUBJECT_SMALL_ICON))
        else:
            self.node.setIcon(0, alyx_icon(conf.SUBJECT_SMALL_ICON, low_level(record)))
