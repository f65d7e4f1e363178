"""On Windows PyBpod writes in the computer's code page what Python reads as UTF-8: a run with a name such as müs01."""

from __future__ import annotations

import builtins
import locale
from pathlib import Path

import pytest

from alyx_connector.ids import canonical_id
from tests.code_page.sitecustomize import CODE_PAGE, open_in_code_page
from tests.gui.running import alyx, alyx_home, outbox, proxy, rig, unchecked

__all__ = ["alyx", "alyx_home", "outbox", "proxy", "rig", "unchecked"]


@pytest.fixture
def windows(rig, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "code_page"))
    monkeypatch.setattr(builtins, "open", open_in_code_page)
    monkeypatch.setattr(locale, "getpreferredencoding", lambda *_: CODE_PAGE)
    return rig


def test_a_run_of_an_animal_whose_name_the_code_page_has(windows):
    subject = windows.subject("ea04")
    subject.name = "müs01"
    windows.project.save()
    session = windows.run()
    dialog = windows.dialog(session)
    assert "3 trials" in dialog.facts.text()
    [listed] = session.alyx_listed
    assert (listed.name, canonical_id(listed.uuid)) == ("müs01", canonical_id(subject.uuid4))


def test_a_name_that_the_code_page_lacks_is_told_before_anything_runs(windows, dialogs):
    windows.subject("ea04").name = "マウス1"
    windows.project.save()
    windows.setup._run_task()
    [(_, text)] = dialogs.log
    assert "マ" in text
    assert "PYTHONUTF8" in text
    assert windows.setup.status == windows.setup.STATUS_READY
    assert not windows.setup._run_task_btn.checked
    assert not windows.setup.sessions
