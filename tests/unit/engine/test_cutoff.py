"""The notations of `--exclude-newer`."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from packaging.utils import NormalizedName

from engine.cutoff import parse_cutoff, read_cutoffs
from engine.errors import ConfigurationError

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
EAST = timezone(timedelta(hours=5))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-02-28", datetime(2024, 2, 29, tzinfo=EAST)),
        ("20241231", datetime(2025, 1, 1, tzinfo=EAST)),
        ("2024-02-28T10:00:00Z", datetime(2024, 2, 28, 10, tzinfo=UTC)),
        ("2024-02-28t10:00:00.5+02:00", datetime(2024, 2, 28, 8, 0, 0, 500_000, tzinfo=UTC)),
        ("2024-02-28 10:00Z", datetime(2024, 2, 28, 10, tzinfo=UTC)),
    ],
)
def test_a_day_ends_here_and_a_time_is_where_its_zone_says(text: str, expected: datetime) -> None:
    assert parse_cutoff(text, NOW, EAST) == expected


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("3 days", 72),
        ("3d", 72),
        ("P3D", 72),
        ("p1w", 168),
        ("1 week, 2 days", 216),
        ("1W 2Days 3hrs", 219),
        ("PT1.5H", 1.5),
        ("90 min ago", 1.5),
        ("P1DT30M", 24.5),
        ("0 days", 0),
        ("60 secs 59m", 1),
    ],
)
def test_a_duration_ends_now(text: str, hours: float) -> None:
    assert parse_cutoff(text, NOW) == NOW - timedelta(hours=hours)


@pytest.mark.parametrize("text", ["1 month", "P1M", "2y", "P1Y2D", "1 day 3 months"])
def test_what_the_calendar_makes_longer_or_shorter_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="months or years"):
        parse_cutoff(text, NOW)


@pytest.mark.parametrize("text", ["", "3", "P", "PT", "3 fortnights", "3 days 2 days", "soon", "-3 days", "2024-1-1"])
def test_anything_else_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match=r"a date .*, a time .* or a duration"):
        parse_cutoff(text, NOW)


@pytest.mark.parametrize(
    "text", ["2024-02-30", "9999-12-31", "2024-02-28T25:00:00Z", "999999999 weeks", "9999999 days"]
)
def test_a_time_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a"):
        parse_cutoff(text, NOW)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        parse_cutoff("2024-02-28T10:00:00", NOW)


def test_a_project_has_its_own_limit_or_none_and_the_nearest_word_counts() -> None:
    found = read_cutoffs("P1D", ["Some.Thing=P2D", "some-thing=P3D", "free = false"], NOW)
    assert found.everything == NOW - timedelta(days=1)
    assert found.projects == {
        NormalizedName("some-thing"): NOW - timedelta(days=2),
        NormalizedName("free"): None,
    }
    assert read_cutoffs(None, ["a=P1D"], NOW).everything is None
    assert read_cutoffs("false", [], NOW).everything is None


@pytest.mark.parametrize("text", ["a", "a=", "=P1D"])
def test_a_project_without_a_limit_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="NAME=DATE"):
        read_cutoffs(None, [text], NOW)


def test_the_error_names_the_option_the_project_and_the_text() -> None:
    with pytest.raises(ConfigurationError, match=r'--exclude-newer-package a must .*, not "soon"'):
        read_cutoffs(None, ["a=soon"], NOW)
    with pytest.raises(ConfigurationError, match=r'--exclude-newer must .*, not "soon"'):
        read_cutoffs("soon", [], NOW)
