"""Before Run in the real PyBpod: what is asked, what blocks, and that nothing starts twice or unasked."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from AnyQt.QtCore import Qt
from AnyQt.QtWidgets import QLabel, QScrollArea

from pybpod_alyx_module.animals.checks_before_run import Finding
from pybpod_alyx_module.gui.animals import run_check
from pybpod_alyx_module.gui.animals.run_check_dialog import NOTHING_LEFT, RunCheckDialog
from pybpod_alyx_module.gui.animals.weight_dialog import WeightDialog
from pybpod_alyx_module.host.project_user import log_in_user
from pybpod_alyx_module.host.running import is_anything_running
from pybpod_alyx_module.models.setup import impl
from pybpod_alyx_module.rig_settings import CHECKS
from tests.gui.hands import hanging_keyring, living, press, small_enough, wait
from tests.gui.rig_windows import Bench, alyx, alyx_home, bench, lab_today, outbox, proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["alyx", "alyx_home", "bench", "hanging_keyring", "outbox", "proxy"]

PROTOCOL = """
import sys
open('started', 'w').close()
sys.stdin.readline()
"""


class Rig:
    """A saved setup with a protocol that waits for Stop."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.bench, self.project, self.qtbot = bench, bench.project, bench.qtbot
        self.project.save(str(folder / "Prj"))
        board = self.project.create_board()
        board.name, board.serial_port = "box1", "/dev/ttyFAKE"
        task = self.project.create_task()
        task.name = "proto"
        self.project.save()
        Path(task.filepath).write_text(PROTOCOL)
        self.setup = self.project.create_experiment().create_setup()
        self.setup.board, self.setup.task = board, task
        log_in_user(self.project, "jose")

    def put_on(self, *nicknames: str, **changed) -> None:
        for nickname in nicknames:
            self.setup += self.bench.subject(nickname, **changed)
        self.project.save()

    @property
    def button(self):
        return self.setup._run_task_btn

    def press(self) -> None:
        """Press Run, as a hand does."""
        press(self.qtbot, self.button._form)

    def asked(self) -> RunCheckDialog:
        """Press Run and wait for the question."""
        self.press()
        wait(self.qtbot, lambda: self.setup.alyx_run_dialog is not None)
        return self.setup.alyx_run_dialog

    def runs(self) -> None:
        """Wait until the protocol's process runs, then stop it."""
        wait(self.qtbot, lambda: self.setup.sessions and Path(self.setup.sessions[-1].path, "started").exists())
        assert (self.button.label, self.button.checked) == ("Stop", True)
        press(self.qtbot, self.button._form)
        wait(self.qtbot, lambda: self.setup.status == self.setup.STATUS_READY)

    def end(self) -> None:
        """Kill the protocol where it still runs."""
        process = getattr(self.setup.board, "proc", None)
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()

    def rests(self) -> None:
        """Nothing runs and nothing looks as if it did."""
        assert self.setup.sessions == []
        assert self.setup.status == self.setup.STATUS_READY
        assert (self.button.label, self.button.checked, self.button._form.isEnabled()) == ("Run", False, True)


def running_children() -> set[int]:
    """Return the processes that this one started and that have not ended."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (process / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:  # it ended meanwhile
            continue
        if int(parent) == os.getpid() and state != "Z":
            found.add(int(process.name))
    return found


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Give a busy machine time to answer: only the tests of the limit itself set a short one."""
    monkeypatch.setattr(run_check, "CHECK_S", 20.0)


