"""What PyBpod composes its classes from: a few lines of glue each, and no import of PyBpod's own models."""
