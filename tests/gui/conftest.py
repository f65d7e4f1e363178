"""The real PyBpod, once a process, with the plugin in it; nothing touches the user's home, trash or keyring.

PyBpod composes its classes when its models are first imported, that is in the fixture `host`: nothing in these tests
may import ``pybpodgui_plugin.models`` before. Other lists of plugins need another process.
"""

from __future__ import annotations

import os
import sys
import types

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_API", "pyqt5")  # AnyQt reads it when it is imported
os.environ.setdefault("MPLBACKEND", "Agg")

import pytest

PLUGINS = ["pybpodgui_plugin", "pybpod_alyx_module"]


@pytest.fixture(scope="session", autouse=True)
def pybpod_settings(tmp_path_factory):
    """Give the module that stands for the user's user_settings.py; the environment is put back at the end."""
    from confapp import conf

    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HOME", "USERPROFILE"):
            patch.setenv(name, str(home))
        patch.setenv("XDG_DATA_HOME", str(home / "share"))  # Send2Trash reads it when it is imported
        patch.setenv("ALYX_CONNECTOR_HOME", str(home / "alyx-connector"))
        patch.setenv("ALYX_TOKEN_STORE", "memory")
        patch.setenv("PATH", os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"])  # Run starts "python"
        settings = types.ModuleType("user_settings")
        settings.SETTINGS_PRIORITY = 0
        settings.GENERIC_EDITOR_PLUGINS_LIST = list(PLUGINS)
        settings.PYFORMS_SILENT_PLUGINS_FINDER = False
        patch.setitem(sys.modules, "user_settings", settings)
        conf += settings
        yield settings
        conf -= settings


@pytest.fixture(autouse=True)
def room(monkeypatch):
    """Give the windows the room of a screen of 1366 x 768; that of the tests' platform is any."""
    from AnyQt.QtCore import QSize

    from pybpod_alyx_module.gui import windows

    monkeypatch.setattr(windows, "room_for", lambda window: QSize(1358, 728))


@pytest.fixture(autouse=True)
def quick_look(monkeypatch):
    """Have the outbox see at once, not a second later, what another program did to it."""
    from pybpod_alyx_module.gui import running_outbox

    monkeypatch.setattr(running_outbox, "LOOK_S", 0.05)


@pytest.fixture(scope="session")
def host(qapp, pybpod_settings, tmp_path_factory):
    """Give PyBpod's main widget: ``host.model`` holds the projects, ``host.model.tree`` is the tree."""
    from AnyQt.QtWidgets import QMessageBox
    from confapp import conf

    here = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("log"))  # PyBpod writes app.log where it is imported
    try:
        import pyforms_generic_editor.settings  # noqa: F401

        conf += "pyforms_gui.resources_settings"
        from pyforms_generic_editor.editor.base_editor import BaseEditor
        from pyforms_gui.appmanager import StandAloneContainer

        def refuse(box):
            raise AssertionError(f"a box outside of any test: {box.text()!r}")

        QMessageBox.exec_ = refuse  # it would wait for a user for ever; the tests put their own in its place
        main = StandAloneContainer(BaseEditor)
    finally:
        os.chdir(here)
    main.resize(1200, 800)
    main.show()
    editor = main.centralWidget()
    from pybpodgui_plugin.models.projects import Projects

    assert isinstance(editor.model, Projects), "PyBpod did not load: its finder swallowed an ImportError"
    assert conf.GENERIC_EDITOR_PLUGINS_FINDER._plugins == PLUGINS, "a plugin was skipped"
    yield editor
    main.hide()


@pytest.fixture(autouse=True)
def known_at_the_rig(monkeypatch):
    """Let everything recorded be of somebody who said so; the tests of that question put their own in its place."""
    from pybpod_alyx_module.connect import Logins

    monkeypatch.setattr(Logins, "somebody_is_at_rig", lambda _self, _server: True)


@pytest.fixture(autouse=True)
def no_blocking_dialogs(monkeypatch):
    """Answer every modal box: a question that the test did not expect fails it. ``log`` holds (title, text)."""
    from AnyQt.QtWidgets import QMessageBox

    log, script = [], []

    def answer(box):
        log.append((box.windowTitle(), box.text()))
        if script:
            button = getattr(QMessageBox, script.pop(0))
            assert box.standardButtons() & button, f"not offered by {box.text()!r}"
            return button
        if box.standardButtons() in (QMessageBox.NoButton, QMessageBox.Ok):
            return QMessageBox.Ok
        raise AssertionError(f"unexpected question: {box.text()!r}")

    def tell(*arguments, **_keywords):
        log.append(arguments[1:3])
        return QMessageBox.Ok

    monkeypatch.setattr(QMessageBox, "exec_", answer)
    monkeypatch.setattr(QMessageBox, "open", lambda box: tell(None, box.windowTitle(), box.text()))
    monkeypatch.setattr(QMessageBox, "warning", staticmethod(tell))
    return types.SimpleNamespace(log=log, script=script)


@pytest.fixture
def dialogs(no_blocking_dialogs):
    """Give the boxes that were shown (``log``) and the answers to give (``script``)."""
    return no_blocking_dialogs


@pytest.fixture
def project(host):
    """Give a new, never saved project of the real PyBpod."""
    project = host.model.create_project()
    project.name = "Prj"
    yield project
    close(host, project)


@pytest.fixture
def open_project(host):
    """Give a function that opens a project's folder; what it opened is closed at the end."""
    opened = []

    def open_folder(path):
        project = host.model.open_project(str(path))
        opened.append(project)
        return project

    yield open_folder
    for project in opened:
        close(host, project)


def close(host, project):
    """Close a project; PyBpod itself keeps closed ones in its list."""
    if not project.is_closed:
        project.close(silent=True)
    if project in host.model.projects:
        host.model.projects.remove(project)


class Menu:
    """The tree's context menu, as a right click fills it."""

    def __init__(self, tree):
        self._tree = tree

    def actions(self, node):
        self._tree.setCurrentItem(node)
        self._tree.about_to_show_contextmenu_event()
        return self._tree._popup_menu.actions()

    def labels(self, node):
        return [action.text() for action in self.actions(node)]

    def trigger(self, node, label):
        found = [action for action in self.actions(node) if action.text() == label]
        assert found, f"{label} is not in {self.labels(node)}"
        found[0].trigger()


@pytest.fixture
def menu(host):
    """Give the tree's context menu."""
    return Menu(host.model.tree)
