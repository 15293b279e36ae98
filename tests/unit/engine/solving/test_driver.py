"""The answer does not depend on when answers come; guesses are bounded, and their failures are nobody's matter."""

import asyncio
import random
from collections.abc import Mapping

import anyio
import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.version import Version

from engine.errors import EngineError
from engine.solving.driver import Driver, Found
from resolver import (
    Dependencies,
    Listing,
    Metadata,
    Problem,
    Release,
    Requested,
    ResolutionFailed,
    Resolver,
    Unusable,
    Versions,
)

Universe = Mapping[str, Mapping[str, tuple[str, ...]]]

#: `app` 2 wants a `base` that `tool` does not let it have.
UNIVERSE: Universe = {
    "app": {"1": ("base",), "2": ("base>=2", "extra-thing")},
    "tool": {"1": ("base<2",)},
    "base": {"1": (), "2": (), "3": ()},
    "extra-thing": {"1": ("deep",)},
    "deep": {"1": ()},
}


class Scripted:
    """Answers from a universe, each after as many turns of the loop as a random number says."""

    def __init__(self, universe: Universe, seed: int = 0, failing: frozenset[str] = frozenset()) -> None:
        self._universe = universe
        self._random = random.Random(seed)
        self._failing = failing
        self.under_way = 0
        self.most = 0
        self.asked: list[str] = []

    async def _wait(self, name: str) -> None:
        self.asked.append(name)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            for _ in range(self._random.randrange(9)):
                await anyio.lowlevel.checkpoint()
        finally:
            self.under_way -= 1
        if name in self._failing:
            raise EngineError(f"{name} cannot be had")

    async def listing(self, request: Versions) -> Listing:
        await self._wait(request.name)
        versions = self._universe.get(request.name, {})
        return Listing(tuple(Release(Version(text)) for text in versions), "" if versions else "was not found")

    async def metadata(self, request: Dependencies) -> Metadata | Unusable:
        await self._wait(f"{request.name}=={request.version}")
        return Metadata(self._universe[request.name][str(request.version)])

    def at_once(self, request: Dependencies) -> Metadata | Unusable | None:
        return None

    def in_bulk(self, request: Dependencies, found: Found) -> bool:
        return False


def problem(*requirements: str) -> Problem:
    return Problem(
        requirements=tuple(Requested(requirement=Requirement(text)) for text in requirements),
        markers={name: str(value) for name, value in default_environment().items()},
    )


def resolve(source: Scripted, *requirements: str, guesses: int = 64) -> dict[str, str]:
    async def run() -> dict[str, str]:
        resolution = await Driver(Resolver(problem(*requirements)), source, guesses=guesses).run()
        return {pin.name: str(pin.version) for pin in resolution.pins}

    return anyio.run(run)


@pytest.mark.parametrize("seed", range(20))
def test_the_answer_is_the_same_whenever_answers_come(seed: int) -> None:
    source = Scripted(UNIVERSE, seed)
    assert resolve(source, "app", "tool") == {"app": "1", "tool": "1", "base": "1"}
    assert len(source.asked) == len(set(source.asked))


@pytest.mark.parametrize("guesses", [0, 1, 3])
def test_guesses_are_bounded_and_nothing_depends_on_them(guesses: int) -> None:
    wide: Universe = {"root": {"1": tuple(f"p{number}" for number in range(30))}} | {
        f"p{number}": {"1": ()} for number in range(30)
    }
    assert len(resolve(Scripted(wide), "root", guesses=guesses)) == 31
    several = {name: found for name, found in UNIVERSE.items() if name != "tool"}
    assert resolve(Scripted(several), "app", guesses=guesses) == {
        "app": "2",
        "base": "3",
        "extra-thing": "1",
        "deep": "1",
    }


def test_a_guess_that_fails_is_not_told() -> None:
    source = Scripted(UNIVERSE, failing=frozenset({"extra-thing", "deep"}))
    assert resolve(source, "app<2", "tool") == {"app": "1", "tool": "1", "base": "1"}


@pytest.mark.parametrize("missing", ["deep", "deep==1", "app"])
def test_what_is_needed_and_fails_is_told_as_it_was_raised(missing: str) -> None:
    with pytest.raises(EngineError, match=f"{missing} cannot be had"):
        resolve(Scripted(UNIVERSE, failing=frozenset({missing})), "app")


class Together(Scripted):
    """Has in bulk what is asked for beyond the first few; nothing comes of some of it."""

    def __init__(self, universe: Universe, *, first: int, vain: frozenset[str] = frozenset()) -> None:
        super().__init__(universe)
        self._first = first
        self._vain = vain
        self.in_bulk_of: list[str] = []
        self.rounds = self._open = 0

    def in_bulk(self, request: Dependencies, found: Found) -> bool:
        if len(self.in_bulk_of) >= self._first:
            return False
        self.in_bulk_of.append(f"{request.name}=={request.version}")
        self.rounds += not self._open
        self._open += 1
        asyncio.get_running_loop().call_soon(self._tell, request, found)
        return True

    def _tell(self, request: Dependencies, found: Found) -> None:
        self._open -= 1
        text = str(request.version)
        found(None if text in self._vain else Metadata(self._universe[request.name][text]))


#: All but the first version of `sdk` are rejected.
STUBBORN: Universe = {
    "low": {"1": (), "2": ()},
    "sdk": {str(number): ("low>=2",) if number > 1 else () for number in range(1, 301)},
}


def test_what_may_be_needed_is_asked_for_ahead_only_where_it_comes_in_bulk() -> None:
    alone, together = Together(STUBBORN, first=0), Together(STUBBORN, first=1000)
    for source in (alone, together):
        assert resolve(source, "low<2", "sdk") == {"low": "1", "sdk": "1"}
    assert together.rounds < 10
    assert len(together.in_bulk_of) == len(set(together.in_bulk_of))
    assert len(alone.asked) == len(set(alone.asked))


def test_what_was_asked_for_ahead_in_vain_is_asked_for_alone_once_it_is_needed() -> None:
    wide: Universe = {"low": {"1": (), "2": ()}, "sdk": {str(n): ("low>=2",) if n > 293 else () for n in range(1, 301)}}
    source = Together(wide, first=1000, vain=frozenset({"295", "280"}))
    assert resolve(source, "low<2", "sdk") == {"low": "1", "sdk": "293"}
    assert {"sdk==295", "sdk==280"} <= set(source.in_bulk_of)
    assert source.asked.count("sdk==295") == 1 and "sdk==280" not in source.asked


def test_a_failure_to_resolve_ends_what_is_under_way() -> None:
    source = Scripted(UNIVERSE, 3)
    with pytest.raises(ResolutionFailed, match="nothing"):
        resolve(source, "app", "nothing")
    assert source.under_way == 0
