"""Ages and sizes: what people write is understood, anything else is refused."""

import pytest

from engine.errors import ConfigurationError
from engine.quantities import format_size, parse_age, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30d", 30 * 86400),
        ("1.5h", 5400),
        ("90s", 90),
        ("2w", 14 * 86400),
        ("10m", 600),
        ("30", 30 * 86400),
        ("2 D", 172800),
    ],
)
def test_an_age_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert parse_age(text) == seconds


@pytest.mark.parametrize("text", ["", "d", "-1d", "1dd", "1y", "1e3d", "nand", "٣d", "1.2.3d"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="not an age"):
        parse_age(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("5G", 5 << 30),
        ("500MiB", 500 << 20),
        ("0", 0),
        ("1.5k", 1536),
        ("2TB", 2 << 40),
        ("7b", 7),
        ("1.5 GB", 3 << 29),
        ("G 7", None),
    ],
)
def test_a_size_is_a_number_and_perhaps_a_unit(text: str, size: int | None) -> None:
    if size is None:
        with pytest.raises(ConfigurationError, match="not a size"):
            parse_size(text)
    else:
        assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "G", "-1G", "5X", "1GG", "inf"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="not a size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0B"), (1023, "1023B"), (1024, "1.0KiB"), (1 << 30, "1.0GiB"), (5 << 50, "5120.0TiB")]
)
def test_a_size_is_written_for_people(size: int, text: str) -> None:
    assert format_size(size) == text
