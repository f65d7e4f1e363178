"""`docs/servers.md`, from the tests of `each_server` and from `facts`: ``python -m tests.contract.servers_page``."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stdout
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.contract.facts import ALYX, ALYX_LOCAL, DIFFERENCES, SANDBOX, Why, difference
from tests.servers import fact

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "servers.md"
SERVERS: Final = {SANDBOX: "sandbox", ALYX: "Alyx", ALYX_LOCAL: "Alyx-Local"}
#: Where the facts about servers are tested; other tests of `each_server` are about our programs.
_ABOUT_SERVERS: Final = ROOT / "tests" / "contract"
_BEGIN: Final = """\
# What holds on which server

Made from the tests by `python -m tests.contract.servers_page`. Each row is a test; of a test with several cases it says
how many of them hold. Each run of the tests asks the sandbox and Alyx-Local 3.1.8, and Alyx 3.6.1 where `ALYX_TEST_URL`
names one. A test that does not hold on a server is expected to fail there, for the reason in the last column; once it
passes, the run is red. The sandbox that is started with `--like alyx-local` has no column: it must agree with
Alyx-Local in each row.
"""


class Case(NamedTuple):
    """One case of a test."""

    path: Path
    #: What the file is about.
    about: str
    test: str
    #: With the case, as in `facts`.
    fact: str


class _Collector:
    """Takes the tests of `each_server` from pytest, one for all servers."""

    def __init__(self) -> None:
        self.cases: list[Case] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Read what was collected."""
        for item in session.items:
            parameters = getattr(getattr(item, "callspec", None), "params", {})
            if isinstance(item, pytest.Function) and parameters.get("each_server") == SANDBOX:
                about = (item.module.__doc__ or "").partition("\n")[0].rstrip(".")
                self.cases.append(Case(item.path, about, item.originalname, fact(item)))


def collect() -> list[Case]:
    """Return all cases of tests of `each_server`; those of windows only where PyBpod is installed."""
    folders = ["contract", "system", *(["gui"] if find_spec("pybpodgui_plugin") else [])]
    collector = _Collector()
    with redirect_stdout(io.StringIO()):
        words = ["--collect-only", "-q", "-p", "no:cacheprovider", *(str(ROOT / "tests" / one) for one in folders)]
        code = pytest.main(words, plugins=[collector])
    if code != pytest.ExitCode.OK:
        raise RuntimeError(f"the tests cannot be collected: {code}")
    return sorted(collector.cases, key=lambda case: case.path)


def without_test(cases: list[Case]) -> list[str]:
    """Return what `facts` names and no test is, in the files that were collected."""
    files = {case.path.name for case in cases}
    known = {name for case in cases for name in (case.fact, case.fact.partition("[")[0])}
    named = [name for one in DIFFERENCES for name in one.tests]
    return [name for name in named if name not in known and name.partition("::")[0] in files]


def page(cases: list[Case]) -> str:
    """Return the text of `docs/servers.md`."""
    parts = [_BEGIN]
    for (path, about), inside in groupby(cases, key=lambda case: (case.path, case.about)):
        if path.parent == _ABOUT_SERVERS:
            parts.append(f"## {about}\n")
            parts.append(f"| fact | {' | '.join(SERVERS.values())} | where not, and why |")
            parts.append("|---" * (len(SERVERS) + 2) + "|")
            parts += [
                _row(test, [case.fact for case in same]) for test, same in groupby(inside, lambda case: case.test)
            ]
            parts.append("")
    return "\n".join(parts)


def _row(test: str, facts: list[str]) -> str:
    cells, reasons = [], []
    for server, title in SERVERS.items():
        lacking = [found for one in facts if (found := difference(one, server))]
        holding = len(facts) - len(lacking)
        cells.append("yes" if not lacking else f"{holding} of {len(facts)}" if holding else "no")
        for reason in dict.fromkeys(f"{found.reason}{_WHOSE[found.why]}" for found in lacking):
            reasons.append((reason, title))
    told = dict.fromkeys(reason for reason, _ in reasons)
    why = "; ".join(f"{', '.join(title for same, title in reasons if same == reason)}: {reason}" for reason in told)
    sentence = test.removeprefix("test_").replace("_", " ")
    cases = f" ({len(facts)} cases)" if len(facts) > 1 else ""
    return f"| {sentence}{cases} | {' | '.join(cells)} | {why.replace('<', '&lt;').replace('|', chr(92) + '|')} |"


_WHOSE: Final = {Why.OTHERWISE: "", Why.FAULT: " (a fault of the server)", Why.CLIENT: " (not yet right in our client)"}


if __name__ == "__main__":
    cases = collect()
    if lost := without_test(cases):
        sys.exit(f"tests/contract/facts.py names tests that are not there: {', '.join(lost)}")
    if "--print" in sys.argv:
        sys.stdout.write(page(cases))
    else:
        PAGE.write_text(page(cases), encoding="utf-8")
