"""What every `ProjectPort` keeps: run over the project in memory and over the real PyBpod project."""

from __future__ import annotations

from pybpod_alyx_module.sync.plan import Action, Change, Former, SubjectCopy
from tests.alyx_rows import alyx_id, record


class ProjectPortContract:
    """Subclasses give a fixture ``port`` (an empty project) and ``state(port)``, all that a rollback must restore."""

    def state(self, port):
        raise NotImplementedError

    def test_an_empty_project_has_no_subjects(self, port):
        assert port.subjects() == ()
        assert dict(port.names()) == {}
        assert port.read("nobody") is None

    def test_add_read_and_undo(self, port):
        before = self.state(port)
        undo = port.add("ea04", alyx_id("ea04"), record("ea04"))
        (subject,) = port.subjects()
        assert (subject.name, subject.alyx_id, subject.hold) == ("ea04", alyx_id("ea04"), "")
        assert subject.details.get("sex") == "M"
        assert port.read(subject.key) == subject
        assert dict(port.names()) == {subject.key: "ea04"}
        undo()
        assert self.state(port) == before
        assert port.subjects() == ()

    def test_update_keeps_other_keys_and_undoes(self, port):
        port.add("ea04", alyx_id("ea04"), record("ea04", weighings=[{"weight": 20.0}]))
        (subject,) = port.subjects()
        before = self.state(port)
        undo = port.update(subject.key, "ea05", {"sex": "F", "nickname": "ea05"})
        (changed,) = port.subjects()
        assert (changed.key, changed.name, changed.details.get("sex")) == (subject.key, "ea05", "F")
        assert changed.details.get("strain") == "BALB/c"
        undo()
        assert self.state(port) == before
        assert port.subjects() == (subject,)

    def test_remove_and_undo_restores_the_order(self, port):
        for name in ("a", "b", "c"):
            port.add(name, alyx_id(name), record(name))
        before, subjects = self.state(port), port.subjects()
        undo = port.remove(subjects[1].key)
        assert [subject.name for subject in port.subjects()] == ["a", "c"]
        assert port.read(subjects[1].key) is None
        undo()
        assert self.state(port) == before
        assert port.subjects() == subjects

    def test_undoing_everything_in_reverse_restores_everything(self, port):
        port.add("a", alyx_id("a"), record("a"))
        port.add("b", alyx_id("b"), record("b"))
        before, (first, second) = self.state(port), port.subjects()
        undo = [
            port.update(first.key, "z", {"sex": "F"}),
            port.remove(second.key),
            port.add("b", alyx_id("new"), record("b", who="new")),
        ]
        for step in reversed(undo):
            step()
        assert self.state(port) == before

    def test_what_it_holds_is_put_back_exactly_and_that_undone(self, port):
        port.add("ea04", alyx_id("ea04"), record("ea04", json=...))
        (subject,) = port.subjects()
        held, before = port.copy_of(subject.key), self.state(port)
        assert (held.name, held.fields()) == ("ea04", record("ea04", json=...))
        port.update(subject.key, "ea05", {"sex": "F", "nickname": "ea05", "json": {"cage": 1}})
        changed = self.state(port)
        undo = port.put_back(subject.key, Former("ea04", '{"sex": "M", "nickname": "ea04"}', ("json",)))
        assert port.copy_of(subject.key) == held
        assert self.state(port) == before
        undo()
        assert self.state(port) == changed

    def test_a_link_is_taken_away_and_that_undone(self, port):
        port.add("ea04", alyx_id("ea04"), record("ea04"))
        (subject,) = port.subjects()
        before = self.state(port)
        undo = port.put_back(subject.key, Former("ea04", unlinked=True))
        (unlinked,) = port.subjects()
        assert (unlinked.key, unlinked.alyx_id) == (subject.key, None)
        assert port.copy_of(subject.key) == SubjectCopy("ea04")
        undo()
        assert self.state(port) == before

    def test_a_removed_one_comes_back_to_its_place_and_that_undone(self, port):
        for name in ("a", "b", "c"):
            port.add(name, alyx_id(name), record(name))
        second = port.subjects()[1]
        held, place = port.copy_of(second.key), port.place_of(second.key)
        port.remove(second.key)
        gone = self.state(port)
        undo = port.bring_back(Change(Action.REMOVE, held, None, place))
        names = [subject.name for subject in port.subjects()]
        assert names == ["a", "b", "c"]
        assert port.copy_of(port.subjects()[1].key) == held
        undo()
        assert self.state(port) == gone

    def test_nothing_speaks_for_one_that_nobody_used(self, port):
        port.add("ea04", alyx_id("ea04"), record("ea04"))
        assert port.use(port.subjects()[0].key) == ""
