"""How the plugin comes into PyBpod: in any order, beside other plugins, loudly when something is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pybpod_alyx_module.read_settings import read_settings
from tests.gui.hands import LOCAL_ENTRY

ROOT = Path(__file__).parents[2]

#: A plugin as the official ones are written: its classes inherit PyBpod's.
INHERITING = {
    "demo_inheriting/__init__.py": "",
    "demo_inheriting/models/__init__.py": "",
    "demo_inheriting/models/subject/__init__.py": """
        from pybpodgui_plugin.models.subject.subject_treenode import SubjectTreeNode
        class Subject(SubjectTreeNode):
            def create_treenode(self, tree):
                node = super().create_treenode(tree)
                tree.add_popup_menu_option('Inheriting', lambda *a: None, item=node)
                return node
    """,
}
#: A plugin of plain mixins, with a collected value of its own.
MIXIN = {
    "demo_mixin/__init__.py": "",
    "demo_mixin/models/__init__.py": "",
    "demo_mixin/models/subject/__init__.py": """
        class Subject:
            def create_treenode(self, tree):
                node = super().create_treenode(tree)
                tree.add_popup_menu_option('Mixin', lambda *a: None, item=node)
                return node
            def collect_data(self, data):
                return {**super().collect_data(data), 'mixin': 1}
    """,
}
#: Starts PyBpod as its own main does, without waiting for a user, and prints what became of it.
START = """
    import json, os, sys
    {before}
    from confapp import conf
    import user_settings
    conf += user_settings
    from pyforms_generic_editor import settings
    from pyforms_generic_editor.editor.base_editor import BaseEditor
    from AnyQt.QtCore import QTimer
    from AnyQt.QtWidgets import QApplication, QMessageBox
    app = QApplication(sys.argv)
    boxes = []
    QMessageBox.exec_ = lambda box: boxes.append([box.windowTitle(), box.text()])
    conf += 'pyforms_gui.resources_settings'
    from pyforms_gui.appmanager import StandAloneContainer
    window = StandAloneContainer(BaseEditor)
    window.show()
    QTimer.singleShot(0, app.quit)
    app.exec_()
    app.processEvents()
    model = window.centralWidget().model
    def labels(node):
        return [action.text() for action in model.tree._items.get(id(node), [])]
    project = model.create_project()
    subject = project.create_subject()
    found = {"project": labels(project.node), "subject": labels(subject.node), "boxes": boxes,
             "collected": sorted(subject.collect_data({})),
             "projects": any(c.__module__ == 'pybpod_alyx_module.models.projects' for c in type(model).__mro__),
             "real": any(c.__module__.startswith('pybpodgui_plugin') for c in type(model).__mro__)}
    if hasattr(subject, 'is_alyx'):
        subject.alyx = {"alyx_id": "8d1f0c52-3a57-4f43-9f0a-5b7c3c0f2a77"}
        found["linked"] = labels(subject.node)
    print("FOUND " + json.dumps(found))
    sys.stdout.flush()
    os._exit(0)
