"""One animal or one session, and what belongs to it."""
