"""One animal or one record: read, changed, made."""
