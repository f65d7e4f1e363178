from __future__ import annotations

import copy
import locale

import pytest

from alyx_connector.errors import ProtocolError
from pybpod_alyx_module.sync.details import COMPARED, MISSING, Details, genotype_words, too_deep
from pybpod_alyx_module.sync.names import fold, same, unusable
from pybpod_alyx_module.sync.snapshot import RemoteSubject
from tests.alyx_rows import SERVER, row

NFC, NFD = "Mäuse", "Ma\u0308use"


@pytest.mark.parametrize(
    "name", ["ea04", "JOSE_0000-a", "Untitled subject 0", "Ångström", NFD, "001", "a.b+c(1)", "鼠1"]
)
def test_names_that_labs_use_can_be_used(name):
    assert unusable(name) == ""


@pytest.mark.parametrize(
    "name",
    [
        ".",
        "..",
        "a/b",
        "a\\b",
        "C:x",
        "a*",
        "a?",
        "a|b",
        "<a>",
        "it's",
        '"',
        "a;b",
        "a\tb",
        "a\x00b",
        " a",
        "a ",
        "a.",
        "",
        "   ",
        "NUL",
        "com1.x",
        "é" * 126,
        "a%s",
        "{a}",
        "\u202eevil",
        "a,b",
    ],
)
def test_names_that_would_harm_are_refused_with_a_reason(name):
    assert unusable(name)


def test_the_reason_shows_invisible_characters():
    assert "\\u202e" in unusable("a\u202eb")


def test_fold_and_same():
    assert fold(NFC) == fold(NFD) == fold(NFD.upper())
    assert fold("Straße") == fold("STRASSE")
    assert same(NFC, NFD)
    assert not same("a", "A")


def test_missing_is_never_tested_for_truth():
    with pytest.raises(TypeError):
        bool(MISSING)
    assert copy.deepcopy(MISSING) is MISSING


def test_details_hand_out_copies():
    details = Details.of({"json": {"a": [1]}}, COMPARED)
    details.get("json")["a"].append(2)
    assert details.get("json") == {"a": [1]}
    assert details.get("sex") is MISSING
    assert details.as_dict() == {"json": {"a": [1]}}
    assert hash(details) == hash(Details.of({"json": {"a": [1]}}, COMPARED))


def nested(levels):
    value = 0
    for _ in range(levels):
        value = {"deeper": [value]}
    return value


def test_what_is_nested_absurdly_deep_is_left_out():
    assert not too_deep(nested(49))
    assert too_deep(nested(50))
    assert Details.of({"json": nested(400), "sex": "M"}, COMPARED).as_dict() == {"sex": "M"}
    assert RemoteSubject.from_row({**row("a"), "json": nested(400)}, SERVER).details.get("json") is MISSING


def test_nan_equals_itself():
    one, other = (Details.of({"json": float("nan")}, COMPARED) for _ in range(2))
    assert one == other


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([{"allele": "Drd1-Cre", "zygosity": 0}, {"allele": "Ai32", "zygosity": 2}], ["Ai32 +/+", "Drd1-Cre -/-"]),
        (["b +", "a +/-"], ["a +/-", "b +"]),
        ([{"allele": "x", "zygosity": None}, {"allele": "y", "zygosity": 9}], ["x", "y 9"]),
        ([{"other": 1}], ['{"other": 1}']),
        ([], []),
        (None, None),
        ("Ai32", "Ai32"),
    ],
)
def test_genotypes_of_both_forms(given, words):
    assert genotype_words(given) == words


@pytest.mark.parametrize(
    "change",
    [{"id": "nonsense"}, {"id": None}, {"id": 7}, {"nickname": None}, {"alive": None}, {"alive": "True"}],
)
def test_a_row_that_makes_no_sense_is_a_protocol_error(change):
    with pytest.raises(ProtocolError, match=SERVER):
        RemoteSubject.from_row({**row("a"), **change}, SERVER)


@pytest.mark.parametrize("key", ["id", "nickname", "alive"])
def test_a_row_that_lacks_what_counts_is_a_protocol_error(key):
    lacking = {name: value for name, value in row("a").items() if name != key}
    with pytest.raises(ProtocolError):
        RemoteSubject.from_row(lacking, SERVER)


def test_a_field_that_an_older_alyx_lacks_is_missing_not_null():
    lacking = {name: value for name, value in row("a").items() if name != "session_projects"}
    assert RemoteSubject.from_row(lacking, SERVER).volatile.get("session_projects") is MISSING


def test_a_name_that_this_computer_s_code_page_lacks_is_refused(monkeypatch):
    assert unusable("müs01") == unusable("マウス") == ""
    monkeypatch.setattr(locale, "getpreferredencoding", lambda *_: "cp1252")
    assert unusable("müs01") == ""
    assert "ウ ス マ" in unusable("マウスmüs")
