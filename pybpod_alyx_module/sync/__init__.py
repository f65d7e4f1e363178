"""The subject sync: snapshots in, a plan as data, and the one writer that applies it. No Qt, no PyBpod, no requests."""
