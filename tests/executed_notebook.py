"""``python -m tests.executed_notebook``: run docs/walkthrough.ipynb on a sandbox, and keep what its cells show."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from tests.sandbox_server import SandboxServer

WALKTHROUGH = Path(__file__).parents[1] / "docs/walkthrough.ipynb"
#: The address that is shown: the sandbox's own.
SHOWN_URL = "http://127.0.0.1:8000"
TIMEOUT_S = 120
#: Where Python says that a warning came from.
_PLACE = re.compile(r"^/\S+\.py:\d+: ", re.MULTILINE)


def execute(notebook: Any, url: str, folder: str) -> None:
    """Run a notebook in a kernel of its own.

    ``url``: the server, in the place of the one that is shown.
    ``folder``: where it runs.
    """
    for cell in notebook.cells:
        cell.source = cell.source.replace(SHOWN_URL.removeprefix("http://"), url)
    client = NotebookClient(notebook, timeout=TIMEOUT_S, resources={"metadata": {"path": folder}})
    try:
        client.execute()
    except RuntimeError:  # another program took the port that Jupyter had chosen: the kernel never answered
        client.execute()


def main() -> None:
    """Run it, and write it with its outputs."""
    notebook: Any = nbformat.read(WALKTHROUGH, as_version=4)
    sources = [cell.source for cell in notebook.cells]
    with SandboxServer() as server, tempfile.TemporaryDirectory() as folder:
        os.environ.update(ALYX_CONNECTOR_HOME=folder, ALYX_TOKEN_STORE="file")
        execute(notebook, server.url, folder)
        for cell, source in zip(notebook.cells, sources, strict=True):
            cell.source, cell.metadata = source, {}
            if cell.cell_type == "code":
                cell.outputs = [_shown(output, server.url) for output in cell.outputs if _is_seen(output)]
    nbformat.write(notebook, WALKTHROUGH)


def _is_seen(output: Any) -> bool:
    return bool("text" in output or any(output.get("data", {}).values()))


def _shown(value: Any, url: str) -> Any:
    # The same on every computer: the sandbox's own address, no files.
    if isinstance(value, dict):
        return type(value)({key: _shown(one, url) for key, one in value.items()})
    if isinstance(value, list):
        return [_shown(one, url) for one in value]
    return _PLACE.sub("", value.replace(url, SHOWN_URL)) if isinstance(value, str) else value


if __name__ == "__main__":
    main()
