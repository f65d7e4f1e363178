"""Data only: icons, screenshots and the demo lab."""
