"""One question for all old sessions that name their animal by its name only."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from AnyQt.QtCore import Signal

from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.question_frame import QuestionFrame
from pybpod_alyx_module.gui.sessions.choose_animal import ChooseAnimalDialog
from pybpod_alyx_module.sessions.on_rig import Animal, LinkedSubject

if TYPE_CHECKING:
    from pybpod_alyx_module.sessions.prepared_session import PreparedSession

#: A name in session files, and the animal that has it now.
Name: TypeAlias = tuple[str, LinkedSubject]


class NameQuestion(QuestionFrame):
    """Asks about one name after the other; sessions that are read later have the same answer."""

    #: Of which animal all sessions of a name are: the `Name`, and the animal (`LinkedSubject`).
    answered = Signal(object, object)

    def __init__(self) -> None:
        super().__init__(self._on_yes, self._on_no)
        self._sessions: dict[Name, list[PreparedSession]] = {}
        #: None: each session has a question of its own.
        self._answers: dict[Name, LinkedSubject | None] = {}

    def add(self, prepared: PreparedSession) -> LinkedSubject | None:
        """Count a session; return the animal where a person said it for this name already."""
        name = named_only(prepared)
        if name is None:
            return None
        self._sessions.setdefault(name, []).append(prepared)
        self._ask()
        return self._answers.get(name)

    def _asked(self) -> Name | None:
        return next((name for name in self._sessions if name not in self._answers), None)

    def _ask(self) -> None:
        asked = self._asked()
        if asked is None:
            self.hide()
            return
        name, animal = asked
        count, facts = len(self._sessions[asked]), Animal.of(animal.record)
        born = f", born {facts.birth_date}" if facts.birth_date else ""
        sessions = "1 session names" if count == 1 else f"{count} sessions name"
        text = (
            f"{sessions} {name} by name only; another animal may have had that name before. Was it always "
            f"{animal.name} of the lab {facts.lab or 'unknown'}{born}?"
        )
        yes = "&Yes" if count == 1 else f"&Yes, in all {count}"
        if self.isVisibleTo(self.parentWidget()):
            self.text.setText(text)
            self.anyway_button.setText(yes)
        else:
            self.ask(text, yes, "&No…", at_once=False)

    @slot
    def _on_yes(self) -> None:
        asked = self._asked()
        if asked is not None:
            self._answer(asked, asked[1])

    @slot
    def _on_no(self) -> None:
        asked = self._asked()
        if asked is not None:
            question = ChooseAnimalDialog(self._sessions[asked][0], self.window())
            question.answered.connect(lambda animal: self._answer(asked, animal))
            question.open()

    @slot
    def _answer(self, asked: Name, animal: LinkedSubject | None) -> None:
        self._answers[asked] = animal
        self._ask()
        if animal is not None:
            self.answered.emit(asked, animal)


def named_only(prepared: PreparedSession) -> Name | None:
    """Return the name by which alone a session names its animal, and who has it now.

    Returns: None where that animal cannot have been on the rig on that day, or the session was registered before.
    """
    if len(prepared.choices) != 1:
        return None
    (choice,) = prepared.choices
    found = choice.on_rig.by_name
    if found is None or choice.earlier is not None or not choice.animal.lived_on(prepared.file.started.date()):
        return None
    return prepared.listed[0], found
