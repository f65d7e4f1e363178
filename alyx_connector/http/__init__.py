"""One request from its arguments to its answer, and complete lists: threads, retries, faults."""
