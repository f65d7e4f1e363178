"""A new animal on Alyx: what a server takes, what was typed, the look-up, and the making of it. No Qt."""
