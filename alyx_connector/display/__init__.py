"""Progress as whoever waits sees it: in a terminal, in a notebook, or in the log."""
