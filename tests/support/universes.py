"""Small worlds of projects to resolve in, and a driver that answers from them.

A universe says for each project its releases: the text of a version, as `str(Version)` has
it, and on what it depends; `Facts` where there is more to say.
"""

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from resolver import (
    Answer,
    Dependencies,
    Listing,
    Metadata,
    Prereleases,
    Problem,
    Release,
    Request,
    Requested,
    Resolution,
    Resolver,
    Strategy,
    Unusable,
    Versions,
    Waiting,
)

Outcome = TypeVar("Outcome", covariant=True)

MARKERS = {
    "implementation_name": "cpython",
    "implementation_version": "3.11.4",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": "3.11.4",
    "python_version": "3.11",
    "sys_platform": "linux",
}


class Facts(NamedTuple):
    """What there is to say of a release."""

    requires: tuple[str, ...] = ()
    unusable: Unusable | None = None
    yanked: str | None = None
    extras: tuple[str, ...] = ("x", "y", "z")
    requires_python: str | None = None
    broken: Unusable | None = None
    cheap: bool = True


Releases = Mapping[str, Facts | Sequence[str]]
Universe = Mapping[str, Releases]


def requested(lines: Sequence[str], file: str = "app.txt") -> tuple[Requested, ...]:
    """Returns requirements as if they were the lines of a file."""
    return tuple(
        Requested(requirement=Requirement(line), source=f"{file}:{number}" if file else "")
        for number, line in enumerate(lines, 1)
    )


def problem(
    requirements: Sequence[str],
    *,
    constraints: Sequence[str] = (),
    overrides: Sequence[str] = (),
    excludes: Sequence[str] = (),
    preferences: Mapping[str, str] | None = None,
    strategy: Strategy = Strategy.HIGHEST,
    prereleases: Prereleases = Prereleases.IF_NECESSARY_OR_EXPLICIT,
    prereleases_package: Mapping[str, Prereleases] | None = None,
) -> Problem:
    """Returns the problem of these lines."""
    return Problem(
        requirements=requested(requirements),
        constraints=requested(constraints, "constraints.txt"),
        overrides=requested(overrides, "overrides.txt"),
        excludes=frozenset(map(canonicalize_name, excludes)),
        preferences={canonicalize_name(name): Version(text) for name, text in (preferences or {}).items()},
        strategy=strategy,
        prereleases=prereleases,
        prereleases_package={canonicalize_name(name): mode for name, mode in (prereleases_package or {}).items()},
        markers=MARKERS,
    )


def reply(universe: Universe, request: Request) -> Answer:
    """Returns the answer to a request; a project that comes from a URL is found under its URL."""
    releases = universe.get(request.url or request.name)
    if releases is None:
        assert isinstance(request, Versions)
        return Listing((), "was not found in the index")
    if isinstance(request, Versions):
        facts = [(Version(text), _facts(one)) for text, one in releases.items()]
        return Listing(tuple(Release(text, one.unusable, one.yanked, one.cheap) for text, one in facts))
    found = _facts(releases[str(request.version)])
    return found.broken or Metadata(found.requires, found.requires_python, found.extras)


def _facts(one: Facts | Sequence[str]) -> Facts:
    return one if isinstance(one, Facts) else Facts(tuple(one))


class Asking(Protocol[Outcome]):
    """What resolves: for one environment or for many."""

    def step(self) -> Waiting | Outcome: ...

    def answer(self, request: Request, answer: Answer) -> None: ...


class Run(NamedTuple):
    """A resolution and what was asked for on the way."""

    resolution: Resolution
    asked: tuple[Request, ...]
    steps: int


def run(case: Problem, universe: Universe, *, chance: random.Random | None = None, speculate: bool = False) -> Run:
    """Resolves; with `chance` the answers to a random part of the open requests come in a random order."""
    outcome, asked, steps = drive(Resolver(case), universe, chance=chance, speculate=speculate)
    return Run(outcome, asked, steps)


def drive(
    resolver: Asking[Outcome], universe: Universe, *, chance: random.Random | None = None, speculate: bool = False
) -> tuple[Outcome, tuple[Request, ...], int]:
    """Steps and answers to the end; returns the outcome, what was asked for, and the number of steps."""
    asked: dict[Request, None] = {}
    waiting: dict[Request, None] = {}
    steps = 1
    while isinstance(outcome := resolver.step(), Waiting):
        steps += 1
        assert outcome.needed, "it waits for nothing"
        waiting.update(dict.fromkeys(outcome.needed))
        if speculate or chance is not None:
            waiting.update(dict.fromkeys((*outcome.likely, *outcome.ahead)))
        chosen = list(waiting)
        if chance is not None:
            chance.shuffle(chosen)
            chosen = chosen[: chance.randint(1, len(chosen))]
        for request in chosen:
            del waiting[request]
            if request not in asked:
                asked[request] = None
                resolver.answer(request, reply(universe, request))
    return outcome, tuple(asked), steps


def pins(case: Problem, universe: Universe) -> dict[str, str]:
    """Returns the chosen versions by name."""
    return {pin.name: str(pin.version) for pin in run(case, universe).resolution.pins}


def asked_versions(asked: Sequence[Request], name: str) -> list[str]:
    """Returns the versions of a project whose metadata was asked for, in this order."""
    normalized: NormalizedName = canonicalize_name(name)
    return [str(one.version) for one in asked if isinstance(one, Dependencies) and one.name == normalized]
