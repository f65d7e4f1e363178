"""``pybpod-alyx sync`` as processes: the same sync, saved; never beside a PyBpod that has the project open."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from alyx_connector import AlyxClient
from alyx_connector.accounts import Accounts
from pybpod_alyx_module.sync.last_sync import read_last_sync
from tests.gui.conftest import close
from tests.gui.hands import alyx_home
from tests.gui.test_predecessor_sync import EA04, LAB, PROJECT
from tests.sandbox_server import SandboxServer

__all__ = ["alyx_home"]

FAILED, USAGE, LOGIN, CHANGED, CONFLICTS = 1, 2, 3, 10, 11

#: jose's animal changed on Alyx; ana has a new one, and one with a name that PyBpod cannot take.
TWO_USERS = {
    **LAB,
    "users": [*LAB["users"], {"username": "ana", "password": "ana-demo"}],
    "subjects": [
        *LAB["subjects"],
        *(
            {"nickname": name, "lab": "champalimaud", "responsible_user": "ana", "birth_date": "2026-01-01"}
            for name in ("it's", "an001")
        ),
    ],
}


@pytest.fixture
def server(tmp_path):
    lab = tmp_path / "lab.json"
    lab.write_text(json.dumps(TWO_USERS), encoding="utf-8")
    with SandboxServer("--lab", str(lab)) as server:
        yield server


@pytest.fixture
def run(tmp_path, server, alyx_home):
    """Give a function that runs the command where no user_settings.py is; jose and ana are logged in."""
    for user in ("ana", "jose"):
        with AlyxClient(server.url) as client:
            Accounts().remember(client.url, user, client.login(user, f"{user}-demo"), keep_token=True)

    def run(*arguments):
        command = [sys.executable, "-m", "pybpod_alyx_module", "sync", *map(str, arguments)]
        return subprocess.run(
            command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )

    return run


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_night_job(run, server, host, open_project, tmp_path):
    folder = Path(shutil.copytree(PROJECT, tmp_path / "Mice"))
    before = contents(folder)

    project = open_project(folder)
    refused = run(folder, "--yes")
    assert (refused.returncode, refused.stdout) == (FAILED, "")
    assert f"{folder} is open in PyBpod" in refused.stderr
    close(host, project)
    assert contents(folder) == before

    nobody = run(folder, "--yes", "--user", "priya", "--url", server.url)
    assert (nobody.returncode, nobody.stdout) == (LOGIN, "")
    assert f"alyx-connector login {server.url} --user priya" in nobody.stderr
    shown = run(folder, "--dry-run", "--user", "ana", "--url", server.url)
    assert (shown.returncode, shown.stderr) == (CONFLICTS, "")
    assert "it's: " in shown.stdout
    assert "an001" in shown.stdout
    unasked = run(folder, "--override")
    assert (unasked.returncode, unasked.stdout) == (USAGE, "")
    assert "1 overridden" in unasked.stderr
    assert contents(folder) == before

    synced = run(folder, "--override", "--yes", "--json")
    assert (synced.returncode, synced.stderr) == (CHANGED, "")
    told = json.loads(synced.stdout)
    assert (told["server"], told["user"], told["saved"]) == (server.url, "jose", True)
    [entry] = [entry for entry in told["entries"] if entry["action"] == "override"]
    assert (entry["name"], entry["alyx_id"], entry["applied"]) == ("ea04", EA04["alyx_id"], True)
    assert {"field": "json", "alyx": {"implant": "left"}} in entry["differences"]
    saved = json.loads((folder / "subjects" / "ea04" / "ea04.json").read_text(encoding="utf-8"))
    assert (saved["json"], saved["__UUID4__"]) == ({"implant": "left"}, EA04["__UUID4__"])

    with (folder / "alyx-syncs.csv").open(encoding="utf-8-sig", newline="") as stream:
        [row] = csv.DictReader(stream)
    assert (row["user"], row["server"], row["action"], row["subject"]) == ("jose", server.url, "overridden", "ea04")
    assert "json" in row["fields"]
    last = read_last_sync(folder)  # it can be undone in PyBpod's window
    assert (last.number, [change.identity for change in last.changes]) == (row["sync"], [EA04["alyx_id"]])
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]

    damaged = folder / "subjects" / "local1" / "local1.json"
    damaged.write_text("[]", encoding="utf-8")
    before = contents(folder)
    kept = run(folder, "--yes")
    assert (kept.returncode, kept.stdout) == (FAILED, "")
    assert f"{damaged} is damaged" in kept.stderr
    assert contents(folder) == before
