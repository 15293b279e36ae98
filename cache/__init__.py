"""The content-addressed store: keys, entries, manifests, plans and small records.

Standard library only and synchronous.  It knows neither `engine` nor `resolver`.
A miss is `None`; damage is an error with data in it.
"""


class CacheError(Exception):
    """Root of the errors of the cache.

    Args:
        message: one line for a person.
        path: the file or folder that is at fault.
    """

    def __init__(self, message: str, *, path: str) -> None:
        super().__init__(message)
        self.message = message
        self.path = path

    def __str__(self) -> str:
        return f"{self.message} ({self.path})"
