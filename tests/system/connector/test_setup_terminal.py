"""``Connector.setup()`` answered by hand, and a search stopped by hand, at a real pseudo-terminal."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pexpect
import pytest

from alyx_connector import AlyxClient
from tests.system.connector.command_line import half_way, obey_ctrl_c, press_ctrl_c

ROOT = Path(__file__).parents[3]
SETUP = (
    "from alyx_connector import Connector; made = Connector.setup({}); "
    "print('made', made.url, made.username, len(made.search(subject='ea04', details=False)))"
)
#: IPython without what would not be the same on every machine.
IPYTHON = ("-m", "IPython", "--no-banner", "--simple-prompt", "--no-confirm-exit", "--HistoryManager.enabled=False")
ADDRESS, USER, DEFAULT, PASSWORD, TOKEN = "Server address", "User name", "Make .* the default", "Password of", "Token "


class Terminal:
    """A program at a pseudo-terminal, and the hands that answer it."""

    def __init__(self, words, home, **environment):
        self.home = home
        self.child = pexpect.spawn(
            sys.executable,
            words,
            encoding="utf-8",
            timeout=60,
            cwd=str(ROOT),
            dimensions=(50, 250),
            env={
                "PATH": "/usr/bin:/bin",
                "PYTHONPATH": str(ROOT),
                "TERM": "dumb",
                "ALYX_CONNECTOR_HOME": str(home),
                "ALYX_TOKEN_STORE": "file",
                **environment,
            },
            preexec_fn=obey_ctrl_c,
        )
        self.shown = ""

    def answer(self, question, text):
        """Wait for the question and type the answer; return what was shown before it."""
        self.child.expect(question)
        before = self.child.before
        self.child.expect(r": $")
        if question in {PASSWORD, TOKEN}:
            self.child.waitnoecho(30)
        self.child.sendline(text)
        self.shown += before
        return before

    def end(self):
        """Wait until it ends; return what it showed last."""
        self.child.expect(pexpect.EOF)
        self.child.close()
        self.shown += self.child.before
        return self.child.before

    @property
    def kept(self):
        """Files that it left, with what they hold."""
        return {path.name: path.read_text(encoding="utf-8") for path in self.home.rglob("*.json")}


@pytest.fixture
def start(tmp_path):
    started = []

    def start(arguments="", program=SETUP, **environment):
        words = [*IPYTHON] if program == IPYTHON else ["-c", program.format(arguments)]
        started.append(Terminal(words, tmp_path / "home", **environment))
        return started[-1]

    yield start
    for terminal in started:
        terminal.child.close(force=True)


def test_it_asks_in_order_and_keeps_the_token_but_not_the_password(start, sandbox):
    terminal = start()
    terminal.child.expect_exact("Server address [127.0.0.1]: ")
    terminal.child.sendline(sandbox.url.removeprefix("http://"))
    terminal.answer(USER, "jose")
    terminal.answer(DEFAULT, "")
    terminal.answer(PASSWORD, "jose-demo")
    end = terminal.end()
    assert f"made {sandbox.url} jose 25" in end
    assert "tokens.json" in end, "says where the token is kept"
    assert terminal.child.exitstatus == 0
    assert json.loads(terminal.kept["accounts.json"])["default_server"] == sandbox.url
    assert json.loads(terminal.kept["tokens.json"])[sandbox.url]["jose"] not in terminal.shown
    assert "jose-demo" not in terminal.shown + "".join(terminal.kept.values())
    again = start()
    again.child.expect_exact(f"Server address [{sandbox.url}]: ")
    again.child.sendline("")
    again.child.expect_exact("User name [jose]: ")
    again.child.sendline("")
    again.answer(DEFAULT, "n")
    again.answer(PASSWORD, "jose-demo")
    assert f"made {sandbox.url} jose 25" in again.end()


def test_it_asks_in_ipython(start, sandbox, tmp_path):
    terminal = start(program=IPYTHON, IPYTHONDIR=str(tmp_path / "ipython"))
    terminal.child.expect_exact("In [1]: ")
    terminal.child.sendline("from alyx_connector import Connector; made = Connector.setup()")
    terminal.answer(ADDRESS, sandbox.url)
    terminal.answer(USER, "jose")
    terminal.answer(DEFAULT, "")
    terminal.answer(PASSWORD, "jose-demo")
    terminal.child.expect_exact("In [2]: ")
    terminal.child.sendline("print('made', made.url, made.username, len(made.search(subject='ea04', details=False)))")
    terminal.child.expect_exact(f"made {sandbox.url} jose 25")
    terminal.child.expect_exact("In [3]: ")
    terminal.child.sendline("exit")
    terminal.end()
    assert terminal.child.exitstatus == 0
    assert "jose-demo" not in terminal.shown + "".join(terminal.kept.values())


def test_a_wrong_password_is_asked_again_with_the_reason_and_the_rest_is_kept(start, sandbox):
    terminal = start()
    terminal.answer(ADDRESS, sandbox.url)
    terminal.answer(USER, "jose")
    terminal.answer(DEFAULT, "y")
    terminal.answer(PASSWORD, "wrong")
    assert "refused this user and password" in terminal.answer(PASSWORD, "jose-demo")
    assert f"made {sandbox.url} jose 25" in terminal.end()
    assert terminal.shown.count("refused") == 1


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("ftp://lab.org", "http"),
        ("127.0.0.1:9", "cannot be reached"),
        ("alyx.invalid", "cannot be reached"),
    ],
)
def test_an_unusable_address_is_asked_again_with_the_reason(start, sandbox, address, reason):
    terminal = start("username='jose', password='jose-demo', make_default=True")
    terminal.answer(ADDRESS, address)
    assert reason in terminal.answer(ADDRESS, sandbox.url)
    assert f"made {sandbox.url} jose 25" in terminal.end()


def test_an_address_that_could_not_be_reached_is_offered_again(start):
    terminal = start("username='jose', password='jose-demo', make_default=True")
    terminal.answer(ADDRESS, "127.0.0.1:9")
    terminal.child.expect_exact("Server address [127.0.0.1:9]: ")
    press_ctrl_c(terminal.child)
    assert "KeyboardInterrupt" in terminal.end()


def test_a_server_that_fails_at_the_login_is_asked_for_again_and_the_rest_is_kept(start, sandbox, proxy):
    proxy.fault("answer", method="POST", path="/auth-token", status=500, body={"detail": "no such luck"})
    terminal = start()
    terminal.answer(ADDRESS, proxy.url)
    terminal.answer(USER, "jose")
    terminal.answer(DEFAULT, "y")
    terminal.answer(PASSWORD, "jose-demo")
    assert "no such luck" in terminal.answer(ADDRESS, sandbox.url)
    assert f"made {sandbox.url} jose 25" in terminal.end()


def test_only_what_is_missing_is_asked_for(start, sandbox):
    terminal = start(f"url='{sandbox.url}', username='jose', make_default=False")
    assert terminal.answer(PASSWORD, "jose-demo") == ""
    assert f"made {sandbox.url} jose 25" in terminal.end()
    silent = start(f"url='{sandbox.url}', username='jose', password='jose-demo', make_default=True")
    assert silent.end().strip() == f"made {sandbox.url} jose 25"


def test_questions_that_got_no_usable_answer_are_asked_again(start, sandbox):
    terminal = start(f"url='{sandbox.url}'")
    terminal.answer(USER, " ")
    assert "empty" in terminal.answer(USER, "jose")
    terminal.answer(DEFAULT, "perhaps")
    assert "y or n" in terminal.answer(DEFAULT, "y")
    terminal.answer(PASSWORD, "jose-demo")
    assert f"made {sandbox.url} jose 25" in terminal.end()


def test_an_empty_password_offers_to_paste_a_token(start, sandbox):
    with AlyxClient(sandbox.url) as client:
        token = client.login("jose", "jose-demo")
    terminal = start(f"url='{sandbox.url}', username='jose', make_default=True")
    terminal.answer(PASSWORD, "")
    terminal.answer(TOKEN, "")
    terminal.answer(PASSWORD, "")
    terminal.answer(TOKEN, "no token at all")
    terminal.answer(PASSWORD, "")
    terminal.answer(TOKEN, "0" * 40)
    assert "does not accept this token" in terminal.answer(PASSWORD, "")
    terminal.answer(TOKEN, token)
    assert f"made {sandbox.url} jose 25" in terminal.end()
    assert token not in terminal.shown


@pytest.mark.parametrize("question", [ADDRESS, USER, DEFAULT, PASSWORD])
def test_ctrl_c_leaves_nothing_written(start, sandbox, question):
    terminal = start()
    for asked, text in [(ADDRESS, sandbox.url), (USER, "jose"), (DEFAULT, "y"), (PASSWORD, "jose-demo")]:
        if asked == question:
            terminal.child.expect(question)
            terminal.child.expect(r": $")
            if question == PASSWORD:
                terminal.child.waitnoecho(30)
            press_ctrl_c(terminal.child)
            break
        terminal.answer(asked, text)
    assert "KeyboardInterrupt" in terminal.end()
    assert terminal.kept == {}


def test_an_input_that_ends_says_what_to_pass(start):
    terminal = start()
    terminal.child.expect(ADDRESS)
    terminal.child.expect(r": $")
    terminal.child.sendeof()
    end = terminal.end()
    assert "ConfigurationError" in end
    assert "Nobody answered" in end
    assert "EOFError" not in end
    assert terminal.kept == {}


def test_ctrl_c_during_the_details_keeps_what_has_arrived(start, sandbox):
    program = (
        "from alyx_connector import Connector; import warnings; warnings.simplefilter('ignore'); "
        "made = Connector.setup({}); found = made.search(partial=True); "
        "print('rows', len(found), 'without', found.detail_error.notna().sum())"
    )
    with half_way(sandbox, answered=14) as server:
        given = f"url='{server.url}', username='jose', password='jose-demo', make_default=True"
        terminal = start(given, program, TERM="xterm")
        terminal.child.expect(r" \d+/34, about \d+ s left Details of 34 sessions from \S+")
        server.wait()
        press_ctrl_c(terminal.child)
        terminal.child.expect(r"rows 34 without (\d+)")
        assert int(terminal.child.match[1]) == 34 - 14
        terminal.end()
    assert terminal.child.exitstatus == 0
