"""The windows about what syncs changed in a project, and how that is undone."""
