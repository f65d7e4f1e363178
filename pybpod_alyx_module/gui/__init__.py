"""The windows, the work off the GUI thread, and the wording of messages: the only room with Qt beside ``models``."""
