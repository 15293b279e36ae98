"""One job for all who ask for the same thing at the same time."""

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

_Key = TypeVar("_Key", bound=Hashable)
_Result = TypeVar("_Result")


class _Flight(Generic[_Result]):
    def __init__(self) -> None:
        self.done = anyio.Event()
        self.result: list[_Result] = []
        self.error: Exception | None = None


class SingleFlight(Generic[_Key, _Result]):
    """Does not do twice at a time what once suffices for; nothing is remembered when it is over.

    Args:
        group: owns the jobs, so that a first caller who is cancelled takes nothing from the others.
    """

    def __init__(self, group: TaskGroup) -> None:
        self._group = group
        self._flights: dict[_Key, _Flight[_Result]] = {}

    async def do(self, key: _Key, job: Callable[[], Awaitable[_Result]]) -> _Result:
        """Returns what the job returns, or what the same one does that is under way.

        Args:
            key: tells what is asked for.
            job: what to do where nobody does it.

        Raises:
            Exception: what the job raises.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight()
            self._group.start_soon(self._fly, key, flight, job)
        await flight.done.wait()
        if flight.error is not None:
            raise flight.error
        return flight.result[0]

    async def _fly(self, key: _Key, flight: _Flight[_Result], job: Callable[[], Awaitable[_Result]]) -> None:
        try:
            flight.result.append(await job())
        except Exception as exc:
            flight.error = exc
        finally:
            del self._flights[key]
            flight.done.set()
