"""The sandbox of the tests: the demo's own way to start one."""

from __future__ import annotations

from pybpod_alyx_module.demo.sandbox import STOP_TIMEOUT, SandboxServer

__all__ = ["STOP_TIMEOUT", "SandboxServer"]
