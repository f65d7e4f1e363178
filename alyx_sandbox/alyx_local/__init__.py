"""What is otherwise on Alyx-Local 3.1.8: the sandbox answers as that does with ``--like alyx-local``.

Names and relations are those of Alyx's tables; rows are stored in these, by rules of its own (``models.py``).

Left out besides what the sandbox leaves out: repositories, formats and file records of datasets (all sessions of a
project are in one repository, and a dataset is not registered with its files), and the filters by these.
"""
