"""Brings one item to its server, by its kind: a new record, a change, a move; and takes one back."""
