"""Whatever a session file holds, and wherever it was cut off."""

from __future__ import annotations

import io
import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from pybpod_alyx_module.errors import RigError
from pybpod_alyx_module.rig_settings import SessionSettings
from pybpod_alyx_module.sessions.alyx_session import make_session_draft
from pybpod_alyx_module.sessions.concerns import concerns
from pybpod_alyx_module.sessions.csv_row_parser import RowReader
from pybpod_alyx_module.sessions.on_rig import Animal
from pybpod_alyx_module.sessions.run_settings import RunSettings
from pybpod_alyx_module.sessions.session_csv import read_session_file
from pybpod_alyx_module.sessions.water_earned import MOST_ML, water_earned
from tests.rig_sessions import RECORDED

WHOLE = {file.stem: file.read_bytes() for file in RECORDED.glob("*.csv")}
SETTINGS = SessionSettings(water_variable="reward_ml", ml_per_unit=Decimal(1))
ANIMAL = Animal("1", "ea04", "haisslab", ("p",), "ana", True)
FIELDS = st.text(st.sampled_from([*"ab;|\n\r'\"[],0\u00b5.", "\u2028"]), max_size=8)


def read(folder, content):
    """Give the session file, or the error that says why there is none."""
    file = folder / "session.csv"
    file.write_bytes(content)
    try:
        return read_session_file(file)
    except RigError as error:
        return error


def check(found):
    """All that is made of a session file can be made of this one."""
    draft = make_session_draft(found, ANIMAL, "jose", SETTINGS, host="rig", lab_timezone="America/New_York")
    sent = json.dumps(dict(draft.values), allow_nan=False).encode()
    assert b"\\u0000" not in sent
    assert concerns(found, ANIMAL, "jose", SETTINGS, lab_timezone="Europe/Paris")
    amount = water_earned(found, SETTINGS).amount
    assert amount is None or 0 <= amount <= MOST_ML


@given(name=st.sampled_from(sorted(WHOLE)), cut=st.integers(0, max(map(len, WHOLE.values()))))
def test_cut_off_anywhere(tmp_path_factory, name, cut):
    content = WHOLE[name][:cut]
    found = read(tmp_path_factory.getbasetemp(), content)
    if isinstance(found, RigError):
        assert found.hint
        assert content.count(b"\n") < 2  # not even the row that says when the file was made
        return
    whole = read(tmp_path_factory.getbasetemp(), WHOLE[name])
    assert found.n_trials <= whole.n_trials
    assert found.subjects in {(), whole.subjects}
    assert found.protocol in {"", whole.protocol}
    assert found.ended in {None, whole.ended}
    assert {name: variable.initial for name, variable in found.variables.items()}.items() <= {
        name: variable.initial for name, variable in whole.variables.items()
    }.items()
    water = found.variables.get("reward_ml")
    assert water is None or water.value in {"0", "0.003", "0.006", "0.009000000000000001"}
    check(found)


@given(
    name=st.sampled_from(sorted(WHOLE)),
    at=st.integers(0, 2500),
    length=st.integers(0, 40),
    other=st.one_of(st.binary(max_size=30), FIELDS.map(str.encode)),
)
def test_overwritten_anywhere(tmp_path_factory, name, at, length, other):
    content = WHOLE[name][:at] + other + WHOLE[name][at + length :]
    found = read(tmp_path_factory.getbasetemp(), content)
    if isinstance(found, RigError):
        assert found.hint
    else:
        check(found)


@given(st.lists(st.lists(FIELDS, min_size=1, max_size=6), max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_rows_come_back_as_they_were_written(rows, newline):
    import csv

    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", quotechar="|", quoting=csv.QUOTE_MINIMAL, lineterminator="\n")
    # A carriage return at the very end of a row cannot be told from a line end of Windows.
    rows = [[*fields[:-1], fields[-1].rstrip("\r")] for fields in rows]
    for fields in rows:
        writer.writerow(fields)
    content = text.getvalue().replace("\n", newline).encode()
    reader = RowReader(content)
    assert list(reader) == [[field.replace("\n", newline) for field in fields] for fields in rows]
    assert reader.whole


SIMPLE = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.complex_numbers())
ANYTHING = st.recursive(SIMPLE, lambda inner: st.lists(inner) | st.dictionaries(SIMPLE, inner), max_leaves=6)


@given(ANYTHING)
def test_any_value_can_be_stored(value):
    found = read_session_file(RECORDED / "finished.csv")
    draft = make_session_draft(found, ANIMAL, "jose", SETTINGS, host="rig", run=RunSettings({"v": value}))
    stored = draft.values["json"]["pybpod"]["variables"]["v"]
    text = json.dumps(stored, allow_nan=False)
    assert "\\u0000" not in text
    assert json.loads(text) == stored
    json.dumps(stored, ensure_ascii=False).encode()
