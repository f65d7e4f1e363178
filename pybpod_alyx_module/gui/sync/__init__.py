"""The windows of a sync."""
