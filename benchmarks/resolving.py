"""Resolves a synthetic graph and tells the CPU time, the answers being at hand.

    python benchmarks/resolving.py
    python benchmarks/resolving.py --projects 700 --versions 100 --seed 1 --profile

Two graphs: `wide`, where every version of every project depends on some projects further down, with bounds that
leave room, and `chain`, where two projects release in step, as an SDK and its core do, and the user wants an old
version of a project that the core has outgrown.  What is counted is the resolver alone: the reading of versions is
done before the clock starts.
"""

import argparse
import cProfile
import pstats
import random
import time

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from resolver import (
    Dependencies,
    Listing,
    Metadata,
    Problem,
    Release,
    Request,
    Requested,
    Resolution,
    Resolver,
    Versions,
)

Universe = dict[str, dict[str, tuple[str, ...]]]


def main() -> None:
    """Runs both graphs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", type=int, default=700)
    parser.add_argument("--versions", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--profile", action="store_true", help="also print where the time went")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    wide = wide_universe(options.projects, options.versions, chance)
    measure("wide", wide, ["p0", "p1", "p2"], profile=options.profile)
    measure("chain", chain_universe(2000), ["sdk", "low<1.25"], profile=options.profile)


def wide_universe(projects: int, versions: int, chance: random.Random) -> Universe:
    """Returns a graph in which everything is reached from the first three projects."""
    universe: Universe = {}
    for number in range(projects):
        children = [child for child in (number * 2 + 3, number * 2 + 4) if child < projects]
        later = range(number + 1, projects)
        children += chance.sample(later, min(3, len(later)))
        releases: dict[str, tuple[str, ...]] = {}
        bounds = {child: chance.randrange(versions // 2) for child in children}
        for version in range(versions):
            if version % 10 == 0:
                bounds = {child: min(low + chance.randrange(3), versions - 1) for child, low in bounds.items()}
            lines = [f"p{child}>=1.{low},<2" for child, low in bounds.items()]
            lines.append(f"p{children[0]}[test]; extra == 'all'" if children else "p0; sys_platform == 'none'")
            releases[f"1.{version}"] = tuple(lines)
        universe[f"p{number}"] = releases
    return universe


def chain_universe(versions: int) -> Universe:
    """Returns an SDK and its core, each release bound to the other's, and what the core depends on."""
    sdk: dict[str, tuple[str, ...]] = {}
    core: dict[str, tuple[str, ...]] = {}
    for number in range(versions):
        minor, patch = divmod(number, 40)
        sdk[f"1.{minor}.{patch}"] = (f"core>=1.{minor}.{patch},<1.{minor + 1}", "transfer>=0.5,<1")
        low = "low>=1.20,<1.26" if number < versions // 2 else "low>=1.25.4,<3"
        core[f"1.{minor}.{patch}"] = ("times<2", low)
    lows: dict[str, tuple[str, ...]] = {f"1.{minor}.{patch}": () for minor in range(18, 27) for patch in range(12)}
    return {"sdk": sdk, "core": core, "low": lows, "transfer": {"0.6": ("core<2",)}, "times": {"1.0": ()}}


def measure(name: str, universe: Universe, wanted: list[str], *, profile: bool) -> None:
    """Resolves and prints one line."""
    answers = {
        canonicalize_name(project): Listing(tuple(Release(Version(version)) for version in releases))
        for project, releases in universe.items()
    }
    environment = {key: str(value) for key, value in default_environment().items()}
    requirements = tuple(Requested(requirement=Requirement(text)) for text in wanted)
    profiler = cProfile.Profile()
    started = time.process_time()
    if profile:
        profiler.enable()
    resolver = Resolver(Problem(requirements=requirements, markers=environment))
    steps, asked = 1, 0
    while not isinstance(outcome := resolver.step(), Resolution):
        steps += 1
        queue: list[Request] = [*outcome.needed, *outcome.likely]
        asked += len(queue)
        for request in queue:
            if isinstance(request, Versions):
                resolver.answer(request, answers[request.name])
            elif isinstance(request, Dependencies):
                resolver.answer(request, Metadata(universe[request.name][str(request.version)], None, ("all", "test")))
    profiler.disable()
    spent = time.process_time() - started
    effort = outcome.effort
    print(
        f"{name}: {spent * 1000:.0f} ms of CPU, {len(outcome.pins)} pins, {effort.decisions} decisions,"
        f" {effort.conflicts} conflicts, {effort.metadata} metadata, {asked} requests, {steps} steps"
    )
    if profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(15)


if __name__ == "__main__":
    main()
