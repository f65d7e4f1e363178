"""The one category of warnings of this package."""

__all__ = ["AlyxWarning"]


class AlyxWarning(UserWarning):
    """What a user should know of a result that is no error, for example that an offset was dropped."""
