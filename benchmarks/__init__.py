"""Benchmarks of the client beside others, on a sandbox on this machine; see README.md. Not installed."""
