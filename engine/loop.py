"""Starts the event loop, the one place where that happens.

The first answers of an index are four round trips away (connection, TLS,
question).  So where it can be guessed what will be asked, the questions have gone out
before anything is imported (`engine.index.first`), and the rest is imported and prepared in
pieces while they are on their way: that hides 150 ms of a cold start.
"""

import asyncio
import importlib
import signal
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from engine.cold import Preparation
from engine.credentials import without_credentials
from engine.index.client import Network
from engine.index.source import early_urls, sources
from engine.inputs import LOCK_BYTES
from engine.network.trust import Trust
from engine.recording import timed
from engine.sync import Run
from engine.workers import Workers

_Result = TypeVar("_Result")

if TYPE_CHECKING:
    from engine.network.early import EarlyPages
    from engine.pipeline import Answers

#: What the pipeline needs, in pieces that take 5-25 ms to import.
LATE_IMPORTS = (
    "anyio",
    "anyio._backends._asyncio",
    "packaging.version",
    "engine.lock.reading",
    "engine.index.compatibility",
    "engine.pipeline",
    "aiofiles",
)

#: Long enough for the first packets to leave (name resolution, connection), in seconds.
FIRST_PACKETS_SECONDS = 0.005


def run_loop(
    run: Run,
    preparation: Preparation,
    guesses: list[str],
    scratch: str,
    workers: Workers,
    trust: Trust,
    first: "EarlyPages | None",
) -> "Answers":
    """Brings every environment to its commit, or to its error.

    Args:
        run: options and places.
        preparation: done, or to be done while guesses are answered.
        guesses: projects whose pages will probably be needed.
        scratch: a private folder on the cache's file system.
        workers: the worker processes.
        trust: the TLS settings.
        first: those of their pages that are asked for already.

    Returns:
        Prefix of the environment to project name to what was installed.

    Raises:
        EngineError: when the preparation fails.
        KeyboardInterrupt: after SIGINT, when everything is cleaned up.
        SystemExit: after SIGTERM, likewise.
    """
    return run_to_end(_main(run, preparation, guesses, scratch, workers, trust, first))


def fetch(run: Run, url: str) -> tuple[str, bytes]:
    """Fetches a file of the lock, before anything else runs.

    Args:
        run: options; it need not be complete.
        url: absolute URL of http or https.

    Returns:
        Where it came from after redirects, and its bytes.

    Raises:
        EngineError: when it cannot be had.
    """
    return run_to_end(_fetch(run, url))


def run_to_end(main: Coroutine[Any, Any, _Result]) -> _Result:
    """Runs a coroutine to its end, or to SIGINT or SIGTERM: either one cancels, so that everything is cleaned up.

    Raises:
        KeyboardInterrupt: after SIGINT.
        SystemExit: after SIGTERM.
        Exception: what the coroutine raises; of a group the first.
    """
    before = signal.getsignal(signal.SIGTERM)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            return runner.run(_terminable(main))
        except BaseExceptionGroup as group:
            raise _first(group) from None
        except asyncio.CancelledError:
            raise SystemExit(128 + signal.SIGTERM) from None
        finally:
            if before is not None:
                signal.signal(signal.SIGTERM, before)


async def _terminable(main: Coroutine[Any, Any, _Result]) -> _Result:
    task = asyncio.current_task()
    assert task is not None
    try:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    except NotImplementedError:  # Windows has no such signal
        pass
    return await main


async def _fetch(run: Run, url: str) -> tuple[str, bytes]:
    from engine.network.fetching import fetch_file

    asyncio.get_running_loop().set_exception_handler(_report_bugs_only)
    async with asyncio.TaskGroup() as group:
        network = Network(group, run.options.network, run.environ)
        try:
            with timed(run.recorder, "fetch", without_credentials(url)):
                return await fetch_file(network, url, LOCK_BYTES)
        finally:
            await network.close()


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _main(
    run: Run,
    preparation: Preparation,
    guesses: list[str],
    scratch: str,
    workers: Workers,
    trust: Trust,
    first: "EarlyPages | None",
) -> "Answers":
    asyncio.get_running_loop().set_exception_handler(_report_bugs_only)
    async with asyncio.TaskGroup() as group:
        network = Network(group, run.options.network, run.environ, run.recorder, trust, first)
        try:
            if guesses:
                found = sources(run, None)
                network.know([*found.indexes, *found.find_links])
                network.ask_early(early_urls(found, guesses))
                # Not before: their imports would take the second core from the children that are asked.
                workers.wake()
                if first is None:
                    await asyncio.sleep(FIRST_PACKETS_SECONDS)
                await _prepare(run, preparation)
            return await _run_pipeline(run, preparation, network, scratch, workers)
        finally:
            for work in preparation.works:
                work.warnings.extend(network.warnings)
            await network.close()


async def _prepare(run: Run, preparation: Preparation) -> None:
    for name in LATE_IMPORTS:
        with timed(run.recorder, "import", name):
            importlib.import_module(name)
        await asyncio.sleep(0)
    for _ in preparation.steps():
        await asyncio.sleep(0)


async def _run_pipeline(
    run: Run, preparation: Preparation, network: Network, scratch: str, workers: Workers
) -> "Answers":
    if not preparation.work_to_do:
        return {}
    from engine.pipeline import Pipeline

    assert preparation.lock is not None
    lock = preparation.lock
    found = sources(run, lock)
    network.trust.trust_hosts(lock.trusted_hosts)
    network.know([*found.indexes, *found.find_links, *found.pinned.values()])
    pipeline = Pipeline(
        run,
        preparation.needs,
        preparation.works,
        network=network,
        sources=found,
        scratch=scratch,
        workers=workers,
    )
    await pipeline.run()
    if pipeline.interrupted == signal.SIGINT:
        raise KeyboardInterrupt
    if pipeline.interrupted is not None:
        raise SystemExit(128 + pipeline.interrupted)
    return pipeline.answers


def _first(exc: BaseException) -> BaseException:
    """Returns one exception of a group: callers never see groups, and one traceback is enough to find a bug."""
    while isinstance(exc, BaseExceptionGroup):
        exc = exc.exceptions[0]
    return exc


def _report_bugs_only(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Keeps quiet about connections that failed while their task was cancelled: uvloop reports each."""
    if not isinstance(context.get("exception"), OSError):
        loop.default_exception_handler(context)
