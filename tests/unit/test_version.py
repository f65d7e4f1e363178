"""The version stands in one file; PyBpod's window asks the plugin for it."""

from __future__ import annotations

import alyx_connector
import pybpod_alyx_module


def test_the_plugin_has_the_version_of_the_distribution():
    assert pybpod_alyx_module.__version__ == alyx_connector.__version__
