"""A PyBpod that is killed anywhere in a save: the same animals, the same identities, in the same setups, told once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PREDECESSOR = ROOT / "tests" / "fixtures" / "predecessor" / "Mice"
LOCAL = "9c1c6f0a-7f0f-4b55-a1a1-2f6f0d9b1c22"
ID = {name: f"{name * 8}-{name * 4}-4{name * 3}-8{name * 3}-{name * 12}" for name in "abcde"}
BEFORE = {"a": "a", "b": "b", "c": "c"}
AFTER = {"a": "b", "b": "a", "c": "c2"}


@pytest.fixture
def project(tmp_path):
    folder = Path(shutil.copytree(PREDECESSOR, tmp_path / "Mice"))
    record = json.loads((folder / "subjects" / "ea04" / "ea04.json").read_text())
    shutil.rmtree(folder / "subjects" / "ea04")
    for name in "abcd":
        place = folder / "subjects" / name
        place.mkdir()
        mine = {**record, "__UUID4__": ID[name], "alyx_id": ID[name], "nickname": name}
        (place / f"{name}.json").write_text(json.dumps(mine))
    [setup] = folder.glob("experiments/*/setups/*/*.json")
    setup.write_text(json.dumps({**json.loads(setup.read_text()), "subjects": ["a", "c", "d"]}))
    return folder


# All of them, 67, take three minutes: `make test-long`.
EVERY = 1 if os.environ.get("TEST_HOURS") == "all" else 11


@pytest.mark.skipif(os.name != "posix", reason="PyBpod is forked and killed")
@pytest.mark.timeout(600)
def test_killed_anywhere_in_a_save_it_has_the_same_animals(project):
    run = [sys.executable, "-m", "tests.gui.save_kills", str(project), str(EVERY)]
    result = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-5000:]
    told = [json.loads(line) for line in result.stdout.splitlines()]
    for one in told:
        animals = one["animals"]
        names = {name: animals[ID[name]][0] for name in BEFORE}
        assert names in (BEFORE, AFTER), one
        assert set(animals) - {ID["d"], ID["e"]} == {LOCAL, *(ID[name] for name in BEFORE)}, one
        assert all(linked == identity for identity, (_, linked) in animals.items() if identity != LOCAL), one
        setup = [ID["a"], ID["c"], *([ID["d"]] if ID["d"] in animals else [])]
        assert list(one["setups"].values()) == [setup], one
        assert one["left"] == [], one
        kept = [] if names == BEFORE else ["sync"]
        assert one["syncs"] == {"listed": kept, "undoable": kept, "lost": {}}, one
        assert len(one["said"]) <= 1, one
        assert one["again"] == {"animals": animals, "setups": one["setups"]}, one
    assert any(one["said"] for one in told)
    *_, ended = told
    assert ended["event"] is None
    assert {name: ended["animals"][ID[name]][0] for name in AFTER} == AFTER
    assert ID["e"] in ended["animals"]
    assert ID["d"] not in ended["animals"]
    assert ended["said"] == []
