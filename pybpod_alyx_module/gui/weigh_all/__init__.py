"""The window in which many animals are weighed one after the other."""
