"""The manual in PyBpod: each window's part with F1, links, back, find; also offline."""

from __future__ import annotations

from pathlib import Path

import pytest
from AnyQt.QtCore import Qt, QUrl
from AnyQt.QtGui import QDesktopServices

from pybpod_alyx_module.gui.manual import pages
from pybpod_alyx_module.gui.manual.pages import RIG, TROUBLE, Page, anchor_of, file_of, page_about
from pybpod_alyx_module.gui.manual.window import MANUAL, NOT_FOUND, NOT_INSTALLED, ManualWindow, open_manual
from pybpod_alyx_module.gui.sync.log_in_dialog import LogInDialog
from pybpod_alyx_module.gui.sync.log_out_window import LogOutWindow
from tests.gui.hands import activate, alyx_home, living, press, wait
from tests.gui.test_hammer import BASES, OPEN

__all__ = ["alyx_home"]

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(autouse=True)
def closed(alyx_home):
    yield
    for kind in (ManualWindow, LogOutWindow, LogInDialog):
        for window in living(kind):
            window.close()


def manual():
    (window,) = [one for one in living(ManualWindow) if one.isVisible()]
    return window


def first_heading_seen(window):
    """Return the heading that stands at the top of what is seen."""
    cursor = window.browser.cursorForPosition(window.browser.viewport().rect().topLeft())
    block = cursor.block()
    while not block.blockFormat().headingLevel():
        block = block.next()
    return block.text()


@pytest.mark.parametrize("page", sorted({*pages._ABOUT.values(), RIG}))
def test_each_part_is_in_the_manual(page):
    text = file_of(page.name).read_text("utf-8")
    headings = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
    assert not page.heading or page.heading in headings


def test_each_window_that_is_named_exists():
    assert set(pages._ABOUT) <= {kind.__name__ for kind in OPEN} | BASES


def test_the_links_of_the_manual_lead_somewhere(host, qtbot):
    window = open_manual(RIG, host)
    for name in ("rig-use", "rig-setup", "sync", "outbox", "troubleshooting"):
        window.go_to(Page(name))
        for target in links(window):
            before = window.page
            window._on_link(QUrl(target))
            assert window.message.text() == "", target
            assert window.page != before
            assert not window.page.heading or anchor_of(first_heading_seen(window)) == anchor_of(window.page.heading)
            window._on_back()
            assert window.page == before


def links(window):
    document, found = window.browser.document(), []
    block = document.begin()
    while block.isValid():
        parts = block.begin()
        while not parts.atEnd():
            target = parts.fragment().charFormat().anchorHref()
            found += [target] if target and not target.startswith("http") else []
            parts += 1
        block = block.next()
    return found


def test_from_the_menu(host):
    (menu,) = [action.menu() for action in host.window().menuBar().actions() if action.text() == "Help"]
    (entry,) = [action for action in menu.actions() if action.text() == MANUAL]
    entry.trigger()
    assert manual().page == RIG
    assert manual().windowTitle() == "At the rig"
    entry.trigger()
    assert manual().page == RIG


@pytest.mark.parametrize("modal", [False, True])
def test_f1_opens_what_is_about_the_window(host, qtbot, modal):
    if modal:
        window = LogInDialog("http://127.0.0.1:9", "To try it.", "jose", host.window())
        window.setModal(True)
    else:
        window = LogOutWindow(host.window())
    window.show()
    activate(qtbot, window)
    for _ in range(2):
        qtbot.keyClick(window.focusWidget(), Qt.Key_F1)
    wait(qtbot, lambda: living(ManualWindow))
    assert manual().page == page_about(type(window)) == Page("rig-use", "Several people at one rig")
    assert manual().parentWidget() is (window if modal else host.window())
    assert first_heading_seen(manual()) == "Several people at one rig"


def test_back_and_find(host, qtbot):
    window = open_manual(TROUBLE, host)
    assert not window.back_button.isEnabled()
    window.go_to(Page("rig-use", "Before Run"))
    assert first_heading_seen(window) == "Before Run"
    press(qtbot, window.back_button)
    assert window.page == TROUBLE
    assert not window.back_button.isEnabled()
    window.find_field.setText("doctor")
    qtbot.keyClick(window.find_field, Qt.Key_Return)
    assert window.browser.textCursor().selectedText() == "doctor"
    assert window.isVisible()
    window.find_field.setText("no such words")
    qtbot.keyClick(window.find_field, Qt.Key_Return)
    assert window.message.text() == NOT_FOUND


def test_a_link_out_of_the_manual(host, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    window = open_manual(RIG, host)
    window._on_link(QUrl("https://pybpod.readthedocs.io"))
    assert [url.host() for url in opened] == ["pybpod.readthedocs.io"]
    window._on_link(QUrl("../README"))
    assert window.message.text() == NOT_INSTALLED
    assert window.page == RIG


def test_pages_that_are_not_installed(host, monkeypatch, tmp_path):
    monkeypatch.setattr(pages, "_PLACES", (tmp_path,))
    window = open_manual(RIG, host)
    assert window.message.text() == NOT_INSTALLED
    assert window.page is None


def test_pictures_are_no_wider_than_the_window(host, qtbot):
    window = open_manual(RIG, host)
    wait(qtbot, window.isVisible)
    assert window.browser.horizontalScrollBar().maximum() == 0
