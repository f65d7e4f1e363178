"""The guard around every slot: an exception that reaches Qt aborts PyBpod, and the running protocol with it."""

from __future__ import annotations

import functools
import inspect
import logging
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from AnyQt.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt, QThread
from AnyQt.QtWidgets import QApplication, QMessageBox, QWidget

from pybpod_alyx_module.gui.messages import describe

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

#: What stands for a method of a model that Qt itself does not have: to ask for it would call ours again.
_ABSTRACT: dict[str, Any] = {
    "rowCount": 0,
    "columnCount": 0,
    "data": None,
    "index": QModelIndex(),
    "parent": QModelIndex(),
}
#: What is shown now, so that a timer that fails a hundred times a second opens one box, not a hundred.
_boxes: dict[str, QMessageBox] = {}


def slot(function: Callable[P, R]) -> Callable[..., R | None]:
    """Guard a slot, an event handler or a menu's function.

    An exception is logged with its traceback and shown in a message box that does not block, unless Qt has taken the
    window away meanwhile: an answer that comes after that is nobody's. Arguments that a signal
    sends beyond those the function takes (``triggered`` sends ``checked``) are dropped.

    Returns: the same function; it returns None where an exception was caught.
    ``function``: a function or method that Qt or PyForms calls.
    """
    places = _positional_places(function)

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> R | None:
        try:
            return function(*args[:places], **kwargs)
        except Exception as error:
            if isinstance(error, RuntimeError) and args and isinstance(args[0], QObject) and not is_there(args[0]):
                logger.info("%s came after its window was gone", getattr(function, "__qualname__", function))
                return None
            logger.exception("The Alyx plugin failed in %s", getattr(function, "__qualname__", function))
            show_error(error, args[0] if args and isinstance(args[0], QWidget) else None)
            return None

    return guarded


def override(function: Callable[P, R]) -> Callable[..., R | None]:
    """Guard a method that Qt itself calls: an event handler, ``done``, ``sizeHint``, ``data``.

    An exception is logged and shown as `slot` does, and Qt goes on with its own method, as it would without ours: a
    window closes, a size is a size.

    Returns: the same function.
    """

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            logger.exception("The Alyx plugin failed in %s", function.__qualname__)
            show_error(error, args[0] if isinstance(args[0], QWidget) else None)
            return _of_qt(guarded, *args)

    guarded.is_override = True  # type: ignore[attr-defined]
    return guarded


def _of_qt(guarded: Callable[..., Any], instance: Any, *args: Any) -> Any:
    name = guarded.__name__
    if isinstance(instance, QAbstractItemModel) and name in _ABSTRACT:
        return _ABSTRACT[name]
    try:
        (owner,) = [kind for kind in type(instance).__mro__ if vars(kind).get(name) is guarded]
        return getattr(super(owner, instance), name)(*args)
    except Exception:
        logger.exception("Qt failed in %s, too", name)
        return None


def show_error(error: BaseException, parent: QWidget | None = None) -> None:
    """Show an error in words, without waiting for an answer.

    ``parent``: the window it happened in; without one, or where it is gone or hidden, the active window.
    """
    application = QApplication.instance()
    if application is None or QThread.currentThread() is not application.thread():
        return
    message = describe(error)
    text = "\n\n".join(part for part in (message.sentence, message.advice) if part)
    if is_there(_boxes.get(text)):
        return
    try:
        box = QMessageBox(QMessageBox.Warning, message.title, text, QMessageBox.Ok, _visible(parent))
        box.setTextFormat(Qt.PlainText)
        box.setTextInteractionFlags(Qt.TextSelectableByMouse)
        box.setAttribute(Qt.WA_DeleteOnClose)
        box.finished.connect(lambda _result: _boxes.pop(text, None))
        _boxes[text] = box
        box.open()
    except Exception:
        logger.exception("The message box could not be shown")


def is_there(window: QObject | None) -> bool:
    """Tell whether Qt still has a window: one that it was shown in may have gone, and taken it along."""
    # Looked at when it matters: a function that Qt calls while Python collects garbage may be half collected itself.
    try:
        return window is not None and window.objectName() is not None
    except RuntimeError:
        return False


def _visible(parent: QWidget | None) -> QWidget | None:
    try:
        if parent is not None and parent.isVisible():
            return parent.window()
    except RuntimeError:  # the C++ half is gone already
        pass
    return QApplication.activeWindow()


def _positional_places(function: Callable[..., Any]) -> int | None:
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(parameter.kind in positional for parameter in parameters)
