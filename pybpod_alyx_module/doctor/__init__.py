"""What may be wrong with the plugin on this computer: a list of checks, for the window and the command line."""
