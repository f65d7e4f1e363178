"""The version of the distribution, in its one place: ``setup.py`` reads this file."""

__version__ = "2.0.0.dev0"
