"""The animals that concern a person today: asked for in a few requests, kept for when Alyx cannot be reached."""
