"""Several programs at once in one folder, and what importing the client costs."""

from __future__ import annotations

import json
import subprocess
import sys

from alyx_connector import Accounts

WRITER = """
import sys
from pathlib import Path
from alyx_connector import Accounts
from alyx_connector.tokens import FileTokenStore
home, name = Path(sys.argv[1]), sys.argv[2]
accounts = Accounts(home, FileTokenStore(home))
sys.stdin.readline()
for number in range(15):
    accounts.remember(f"{name}{number}.lab.org", "jose", f"token-of-{name}{number}")
    if number % 3 == 2:
        accounts.forget(f"{name}{number}.lab.org", "jose")
"""
IMPORTS = """
import json, sys
import alyx_connector
print(json.dumps(sorted(sys.modules)))
"""


def test_programs_that_write_at_once_lose_nothing(tmp_path):
    names = ["a", "b", "c"]
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen([*command, name], stdin=subprocess.PIPE, text=True) for name in names]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.stdin.close()
        assert writer.wait(120) == 0
    accounts = Accounts(tmp_path)
    expected = {f"https://{name}{number}.lab.org" for name in names for number in range(15) if number % 3 != 2}
    assert {account.url for account in accounts.all()} == expected
    tokens = json.loads((tmp_path / "tokens.json").read_text())
    assert {url: f"token-of-{url[8:-8]}" for url in expected} == {url: users["jose"] for url, users in tokens.items()}
    assert accounts.notes == []
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"accounts.json", "accounts.json.lock", "tokens.json", "tokens.json.lock"}


def test_the_import_is_light():
    answer = subprocess.run([sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True, cwd="/")
    loaded = {name.partition(".")[0] for name in json.loads(answer.stdout)}
    assert "alyx_connector" in loaded
    heavy = {
        "pandas",
        "numpy",
        "rich",
        "keyring",
        "django",
        "pybpodgui_api",
        "pybpodgui_plugin",
        "pyforms",
        "AnyQt",
        "PyQt5",
    }
    assert loaded.isdisjoint(heavy | {"pybpod_alyx_module", "alyx_sandbox", "one", "pyarrow", "pybpodapi", "confapp"})
