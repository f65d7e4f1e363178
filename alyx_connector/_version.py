"""Which distribution this is, in which version: ``setup.py`` reads the version from this file.

Everything of ours imports this first, and it refuses where the package alyx-connector is installed in the same place:
both bring an ``alyx_connector``, and Python would take some modules from either, without an error.
"""

from pathlib import Path

__version__ = "2.0.0.dev0"
DISTRIBUTION = "pybpod-gui-plugin-alyx"

_FOLDER = Path(__file__).parent

# A folder of that package; Python prefers it to our connector.py.
if (_FOLDER / "connector" / "__init__.py").exists():
    raise ImportError(
        f"The packages alyx-connector and {DISTRIBUTION} are both installed in {_FOLDER.parent}, and both bring "
        "alyx_connector, so neither works. Uninstall both: "
        f"python -m pip uninstall alyx-connector {DISTRIBUTION}. Then install the one that you want; "
        f"for {DISTRIBUTION}: python -m pip install . in a copy of its repository.",
        name="alyx_connector",
    )