@pytest.fixture(autouse=True)
def no_process_left(prepared):
    """Fail where a test leaves a process running that it started."""
    before = running_children()
    yield
    left = running_children() - before
    assert not left, [Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") for pid in left]


@pytest.fixture
def make_rig(tmp_path) -> Iterator[Callable[[Bench], Rig]]:
    """Give a function that makes a rig; its protocol ends with the test, also where the test fails."""
    impl._shown.clear()
    rigs: list[Rig] = []

    def make(bench: Bench) -> Rig:
        rigs.append(Rig(bench, tmp_path))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.end()


@pytest.fixture
def rig(bench, make_rig) -> Rig:
    return make_rig(bench)


@pytest.fixture
def policy(pybpod_settings, monkeypatch):
    """Give a function that sets the checks; those not named are off."""

    def choose(**levels: str) -> None:
        for check, name in CHECKS.items():
            monkeypatch.setattr(pybpod_settings, name, levels.get(check, "off"), raising=False)

    return choose


#: A check, an animal that does not pass it, and what is said of it.
CASES = [
    ("alive", ["dead"], "dead is not alive on Alyx (death date "),
    ("may_handle", ["annas"], "ana is responsible for annas and does not let you handle it."),
    ("to_be_culled", ["culled"], "Alyx lists culled as to be culled."),
    ("run_today", ["ran"], "ran already has a session today on Alyx: "),
    ("weighed_today", ["thirsty"], "thirsty has not been weighed today (last weight 23.9 g"),
    ("water", ["thirsty"], "thirsty still needs "),
    ("several", ["thirsty", "culled"], "This setup has 2 Alyx subjects: thirsty, culled."),
]


@pytest.fixture(autouse=True, scope="module")
def prepared(alyx):
    """One more animal, which ran today."""
    moment = f"{lab_today()}T00:00:01"
    alyx.client.post("subjects", {"nickname": "ran", "lab": "home", "responsible_user": "jose"})
    alyx.client.post("sessions", {"subject": "ran", "start_time": moment, "number": 1, "task_protocol": "wait_task"})


@pytest.mark.parametrize(("check", "animals", "sentence"), CASES)
def test_each_check_warns_and_blocks(rig, policy, check, animals, sentence):
    policy(**{check: "warn"})
    rig.put_on(*animals)
    dialog = rig.asked()
    assert sentence in dialog.text
    assert small_enough(dialog)
    assert dialog.run_button.isVisible()
    assert not dialog.isModal()
    rig.rests()
    press(rig.qtbot, dialog.no_button)
    rig.rests()
    policy(**{check: "block"})
    dialog = rig.asked()
    assert sentence in dialog.text
    assert f"This blocks Run ({CHECKS[check]} = 'block' in user_settings.py)." in dialog.text
    assert not dialog.run_button.isVisible()
    assert dialog.no_button.text() == "&Close"
    rig.qtbot.keyClick(dialog, Qt.Key_Return)
    wait(rig.qtbot, lambda: not living(RunCheckDialog))
    rig.rests()


def test_below_the_minimum_weight_warns_and_blocks(rig, policy, alyx):
    moment = f"{lab_today()}T00:00:02"
    alyx.client.post("weighings", {"subject": "thirsty", "weight": 15.0, "date_time": moment, "user": "jose"})
    policy(min_weight="warn")
    rig.put_on("thirsty")
    assert "oo light" not in rig.project.subjects[-1].node.toolTip(0)
    assert "thirsty is below its minimum weight: 15.0 g today, minimum " in rig.asked().text
    assert "oo light: 15.0 g on " in rig.project.subjects[-1].node.toolTip(0)
    policy(min_weight="block")
    press(rig.qtbot, rig.setup.alyx_run_dialog.no_button)
    dialog = rig.asked()
    assert "ALYX_PLUGIN_CHECK_MIN_WEIGHT = 'block'" in dialog.text
    rig.rests()


def test_a_protocol_that_runs_is_known_to_run(rig, policy):
    policy()
    rig.put_on("free")
    assert not is_anything_running([rig.project])
    rig.press()
    wait(rig.qtbot, lambda: is_anything_running([rig.project]))
    rig.runs()
    assert not is_anything_running([rig.project])


def test_what_fits_does_not_scroll(qtbot, host):
    said = [Finding("water", "warn", "", f"thirsty still needs {n} mL of water today.") for n in range(5)]
    dialog = RunCheckDialog("Setup", said)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitExposed(dialog)
    assert dialog.findChild(QScrollArea).verticalScrollBar().maximum() == 0


def test_a_setting_that_cannot_be_used_is_said_while_it_runs(rig, policy):
    policy(alive="blok")
    rig.put_on("free")
    rig.press()
    wait(rig.qtbot, lambda: rig.setup.alyx_run_dialog is not None)
    notice = rig.setup.alyx_run_dialog
    assert "ALYX_PLUGIN_CHECK_ALIVE in user_settings.py must be" in notice.text
    rig.runs()


def test_run_really_starts_the_protocol(rig, policy):
    policy(weighed_today="warn", alive="block")
    rig.put_on("never_weighed")  # at every hour of the day
    dialog = rig.asked()
    press(rig.qtbot, dialog.run_button)
    rig.runs()
    assert len(rig.setup.sessions) == 1


def test_nothing_found_runs_at_once(rig, policy):
    policy(alive="warn", to_be_culled="block")
    rig.put_on("free")
    rig.press()
    rig.runs()
    assert not living(RunCheckDialog)


@pytest.mark.parametrize("why", ["all off", "test subject", "not of Alyx"])
def test_what_is_not_to_be_checked_runs_without_asking(rig, policy, pybpod_settings, monkeypatch, why):
    policy(**({} if why == "all off" else dict.fromkeys(CHECKS, "block")))
    monkeypatch.setattr(pybpod_settings, "ALYX_PLUGIN_TEST_SUBJECTS", ["dead"] if "test" in why else [], raising=False)
    if why == "not of Alyx":
        rig.setup += rig.project.create_subject()
        rig.project.save()
    else:
        rig.put_on("dead")
    rig.press()
    assert len(rig.setup.sessions) == 1  # at once
    rig.runs()


def test_what_is_always_so_is_said_once_while_it_runs(rig, policy):
    policy(min_weight="warn")
    record = rig.bench.alyx.client.list("subjects", {"nickname": "delegated"})[0]  # its lab sets no limit
    rig.put_on("free", **{key: record[key] for key in ("id", "lab", "responsible_user")})
    rig.press()
    wait(rig.qtbot, lambda: rig.setup.alyx_run_dialog is not None)
    notice = rig.setup.alyx_run_dialog
    assert "minimum weight: no limit set on Alyx" in notice.text
    assert not notice.run_button.isVisible()
    rig.runs()
    press(rig.qtbot, notice.no_button)
    rig.project.save()
    rig.press()
    wait(rig.qtbot, lambda: rig.setup.status == rig.setup.STATUS_RUNNING_TASK)
    assert rig.setup.alyx_run_dialog is None
    rig.runs()


def test_a_server_that_says_nothing_does_not_block(
    project, alyx, outbox, qtbot, menu, proxy, make_rig, policy, monkeypatch
):
    monkeypatch.setattr(run_check, "CHECK_S", 0.5)
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    rig = make_rig(bench)
    policy(**dict.fromkeys(CHECKS, "block"))
    rig.put_on("dead")
    proxy.fault("mute", times=100_000)
    rig.press()
    assert (rig.button.label, rig.button.checked) == ("Checking…", True)
    wait(qtbot, lambda: rig.setup.alyx_run_dialog is not None)
    text = rig.setup.alyx_run_dialog.text
    assert "dead: could not check whether it is alive" in text
    assert "an unanswered check never blocks a run" in text
    rig.runs()
    proxy.release()


def test_nobody_logged_in_is_said_and_does_not_block(project, alyx, outbox, qtbot, menu, make_rig, policy):
    rig = make_rig(Bench(project, alyx, qtbot, menu, alyx.url))
    policy(alive="block")
    rig.put_on("dead")
    rig.press()
    wait(qtbot, lambda: rig.setup.alyx_run_dialog is not None)
    assert "choose Sync to Alyx, and connect" in rig.setup.alyx_run_dialog.text
    rig.runs()


def test_a_keyring_that_hangs_does_not_block(
    project, alyx, outbox, hanging_keyring, qtbot, menu, make_rig, policy, monkeypatch
):
    monkeypatch.setattr(run_check, "CHECK_S", 0.5)
    rig = make_rig(Bench(project, alyx, qtbot, menu, alyx.url))
    policy(alive="block")
    rig.put_on("dead")
    rig.press()
    wait(qtbot, lambda: rig.setup.alyx_run_dialog is not None)
    assert "did not answer within 0.5 s." in rig.setup.alyx_run_dialog.text
    rig.runs()


def test_a_weight_that_waits_in_the_outbox_counts(project, alyx, outbox, qtbot, menu, proxy, make_rig, policy):
    from pybpod_alyx_module.outbox.items import Draft, Kind

    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    rig = make_rig(bench)
    policy(weighed_today="warn")
    rig.put_on("culled")
    assert "culled has not been weighed today" in rig.asked().text
    press(qtbot, rig.setup.alyx_run_dialog.no_button)
    proxy.fault("drop", method="POST", times=100_000)
    now = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None, microsecond=0)
    values = {"weight": 24.0, "date_time": now.isoformat()}
    outbox.open().add(Draft(Kind.WEIGHING, proxy.url, "jose", alyx.row("culled")["id"], "culled", values))
    rig.press()
    rig.runs()


