"""A search from keywords to rows: filters checked, lists read, details fetched or taken from the cache."""
