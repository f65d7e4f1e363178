"""The windows of the outbox."""
