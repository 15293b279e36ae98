import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.index.freshness import LONGEST_SECONDS, lifetime_seconds


@pytest.mark.parametrize(
    ("cache_control", "age", "seconds"),
    [
        ("max-age=600, public", None, 600),
        ("MAX-AGE=600", "100", 500),
        ("max-age=600", "600", 0),
        ("max-age=600", "700", 0),
        ('public , max-age="600"', " 1 ", 599),
        ("max-age = 600", None, 600),
        ("max-age=600", "nonsense", 600),
        ("max-age=600", "-5", 600),
        ("max-age=600", "100, 5", 500),
        ("max-age=600, max-age=5", None, 600),
        ("max-age=, max-age=5", None, 0),
        ("s-maxage=600", None, 0),
        ("private, max-age=5", None, 5),
        ("no-store, max-age=600", None, 0),
        ("max-age=600, No-Cache", None, 0),
        ('max-age=600, no-cache="set-cookie"', None, 0),
        ('x="no-store, max-age=5", max-age=600', None, 600),
        ('x="a\\", no-store", max-age=600', None, 600),
        ('x="never closed, max-age=600', None, 0),
        ("max-age=-1", None, 0),
        ("max-age=6.5", None, 0),
        ("max-age=\u0661", None, 0),
        ("max-age=365000000, immutable", None, LONGEST_SECONDS),
        ("max-age=" + "9" * 5000, None, LONGEST_SECONDS),
        ("max-age=000600", None, 600),
        ("max-age=600", "9" * 5000, 0),
        ("", "5", 0),
        (None, None, 0),
        (",,=,;", None, 0),
    ],
)
def test_lifetime(cache_control: str | None, age: str | None, seconds: int) -> None:
    assert lifetime_seconds(cache_control, age) == seconds


@given(st.text() | st.text('maxge-=0123456789,"\\ '), st.text())
def test_any_headers_give_a_bounded_lifetime(cache_control: str, age: str) -> None:
    assert 0 <= lifetime_seconds(cache_control, age) <= LONGEST_SECONDS
