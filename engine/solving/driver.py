"""Resolves a problem with answers that come from elsewhere, many at a time.

Owns what is asked for and when: all that the resolver needs at once, and of what it
guesses as much as there are places for.  What needs no waiting is taken at once, and what can be had together with
others is asked for without a task of its own: a resolution may need the metadata of
thousands of files.  Rules: the resolver goes on when all that it
needs is there; a guess that fails is an answer like any other, and is told only
when its turn has come; what nobody waits for any more is cancelled.

Does not fetch (`Source` does) and does not resolve (`resolver` does).
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Generic, Protocol, TypeVar

import anyio
from anyio.abc import TaskGroup

from engine.errors import EngineError
from resolver import (
    Answer,
    Dependencies,
    Listing,
    Metadata,
    Pin,
    Request,
    ResolverError,
    Unusable,
    Versions,
    Waiting,
)

#: How many guesses may be under way at once: as many as keep a link of some 100 ms busy with small answers.
GUESSES = 64

#: How many guesses may be under way that are asked for in bulk: they cost next to nothing, and a project that keeps
#: being rejected is not to cost a round trip for every few of its versions.
GUESSES_IN_BULK = 512

#: Told an answer, or None where the request has to be made alone.
Found = Callable[[Metadata | Unusable | None], None]


Outcome = TypeVar("Outcome")
Outcome_co = TypeVar("Outcome_co", covariant=True)


class Steps(Protocol[Outcome_co]):
    """What asks: a `resolver.Resolver`, for one environment or for many."""

    def step(self) -> Waiting | Outcome_co:
        """Goes on as far as the answers reach."""

    def answer(self, request: Request, answer: Answer) -> None:
        """Takes an answer."""

    def likely(self) -> tuple[Request, ...]:
        """Returns what is probably needed soon."""

    def fits(self, request: Dependencies) -> bool:
        """Tells whether nothing is known that speaks against a version whose metadata are there."""

    def decided(self) -> Iterable[Pin]:
        """Returns which versions are decided for now."""


class Source(Protocol):
    """Where answers come from."""

    async def listing(self, request: Versions) -> Listing:
        """Returns the releases of a project, or of the one distribution behind a URL.

        Raises:
            EngineError: when that cannot be found out; a project that nobody has is a listing without releases.
        """

    async def metadata(self, request: Dependencies) -> Metadata | Unusable:
        """Returns the metadata of a release, or why it has none.

        Raises:
            EngineError: when that cannot be found out.
        """

    def at_once(self, request: Dependencies) -> Metadata | Unusable | None:
        """Returns the metadata of a release where they are known already, else None."""

    def in_bulk(self, request: Dependencies, found: Found) -> bool:
        """Asks for metadata that are not known, together with others; `found` is told, after this has returned.

        Returns:
            Whether they are asked for; if not, the request has to be made alone.
        """


class Guessing(Protocol):
    """What is told about versions that will probably be chosen."""

    def guess(self, request: Dependencies) -> None:
        """Learns that the metadata of a version are asked for."""

    def expect(self, fits: Callable[[Dependencies], bool]) -> None:
        """Learns that something is known by now that was not; `fits` is that of `Steps`."""

    def decide(self, pins: Iterable[Pin]) -> None:
        """Learns which versions are decided for now."""


class Driver(Generic[Outcome]):
    """One resolution.

    Args:
        resolver: of what is to be resolved.
        source: answers requests.
        guesses: how many requests may be under way that are only likely to be needed.
        ahead: downloads what will probably be installed, or None.

    Attributes:
        asked: how many requests were started.
        needed: how many of them the resolver could not do without when it asked.
    """

    def __init__(
        self, resolver: Steps[Outcome], source: Source, *, guesses: int = GUESSES, ahead: Guessing | None = None
    ) -> None:
        self._resolver = resolver
        self._source = source
        self._guesses = guesses
        self._ahead = ahead
        self._started: set[Request] = set()
        self._needed: set[Request] = set()
        self._queue: dict[Request, None] = {}
        self._guessing = self._guessing_in_bulk = 0
        self._failures: dict[Request, EngineError] = {}
        self._missing: set[Request] = set()
        self._group: TaskGroup | None = None
        self._arrived: list[tuple[Request, Answer | EngineError]] = []
        self._arrival = anyio.Event()

    @property
    def asked(self) -> int:
        """How many requests were started."""
        return len(self._started)

    @property
    def needed(self) -> int:
        """How many of them the resolver could not go on without."""
        return len(self._needed)

    async def run(self, progress: Callable[[int], None] | None = None) -> Outcome:
        """Asks and answers until there is a resolution.

        Args:
            progress: told how many requests have been started, now and then.

        Raises:
            ResolutionFailed: when there is none.
            EngineError: when something needed cannot be found out.
        """
        outcome: Outcome | Exception
        async with anyio.create_task_group() as group:
            self._group = group
            try:
                outcome = await self._resolve(group, progress)
            except (EngineError, ResolverError) as exc:
                outcome = exc
            finally:
                self._group = None
            group.cancel_scope.cancel()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _resolve(self, group: TaskGroup, progress: Callable[[int], None] | None) -> Outcome:
        while isinstance(outcome := self._resolver.step(), Waiting):
            self._raise_failure_of(outcome.needed)
            self._missing = set(outcome.needed)
            for request in outcome.needed:
                self._queue.pop(request, None)
                self._start(group, request)
            self._needed.update(outcome.needed)
            self._guess(group, outcome.likely)
            self._ask_ahead(outcome.ahead)
            if progress is not None:
                progress(len(self._started))
            if self._ahead is not None:
                self._ahead.decide(self._resolver.decided())
                self._ahead.expect(self._resolver.fits)
            await self._take(group)
        return outcome

    def _raise_failure_of(self, needed: tuple[Request, ...]) -> None:
        for request in needed:
            if request in self._failures:
                raise self._failures[request]

    async def _take(self, group: TaskGroup) -> None:
        """Takes answers until all that is needed is there, or will never be."""
        while True:
            if not self._arrived:
                await self._arrival.wait()
            self._arrival = anyio.Event()
            arrived, self._arrived = self._arrived, []
            for request, answer in arrived:
                if isinstance(answer, EngineError):
                    self._failures[request] = answer
                else:
                    self._resolver.answer(request, answer)
                    self._missing.discard(request)
            if self._ahead is not None:
                self._ahead.expect(self._resolver.fits)
            if not self._missing or not self._missing.isdisjoint(self._failures):
                return
            self._guess(group, self._resolver.likely())

    def _guess(self, group: TaskGroup, likely: tuple[Request, ...]) -> None:
        self._queue.update(dict.fromkeys(request for request in likely if request not in self._started))
        self._start_guesses(group)

    def _start_guesses(self, group: TaskGroup) -> None:
        while self._queue and self._guessing < self._guesses and self._guessing_in_bulk < GUESSES_IN_BULK:
            request = next(iter(self._queue))
            del self._queue[request]
            self._start(group, request, guess=True)

    def _ask_ahead(self, requests: tuple[Request, ...]) -> None:
        """Asks for what may be needed where that costs next to nothing."""
        for request in requests:
            if self._guessing_in_bulk >= GUESSES_IN_BULK:
                return
            if request in self._started or not isinstance(request, Dependencies):
                continue
            if not self._start_cheaply(request, guess=True, ahead=True):
                return

    def _start(self, group: TaskGroup, request: Request, *, guess: bool = False) -> None:
        if request in self._started:
            return
        if isinstance(request, Dependencies) and self._ahead is not None:
            self._ahead.guess(request)
        if isinstance(request, Versions) or not self._start_cheaply(request, guess=guess):
            self._started.add(request)
            self._start_alone(group, request, guess)

    def _start_cheaply(self, request: Dependencies, *, guess: bool, ahead: bool = False) -> bool:
        """Asks for metadata without a task; returns whether they are known, or asked for."""
        if (known := self._source.at_once(request)) is not None:
            self._arrive(request, known)
        elif self._source.in_bulk(request, partial(self._found_in_bulk, request, guess, ahead)):
            self._guessing_in_bulk += guess
        else:
            return False
        self._started.add(request)
        return True

    def _start_alone(self, group: TaskGroup, request: Request, guess: bool) -> None:
        self._guessing += guess
        group.start_soon(self._answer, group, request, guess)

    def _found_in_bulk(
        self, request: Dependencies, guess: bool, ahead: bool, answer: Metadata | Unusable | None
    ) -> None:
        group = self._group
        if group is None:  # nobody needs it any more
            return
        self._guessing_in_bulk -= guess
        if answer is not None:
            self._arrive(request, answer)
        elif ahead and request not in self._missing:
            self._started.discard(request)
        else:
            self._start_alone(group, request, guess)
        self._start_guesses(group)

    def _arrive(self, request: Request, answer: Answer | EngineError) -> None:
        self._arrived.append((request, answer))
        self._arrival.set()

    async def _answer(self, group: TaskGroup, request: Request, guess: bool) -> None:
        answer: Answer | EngineError
        try:
            if isinstance(request, Versions):
                answer = await self._source.listing(request)
            else:
                answer = await self._source.metadata(request)
        except EngineError as exc:
            answer = exc
        self._arrive(request, answer)
        if guess:
            self._guessing -= 1
            self._start_guesses(group)
