"""The real Alyx-Local as a server of the tests: its package in a virtual environment of its own, beside PostgreSQL.

`fill.py` and `settings/` run in that environment, the other modules in ours.
"""
