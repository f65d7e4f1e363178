"""Frames in parquet files come back as they were."""

from __future__ import annotations

import sys

import pandas as pd
import pytest

from alyx_connector import ConfigurationError, read_parquet, write_parquet
from alyx_connector.frames.columns import known_layout
from alyx_connector.frames.tables import make_table

LAYOUT = known_layout("sessions")
ROWS = [
    {"id": "a", "number": 1, "start_time": "2024-01-01T10:00:00.123456", "projects": ["p"], "json": {"ü": [1, None]}},
    {"id": "b", "number": None, "json": [], "extended_qc": None, "notes": [{"text": "x"}], "narrative": ""},
    {"id": "c", "json": {}, "later": True, "measured": 2.5},
]


def table(rows, *, by_id=True):
    frame = make_table(rows, (*LAYOUT.listed, *LAYOUT.detailed), tell=lambda note: None)
    if by_id:
        frame = frame.set_index("id", drop=False)
        frame.index.name = None
    frame.attrs = {"url": "http://alyx.example", "notes": ["an offset was dropped"]}
    return frame


@pytest.mark.parametrize("by_id", [True, False])
@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], []])
def test_a_frame_comes_back_as_it_was(tmp_path, rows, by_id):
    frame = table(rows, by_id=by_id)
    before = frame.copy(deep=True)
    write_parquet(frame, tmp_path / "s.parquet")
    again = read_parquet(str(tmp_path / "s.parquet"))
    pd.testing.assert_frame_equal(again, before, check_index_type="equiv")
    assert again.attrs == before.attrs
    assert [type(value) for value in again["json"]] == [type(value) for value in before["json"]]
    pd.testing.assert_frame_equal(frame, before)
    assert [path.name for path in tmp_path.iterdir()] == ["s.parquet"]


def test_other_programs_read_json_columns_as_text(tmp_path):
    write_parquet(table(ROWS), tmp_path / "s.parquet")
    assert pd.read_parquet(tmp_path / "s.parquet")["json"].to_list() == ['{"\\u00fc": [1, null]}', "[]", "{}"]


def test_a_file_of_another_program_is_read(tmp_path):
    pd.DataFrame({"a": [1, 2]}).to_parquet(tmp_path / "s.parquet")
    assert read_parquet(tmp_path / "s.parquet")["a"].to_list() == [1, 2]


def test_what_json_cannot_express_is_refused_and_the_file_stays(tmp_path):
    path = tmp_path / "s.parquet"
    write_parquet(table(ROWS), path)
    before = path.read_bytes()
    bad = table(ROWS)
    bad["sets"] = [{1}, {2}, {3}]
    with pytest.raises(ConfigurationError, match="The column sets holds set"):
        write_parquet(bad, path)
    bad = table(ROWS)
    bad.attrs["made"] = object()
    with pytest.raises(ConfigurationError, match="attrs holds"):
        write_parquet(bad, path)
    assert path.read_bytes() == before


def test_files_that_cannot_be_read_or_written_are_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"none/s\.parquet cannot be written"):
        write_parquet(table(ROWS), tmp_path / "none" / "s.parquet")
    with pytest.raises(ConfigurationError, match=r"s\.parquet cannot be read"):
        read_parquet(tmp_path / "s.parquet")
    (tmp_path / "s.parquet").write_bytes(b"PAR1 no PAR1")
    with pytest.raises(ConfigurationError, match="is not a parquet file"):
        read_parquet(tmp_path / "s.parquet")


def test_without_pyarrow_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigurationError, match="need pyarrow") as caught:
        write_parquet(table(ROWS), tmp_path / "s.parquet")
    assert "pip install pyarrow" in caught.value.hint
