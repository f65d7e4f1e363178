"""A subject file with absurdly deep JSON in it must not keep a project from loading."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1] / "fixtures" / "predecessor" / "Mice"


@pytest.mark.parametrize("levels", [60, 300])
def test_the_project_loads_whole_and_saves_what_it_found(tmp_path, open_project, levels, dialogs):
    folder = Path(shutil.copytree(PROJECT, tmp_path / "Mice"))
    file = folder / "subjects" / "ea04" / "ea04.json"
    text = '{"deeper": [' * levels + "0" + "]}" * levels
    before = file.read_text(encoding="utf-8").rstrip().removesuffix("}")
    file.write_text(f'{before}, "json": {text}}}', encoding="utf-8")
    project = open_project(folder)
    assert len(project.experiments) == 1
    assert [subject.is_alyx for subject in project.subjects if subject.name == "ea04"] == [True]
    assert project.is_saved()
    project.save()
    assert json.dumps(json.loads(file.read_text(encoding="utf-8"))["json"]) == text
    assert dialogs.log == []
