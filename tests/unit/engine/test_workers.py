"""Jobs go out to forked workers, one answer comes back for each, and a dead worker strands nobody."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from engine import errors
from engine.errors import EngineError, HashMismatch, InstallFailed
from engine.workers import Drifted, Finished, Job, Workers
from tests.support.trees import check_cache, published
from tests.support.wheels import Wheel, make_wheel
from tests.unit.engine.entries import RELATIVE, absolute_schemes, make_area

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")]

WHEELS = [make_wheel(f"demo{number}", "1.0") for number in range(6)]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    (tmp_path / "cache" / "tmp-v1" / "scratch").mkdir(parents=True)
    return tmp_path / "cache"


@pytest.fixture
def workers(cache: Path) -> Iterator[Workers]:
    workers = Workers(str(cache), str(cache / "tmp-v1" / "scratch"), "hardlink")
    yield workers
    workers.close()


@asynccontextmanager
async def listening(workers: Workers) -> AsyncIterator[None]:
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(workers.listen)
            await anyio.wait_all_tasks_blocked()
            try:
                yield
            finally:
                group.cancel_scope.cancel()


def area(tmp_path: Path, index: int = 0) -> tuple[int, str, str, dict[str, str], dict[str, str], str, str]:
    made = make_area(tmp_path / f"stage{index}")
    return index, made.stage, made.python, absolute_schemes(tmp_path / "environment"), RELATIVE, "", "3.12.1"


async def send(workers: Workers, tmp_path: Path, wheel: Wheel, *, promised: str = "", areas: int = 0) -> Finished:
    """Takes one wheel through a worker."""
    job = workers.job(len(wheel.content))
    path = tmp_path / f"{job.number}.part"
    await job.begin(str(path), wheel.filename)
    path.write_bytes(wheel.content)
    await job.more(len(wheel.content))
    hashes = {"sha256": promised or wheel.sha256}
    return await job.end(len(wheel.content), hashes, [], [area(tmp_path, index) for index in range(areas)])


async def test_wheels_sent_at_once_are_all_published_and_staged(workers: Workers, cache: Path, tmp_path: Path) -> None:
    where = area(tmp_path)
    finished: list[Finished] = []

    async def one(wheel: Wheel) -> None:
        job = workers.job(len(wheel.content))
        path = tmp_path / f"{job.number}.part"
        await job.begin(str(path), wheel.filename)
        path.write_bytes(wheel.content)
        finished.append(await job.end(len(wheel.content), {}, [], [where]))

    async with listening(workers):
        workers.wake()
        async with anyio.create_task_group() as group:
            for wheel in WHEELS:
                group.start_soon(one, wheel)
    assert {one.sha256 for one in finished} == {wheel.sha256 for wheel in WHEELS} == published(cache)
    check_cache(cache)
    modules = {path.name for path in (tmp_path / "stage0/purelib").glob("*.py")}
    assert modules == {f"demo{number}.py" for number in range(6)}


async def test_a_cached_wheel_needs_no_download(workers: Workers, tmp_path: Path) -> None:
    async with listening(workers):
        await send(workers, tmp_path, WHEELS[0])
        finished = await workers.job(0).stage(WHEELS[0].sha256, [area(tmp_path)])
    assert finished.sha256 == WHEELS[0].sha256 and (tmp_path / "stage0/purelib/demo0.py").exists()


async def test_a_wheel_that_is_not_in_the_cache_is_drift(workers: Workers) -> None:
    async with listening(workers):
        with pytest.raises(Drifted):
            await workers.job(0).stage("ab" * 32, [])


async def test_an_error_keeps_its_class_its_text_and_its_hint(workers: Workers, cache: Path, tmp_path: Path) -> None:
    async with listening(workers):
        with pytest.raises(HashMismatch, match=WHEELS[0].filename) as caught:
            await send(workers, tmp_path, WHEELS[0], promised="0" * 64)
        assert caught.value.hint
        assert published(cache) == set()
        await send(workers, tmp_path, WHEELS[1])
    assert published(cache) == {WHEELS[1].sha256}


async def test_an_error_found_early_ends_the_download_early(workers: Workers, tmp_path: Path) -> None:
    bad = make_wheel("demo", "1.0", {"../evil.py": "x"})
    async with listening(workers):
        job = workers.job(len(bad.content))
        job.raise_if_failed()
        path = tmp_path / "bad.part"
        await job.begin(str(path), bad.filename)
        path.write_bytes(bad.content)
        await job.more(len(bad.content))
        await job.done.wait()
        with pytest.raises(errors.InvalidWheel):
            job.raise_if_failed()


async def test_what_is_aborted_does_not_count_as_work_any_more(workers: Workers, cache: Path, tmp_path: Path) -> None:
    async with listening(workers):
        job = workers.job(1 << 30)
        await job.begin(str(tmp_path / "one.part"), WHEELS[0].filename)
        await job.abort()
        await send(workers, tmp_path, WHEELS[1])
    assert published(cache) == {WHEELS[1].sha256}
    assert [connection.load_bytes for connection in workers._connections] == [0] * len(workers._connections)


async def test_work_goes_to_the_worker_that_has_least(workers: Workers) -> None:
    count = len(workers._connections)
    large = [workers.job(10_000_000) for _ in range(count)]
    assert len({id(job._connection) for job in large}) == count
    large[-1].settle()
    assert workers.job(0)._connection is large[-1]._connection


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_a_killed_worker_fails_whoever_waits_and_whoever_comes_later(workers: Workers, tmp_path: Path) -> None:
    raised: list[EngineError] = []

    async def wait_for(job: Job) -> None:
        try:
            await job.end(10, {}, [], [])
        except EngineError as exc:
            raised.append(exc)

    async with listening(workers):
        job = workers.job(10)
        victim = job._connection.pid
        os.kill(victim, signal.SIGSTOP)
        async with anyio.create_task_group() as group:
            group.start_soon(wait_for, job)
            await anyio.wait_all_tasks_blocked()
            os.kill(victim, signal.SIGKILL)
        with pytest.raises(InstallFailed):
            workers.job(10)
    assert [type(error) for error in raised] == [InstallFailed] and raised[0].hint


async def test_messages_larger_than_the_connection_holds_stay_apart(workers: Workers) -> None:
    """Two senders have to wait for the same worker; their messages must not run into each other."""
    schemes = {f"scheme{number}": "x" * 5_000 for number in range(40)}
    areas = [(index, "/nowhere", "python", schemes, schemes, "", "3.12.1") for index in range(4)]
    failed = []

    async def one() -> None:
        with pytest.raises(Drifted):
            await workers.job(0).stage("ab" * 32, areas)
        failed.append(True)

    async with listening(workers), anyio.create_task_group() as group:
        for _ in range(4 * len(workers._connections)):
            group.start_soon(one)
    assert len(failed) == 4 * len(workers._connections)


async def test_a_cancelled_sender_does_not_garble_what_follows(workers: Workers) -> None:
    areas = [(0, "/nowhere", "python", {"purelib": "x" * 4_000_000}, RELATIVE, "", "3.12.1")]
    async with listening(workers):
        for connection in workers._connections:
            os.kill(connection.pid, signal.SIGSTOP)
        async with anyio.create_task_group() as group:
            for _ in workers._connections:
                group.start_soon(workers.job(0).stage, "ab" * 32, areas)
            await anyio.wait_all_tasks_blocked()
            for connection in workers._connections:
                os.kill(connection.pid, signal.SIGCONT)
            group.cancel_scope.cancel()
        for _ in workers._connections:
            with pytest.raises(Drifted):
                await workers.job(0).stage("cd" * 32, [])


def test_closing_ends_the_workers_and_leaves_no_process(cache: Path) -> None:
    workers = Workers(str(cache), str(cache / "tmp-v1" / "scratch"), "hardlink")
    pids = [connection.pid for connection in workers._connections]
    workers.close()
    for pid in pids:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
