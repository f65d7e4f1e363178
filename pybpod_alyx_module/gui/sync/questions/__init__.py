"""The questions that a sync asks before it changes anything."""
