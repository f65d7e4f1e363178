"""A stand-in Alyx server for trying things out."""
