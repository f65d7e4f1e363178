"""What a project has on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def paths_in(folder: Path) -> list[Path]:
    """Return all files and folders in a folder, but for the marks of who has it open."""
    return [path for path in sorted(folder.rglob("*")) if not path.name.startswith(".alyx-open-")]