def test_pressed_twice_it_runs_once(rig, policy):
    policy(alive="warn")
    rig.put_on("free")
    rig.press()
    check = rig.setup.alyx_check
    rig.press()
    assert rig.setup.alyx_check is check
    assert (rig.button.label, rig.button.checked) == ("Checking…", True)
    rig.runs()
    assert len(rig.setup.sessions) == 1


def test_pressed_while_it_asks_brings_the_question_up(rig, policy):
    policy(alive="warn")
    rig.put_on("dead")
    dialog = rig.asked()
    rig.press()
    assert rig.setup.alyx_run_dialog is dialog
    assert living(RunCheckDialog) == [dialog]
    rig.rests()


def test_pybpods_own_errors_come_first(rig, policy, dialogs, outbox):
    policy(alive="warn")
    rig.put_on("dead")
    rig.project.create_subject()  # not saved
    rig.press()
    assert "Project must be saved" in dialogs.log[-1][1]
    assert rig.setup.alyx_check is None
    rig.rests()


def test_an_animal_that_is_put_on_meanwhile_is_checked(rig, policy):
    policy(alive="block")
    rig.put_on("free")
    rig.press()
    rig.put_on("dead")
    wait(rig.qtbot, lambda: rig.setup.alyx_run_dialog is not None)
    assert "dead is not alive" in rig.setup.alyx_run_dialog.text
    rig.rests()


