"""Downloads start the largest first, few while pages are on their way, and one that gives up keeps no place."""

from contextlib import AsyncExitStack

import anyio
import pytest

from engine.admission import Admission
from engine.limits import (
    BYTES_BESIDE_PAGES,
    DOWNLOADS,
    LARGE_BESIDE_PAGES,
    LARGE_BYTES,
    LARGE_WEIGHT,
    TINY_ALONE,
    TINY_BYTES,
    TINY_DOWNLOADS,
    UNKNOWN_BYTES,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_the_largest_waiter_goes_first_and_equal_ones_in_order() -> None:
    admission = Admission(1)
    order: list[str] = []

    async def work(name: str, size: int | None) -> None:
        async with admission.place(size):
            order.append(name)

    async with anyio.create_task_group() as group, admission.place(0):
        for name, size in (("small", 1), ("first", 5), ("large", UNKNOWN_BYTES + 1), ("second", 5)):
            group.start_soon(work, name, size)
        group.start_soon(work, "unknown", None)
        await anyio.wait_all_tasks_blocked()
        assert order == []
    assert order == ["large", "unknown", "first", "second", "small"]


async def test_never_more_are_inside_than_there_are_places() -> None:
    admission = Admission(3)
    inside = most = 0

    async def work(size: int) -> None:
        nonlocal inside, most
        async with admission.place(size):
            inside += 1
            most = max(most, inside)
            await anyio.lowlevel.checkpoint()
            inside -= 1

    async with anyio.create_task_group() as group:
        for size in range(20):
            group.start_soon(work, size)
    assert most == 3


async def test_while_pages_are_on_their_way_only_some_bytes_of_small_downloads_are() -> None:
    small = LARGE_BYTES - 1
    fitting = [small] * (BYTES_BESIDE_PAGES // small)
    admission = Admission(16)
    inside: list[int] = []
    release = anyio.Event()

    async def work(size: int) -> None:
        async with admission.place(size):
            inside.append(size)
            await release.wait()

    for _ in range(2):
        admission.page_started()
    async with anyio.create_task_group() as group:
        for size in (*fitting, small, 1):
            group.start_soon(work, size)
        await anyio.wait_all_tasks_blocked()
        assert inside == [*fitting, 1]
        admission.page_finished()
        await anyio.wait_all_tasks_blocked()
        assert inside == [*fitting, 1], "one page is still on its way"
        admission.page_finished()
        await anyio.wait_all_tasks_blocked()
        assert inside == [*fitting, 1, small]
        release.set()


async def test_beside_pages_few_large_downloads_at_a_time_run() -> None:
    admission = Admission(LARGE_WEIGHT * 16)
    inside: list[int] = []
    first = list(range(LARGE_BYTES, LARGE_BYTES + LARGE_BESIDE_PAGES))
    releases = {size: anyio.Event() for size in (*first, LARGE_BYTES + 102, LARGE_BYTES + 101)}

    async def work(size: int) -> None:
        async with admission.place(size):
            inside.append(size)
            await releases[size].wait()

    admission.page_started()
    async with anyio.create_task_group() as group:
        for size in first:
            group.start_soon(work, size)
        await anyio.wait_all_tasks_blocked()
        for size in releases.keys() - set(first):
            group.start_soon(work, size)
        await anyio.wait_all_tasks_blocked()
        assert inside == first
        releases[LARGE_BYTES].set()
        await anyio.wait_all_tasks_blocked()
        assert inside == [*first, LARGE_BYTES + 102], "the largest first"
        admission.page_finished()
        await anyio.wait_all_tasks_blocked()
        assert inside == [*first, LARGE_BYTES + 102, LARGE_BYTES + 101]
        for release in releases.values():
            release.set()


async def test_large_downloads_take_several_places() -> None:
    admission = Admission(LARGE_WEIGHT + 1)
    inside: list[int] = []
    release = anyio.Event()

    async def work(size: int) -> None:
        async with admission.place(size):
            inside.append(size)
            await release.wait()

    async with anyio.create_task_group() as group:
        for size in (LARGE_BYTES, 1, 1):
            group.start_soon(work, size)
        await anyio.wait_all_tasks_blocked()
        assert inside == [LARGE_BYTES, 1]
        release.set()


async def test_a_download_that_is_over_makes_room_beside_the_pages() -> None:
    admission = Admission(16)
    done: list[str] = []

    async def work(name: str) -> None:
        async with admission.place(LARGE_BYTES - 1):
            done.append(name)

    names = [str(number) for number in range(BYTES_BESIDE_PAGES // (LARGE_BYTES - 1) + 1)]
    admission.page_started()
    async with anyio.create_task_group() as group:
        for name in names:
            group.start_soon(work, name)
    assert done == names


async def test_a_waiter_that_is_cancelled_leaves_the_others_their_places() -> None:
    admission = Admission(1)
    scope = anyio.CancelScope()
    done: list[int] = []

    async def work(size: int) -> None:
        async with admission.place(size):
            done.append(size)

    async def give_up() -> None:
        with scope:
            await work(100)

    async with anyio.create_task_group() as group, admission.place(0):
        for one in (1, 2):
            group.start_soon(work, one)
        group.start_soon(give_up)
        await anyio.wait_all_tasks_blocked()
        scope.cancel()
        await anyio.wait_all_tasks_blocked()
    assert done == [2, 1]


async def test_a_waiter_cancelled_when_its_turn_has_come_passes_it_on() -> None:
    admission = Admission(1)
    scope = anyio.CancelScope()
    done: list[int] = []

    async def work(size: int) -> None:
        async with admission.place(size):
            await anyio.lowlevel.checkpoint()
            done.append(size)

    async def give_up() -> None:
        with scope:
            await work(100)

    async with anyio.create_task_group() as group:
        async with admission.place(0):
            group.start_soon(give_up)
            group.start_soon(work, 1)
            await anyio.wait_all_tasks_blocked()
        scope.cancel()  # its turn has come, and it has not run yet
    assert done == [1]


async def test_an_error_inside_gives_the_place_back() -> None:
    admission = Admission(1)
    with pytest.raises(ValueError, match="inside"):
        async with admission.place(0):
            raise ValueError("inside")
    with anyio.fail_after(5):
        async with admission.place(0):
            pass


async def test_tiny_downloads_have_places_of_their_own_unless_somebody_has_said_how_many_there_are() -> None:
    for places, tiny, others in ((None, TINY_DOWNLOADS, DOWNLOADS), (16, 16, 0)):
        admission = Admission(places)
        inside: list[int] = []
        crowded: list[bool] = []
        release = anyio.Event()

        async def work(
            size: int,
            admission: Admission = admission,
            inside: list[int] = inside,
            crowded: list[bool] = crowded,
            release: anyio.Event = release,
        ) -> None:
            async with admission.place(size):
                inside.append(size)
                crowded.append(admission.is_crowded)
                await release.wait()

        async with anyio.create_task_group() as group:
            for size in [TINY_BYTES] * (TINY_DOWNLOADS + 1) + [TINY_BYTES + 1] * (DOWNLOADS + 1):
                group.start_soon(work, size)
            await anyio.wait_all_tasks_blocked()
            assert (inside.count(TINY_BYTES), inside.count(TINY_BYTES + 1)) == (tiny, others), places
            assert set(crowded) == {places is None}
            release.set()
        assert len(inside) == TINY_DOWNLOADS + DOWNLOADS + 2


async def test_a_few_tiny_downloads_are_no_crowd() -> None:
    admission = Admission()
    async with AsyncExitStack() as stack:
        for _ in range(TINY_ALONE):
            await stack.enter_async_context(admission.place(1))
            assert not admission.is_crowded
        await stack.enter_async_context(admission.place(TINY_BYTES + 1))
        assert not admission.is_crowded
        await stack.enter_async_context(admission.place(TINY_BYTES))
        assert admission.is_crowded
    assert not admission.is_crowded
