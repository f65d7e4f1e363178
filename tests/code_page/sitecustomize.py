"""Python reads this at its start where this folder is on its path: text is written as on a Windows of western Europe.

There `open` without an encoding takes the code page, and so does standard output, unless ``PYTHONIOENCODING`` says so.
"""

import builtins
import os
import sys

CODE_PAGE = "cp1252"
_open = builtins.open


def open_in_code_page(file, mode="r", buffering=-1, encoding=None, *more, **options):
    """Open a file; text without an encoding is in the code page."""
    if "b" not in mode and encoding is None:
        encoding = CODE_PAGE
    return _open(file, mode, buffering, encoding, *more, **options)


if "pytest" not in sys.modules:
    builtins.open = open_in_code_page
    if "PYTHONIOENCODING" not in os.environ:
        sys.stdout.reconfigure(encoding=CODE_PAGE)
