"""The manual in PyBpod: the pages of docs/, each window's own with F1."""
