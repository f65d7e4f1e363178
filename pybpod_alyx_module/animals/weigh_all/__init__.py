"""Many animals weighed one after the other: who, what is known of each, and what was recorded; no Qt."""