def test_an_animal_that_is_put_on_while_it_asks_is_checked(rig, policy):
    policy(alive="block", to_be_culled="warn")
    rig.put_on("culled")
    dialog = rig.asked()
    rig.put_on("dead")
    press(rig.qtbot, dialog.run_button)
    wait(rig.qtbot, lambda: rig.setup.alyx_run_dialog not in (None, dialog))
    assert "dead is not alive" in rig.setup.alyx_run_dialog.text
    rig.rests()


@pytest.mark.parametrize("when", ["checking", "asking"])
def test_a_project_that_is_closed_meanwhile_runs_nothing(rig, policy, when):
    policy(alive="warn")
    rig.put_on("dead")
    if when == "asking":
        rig.asked()
    else:
        rig.press()
    rig.project.close(silent=True)
    assert rig.setup.alyx_check is None
    wait(rig.qtbot, lambda: not living(RunCheckDialog))
    assert rig.setup.sessions == []


def test_the_run_button_of_a_subject_is_checked_too(rig, policy):
    policy(alive="block")
    rig.put_on("dead")
    subject = rig.setup.subjects[0]
    subject.setup = rig.setup
    subject._setups.value = rig.setup
    rig.project.save()
    press(rig.qtbot, subject._run._form)
    wait(rig.qtbot, lambda: rig.setup.alyx_run_dialog is not None)
    rig.rests()
    assert not subject._run.checked


def test_what_a_server_tells_of_no_animal_is_said_at_the_first_run_only(
    project, alyx, outbox, qtbot, menu, proxy, make_rig, policy
):
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    rig = make_rig(bench)
    asked = []

    def fails(seen):
        if not seen.path.startswith("/water-requirement/"):
            return None
        asked.append(seen.path)
        return "answer", {"status": 500, "body": b'{"status_code": 500, "detail": "a fault"}'}

    proxy.choose(fails)
    policy(min_weight="block", to_be_culled="warn")
    rig.put_on("culled")
    sentence = "does not tell minimum weights."
    dialog = rig.asked()
    assert sentence in dialog.text
    assert dialog.run_button.isVisible()
    press(rig.qtbot, dialog.no_button)
    assert sentence not in rig.asked().text
    assert "Alyx lists culled as to be culled." in rig.setup.alyx_run_dialog.text
    assert len(asked) == 3


def weigh_from(rig, dialog, nickname) -> WeightDialog:
    """Press the button beside the sentence about an animal, and wait until Alyx was asked about it."""
    (finding,) = [one for one in dialog.findings if one.subject == nickname and one.to_weigh]
    press(rig.qtbot, dialog.weigh_buttons[finding.to_weigh])
    (weight,) = [one for one in living(WeightDialog) if one.alyx_subject.name == nickname and one.isVisible()]
    rig.bench.asked(weight)
    return weight


