"""Cancel tokens: parents, children, callbacks."""

from __future__ import annotations

import threading

import pytest

from alyx_connector import Cancelled, CancelToken


def test_a_parent_cancels_its_children_and_not_the_other_way_round():
    parent = CancelToken()
    one, other = CancelToken(parent), CancelToken(parent)
    one.cancel()
    assert not parent.cancelled
    assert not other.cancelled
    parent.cancel()
    assert other.cancelled
    with pytest.raises(Cancelled):
        other.raise_if_cancelled()


def test_a_child_of_a_cancelled_parent_is_cancelled():
    parent = CancelToken()
    parent.cancel()
    assert CancelToken(parent).cancelled


def test_a_detached_child_is_let_go():
    parent = CancelToken()
    child = CancelToken(parent)
    child.detach()
    parent.cancel()
    assert not child.cancelled


def test_callbacks_are_called_once_and_at_once_if_it_is_too_late():
    token, calls = CancelToken(), []
    token.subscribe(lambda: calls.append("early"))
    gone = calls.clear
    token.subscribe(gone)
    token.unsubscribe(gone)
    token.cancel()
    token.cancel()
    token.subscribe(lambda: calls.append("late"))
    assert calls == ["early", "late"]


@pytest.mark.timeout(20)
def test_a_wait_ends_with_the_cancel():
    token, answers = CancelToken(), []
    thread = threading.Thread(target=lambda: answers.append(token.wait(600)))
    thread.start()
    token.cancel()
    thread.join()
    assert answers == [True]
    assert CancelToken().wait(0) is False
