"""A PyBpod that is killed, or whose disk is full, while it saves: a subject's file is the old one or the new one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PREDECESSOR = ROOT / "tests" / "fixtures" / "predecessor" / "Mice"

#: Opens the project in the real PyBpod, changes ea04, does what the test wants, saves.
SCRIPT = """
    import os, resource, signal, sys, types
    from confapp import conf
    settings = types.ModuleType('user_settings')
    settings.SETTINGS_PRIORITY = 0
    settings.GENERIC_EDITOR_PLUGINS_LIST = ['pybpodgui_plugin', 'pybpod_alyx_module']
    sys.modules['user_settings'] = settings
    conf += settings
    from pyforms_generic_editor import settings as generic
    from pyforms_generic_editor.editor.base_editor import BaseEditor
    from AnyQt.QtWidgets import QApplication, QMessageBox
    app = QApplication(sys.argv)
    QMessageBox.exec_ = lambda box: print('BOX', box.text(), flush=True)
    conf += 'pyforms_gui.resources_settings'
    from pyforms_gui.appmanager import StandAloneContainer
    window = StandAloneContainer(BaseEditor)
    project = window.centralWidget().model.open_project(sys.argv[1])
    subject = [subject for subject in project.subjects if subject.name == 'ea04'][0]
    subject.alyx = {**subject.alyx, 'sex': 'M', 'description': 'x' * 200_000}
    {fault}
    project.save()
    print('SAVED', project.is_saved(), flush=True)
    os._exit(0)
"""

FAULTS = {
    "disk full": """
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    """,
    "killed while writing": """
    from sca.formats import json as sca_json
    import json
    dump = sca_json.dump
    def die(data, stream):
        text = json.dumps(data)
        if 'alyx_id' not in text:
            dump(data, stream)
        else:
            stream.write(text[:len(text) // 2])
            stream.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    sca_json.dump = die
    """,
    "killed before it is in place": """
    from pathlib import Path
    os.replace = lambda source, target: os.kill(os.getpid(), signal.SIGKILL)
    """,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_old_file_is_there_and_opens(tmp_path, open_project, dialogs, fault):
    folder = Path(shutil.copytree(PREDECESSOR, tmp_path / "Mice"))
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT).replace("{fault}", textwrap.dedent(FAULTS[fault])))
    result = subprocess.run(
        [sys.executable, str(script), str(folder)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if fault == "disk full":
        assert "BOX The file" in result.stdout, result.stderr
        assert "SAVED False" in result.stdout
    else:
        assert result.returncode == -9, result.stderr
    file = Path("subjects", "ea04", "ea04.json")
    assert (folder / file).read_bytes() == (PREDECESSOR / file).read_bytes()
    project = open_project(folder)
    assert not dialogs.log
    assert sorted(subject.name for subject in project.subjects) == ["ea04", "local1"]
    project.save()
    assert json.loads((folder / file).read_text())["__UUID4__"] == "0a3b9d5e-1d5f-4b76-9f3e-6c1b2a4d8e90"
