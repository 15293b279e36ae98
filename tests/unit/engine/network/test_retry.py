"""Trying again: how often, how long, and no longer than the run may."""

import pytest

from engine.network.retry import FIRST_SECONDS, RetryBudget, retry_after_seconds

NOON = 784111777.0  # Sun, 06 Nov 1994 08:49:37 GMT


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def most(low: float, high: float) -> float:
    return high


def least(low: float, high: float) -> float:
    return low


def test_the_wait_is_random_below_a_bound_that_doubles() -> None:
    budget = RetryBudget(20, 1000, jitter=most)
    assert [budget.wait_seconds(attempt) for attempt in range(3)] == [FIRST_SECONDS * 2**n for n in range(3)]
    assert budget.wait_seconds(15) == 10
    assert RetryBudget(jitter=least).wait_seconds(2) == 0


def test_a_request_is_repeated_as_often_as_was_asked_and_not_at_all_for_none() -> None:
    budget = RetryBudget(2, jitter=least)
    assert [budget.wait_seconds(attempt) for attempt in range(4)] == [0, 0, None, None]
    assert RetryBudget(0).wait_seconds(0) is None


def test_what_the_server_asks_for_is_waited_for_in_full() -> None:
    assert RetryBudget(jitter=least).wait_seconds(0, 7.0) == 7


def test_a_server_that_asks_for_more_than_the_run_may_wait_is_not_waited_for() -> None:
    assert RetryBudget(3, 10, jitter=least).wait_seconds(0, 11.0) is None


def test_the_budget_is_one_for_all_requests() -> None:
    clock = Clock()
    budget = RetryBudget(3, 10, clock=clock, jitter=least)
    assert budget.wait_seconds(0, 6.0) == 6
    clock.now += 6
    assert budget.wait_seconds(0, 6.0) is None
    assert budget.wait_seconds(0, 4.0) == 4


def test_waits_side_by_side_count_once() -> None:
    clock = Clock()
    budget = RetryBudget(3, 10, clock=clock, jitter=least)
    assert [budget.wait_seconds(0, 6.0) for _ in range(5)] == [6.0] * 5
    clock.now += 5
    assert budget.wait_seconds(0, 5.0) == 5
    assert budget.wait_seconds(0, 6.0) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("120", 120),
        (" 0 ", 0),
        ("Sun, 06 Nov 1994 08:50:37 GMT", 60),
        ("Sunday, 06-Nov-94 08:50:37 GMT", 60),
        ("Sun Nov  6 08:50:37 1994", 60),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
        ("9" * 500, 999999999),
        ("soon", None),
        ("-1", None),
        ("", None),
        ("Sun, 99 Nov 1994 99:50:37 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOON) == seconds
