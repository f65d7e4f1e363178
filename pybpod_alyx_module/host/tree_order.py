"""The subjects in PyBpod's tree: in the order of their names, and found by a part of their name.

PyBpod shows them as the disk lists their folders. Only nodes are moved and hidden: the order of ``project.subjects`` is
part of what PyBpod compares to tell whether a project is saved.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pybpod_alyx_module.natural_order import natural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["find_subjects", "sort_subjects"]


def sort_subjects(project: Any) -> None:
    """Put the nodes of a project's subjects into the order of their names, numbers in them as numbers."""
    tree, parent = project.tree, project.subjects_node
    current = tree.currentItem()
    with _unnoticed(tree):
        nodes = parent.takeChildren()
        folded = {id(node) for node in nodes if not node.isExpanded()}  # Qt forgets both with the place
        hidden = {id(node) for node in nodes if node.isHidden()}
        nodes.sort(key=lambda node: natural(node.text(0)))
        parent.addChildren(nodes)
        for node in nodes:
            node.setExpanded(id(node) not in folded)
            node.setHidden(id(node) in hidden)
        if current is not None:
            tree.setCurrentItem(current)


def find_subjects(projects: Iterable[Any], text: str) -> int:
    """Hide the subjects whose name does not have a text in it, whatever the case; all are shown for an empty one.

    PyBpod does nothing, or ends, where the current row is hidden: then the row *Subjects* above it becomes the current
    one.

    Returns: how many subjects are shown.
    """
    wanted, count = text.strip().casefold(), 0
    for project in projects:
        tree, parent = project.tree, project.subjects_node
        for place in range(parent.childCount()):
            node = parent.child(place)
            found = wanted in node.text(0).casefold()
            count += found
            if node.isHidden() is found:
                node.setHidden(not found)
        current = tree.currentItem()
        while current is not None and not current.isHidden():
            current = current.parent()
        if current is not None and current.parent() is parent:
            with _unnoticed(tree):
                tree.setCurrentItem(parent)
    return count


@contextmanager
def _unnoticed(tree: Any) -> Iterator[None]:
    # PyBpod shows the details of what is selected; here nobody selects anything.
    follow = tree.item_selection_changed_event
    tree.item_selection_changed_event = _nothing
    try:
        yield
    finally:
        tree.item_selection_changed_event = follow


def _nothing() -> None:
    pass