def record(rig, weight, grams) -> None:
    rig.bench.type(weight.weight.edit, grams)
    rig.qtbot.keyClick(weight.weight.edit, Qt.Key_Return)
    wait(rig.qtbot, lambda: weight.is_recorded or weight.question.isVisible())
    if not weight.is_recorded:
        press(rig.qtbot, weight.question.anyway_button)
        wait(rig.qtbot, lambda: weight.is_recorded)


def test_each_animal_that_was_not_weighed_is_weighed_from_the_question_and_checked_again(rig, policy, alyx):
    for nickname in ("left", "right"):
        alyx.client.post("subjects", {"nickname": nickname, "lab": "home", "responsible_user": "jose"})
    policy(weighed_today="block", to_be_culled="warn")
    rig.put_on("left", "right", "culled")
    dialog = rig.asked()
    asked = {one.subject for one in dialog.findings if one.to_weigh}
    assert {"left", "right"} <= asked
    assert len(dialog.weigh_buttons) == len(asked)
    assert small_enough(dialog)
    for left_over in sorted(asked):
        assert dialog.blocked
        weight = weigh_from(rig, dialog, left_over)
        record(rig, weight, "24")
        wait(rig.qtbot, lambda: rig.setup.alyx_check is None)
        assert rig.setup.alyx_run_dialog is dialog
        assert f"{left_over} has not been weighed" not in dialog.text
        press(rig.qtbot, weight.close_button)
    assert (dialog.weigh_buttons, dialog.blocked) == ({}, False)
    assert "Alyx lists culled as to be culled." in dialog.text
    rig.rests()
    press(rig.qtbot, dialog.run_button)
    rig.runs()


def test_a_weight_alone_starts_nothing_though_nothing_is_found_any_more(rig, policy, alyx):
    alyx.client.post("subjects", {"nickname": "alone", "lab": "home", "responsible_user": "jose"})
    policy(weighed_today="warn")
    rig.put_on("alone")
    dialog = rig.asked()
    record(rig, weigh_from(rig, dialog, "alone"), "24")
    wait(rig.qtbot, lambda: rig.setup.alyx_check is None)
    assert (dialog.head.whole, dialog.text) == (f"Run {rig.setup.name}?", "")
    wait(rig.qtbot, lambda: NOTHING_LEFT in [one.text() for one in dialog.findChildren(QLabel) if one.isVisible()])
    assert dialog.run_button.isEnabled()
    rig.rests()
    press(rig.qtbot, dialog.run_button)
    rig.runs()


@pytest.mark.usefixtures("quick_retries")
def test_a_weight_that_waits_in_the_outbox_settles_the_check(
    project, alyx, outbox, qtbot, menu, proxy, make_rig, policy
):
    alyx.client.post("subjects", {"nickname": "waits", "lab": "home", "responsible_user": "jose"})
    bench = Bench(project, alyx, qtbot, menu, proxy.url)
    bench.log_in()
    rig = make_rig(bench)
    policy(weighed_today="block")
    rig.put_on("waits")
    dialog = rig.asked()
    weight = weigh_from(rig, dialog, "waits")
    proxy.fault("drop", method="POST", times=100_000)
    record(rig, weight, "24")
    wait(qtbot, lambda: rig.setup.alyx_check is None)
    assert alyx.of("weighings", "waits") == []
    assert not dialog.blocked
    assert dialog.weigh_buttons == {}
    press(qtbot, dialog.no_button)
    rig.rests()


def test_who_answers_while_the_animals_are_checked_again_has_answered(rig, policy, alyx, monkeypatch):
    alyx.client.post("subjects", {"nickname": "answered", "lab": "home", "responsible_user": "jose"})
    policy(weighed_today="warn")
    rig.put_on("answered")
    dialog = rig.asked()
    weight = weigh_from(rig, dialog, "answered")
    pressed = []

    def answer() -> None:
        assert not dialog.run_button.isEnabled()
        assert "again" in dialog.head.whole
        press(rig.qtbot, dialog.no_button)
        pressed.append(rig.setup.alyx_check)

    weight.recorder.recorded.connect(answer)  # after the check began again
    record(rig, weight, "24")
    assert pressed == [None]
    wait(rig.qtbot, lambda: not living(RunCheckDialog))
    weight.close()
    rig.bench.qtbot.wait(100)
    rig.rests()
    assert rig.setup.alyx_run_dialog is None
