"""The command alyx-connector."""
