"""A drip is told from a slow link."""

from engine.limits import LEAST_BYTES_PER_SECOND
from engine.network.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def verdicts(per_second: int, seconds: int) -> list[bool]:
    clock = Clock()
    pace = Pace(10, clock=clock)
    found = []
    for _ in range(seconds):
        clock.now += 1
        found.append(pace.is_too_slow(per_second))
    return found


def test_a_byte_a_second_is_too_slow_when_a_window_has_passed() -> None:
    assert verdicts(1, 10) == [False] * 9 + [True]


def test_a_slow_link_is_not_a_drip() -> None:
    assert not any(verdicts(LEAST_BYTES_PER_SECOND, 60))


def test_what_came_before_a_window_does_not_make_up_for_it() -> None:
    clock = Clock()
    pace = Pace(10, clock=clock)
    clock.now = 10
    assert not pace.is_too_slow(1 << 30)
    clock.now = 20
    assert pace.is_too_slow(1)


def test_time_that_was_spent_elsewhere_does_not_count() -> None:
    clock = Clock()
    pace = Pace(10, clock=clock)
    clock.now = 1000
    pace.restart()
    assert not pace.is_too_slow(1)
