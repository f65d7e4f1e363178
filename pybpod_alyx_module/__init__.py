"""The Alyx plugin of PyBpod."""
