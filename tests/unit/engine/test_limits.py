"""Places go to the waiter with the most work, and a waiter that gives up takes none with it."""

import anyio
import pytest

from engine.limits import LargestFirst

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_the_largest_waiter_goes_first_and_equal_ones_in_order() -> None:
    limit = LargestFirst(1)
    order: list[str] = []

    async def work(name: str, size: int) -> None:
        async with limit.place(size):
            order.append(name)

    async with anyio.create_task_group() as group:
        async with limit.place(0):
            for name, size in (("small", 1), ("first", 5), ("large", 9), ("second", 5)):
                group.start_soon(work, name, size)
            await anyio.wait_all_tasks_blocked()
            assert order == []
    assert order == ["large", "first", "second", "small"]


async def test_never_more_are_inside_than_there_are_places() -> None:
    limit = LargestFirst(3)
    inside = most = 0

    async def work(size: int) -> None:
        nonlocal inside, most
        async with limit.place(size):
            inside += 1
            most = max(most, inside)
            await anyio.lowlevel.checkpoint()
            inside -= 1

    async with anyio.create_task_group() as group:
        for size in range(20):
            group.start_soon(work, size)
    assert most == 3


async def test_a_waiter_that_is_cancelled_leaves_the_others_their_places() -> None:
    limit = LargestFirst(1)
    scope = anyio.CancelScope()
    done: list[int] = []

    async def work(size: int) -> None:
        async with limit.place(size):
            done.append(size)

    async def give_up() -> None:
        with scope:
            await work(100)

    async with anyio.create_task_group() as group:
        async with limit.place(0):
            group.start_soon(give_up)
            group.start_soon(work, 1)
            group.start_soon(work, 2)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
            await anyio.wait_all_tasks_blocked()
    assert done == [2, 1]


async def test_a_waiter_cancelled_when_its_turn_has_come_passes_it_on() -> None:
    limit = LargestFirst(1)
    scope = anyio.CancelScope()
    done: list[int] = []

    async def work(size: int) -> None:
        async with limit.place(size):
            await anyio.lowlevel.checkpoint()
            done.append(size)

    async def give_up() -> None:
        with scope:
            await work(100)

    async with anyio.create_task_group() as group:
        async with limit.place(0):
            group.start_soon(give_up)
            group.start_soon(work, 1)
            await anyio.wait_all_tasks_blocked()
        scope.cancel()  # its event is set, and it has not run yet
    assert done == [1]
    with anyio.fail_after(5):
        async with limit.place(0):
            pass


async def test_an_error_inside_gives_the_place_back() -> None:
    limit = LargestFirst(1)
    with pytest.raises(ValueError, match="inside"):
        async with limit.place(0):
            raise ValueError("inside")
    with anyio.fail_after(5):
        async with limit.place(0):
            pass
