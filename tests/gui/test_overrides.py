"""What Qt calls is guarded: an exception that reaches Qt aborts PyBpod, and the running protocol with it."""

# ruff: noqa: N802 - Qt's names

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest
from AnyQt.QtCore import QAbstractTableModel, QModelIndex, QObject, QSize, Qt
from AnyQt.QtGui import QCloseEvent
from AnyQt.QtWidgets import QApplication, QDialog, QLabel, QTableWidgetItem, QWidget

import pybpod_alyx_module.gui
import pybpod_alyx_module.models
from pybpod_alyx_module.gui.guard import override

MODULES = sorted(
    found.name
    for package in (pybpod_alyx_module.gui, pybpod_alyx_module.models)
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
)


def qt_classes(module):
    return [
        one
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, (QObject, QTableWidgetItem)) and one.__module__ == module.__name__
    ]


def of_qt(kind, name):
    """Whether a method of this name is one of Qt's own."""
    bases = [base for base in kind.__mro__ if base.__module__.startswith("PyQt")]
    return not name.startswith("__") and any(name in vars(base) for base in bases)


def unguarded(kind):
    return [
        name
        for name, method in vars(kind).items()
        if inspect.isfunction(method) and of_qt(kind, name) and not getattr(method, "is_override", False)
    ]


def test_the_walk_finds_what_is_not_guarded():
    class Bare(QLabel):
        def sizeHint(self):
            return QSize()

        @override
        def resizeEvent(self, event):
            super().resizeEvent(event)

        def of_ours(self):
            pass

    assert unguarded(Bare) == ["sizeHint"]


@pytest.mark.parametrize("name", MODULES)
def test_every_method_of_qt_that_is_overridden_is_guarded(host, name):
    module = importlib.import_module(name)
    found = {kind.__name__: unguarded(kind) for kind in qt_classes(module)}
    assert not any(found.values()), found


class Failing(QDialog):
    """Fails in all that Qt calls."""

    @override
    def sizeHint(self):
        raise RuntimeError("no size")

    @override
    def closeEvent(self, event):
        raise RuntimeError("no end")

    @override
    def done(self, result):
        raise RuntimeError("not done")


def test_where_ours_fails_qt_does_what_it_would_do_without(host, dialogs, qtbot):
    dialog = Failing()
    qtbot.addWidget(dialog)
    assert dialog.sizeHint() == QDialog().sizeHint()
    for leave in (dialog.close, dialog.reject, lambda: QApplication.sendEvent(dialog, QCloseEvent())):
        dialog.show()
        leave()
        assert not dialog.isVisible()
    assert dialogs.log


def test_a_model_that_fails_is_empty(host, dialogs):
    class Model(QAbstractTableModel):
        @override
        def rowCount(self, parent=None):
            raise RuntimeError("no rows")

        @override
        def data(self, index, role=Qt.DisplayRole):
            raise RuntimeError("no data")

    model = Model()
    assert model.rowCount() == 0
    assert model.data(QModelIndex()) is None
    assert isinstance(dialogs.log, list)


def test_a_guarded_method_keeps_its_result(host):
    class Sized(QWidget):
        @override
        def sizeHint(self):
            return QSize(12, 34)

    assert Sized().sizeHint() == QSize(12, 34)
