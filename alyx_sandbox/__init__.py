"""A stand-in Alyx server for trying things out, tests and benchmarks: ``python -m alyx_sandbox``.

It is a process, imported by nobody. It serves the routes of Alyx 3.6 that a rig and an analyst need (``urls.py``) on
an SQLite file, loopback only, with Alyx's own status codes, bodies and oddities.

With ``--like alyx-local`` it answers as Alyx-Local 3.1.8 does, faults included (``alyx_local/``).

Left out, and told where one meets it: labs that judge weights by z-score (the growth tables belong to Alyx: a lab file
or a request that asks for it is refused), filters by brain region, histology and tag, pictures, probe insertions and
fields of view (always empty), file records (a dataset is never online), admin pages. A filter into JSON by a key of
digits (``json=stimuli__1__n,24``) finds list items only: SQLite tells them from keys, PostgreSQL does not. In JSON and
elsewhere, a lookup such as ``startswith`` ignores the case of ASCII letters, and ``json=a__contains,…`` is a 500.
"""
