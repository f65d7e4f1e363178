"""The plugin's log: small, private, whole with several programs at once, and never in the way."""

from __future__ import annotations

import logging
import os
import re
import stat
import subprocess
import sys

import pytest

from pybpod_alyx_module import log_file
from pybpod_alyx_module.log_file import LogFile

TOKEN = "0123456789abcdef0123456789abcdef01234567"
LOGGER = logging.getLogger("pybpod_alyx_module.test")

#: Logs many lines as soon as it is told to, so that several do so at once; the files are full early.
WRITES = """
import logging, sys
from pybpod_alyx_module import log_file
log_file.FULL_AT = 20_000
log_file.OLDER = 50
log_file.start_log()
print("ready", log_file.where_is_log(), flush=True)
sys.stdin.readline()
for number in range(3000):
    logging.getLogger("alyx_connector.x").info("%s line %s end", sys.argv[1], number)
print("done", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def log(tmp_path):
    log = LogFile(tmp_path / "home" / "log")
    log.start()
    yield log
    log.stop()


def lines(folder):
    return [line for file in sorted(folder.glob("*.log*")) for line in file.read_text("utf-8").splitlines()]


def test_what_plugin_and_client_log_is_there_and_nothing_else(log):
    LOGGER.info("from the plugin")
    logging.getLogger("alyx_connector.http").warning("from the client")
    LOGGER.debug("too much")
    logging.getLogger("somebody").warning("of somebody else")
    assert [line.split(": ", 1)[1] for line in lines(log.folder)] == ["from the plugin", "from the client"]


@pytest.mark.skipif(os.name != "posix", reason="modes")
def test_nobody_else_can_read_it(log, monkeypatch):
    assert stat.S_IMODE(log.folder.stat().st_mode) == 0o700
    log.path.chmod(0o644)  # as after a copy
    log.stop()
    monkeypatch.setattr(log_file, "FULL_AT", 200)
    log.start()
    for number in range(10):
        LOGGER.info("line %s", number)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in log.folder.iterdir()}
    assert set(modes) == {"plugin.log", *(f"plugin.log.{n}" for n in range(1, log_file.OLDER + 1)), "plugin.lock"}
    assert set(modes.values()) == {0o600}


def test_it_stays_small(log):
    for _ in range(30):
        LOGGER.info("x" * 300_000)
    assert sum(file.stat().st_size for file in log.folder.iterdir()) <= 5 * log_file.FULL_AT
    assert len(list(log.folder.glob("plugin.log*"))) == 5


@pytest.mark.parametrize(
    "said",
    [
        f"{TOKEN} was refused",
        f"Authorization: Token {TOKEN[:12]}",
        f"http://jose:{TOKEN[:12]}@127.0.0.1:8000/subjects",
    ],
)
def test_a_secret_in_an_error_of_another_library_is_taken_out(log, said):
    try:
        raise OSError(said)
    except OSError:
        LOGGER.exception("failed: %s", said)
    text = log.path.read_text("utf-8")
    assert TOKEN[:12] not in text
    assert text.count("(removed)") == 2


def test_half_a_letter_and_other_scripts(log, monkeypatch):
    for name in ("pybpod_alyx_module", "alyx_connector"):  # a worker cannot report what pytest would capture
        monkeypatch.setattr(logging.getLogger(name), "propagate", False)
    LOGGER.info("müs マウス \ud800")
    assert "müs マウス \\ud800" in log.path.read_text("utf-8")


def test_several_programs_at_once_have_a_file_each_and_lose_nothing(tmp_path):
    environment = {**os.environ, "ALYX_CONNECTOR_HOME": str(tmp_path)}
    names = ["one", "two", "three"]
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", WRITES, name],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    try:
        files = {program.stdout.readline().split()[1] for program in programs}
        assert {os.path.basename(file) for file in files} == {"plugin.log", "plugin-2.log", "plugin-3.log"}
        for program in programs:
            program.stdin.write("\n")
            program.stdin.flush()
        assert [program.stdout.readline() for program in programs] == ["done\n"] * 3
    finally:
        for program in programs:
            program.kill()
            program.wait()
            program.stdin.close()
            program.stdout.close()
    found = [re.search(r": (\w+) line (\d+) end$", line) for line in lines(tmp_path / "log")]
    assert all(found)
    assert sorted(match.groups() for match in found) == sorted(
        (name, str(number)) for name in names for number in range(3000)
    )
    log = LogFile(tmp_path / "log")
    log.start()
    log.stop()
    assert log.folder.joinpath("plugin.log").exists()


def test_the_name_of_a_program_that_was_killed_is_free_again(tmp_path):
    environment = {**os.environ, "ALYX_CONNECTOR_HOME": str(tmp_path)}
    command = [sys.executable, "-c", WRITES, "one"]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        program.stdout.readline()
        program.kill()
    log = LogFile(tmp_path / "log")
    log.start()
    assert log.path == tmp_path / "log" / "plugin.log"
    log.stop()


def test_a_folder_that_cannot_be_made_is_a_warning(tmp_path, caplog):
    (tmp_path / "home").write_text("a file is in its place")
    log = LogFile(tmp_path / "home" / "log")
    log.start()
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert str(log.folder) in record.getMessage()
    assert log.path is None
    LOGGER.warning("goes on")
    log.stop()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_a_full_disk_is_silent(tmp_path, capfd):
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "plugin.log").symlink_to("/dev/full")
    log = LogFile(tmp_path / "log")
    log.start()
    assert log.path is not None
    LOGGER.info("lost")
    log.stop()
    assert "No space left" not in capfd.readouterr().err


def test_warnings_still_reach_the_terminal(tmp_path):
    script = (
        "import logging; from pybpod_alyx_module import log_file; log_file.start_log(); log_file.start_log();"
        "logging.getLogger('pybpod_alyx_module.x').warning('seen'); logging.getLogger('alyx_connector').info('not')"
    )
    environment = {**os.environ, "ALYX_CONNECTOR_HOME": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "seen\n")
    assert len(lines(tmp_path / "log")) == 2
