"""The question which animal it was: one of the project's, or another one that Alyx has under a nickname."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout

from pybpod_alyx_module.animals.alyx_subject import server_name
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.messages import describe
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.sync.questions.question import Question
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.gui.widgets import button_row, plain_label
from pybpod_alyx_module.gui.windows import resize_to_screen
from pybpod_alyx_module.gui.words import cell
from pybpod_alyx_module.sessions.on_rig import Animal, LinkedSubject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from AnyQt.QtWidgets import QWidget

    from alyx_connector.progress import CancelToken, Report
    from pybpod_alyx_module.sessions.prepared_session import PreparedSession

_SUBJECT = Qt.UserRole


class ChooseAnimalDialog(Question):
    """Answers the animal (`LinkedSubject`) that a person chose, or None; nothing is chosen at the start."""

    def __init__(self, prepared: PreparedSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Which animal was it?")
        self.setWindowModality(Qt.WindowModal)
        self._listed = {choice.subject.alyx_id for choice in prepared.choices if choice.is_listed}
        self._alyx_user = prepared.recorded.alyx_user
        here = [replace(choice.subject, server=choice.server) for choice in prepared.choices]
        self._subjects = [*here, *sorted(prepared.others, key=lambda animal: animal.name.casefold())]
        self._servers = tuple(dict.fromkeys(animal.server for animal in self._subjects if animal.server))
        self._looking: Task | None = None
        names = ", ".join(prepared.listed)
        self.question = plain_label(f"The session file names {names or 'no animal'}. Which animal was on the rig?")
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("nickname, or a part of it")
        self.filter.setClearButtonEnabled(True)
        self.list = QListWidget()
        self.list.setUniformItemSizes(True)
        self.status = plain_label("Not in the list? Type the whole nickname, then press Look up on Alyx.")
        self.look_up_button, self.cancel_button, self.choose_button = (
            QPushButton(text) for text in ("&Look up on Alyx", "Cancel", "C&hoose")
        )
        column = QVBoxLayout(self)
        for widget in (self.question, self.filter, self.list, self.status):
            column.addWidget(widget)
        column.addLayout(button_row(self.cancel_button, self.choose_button, left=self.look_up_button))
        resize_to_screen(self, 520, 420)
        self._show(self._subjects)
        self.filter.textChanged.connect(self._refresh)
        self.filter.returnPressed.connect(self._on_return)
        self.list.currentItemChanged.connect(self._refresh)
        self.list.itemActivated.connect(self._on_choose)
        self.look_up_button.clicked.connect(self._look_up)
        self.cancel_button.clicked.connect(self.reject)
        self.choose_button.clicked.connect(self._on_choose)
        self.finished.connect(self._end)
        self._refresh()

    def _show(self, subjects: Iterable[LinkedSubject]) -> None:
        for animal in subjects:
            item = QListWidgetItem(self._words(animal))
            item.setData(_SUBJECT, animal)
            self.list.addItem(item)

    def _words(self, animal: LinkedSubject) -> str:
        facts = Animal.of({"nickname": animal.name, **animal.record})
        where = ", ".join(filter(None, (facts.lab, animal.server if len(self._servers) > 1 else "")))
        words = (
            f" ({where})" if where else "",
            ", named in the session file" if animal.alyx_id in self._listed else "",
            f", not alive on Alyx (death date {facts.death_date or 'not given'})" if facts.alive is False else "",
        )
        return cell(f"{animal.name}{''.join(words)}")

    def _items(self) -> list[QListWidgetItem]:
        return [self.list.item(row) for row in range(self.list.count())]

    @slot
    def _refresh(self) -> None:
        typed = self.filter.text().strip().casefold()
        for item in self._items():
            item.setHidden(typed not in item.data(_SUBJECT).name.casefold())
        current = self.list.currentItem()
        self.choose_button.setEnabled(current is not None and not current.isHidden())
        looking = self._looking is not None and not self._looking.settled
        self.look_up_button.setEnabled(bool(typed) and not looking)

    @slot
    def _on_return(self) -> None:
        # Enter decides nothing: it leads to the animal, or to Alyx where none is left
        left = [item for item in self._items() if not item.isHidden()]
        if len(left) == 1:
            self.list.setCurrentItem(left[0])
            self.list.setFocus()
        elif not left:
            self._look_up()

    @slot
    def _look_up(self) -> None:
        nickname, outbox, alyx_user = self.filter.text().strip(), running_outbox(), self._alyx_user
        if not self.look_up_button.isEnabled():
            return

        def work(report: Report, cancel: CancelToken) -> list[LinkedSubject]:
            del report
            found = []
            for server in self._servers:
                client = outbox.client(server, outbox.account_for(server, alyx_user))
                rows = client.list("subjects", {"nickname": nickname}, cancel=cancel)
                found += [LinkedSubject.of_row(row, server) for row in rows]
            return found

        self.status.setText(f"Asking {', '.join(map(server_name, self._servers))}…")
        self._looking = Task(work, "alyx-look-up-animal")
        start_task(self._looking, succeeded=self._on_found, failed=self._on_failed, finished=self._refresh)
        self._refresh()

    @slot
    def _on_found(self, found: list[LinkedSubject]) -> None:
        known = {item.data(_SUBJECT).alyx_id for item in self._items()}
        new = [animal for animal in found if animal.alyx_id not in known]
        self._show(new)
        count = f"{len(found)} animal{'' if len(found) == 1 else 's'}"
        self.status.setText(f"Alyx has {count} of that nickname." if found else "Alyx has no animal of that nickname.")

    @slot
    def _on_failed(self, error: BaseException) -> None:
        self.status.setText(describe(error).text)

    @slot
    def _on_choose(self) -> None:
        item = self.list.currentItem()
        if item is not None and not item.isHidden():
            self._answer = item.data(_SUBJECT)
            self.accept()

    @slot
    def _end(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
