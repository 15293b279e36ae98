"""What several ask for at a time is done once, whoever of them goes away."""

import anyio
import pytest

from engine.solving.single_flight import SingleFlight

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_cancelled_first_caller_strands_nobody() -> None:
    begun, gate, done = anyio.Event(), anyio.Event(), []
    scope = anyio.CancelScope()

    async def job() -> int:
        begun.set()
        await gate.wait()
        done.append(1)
        return 7

    async with anyio.create_task_group() as owner:
        flight: SingleFlight[str, int] = SingleFlight(owner)

        async def first() -> None:
            with scope:
                await flight.do("key", job)

        async with anyio.create_task_group() as callers:
            callers.start_soon(first)
            await begun.wait()
            scope.cancel()
            callers.start_soon(_set, gate)
            assert await flight.do("key", job) == 7
        assert done == [1]
        assert await flight.do("key", job) == 7
        assert done == [1, 1], "nothing is remembered"


async def _set(gate: anyio.Event) -> None:
    gate.set()


async def test_every_caller_gets_the_error() -> None:
    async def job() -> int:
        raise ValueError("no")

    async with anyio.create_task_group() as owner:
        flight: SingleFlight[str, int] = SingleFlight(owner)
        for _ in range(2):
            with pytest.raises(ValueError, match="no"):
                await flight.do("key", job)
