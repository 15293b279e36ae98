"""Errors that `engine` expects, named by whose fault they are.

Every one carries its data in attributes, tells its story in `str()`, and may
have a `hint`: one sentence that says what to do.  Anything else that escapes is
a bug.  This module is on the warm path: it imports nothing.
"""


class EngineError(Exception):
    """Root of all expected errors.

    Args:
        message: one line for a person, without credentials.
        hint: what the user can do about it, or None.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class ConfigurationError(EngineError):
    """An option, a variable or a settings file asks for something impossible."""


class InvalidSettings(ConfigurationError):
    """A settings file says something wrong; `problems` has every line that is wrong."""

    def __init__(self, problems: list[str], *, hint: str | None = None) -> None:
        super().__init__("\n".join(problems), hint=hint)
        self.problems = problems


class InvalidLock(EngineError):
    """A lock file cannot be read; `problems` has every line that is wrong."""

    def __init__(self, problems: list[str], *, hint: str | None = None) -> None:
        super().__init__("\n".join(problems), hint=hint)
        self.problems = problems


class FilesUnavailable(EngineError):
    """Several files of a lock cannot be fetched; `problems` has every line that names one."""

    def __init__(self, problems: list[str], *, hint: str | None = None) -> None:
        super().__init__("\n".join(problems), hint=hint)
        self.problems = problems


class InvalidRequirements(ConfigurationError):
    """What is asked for cannot be understood; `problems` has every line that is wrong."""

    def __init__(self, problems: list[str], *, hint: str | None = None) -> None:
        super().__init__("\n".join(problems), hint=hint)
        self.problems = problems


class NoResolution(EngineError):
    """No set of versions meets what was asked; the message tells why, in several lines."""


class ProjectNotFound(EngineError):
    """The index does not have the project."""


class NoMatchingDistribution(EngineError):
    """The project is there, but no file of it fits the pin and the target."""


class PinsRefused(EngineError):
    """Several pins of a lock cannot be had; `problems` has every one, in the order of the lock.

    Args:
        errors: at least two, of pins.
    """

    def __init__(self, errors: "list[EngineError]") -> None:
        hints = {error.hint: None for error in errors}
        shared = next(iter(hints)) if len(hints) == 1 else None
        # Each has its own advice where it is not the same for all.
        self.problems = [
            error.message if shared or not error.hint else f"{error.message}\nhint: {error.hint}" for error in errors
        ]
        super().__init__("\n".join(self.problems), hint=shared)
        self.errors = errors


class InvalidPage(EngineError):
    """An index answered with something that is not a project page."""


class IndexUnavailable(EngineError):
    """An index or file server cannot be reached or keeps failing.

    Attributes:
        server_wide: the server, or the way to it, fails whatever is asked for; no line of a lock is to blame.
    """

    server_wide = False


class AccessRefused(IndexUnavailable):
    """An index or file server wants to know who asks, or does not want to give this to whoever asks.

    Attributes:
        status: of the response, or 0.
    """

    def __init__(self, message: str, *, hint: str | None = None, status: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class Offline(EngineError):
    """The network is needed, and `--offline` forbids it."""


class HashMismatch(EngineError):
    """A file is not the one that the lock or the index promised."""


class SizeMismatch(EngineError):
    """A file has another length than the lock or the index promised."""


class InvalidWheel(EngineError):
    """A wheel breaks the wheel or ZIP standard in a way that cannot be installed."""


class InvalidEnvironment(EngineError):
    """The target is missing, broken, or not one that may be changed."""


class InstallConflict(EngineError):
    """What is in the environment cannot be replaced or removed safely."""


class InstallFailed(EngineError):
    """The operating system refused while files were staged or committed."""


class ReportFailed(EngineError):
    """A report or a trace cannot be written; the run itself is over by then."""
