"""What is read from PyBpod's session files: real ones, and damaged ones made by hand."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta

import pytest

from pybpod_alyx_module.errors import RigError
from pybpod_alyx_module.sessions import session_csv
from pybpod_alyx_module.sessions.session_csv import Creator, SessionSubject, Variable, read_session_file, read_start
from tests.rig_sessions import (
    BPOD,
    BROKEN_OFF,
    EA04,
    ENDED,
    ENDS,
    RECORDED,
    STARTED,
    TRIAL,
    at,
    files_opened,
    needs_pybpod,
    row,
    run_protocol,
    write_session,
)


def check_finished(file):
    assert (file.name, file.protocol, file.project, file.experiment) == ("20261121-110000", "wait_task", "Mice", "Exp")
    assert (file.setup, file.board, file.serial_port) == ("Set", "box1", "/dev/ttyFAKE")
    assert file.creator == Creator("jose", "77b0c2de-6c2f-4d0e-9b0e-3e1c9a4f5d55", "ALYX")
    assert file.subjects == (SessionSubject("ea04", EA04),)
    assert (file.n_trials, file.n_begun, file.interrupted) == (3, 3, False)
    assert not file.killed
    assert file.started < file.ended < file.last_time
    assert file.versions == {"software": "PyBpod API v1.8.2", "pybpod-api": "1.8.2"}
    assert file.whole
    assert (file.size, file.sha256) == (
        file.path.stat().st_size,
        hashlib.sha256(file.path.read_bytes()).hexdigest(),
    )
    # PyBpod writes each task variable once more at the end, with what it was set to before the run.
    assert file.variables == {
        "reward_ml": Variable("0", "0.009000000000000001", "0", rises=2, times=3, sum=pytest.approx(0.018), trial=3),
        "label": Variable("a;b|c", None, "a;b|c"),
        "block": Variable("3", None, "3"),
    }
    assert file.variables["reward_ml"].value == "0.009000000000000001"


def check_stopped(file):
    assert (file.n_trials, file.n_begun, file.interrupted, file.killed) == (3, 4, True, False)


def check_crashed(file):
    assert (file.n_trials, file.n_begun, file.interrupted, file.killed) == (3, 4, False, True)
    assert file.ended is None
    assert file.end == file.last_time > file.started
    assert file.variables["reward_ml"].final is None


CHECKS = {"finished": check_finished, "stopped": check_stopped, "crashed": check_crashed}


@pytest.mark.parametrize("end", CHECKS)
def test_a_recorded_session(end):
    CHECKS[end](read_session_file(RECORDED / f"{end}.csv"))


def test_identity_checksum_and_rows_come_from_one_reading():
    with files_opened() as opened:
        found = read_session_file(RECORDED / "finished.csv")
    assert opened == [str(RECORDED / "finished.csv")]
    assert found.uuid
    assert found.sha256
    assert found.n_trials


@needs_pybpod
@pytest.mark.parametrize("end", CHECKS)
def test_what_this_pybpod_writes(end, tmp_path):
    CHECKS[end](read_session_file(run_protocol(tmp_path, BPOD + ENDS[end])))


@needs_pybpod
def test_a_bpod_that_does_not_answer(tmp_path):
    file = read_session_file(
        run_protocol(tmp_path, BPOD.replace("        self.bpod_com_ready = True", "        raise OSError('no port')"))
    )
    assert (file.n_begun, file.killed, file.name) == (0, True, "20261121-110000")
    assert file.subjects == (SessionSubject("ea04", EA04),)
    assert timedelta() <= file.duration < timedelta(minutes=1)


@needs_pybpod
def test_a_protocol_that_sets_its_variables(tmp_path):
    text = BPOD + "conf += types.SimpleNamespace(__name__='set', SETTINGS_PRIORITY=-1, reward_ml=0.5)\nbpod.close()\n"
    variable = read_session_file(run_protocol(tmp_path, text)).variables["reward_ml"]
    assert (variable.final, variable.value) == ("0.5", "0.5")


def test_the_predecessors_file():
    folder = RECORDED.parent / "predecessor/Mice/experiments/Exp/setups/Set/sessions/20200303-101010"
    file = read_session_file(folder / "20200303-101010.csv")
    assert file.uuid == "d4f5a6b7-8c9d-4e0f-a1b2-c3d4e5f60788"
    assert file.duration == timedelta(minutes=1, seconds=59, microseconds=600000)


class TestTrials:
    @pytest.mark.parametrize(
        ("rows", "count"),
        [
            ([*TRIAL * 3, *BROKEN_OFF], 3),
            ([*BROKEN_OFF], 0),
            ([*TRIAL], 1),
            ([*BROKEN_OFF * 3], 3),  # of a PyBpod that wrote no times of trials
        ],
    )
    def test_one_that_was_broken_off_does_not_count(self, tmp_path, rows, count):
        file = read_session_file(write_session(tmp_path, [STARTED, *rows, ENDED]))
        assert file.n_trials == count
        assert file.interrupted is (count < file.n_begun)

    def test_one_that_did_not_end_does_not_count(self, tmp_path):
        file = read_session_file(write_session(tmp_path, [STARTED, *TRIAL, TRIAL[0]]))
        assert (file.n_trials, file.n_begun) == (1, 2)

    def test_the_protocols_own_words_are_no_trials(self, tmp_path):
        printed = [
            row("stdout", "10:00:01", "TRIAL"),
            "stdout;2026-11-21 10:00:01;;;|",
            row("TRIAL", "10:00:02", "x"),
            "|;",
        ]
        assert read_session_file(write_session(tmp_path, [STARTED, *printed])).n_begun == 0


class TestVariables:
    def read(self, tmp_path, *values):
        rows = [STARTED, *(row("VAL", "10:01:00", "water", value) for value in values), ENDED]
        return read_session_file(write_session(tmp_path, rows)).variables["water"]

    def test_the_last_counts(self, tmp_path):
        assert self.read(tmp_path, "1", "2", "3") == Variable(reported="3", rises=2, times=3, sum=6)

    def test_one_that_fell(self, tmp_path):
        assert self.read(tmp_path, "1", "3", "2", "5").fell

    @pytest.mark.parametrize("values", [("1", "1"), ("b", "a"), ("nan", "1"), ("2", "", "3")])
    def test_one_that_did_not(self, tmp_path, values):
        assert not self.read(tmp_path, *values).fell


class TestStart:
    """When a session began, from the beginning of its file alone."""

    @pytest.mark.parametrize("end", ["finished", "stopped", "crashed"])
    def test_as_the_whole_file_says(self, end):
        file = RECORDED / f"{end}.csv"
        assert read_start(file) == read_session_file(file).started

    def test_of_a_file_that_is_long(self, tmp_path):
        before = row("INFO", "10:00:00", "SUBJECT-NAME", "x" * 100_000)
        file = write_session(tmp_path, [before, STARTED, *TRIAL * 100_000])
        assert read_start(file) == at("2026-11-21 10:00:00")

    def test_no_more_is_read_than_is_needed(self, tmp_path, monkeypatch):
        file = write_session(tmp_path, [STARTED, *TRIAL * 100_000])
        read = []

        def count(path, most=None):
            content = real(path, most)
            read.append(len(content))
            return content

        real = session_csv._read
        monkeypatch.setattr(session_csv, "_read", count)
        read_start(file)
        assert read == [65536]

    @pytest.mark.parametrize("content", [b"", b"no session\n", b"\0" * 100_000])
    def test_a_file_that_does_not_say_it(self, tmp_path, content):
        file = tmp_path / "made.csv"
        file.write_bytes(content)
        with pytest.raises(RigError) as whole:
            read_session_file(file)
        with pytest.raises(RigError) as head:
            read_start(file)
        assert str(head.value) == str(whole.value)

    def test_one_that_cannot_be_read(self, tmp_path):
        with pytest.raises(RigError, match="cannot be read"):
            read_start(tmp_path)


class TestDamaged:
    def test_a_half_written_number_is_not_read(self, tmp_path):
        file = write_session(
            tmp_path, [STARTED, row("VAL", "10:01:00", "water", "0.5"), row("VAL", "10:02:00", "water", "1.5")]
        )
        file.write_bytes(file.read_bytes()[:-3])
        found = read_session_file(file)
        assert found.variables["water"].value == "0.5"
        assert not found.whole

    def test_a_quote_that_was_never_closed_loses_its_line_only(self, tmp_path):
        found = read_session_file(write_session(tmp_path, [STARTED, row("stdout", "10:00:30", "|oh"), *TRIAL, ENDED]))
        assert (found.n_trials, found.ended) == (1, at("2026-11-21 11:00"))
        assert not found.whole

    def test_an_endless_quote(self, tmp_path, monkeypatch):
        monkeypatch.setattr("pybpod_alyx_module.sessions.csv_row_parser.LONGEST_ROW", 2000)
        rows = [STARTED, row("stdout", "10:00:30", "|oh"), *TRIAL * 30, row("stdout", "10:30:00", "|oh"), *TRIAL, ENDED]
        found = read_session_file(write_session(tmp_path, rows))
        assert (found.n_trials, found.killed) == (31, False)

    def test_another_code_page_and_line_end(self, tmp_path):
        file = write_session(
            tmp_path, [STARTED, row("VAL", "10:01:00", "water \u00b5L", "5"), *TRIAL, ENDED], newline="\r\n"
        )
        file.write_bytes(file.read_bytes().decode().encode("cp1252"))
        found = read_session_file(file)
        assert list(found.variables) == ["water \u00b5L"]
        assert (found.variables["water \u00b5L"].value, found.n_trials) == ("5", 1)

    def test_a_byte_order_mark(self, tmp_path):
        file = write_session(tmp_path, [STARTED])
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
        assert read_session_file(file).uuid == "ee935a67-4af0-41b6-ad3f-d4053a99ad71"

    def test_a_file_that_grows_while_it_is_read(self, tmp_path, monkeypatch):
        file = write_session(tmp_path, [STARTED, *TRIAL])
        before = file.read_bytes()

        def grow(descriptor):
            found = real(descriptor)
            with file.open("ab") as stream:
                stream.write(("\n".join([*TRIAL, ENDED]) + "\n").encode())
            return found

        real = os.fstat
        monkeypatch.setattr("pybpod_alyx_module.sessions.session_csv.os.fstat", grow)
        found = read_session_file(file)
        assert (found.n_trials, found.killed, found.whole) == (1, True, True)
        assert (found.size, found.sha256) == (len(before), hashlib.sha256(before).hexdigest())

    @pytest.mark.parametrize("text", ["no list", "['a'", "[1, 2]", "__import__('os')", "[" * 500, "['x']"])
    def test_a_subject_that_is_no_list_is_a_name(self, tmp_path, text):
        found = read_session_file(write_session(tmp_path, [row("INFO", "10:00:00", "SUBJECT-NAME", text), STARTED]))
        assert found.subjects == (SessionSubject(text),)

    @pytest.mark.parametrize(
        ("text", "creator"),
        [
            ("null", None),
            ("", None),
            ('["jos\\u00e9", "u", null]', Creator("josé", "u")),
            ("['jose', 'u', 'local']", Creator("jose", "u", "local")),
            ("jose", Creator("jose")),
        ],
    )
    def test_creator(self, tmp_path, text, creator):
        found = read_session_file(write_session(tmp_path, [row("INFO", "10:00:00", "CREATOR-NAME", text), STARTED]))
        assert found.creator == creator

    def test_a_subject_listed_twice_is_one(self, tmp_path):
        listed = row("INFO", "10:00:00", "SUBJECT-NAME", f"['ea04', '{EA04}']")
        assert len(read_session_file(write_session(tmp_path, [listed, listed])).subjects) == 1

    @pytest.mark.parametrize("time", ["0001-01-01 00:00:00", "9999-12-31 23:59:59", "yesterday", "2026-11-21"])
    def test_a_start_that_is_no_time(self, tmp_path, time):
        found = read_session_file(write_session(tmp_path, [row("INFO", "10:00:00", "SESSION-STARTED", time)]))
        assert found.started == at("2026-11-21 10:00:00.100000")


class TestUnusable:
    @pytest.mark.parametrize("content", [b"", b"a;b\n1;2\n", b"\x00\xff" * 100, b"__UUID4__;x\n", b"|||\n|\n"])
    def test_no_start(self, tmp_path, content):
        file = tmp_path / "session.csv"
        file.write_bytes(content)
        with pytest.raises(RigError, match="does not say when a session began") as caught:
            read_session_file(file)
        assert str(file) in caught.value.message
        assert caught.value.hint

    def test_a_file_too_large_for_the_memory(self, tmp_path, monkeypatch):
        file = tmp_path / "s.csv"
        file.write_bytes(b"")

        def run_out(*_arguments):
            raise MemoryError

        with monkeypatch.context() as patch:
            patch.setattr(os, "fstat", run_out)
            with pytest.raises(RigError, match="too large") as caught:
                read_session_file(file)
        assert str(file) in caught.value.message

    @pytest.mark.parametrize("name", ["gone.csv", "."])
    def test_no_file(self, tmp_path, name):
        with pytest.raises(RigError, match="cannot be read") as caught:
            read_session_file(tmp_path / name)
        assert str(tmp_path) in caught.value.message
