"""The window that shows what may be wrong on this computer."""
