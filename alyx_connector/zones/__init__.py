"""Times of labs: the same moment on the clocks of lab and server, and which zone each lab has."""
