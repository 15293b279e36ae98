"""What a run tells while it works, and what it has done at the end.  On the warm path."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cache.plans import PlannedEntry
    from engine.errors import EngineError


class Progress:
    """How far the pipeline is.  The pipeline writes, a view reads.

    Attributes:
        phase: what is going on, in one word.
        wheels, wheels_done: how many wheels are needed, and how many are staged.
        bytes_expected, bytes_received: of downloads whose size is known, and of all.
    """

    __slots__ = ("bytes_expected", "bytes_received", "phase", "wheels", "wheels_done")

    def __init__(self) -> None:
        self.phase = "resolving"
        self.wheels = 0
        self.wheels_done = 0
        self.bytes_expected = 0
        self.bytes_received = 0


class View:
    """Where progress is shown; this one shows nothing.

    A view for a terminal is given by the caller.
    """

    #: Seconds between two calls of `update`; 0 means never.
    interval_seconds: float = 0

    def update(self, progress: Progress) -> None:
        """Shows how far things are."""

    def close(self) -> None:
        """Takes what was shown off the terminal."""


class Outcome:
    """What happened to one environment.

    Attributes:
        prefix: its folder.
        created: it was made by this run.
        added, removed: (name, version) pairs, as lists in lock order and name order.
        kept: how many distributions stayed as they were.
        warnings, details: one line each.
        error: why it was left as it was, or None.
    """

    __slots__ = ("added", "created", "details", "error", "kept", "prefix", "recovered", "removed", "warnings")

    def __init__(
        self,
        prefix: str,
        *,
        created: bool = False,
        added: "Sequence[tuple[str, str]]" = (),
        removed: "Sequence[tuple[str, str]]" = (),
        kept: int = 0,
        warnings: "Sequence[str]" = (),
        details: "Sequence[str]" = (),
        recovered: bool = False,
        error: "EngineError | None" = None,
    ) -> None:
        self.prefix = prefix
        self.created = created
        self.added = added
        self.removed = removed
        self.kept = kept
        self.warnings = warnings
        self.details = details
        self.recovered = recovered
        self.error = error


def describe_startup_files(entries: "Iterable[PlannedEntry]") -> list[str]:
    """Returns one line for each file that Python obeys whenever it starts in the environment.

    Args:
        entries: what was installed.

    Source: documentation of the `site` module, ".pth"; PEP 829, ".start".
    """
    return [
        f"{name} of {entry.name} is obeyed whenever Python starts" for entry in entries for name in startup_files(entry)
    ]


def startup_files(entry: "PlannedEntry") -> list[str]:
    """Returns the names of the files of a wheel that Python obeys whenever it starts in the environment."""
    return [
        name
        for scheme, folder, _, names, _, _ in entry.folders
        if not folder and scheme in ("purelib", "platlib")
        for name in names
        if name.endswith((".pth", ".start"))
    ]


def describe_links(counts: dict[str, int]) -> str:
    """Returns how many files came from the cache in which way, such as `93 files: 90 hardlink, 3 copy`."""
    ways = ", ".join(f"{count} {way}" for way, count in counts.items() if count)
    return f"{sum(counts.values())} files" + (f": {ways}" if ways else "")