"""


def put(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))


def python(folder, script):
    """Run a script in a new Python that sees this checkout; gives what it printed."""
    put(folder, {"script.py": script})
    result = subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder,
        env={
            **os.environ,
            "HOME": str(folder),
            "QT_QPA_PLATFORM": "offscreen",
            "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result


def start(folder, plugins, files=None, before=""):
    put(
        folder,
        {"user_settings.py": f"SETTINGS_PRIORITY = 0\nGENERIC_EDITOR_PLUGINS_LIST = {plugins!r}\n", **(files or {})},
    )
    lines = [
        line
        for line in python(folder, START.replace("{before}", before)).stdout.splitlines()
        if line.startswith("FOUND ")
    ]
    return json.loads(lines[0].removeprefix("FOUND "))


#: What the plugin adds to the menu of a project.
ALYX_ENTRIES = [
    "Sync to Alyx",
    "New subject on Alyx…",
    "Register sessions on Alyx…",
    "Today…",
    "Weigh all…",
    "Alyx outbox",
    "What syncs changed…",
    "Get users from Alyx…",
    "Log out of Alyx…",
]


class TestMenus:
    def test_project(self, project, menu):
        assert menu.labels(project.node) == ["Save", "Save as", "Close", *ALYX_ENTRIES]

    def test_subject_that_alyx_does_not_know(self, project, menu):
        assert menu.labels(project.create_subject().node) == ["Remove", LOCAL_ENTRY]


class TestOrder:
    @pytest.mark.parametrize(
        "plugins",
        [
            ["pybpodgui_plugin", "pybpod_alyx_module"],
            ["pybpod_alyx_module", "pybpodgui_plugin"],
            ["demo_mixin", "pybpod_alyx_module", "pybpodgui_plugin", "demo_inheriting"],
            ["pybpodgui_plugin", "demo_inheriting", "pybpod_alyx_module", "demo_mixin"],
        ],
    )
    def test_any_place_in_the_list(self, tmp_path, plugins):
        found = start(tmp_path, plugins, {**INHERITING, **MIXIN})
        assert found["real"]
        assert found["boxes"] == []
        assert "Sync to Alyx" in found["project"]
        assert found["projects"]
        assert "Alyx details" not in found["subject"]
        assert "Alyx details" in found["linked"]
        others = {"demo_mixin": "Mixin", "demo_inheriting": "Inheriting"}
        assert {label for plugin, label in others.items() if plugin in plugins} <= set(found["subject"])
        assert ("mixin" in found["collected"]) == ("demo_mixin" in plugins)


class TestMissing:
    def test_dependency_is_named_in_a_box_and_the_log(self, tmp_path):
        broken = {"urllib3/__init__.py": "raise ModuleNotFoundError(\"No module named 'urllib3'\", name='urllib3')"}
        found = start(tmp_path, ["pybpodgui_plugin", "pybpod_alyx_module"], broken)
        ((title, text),) = found["boxes"]
        assert title == "The Alyx plugin was not loaded"
        assert "No module named 'urllib3'" in text
        assert 'pip install "pybpod-gui-plugin-alyx>=2.dev0"' in text
        assert found["real"]
        assert "Sync to Alyx" not in found["project"]

    def test_told_once_also_where_the_package_was_imported_before_pybpod(self, tmp_path):
        broken = {"urllib3/__init__.py": "raise ModuleNotFoundError('gone', name='urllib3')"}
        found = start(tmp_path, ["pybpodgui_plugin", "pybpod_alyx_module"], broken, "import pybpod_alyx_module")
        assert [title for title, _text in found["boxes"]] == ["The Alyx plugin was not loaded"]

    def test_settings_are_there_where_the_package_was_imported_before_pybpod(self, host):
        from confapp import conf

        assert conf.ALYX_PLUGIN_ADDRESS is None

    def test_older_alyx_connector_in_the_way(self, tmp_path):
        found = start(
            tmp_path,
            ["pybpodgui_plugin", "pybpod_alyx_module"],
            {"alyx_connector/__init__.py": "raise ImportError('cannot import name X', name='alyx_connector')"},
        )
        ((_title, text),) = found["boxes"]
        assert "pip uninstall alyx-connector" in text

    def test_sync_needs_no_pybpod(self, tmp_path):
        script = """
            import sys
            class Refuse:
                def find_spec(self, name, path=None, target=None):
                    if name.split('.')[0] in {'AnyQt', 'PyQt5', 'confapp', 'pyforms', 'pybpodgui_plugin', 'pybpodapi'}:
                        raise ModuleNotFoundError(name, name=name)
            sys.meta_path.insert(0, Refuse())
            import pybpod_alyx_module.sync.make_plan, pybpod_alyx_module.sync.apply, pybpod_alyx_module.sync.fetch
            from pybpod_alyx_module.read_settings import read_settings
            print(read_settings())
        """
        told = python(tmp_path, script).stdout
        assert told.startswith("PluginSettings(address='', username='', idle_minutes=None, "), told
        assert told.rstrip().endswith("review='needed', problems=())"), told


class TestBpodModule:
    def test_a_rig_that_lists_the_plugin_gets_its_modules(self, tmp_path):
        script = """
            from confapp import conf
            import pybpodapi.settings
            conf += 'pybpodapi.settings'
            import types
            own = types.ModuleType('own'); own.SETTINGS_PRIORITY = 0; own.PYBPOD_API_MODULES = ['pybpod_alyx_module']
            conf += own
            from pybpodapi.bpod_modules.bpod_modules import BpodModules
            for name in (None, '', 'RotaryEncoder1', 'Alyx1'):
                module = BpodModules.create_module(True, name, 1, [], 0, None)
                print(type(module).__name__, module.name)
        """
        lines = python(tmp_path, script).stdout.split("\n")
        # pybpod-api asks the listed classes once a process; afterwards it makes plain modules
        assert lines[:2] == ["BpodModule None", "BpodModule "]
        assert lines[2] == "BpodModule RotaryEncoder1"

    def test_check_module_type(self):
        import pybpod_alyx_module

        check = pybpod_alyx_module.BpodModule.check_module_type
        assert [check(name) for name in (None, "", "RotaryEncoder1", "Alyx1")] == [False, False, False, True]

    def test_other_names_are_not_there(self):
        import pybpod_alyx_module

        with pytest.raises(AttributeError, match="nothing"):
            _ = pybpod_alyx_module.nothing


class TestSettings:
    def set(self, pybpod_settings, monkeypatch, **values):
        for name, value in values.items():
            monkeypatch.setattr(pybpod_settings, f"ALYX_PLUGIN_{name}", value, raising=False)

    def test_defaults(self, host):
        assert (read_settings().address, read_settings().username, read_settings().problems) == ("", "", ())

    def test_text(self, host, pybpod_settings, monkeypatch):
        self.set(pybpod_settings, monkeypatch, ADDRESS=" alyx.lab.org ", USERNAME="jose", PASSWORD=" secret ")
        settings = read_settings()
        assert (settings.address, settings.username, settings.password) == ("alyx.lab.org", "jose", " secret ")
        assert "secret" not in repr(settings)

    @pytest.mark.parametrize("value", [8000, 1.5, ["jose"], b"jose", True])
    @pytest.mark.parametrize("name", ["ADDRESS", "USERNAME", "PASSWORD"])
    def test_anything_else_is_named_and_never_shown(self, host, pybpod_settings, monkeypatch, name, value):
        self.set(pybpod_settings, monkeypatch, **{name: value})
        settings = read_settings()
        (problem,) = settings.problems
        assert problem.setting == f"ALYX_PLUGIN_{name}"
        assert problem.setting in problem.text
        assert repr(value) not in problem.text
        assert (settings.address, settings.username, settings.password) == ("", "", "")

    def test_the_predecessors_placeholder_is_no_address(self, host, pybpod_settings, monkeypatch):
        self.set(pybpod_settings, monkeypatch, ADDRESS="URL TO ALYX")
        assert read_settings().address == ""
