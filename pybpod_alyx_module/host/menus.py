"""The menu entries of PyBpod's tree, which it keeps by the ``id`` of a node and never forgets.

A node that is made later may get the ``id`` of one that is gone, and with it that one's entries: *Alyx details* on a
board, *Sync to Alyx* of a project that was closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def take_entries(tree: Any, nodes: list[Any]) -> dict[int, list[Any]]:
    """Take the menu entries of nodes out of the tree.

    Returns: the entries by the ``id`` of their node, to be put back with ``tree._items.update``, empty if there
    are none.
    """
    return {id(node): tree._items.pop(id(node)) for node in nodes if id(node) in tree._items}


def with_children(node: Any) -> list[Any]:
    """Return a node and all below it."""
    found = [node]
    for number in range(node.childCount()):
        found += with_children(node.child(number))
    return found


def open_menu_of_selected(tree: Any, mends: Callable[[], bool]) -> None:
    """Have a right click open no menu where nothing is selected, or only a hidden row.

    PyBpod takes the first selected row for the menu without looking whether there is one, which ends PyBpod.

    ``tree``: PyBpod's, before it has any entry: it keeps what it calls then.
    ``mends``: whether to, asked at each click.
    """
    opens = tree._open_popup_menu

    def open_menu(position: Any) -> None:
        if tree.selectedItems() or not mends():
            opens(position)

    tree._open_popup_menu = open_menu
