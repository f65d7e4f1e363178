"""Package ``pybpod-gui-plugin-alyx``: the Alyx plugin of PyBpod, its Alyx client and a sandbox server.

No PyBpod, PyForms or Qt package stands in ``install_requires``: the user's PyBpod brings them, and installing
the plugin must not move their versions. A machine without PyBpod installs ``requirements/host.txt``.
"""

import re
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "alyx_connector/_version.py").read_text(encoding="utf-8")).group(1)


def long_description() -> str:
    """Give the README without what an index cannot show: pictures and links to files of the repository."""
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    without_pictures = re.sub(r"^ *!\[[^]]*\]\((?!https?:)[^)]*\)\n+", "", readme, flags=re.MULTILINE)
    return re.sub(r"\[([^]]*)\]\((?!https?:)[^)]*\)", r"\1", without_pictures)


SANDBOX = [
    "Django>=5.2,<6",
    "djangorestframework>=3.16,<4",
    "django-filter>=25.1",
    "drf-spectacular>=0.28",
    "waitress>=3.0",
]
# The field's own client, which must work on the sandbox; newer pyarrow wants a NumPy that PyBpod's lock does not have.
ONE = ["ONE-api==3.6.*", "pyarrow<22"]
PARQUET = ["pyarrow>=10.0.1"]
#: What the tests of the client need; make test-oldest and make test-newest install no more.
TEST_CLIENT = [
    *SANDBOX,
    *PARQUET,
    "pytest>=8",
    "pytest-timeout>=2.3",
    # As many workers as the machine has cores.
    "pytest-xdist>=3.7",
    # Another hour of the day, in the test's process and in those that it starts.
    "time-machine>=2.16",
    "hypothesis>=6.100",
    "cryptography>=42",
    # The questions of Connector.setup are answered at a real terminal.
    "pexpect>=4.8",
    # And in a kernel of Jupyter, which also runs the notebook of the docs.
    "nbclient>=0.10",
    "ipykernel>=6.29",
]
TEST = [
    *TEST_CLIENT,
    "pytest-qt>=4.4",
    "import-linter>=2",
    # The wheel is built and asked for its types.
    "setuptools>=77",
    "mypy",
    *ONE,
]

setup(
    name="pybpod-gui-plugin-alyx",
    version=VERSION,
    description="Alyx in PyBpod: subjects, sessions, weights and water; and Connector, the Python client for Alyx",
    long_description=long_description(),
    long_description_content_type="text/markdown",
    author="The pybpod-gui-plugin-alyx authors",
    license_expression="MIT",
    license_files=["LICENSE"],
    # No address: this distribution has none of its own, and that of its predecessor would lead astray.
    keywords=["alyx", "pybpod", "bpod", "neuroscience", "behavior", "electronic lab notebook"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Topic :: Scientific/Engineering",
        "Typing :: Typed",
    ],
    python_requires=">=3.10",
    packages=[
        "alyx_connector",
        "alyx_connector.cache",
        "alyx_connector.cli",
        "alyx_connector.display",
        "alyx_connector.frames",
        "alyx_connector.http",
        "alyx_connector.records",
        "alyx_connector.schema",
        "alyx_connector.search",
        "alyx_connector.writing",
        "alyx_connector.zones",
        "alyx_sandbox",
        "alyx_sandbox.alyx_local",
        "pybpod_alyx_module",
        "pybpod_alyx_module.animals",
        "pybpod_alyx_module.animals.today",
        "pybpod_alyx_module.animals.history",
        "pybpod_alyx_module.animals.weigh_all",
        "pybpod_alyx_module.demo",
        "pybpod_alyx_module.docs",
        "pybpod_alyx_module.doctor",
        "pybpod_alyx_module.gui",
        "pybpod_alyx_module.gui.animals",
        "pybpod_alyx_module.gui.doctor",
        "pybpod_alyx_module.gui.history",
        "pybpod_alyx_module.gui.manual",
        "pybpod_alyx_module.gui.new_subject",
        "pybpod_alyx_module.gui.outbox",
        "pybpod_alyx_module.gui.sessions",
        "pybpod_alyx_module.gui.sync",
        "pybpod_alyx_module.gui.sync.history",
        "pybpod_alyx_module.gui.sync.questions",
        "pybpod_alyx_module.gui.today",
        "pybpod_alyx_module.gui.weigh_all",
        "pybpod_alyx_module.host",
        "pybpod_alyx_module.models",
        "pybpod_alyx_module.models.board",
        "pybpod_alyx_module.models.project",
        "pybpod_alyx_module.models.session",
        "pybpod_alyx_module.models.setup",
        "pybpod_alyx_module.models.subject",
        "pybpod_alyx_module.outbox",
        "pybpod_alyx_module.outbox.delivery",
        "pybpod_alyx_module.resources",
        "pybpod_alyx_module.scale",
        "pybpod_alyx_module.names",
        "pybpod_alyx_module.new_subject",
        "pybpod_alyx_module.sessions",
        "pybpod_alyx_module.sync",
        "pybpod_alyx_module.unattended",
    ],
    # The manual that PyBpod shows, and its pictures.
    package_dir={"pybpod_alyx_module.docs": "docs", "pybpod_alyx_module.resources": "resources"},
    package_data={
        "alyx_connector": ["py.typed"],
        "alyx_connector.schema": ["known_filters.json", "search_signatures.pyi"],
        "alyx_sandbox": ["demo_lab.json"],
        "pybpod_alyx_module.docs": ["*.md"],
        "pybpod_alyx_module.resources": ["*.png", "screenshots/*.png"],
    },
    install_requires=[
        "idna>=3.4",
        "requests>=2.31",
        "urllib3>=1.26.15",
        "platformdirs>=4.0",
        "filelock>=3.12",
        "keyring>=24",
        # The zones of labs, where the system lacks them: Windows, and names such as GB on newer Linuxes.
        "tzdata",
        # The frames of Connector. No upper limit: PyBpod has pandas already, and its version must not move.
        "pandas>=1.5",
        # The tables of the command line, the progress of a search, and the widths of letters in a frame.
        "rich>=13",
    ],
    extras_require={
        "parquet": PARQUET,
        "sandbox": SANDBOX,
        "test": TEST,
        "test-client": TEST_CLIENT,
        "benchmark": [*SANDBOX, *ONE],
        "dev": [*TEST, "ruff", "types-requests"],
    },
    entry_points={
        "console_scripts": [
            "alyx-connector = alyx_connector.cli.main:main",
            "pybpod-alyx = pybpod_alyx_module.__main__:main",
        ]
    },
)
