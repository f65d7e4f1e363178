"""The windows that register sessions."""
