"""Downloads wheels that will probably be installed, while versions are still being looked for.

Owns which of them are worth it.  Rules: a small wheel is fetched as soon as its metadata
are asked for, if it is the first of its project; a large one, or the latest other one of a project, when its metadata
are there and nothing speaks against it; and any as soon as its version is decided.  What is no longer
likely when the resolution ends is given up.  Bytes that turn out, or may yet turn out, to be in vain have
a limit.  A download that fails is nobody's matter until the wheel is needed: whoever needs
it asks again, and tells.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Protocol

import anyio
from anyio.abc import TaskGroup
from packaging.utils import NormalizedName
from packaging.version import Version

from engine.chosen import Chosen
from engine.errors import EngineError
from engine.limits import GUESSED_BYTES, LARGE_BYTES
from resolver import Dependencies, Pin

#: The wheel of a version, to be fetched; None where there is none, or where it is installed.
WheelOf = Callable[[NormalizedName, Version, str | None], Chosen | None]


class Keeper(Protocol):
    """Brings wheels into the cache; `engine.supply.Supply` does."""

    def known_sha256(self, choice: Chosen) -> str | None:
        """Returns the key of the wheel when it is in the cache."""

    async def keep(self, choice: Chosen, project: str) -> str:
        """Returns the key of a wheel, which is fetched where the cache has not got it.

        Raises:
            EngineError: when it cannot be had.
        """


class Ahead:
    """The downloads of one run that nobody has asked for yet.

    Args:
        group: owns them; they may go on when the resolution has ended.
        keeper: brings wheels into the cache.
        wheel_of: tells the wheel of a version.
    """

    def __init__(self, group: TaskGroup, keeper: Keeper, wheel_of: WheelOf) -> None:
        self._group = group
        self._keeper = keeper
        self._wheel_of = wheel_of
        self._open: dict[NormalizedName, Dependencies | None] = {}
        self._decided: set[tuple[NormalizedName, Version]] = set()
        self._scopes: dict[str, anyio.CancelScope] = {}
        self._begun_bytes = 0
        self._decided_bytes: dict[NormalizedName, int] = {}

    def guess(self, request: Dependencies) -> None:
        """Learns that the metadata of a version are asked for."""
        if request.name not in self._open:
            choice = self._missing(*request)
            if choice is None or (choice.size_bytes is not None and choice.size_bytes < LARGE_BYTES):
                self._open[request.name] = None
                if choice is not None:
                    self._start(choice, request.name)
                return
        self._open[request.name] = request

    def expect(self, fits: Callable[[Dependencies], bool]) -> None:
        """Learns that something is known by now that was not.

        Args:
            fits: tells whether the metadata of a version are there, and nothing is known that speaks against it.
        """
        for project, request in self._open.items():
            if request is not None and fits(request):
                self._open[project] = None
                choice = self._missing(*request)
                if choice is not None:
                    self._start(choice, project)

    def decide(self, pins: Iterable[Pin]) -> None:
        """Learns which versions are decided for now."""
        for pin in pins:
            if (pin.name, pin.version) not in self._decided:
                self._decided.add((pin.name, pin.version))
                self._open[pin.name] = None
                choice = self._missing(pin.name, pin.version, pin.url)
                self._decided_bytes[pin.name] = 0 if choice is None else choice.size_bytes or 0
                if choice is not None:
                    self._start(choice, pin.name)

    def keep_only(self, urls: Collection[str]) -> None:
        """Gives up all downloads but those of wheels that are needed.

        Args:
            urls: of these wheels.
        """
        for url, scope in self._scopes.items():
            if url not in urls:
                scope.cancel()

    def _missing(self, project: NormalizedName, version: Version, url: str | None) -> Chosen | None:
        choice = self._wheel_of(project, version, url)
        return None if choice is None or self._keeper.known_sha256(choice) is not None else choice

    def _start(self, choice: Chosen, project: NormalizedName) -> None:
        size = choice.size_bytes or 0
        if choice.url in self._scopes:
            return
        if self._begun_bytes + size - sum(self._decided_bytes.values()) > GUESSED_BYTES:
            return
        self._begun_bytes += size
        self._scopes[choice.url] = anyio.CancelScope()
        self._group.start_soon(self._fetch, choice, project)

    async def _fetch(self, choice: Chosen, project: NormalizedName) -> None:
        with self._scopes[choice.url]:
            try:
                await self._keeper.keep(choice, project)
            except EngineError:
                return
