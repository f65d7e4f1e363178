"""Whom ``pybpod-alyx sync`` adds: of a scope in which a person chooses, only those whom the command names."""

from __future__ import annotations

import argparse
from types import SimpleNamespace

import pytest

from alyx_connector.progress import CancelToken
from pybpod_alyx_module.sync.plan import Action
from pybpod_alyx_module.sync.scope import Kind, Scope
from pybpod_alyx_module.unattended.command import add_sync_command
from pybpod_alyx_module.unattended.sync import UnattendedSync

ROW = {"id": "aa074dc3-06fa-5e28-b648-019e27306b9f", "nickname": "a", "alive": True, "responsible_user": "jose"}
LAB = Scope(Kind.LAB, "haisslab")


class Client:
    """A server whose lab has one animal, of jose."""

    url, username = "http://127.0.0.1:1", "jose"

    def __init__(self):
        self.asked = []

    def list(self, _endpoint, filters, **_more):
        self.asked.append(dict(filters))
        return [{**ROW, "lab": "haisslab"}]


@pytest.mark.parametrize(
    ("kept", "named", "filters", "added"),
    [
        (None, None, {"responsible_user": "jose"}, ["a"]),
        (LAB, None, {"lab": "haisslab"}, []),
        (LAB, LAB, {"lab": "haisslab"}, ["a"]),
        (LAB, Scope(), {"responsible_user": "jose"}, ["a"]),
    ],
    ids=["usual", "of a choice", "named", "another named"],
)
def test_nobody_is_added_whom_nobody_chose(tmp_path, monkeypatch, kept, named, filters, added):
    monkeypatch.setenv("ALYX_CONNECTOR_HOME", str(tmp_path))
    scope = None if kept is None else kept.as_record()
    project = SimpleNamespace(subjects=[], experiments=[], alyx_scope=scope)
    client = Client()
    plan = UnattendedSync(project, tmp_path).plan(client, named, Action.KEEP, CancelToken())
    assert [entry.name for entry in plan.of(Action.ADD)] == added
    assert client.asked == [filters]


def test_a_scope_is_named_as_alyx_names_it(capsys):
    parser = argparse.ArgumentParser()
    add_sync_command(parser.add_subparsers())
    for text, scope in {"known": Scope(Kind.KNOWN), "lab=haisslab": LAB, "mine": Scope()}.items():
        assert parser.parse_args(["sync", "Mice", "--scope", text]).scope == scope
    for text in ("lab", "mine=jose", "all", ""):
        with pytest.raises(SystemExit):
            parser.parse_args(["sync", "Mice", "--scope", text])
        assert f"{text!r} is not mine, handled, known, lab=NAME or project=NAME" in capsys.readouterr().err
