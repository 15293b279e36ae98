"""Asks indexes what a resolution would ask, in this process and with a cache of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import anyio
from packaging.version import Version

from engine.admission import Admission
from engine.index.client import Network
from engine.index.source import sources
from engine.locations import IndexLocation, IndexOptions
from engine.options import LockOptions, NetworkOptions, SyncOptions
from engine.reporting import Progress, View
from engine.scratch import Scratch
from engine.solving.opening import Asked, open_answers
from engine.supply import Supply
from engine.sync import Run
from engine.workers import Workers
from resolver.availability import Policy

TAGS = {"cp311-cp311-manylinux_2_17_x86_64": 0, "py3-none-any": 1}

_Result = TypeVar("_Result")


def ask(
    folder: Path,
    locations: Sequence[IndexLocation],
    scenario: Callable[[Asked], Awaitable[_Result]],
    *,
    find_links: Sequence[IndexLocation] = (),
    strategy: str = "first-index",
    pins: dict[str, str] | None = None,
    offline: bool = False,
    network_options: NetworkOptions | None = None,
    warnings: list[str] | None = None,
) -> _Result:
    """Returns what the scenario does.

    Args:
        folder: has the cache.
        locations: the indexes, the default one marked.
        scenario: asks.
        find_links, strategy, pins, offline, network_options: of the run.
        warnings: gets what the user would be warned of.
    """
    indexes = IndexOptions(
        locations=locations, find_links=find_links, strategy=strategy, pins=pins, no_index=not locations
    )
    options = SyncOptions(
        locks=LockOptions(files=[]),
        pythons=(),
        cache_dir=str(folder / "cache"),
        indexes=indexes,
        offline=offline,
        network=network_options or NetworkOptions(retries=1),
    )
    run = Run(options, {}, str(folder), View())
    run.layout.create()
    scratch = Scratch(run.layout)
    workers = Workers(run.layout.root, scratch.folder, "hardlink", most=1)
    try:
        return asyncio.run(_ask(run, scratch.folder, workers, scenario, warnings))
    finally:
        workers.close()
        scratch.close()


async def _ask(
    run: Run,
    scratch: str,
    workers: Workers,
    scenario: Callable[[Asked], Awaitable[_Result]],
    warnings: list[str] | None,
) -> _Result:
    found = sources(run, None)
    failure: Exception | None = None
    async with asyncio.TaskGroup() as early, anyio.create_task_group() as group:
        network = Network(early, run.options.network, run.environ)
        network.know(found.indexes)
        group.start_soon(workers.listen)
        supply = Supply(
            run, [], network=network, workers=workers, scratch=scratch, admission=Admission(4), progress=Progress()
        )
        asked = open_answers(
            group,
            run,
            network=network,
            sources=found,
            workers=workers,
            keeper=supply,
            policy=Policy(python=Version("3.11.4")),
            tag_priority=TAGS,
        )
        try:
            return await scenario(asked)
        except Exception as exc:
            failure = exc
        finally:
            if warnings is not None:
                warnings += network.warnings
            supply.close()
            await network.close()
            group.cancel_scope.cancel()
    assert failure is not None
    raise failure
