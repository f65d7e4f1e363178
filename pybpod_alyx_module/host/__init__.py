"""What knows PyBpod's objects and files, and shows no window."""
