"""The window *Today*: what each animal still needs, recorded from there."""
