"""The dialog *Record weight…*."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from AnyQt.QtWidgets import QLabel

from alyx_connector.errors import AlyxError
from pybpod_alyx_module.animals.other_animals import fetch_other_animals
from pybpod_alyx_module.animals.subject_state import not_there
from pybpod_alyx_module.animals.weight import COLOURS, LOW, LOW_TEXT, Judgement, judge, last_notes, note_of
from pybpod_alyx_module.animals.weight_plausibility import OtherAnimal, Weighed, concerns
from pybpod_alyx_module.gui.animals.open_dialog import open_dialog
from pybpod_alyx_module.gui.animals.record_dialog import RecordDialog
from pybpod_alyx_module.gui.animals.recorder import Entry
from pybpod_alyx_module.gui.animals.scale_field import ScaleField
from pybpod_alyx_module.gui.guard import slot
from pybpod_alyx_module.gui.running_outbox import running_outbox
from pybpod_alyx_module.gui.task import Task, start_task
from pybpod_alyx_module.gui.words import without_long_words
from pybpod_alyx_module.numbers import grams, plain
from pybpod_alyx_module.outbox.items import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from AnyQt.QtWidgets import QWidget

    from alyx_connector.progress import CancelToken
    from pybpod_alyx_module.animals.alyx_subject import AlyxSubject
    from pybpod_alyx_module.animals.overview import AnimalOverview
    from pybpod_alyx_module.animals.weight import WeightNote
    from pybpod_alyx_module.host.pybpod_objects import Subject

#: Label of the menu entry.
RECORD_WEIGHT: Final = "Record weight…"

#: The settings that it depends on, by the beginnings of their names: it shows those that cannot be used.
SETTINGS: Final = ("ALYX_PLUGIN_WEIGHT_", "ALYX_PLUGIN_SCALE_")


class WeightDialog(RecordDialog):
    """Records a weight of one animal."""

    def __init__(self, alyx_subject: AlyxSubject, title: str = "Record weight", parent: QWidget | None = None) -> None:
        super().__init__(alyx_subject, title, parent)
        self._others: tuple[OtherAnimal, ...] = ()
        self._fetch_others: Task | None = None
        self.weight = ScaleField(self.settings.scale)
        self.form.addRow("&Weight", self.weight)
        self.form.labelForField(self.weight).setBuddy(self.weight.edit)
        self.form.addRow("&Time", self.time)
        self.verdict = QLabel()
        self.verdict.setWordWrap(True)
        font = self.verdict.font()
        font.setPointSize(font.pointSize() + 4)
        font.setBold(True)
        self.verdict.setFont(font)
        self.verdict.hide()
        self.form.addRow("", self.verdict)
        #: Takes what is known of the last weight, for the tree; None for a dialog that no subject opened.
        self.note_weight: Callable[[WeightNote | None], None] | None = None
        self.recorder.fetch_ended.connect(self._note_last)
        self.recorder.recorded.connect(self._note_recorded)
        self.weight.changed.connect(self.show_facts)
        self.weight.start()

    def first_field(self) -> QWidget:
        """Return the field of the weight."""
        return self.weight.edit

    def typed_anything(self) -> bool:
        """Tell whether somebody typed into the field; a reading of the scale is not lost, it comes again."""
        return bool(self.weight.edit.text().strip()) and not self.weight.is_from_scale

    def entry(self) -> Entry:
        """Check what was typed."""
        weight = grams(self.weight.edit.text())
        values = {"weight": float(weight), **self.time.values()}
        copy = self.alyx_subject.copy
        facts = {"species": copy.species, "reference_weight": None if copy.reference is None else float(copy.reference)}
        return Entry(Kind.WEIGHING, values, f"{plain(weight)} g", {**facts, **self.time.origin()})

    def concern_sentences(self, entry: Entry, overview: AnimalOverview) -> tuple[str, ...]:
        """Ask about a jump, about what no such animal weighs, and whether it fits another animal better.

        Returns: empty where nothing speaks against it.
        """
        judged = self._judged()
        low = [f"{judged.minimum_text}."] if judged and judged.level in LOW else []
        sentences = (*low, *self._concern_sentences(overview))
        if sentences and self._fetch_others is None and overview.state.found:
            animal, outbox = self.alyx_subject, running_outbox()

            def work(_report: Any, cancel: CancelToken) -> tuple[OtherAnimal, ...]:
                client = outbox.client(animal.server, overview.username)
                return fetch_other_animals(client, overview.username, animal.subject_id, cancel=cancel)

            self._fetch_others = start_task(Task(work, "alyx-others"), succeeded=self._on_others)
        return sentences

    def _concern_sentences(self, overview: AnimalOverview) -> tuple[str, ...]:
        state = overview.state
        moment = self.time.moment()
        typed, animal, copy = grams(self.weight.edit.text()), self.alyx_subject, self.alyx_subject.copy
        against = concerns(
            typed,
            animal.name,
            state.weighings or (),
            copy.species if "subject" in state.not_checked else state.species,
            self._others,
            today=moment.date(),
            percent=self.settings.weight_change_percent,
        )
        if state.weighings is None and not against:
            against = copy.concerns(typed, animal.name)
        return (*not_there(state), *(one.sentence for one in against))

    @slot
    def _on_others(self, others: tuple[OtherAnimal, ...]) -> None:
        self._others = others
        if self.questioned_entry is not None and self.overview is not None:
            self.question.text.setText(without_long_words("\n".join(self._concern_sentences(self.overview))))

    def asked_sentences(self, sentences: tuple[str, ...]) -> tuple[str, ...]:
        """Leave out what stands above in large type."""
        self.body.ensureWidgetVisible(self.verdict)
        against = self._concern_sentences(self.overview) if self.overview is not None else sentences
        return against or ("Is the weight right?",)

    def fact_lines(self) -> list[str]:
        """Return the last weight, and how Alyx judges the typed one."""
        lines = [problem.text for problem in self.settings.problems if problem.setting.startswith(SETTINGS)]
        if self.overview is None:
            return lines
        state = self.overview.state
        lines += not_there(state)
        if state.weighings is None and self.alyx_subject.copy.sentence:
            lines.append(self.alyx_subject.copy.sentence)
        last = state.last_weight
        if last is not None:
            when = f" on {last.when:%Y-%m-%d at %H:%M}" if last.when else ""
            lines.append(f"Last weight: {plain(last.grams)} g{when}")
        elif state.weighings is not None:
            lines.append("Last weight: none in the last days")
        if "requirement" in state.untold:
            if state.reference_weight is not None:
                lines.append(f"Reference weight: {plain(state.reference_weight)} g")
            lines.append(state.not_checked["requirement"])
        judged = self._judged()
        self._show_verdict(judged)
        if state.requirement is not None:
            if judged is None:
                today = state.requirement.today
                limit = judge(today.weight, state.requirement).minimum_text if today.weight else ""
                lines += [f"Last weight: {limit}"] if limit and last is not None else []
            else:
                lines.append(f"As typed: {judged.percentage_text}")
                lines += [f"As typed: {judged.minimum_text}"] if judged.level not in LOW else []
        return lines

    def _judged(self) -> Judgement | None:
        # None where Alyx told no numbers, or nothing is typed yet, or not all of it.
        requirement = self.overview.state.requirement if self.overview is not None else None
        if requirement is None:
            return None
        try:
            return judge(grams(self.weight.edit.text()), requirement)
        except AlyxError:
            return None

    def _show_verdict(self, judged: Judgement | None) -> None:
        level = judged.level if judged is not None else None
        self.verdict.setVisible(level in LOW)
        if judged is not None and level in LOW:
            self.verdict.setText(f"Too light: {judged.minimum_text}")
            self.verdict.setStyleSheet(f"background: {COLOURS[level]}; color: {LOW_TEXT}; padding: 4px;")

    @slot
    def _note_last(self) -> None:
        for note in last_notes(self.overview.state) if self.overview is not None else ():
            if self.note_weight is not None:
                self.note_weight(note)

    @slot
    def _note_recorded(self) -> None:
        state = self.overview.state if self.overview is not None else None
        when = self.time.moment().replace(tzinfo=None)
        last = state.last_weight if state is not None else None
        # the field shows whole seconds, the outbox gives each weight microseconds of its own
        newer = last is not None and last.when is not None and last.when.replace(microsecond=0) > when
        if self.note_weight is None or newer:
            return
        if state is not None and state.requirement is not None and not state.requirement.today.is_water_restricted:
            return
        judged = self._judged()
        level, text = (judged.level, judged.minimum_text) if judged is not None else (None, "")
        self.note_weight(note_of(Weighed(grams(self.weight.edit.text()), when), level, text))

    def hold(self, held: bool) -> None:
        """Keep the fields while a question is open."""
        super().hold(held)
        self.weight.hold(held)

    def end_typing(self) -> None:
        """Leave the scale to the next animal."""
        self.weight.stop()

    @slot
    def leave(self) -> None:
        """Stop asking Alyx, once, and leave the scale to others."""
        self.weight.stop()
        if self._fetch_others is not None:
            self._fetch_others.cancel()
        super().leave()


def open_weight_dialog(subject: Subject) -> RecordDialog | None:
    """Show the dialog that records a weight of a subject.

    Returns: None where nothing may be recorded, which a message box explained.
    """
    dialog = open_dialog(WeightDialog, subject)
    if isinstance(dialog, WeightDialog):
        dialog.note_weight = subject.alyx_note_weight
    return dialog
