"""The Alyx client."""
