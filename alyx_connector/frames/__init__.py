"""Rows made into frames, and frames into text or parquet."""
