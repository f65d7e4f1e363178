"""What a server says of itself: its lists and fields, and in what servers differ."""
