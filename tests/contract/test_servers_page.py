"""`docs/servers.md` is what the tests say."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.contract.servers_page import PAGE, ROOT


def test_the_page_is_made_from_the_tests() -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "ALYX_TEST_"))}
    command = [sys.executable, "-m", "tests.contract.servers_page", "--print"]
    made = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    assert made.stdout == PAGE.read_text(encoding="utf-8"), "write it anew: python -m tests.contract.servers_page"
