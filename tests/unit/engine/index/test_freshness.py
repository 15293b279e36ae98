from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.index.freshness import HEAD_BYTES, LONGEST_SECONDS, Freshness, http_date

NOW = 784111777
EARLIER, DATE, LATER = (f"Sun, 06 Nov 1994 {time} GMT" for time in ("08:48:37", "08:49:37", "09:49:37"))


def headers(cache_control: str | None, age: str | None) -> dict[str, str]:
    given = {"Cache-Control": cache_control, "Age": age}
    return {name: value for name, value in given.items() if value is not None}


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
        ("no-cache, max-age=600", None, 0),
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
    found = Freshness.of(headers(cache_control, age), NOW)
    assert found is not None and found.expires - NOW == seconds


@given(st.text() | st.text('maxge-=0123456789,"\\ '), st.text())
def test_any_headers_give_a_bounded_lifetime(cache_control: str, age: str) -> None:
    found = Freshness.of(headers(cache_control, age), NOW)
    assert found is None or 0 <= found.expires - NOW <= LONGEST_SECONDS


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"Expires": LATER, "Date": DATE}, 3600),
        ({"Expires": LATER, "Date": DATE, "Age": "600"}, 3000),
        ({"Expires": LATER, "Date": DATE, "Cache-Control": "max-age=5"}, 5),
        ({"Expires": LATER, "Date": DATE, "Cache-Control": "public"}, 3600),
        ({"Expires": LATER, "Date": DATE, "Cache-Control": "no-cache"}, 0),
        ({"Expires": LATER}, 0),
        ({"Expires": "0", "Date": DATE}, 0),
        ({"Expires": DATE, "Date": LATER}, 0),
        ({"Cache-Control": "max-age=600", "Date": EARLIER}, 540),
        ({"Cache-Control": "max-age=600", "Date": EARLIER, "Age": "100"}, 500),
        ({"Cache-Control": "max-age=600", "Date": LATER}, 600),
        ({"Cache-Control": "max-age=600", "Date": "yesterday"}, 600),
    ],
)
def test_dates_count_where_there_is_no_number_and_for_the_age(fields: dict[str, str], seconds: int) -> None:
    found = Freshness.of(fields, NOW)
    assert found is not None and found.expires - NOW == seconds


@pytest.mark.parametrize("cache_control", ["no-store", "max-age=600, NO-STORE", "private,no-store="])
def test_what_must_not_be_stored_has_no_freshness(cache_control: str) -> None:
    assert Freshness.of(headers(cache_control, None), NOW) is None


@pytest.mark.parametrize(
    ("cache_control", "strict"),
    [("max-age=5, must-revalidate", True), ("no-cache", True), ("proxy-revalidate", False), ("max-age=5", False)],
)
def test_an_index_may_forbid_to_use_what_is_stale(cache_control: str, strict: bool) -> None:
    found = Freshness.of(headers(cache_control, None), NOW)
    assert found is not None and found.strict == strict


def test_a_stored_page_is_asked_for_with_its_validators() -> None:
    found = Freshness.of({"ETag": ' W/"abc" ', "Last-Modified": DATE}, NOW)
    assert found is not None
    assert found.conditions() == {"If-None-Match": 'W/"abc"', "If-Modified-Since": DATE}
    assert Freshness(0).conditions() == {}


@pytest.mark.parametrize("etag", ['"' + "x" * 600 + '"', '"a\r\nX-Injected: 1"', '"a\x00"'])
def test_validators_that_are_no_good_are_not_kept(etag: str) -> None:
    found = Freshness.of({"ETag": etag}, NOW)
    assert found is not None and found.etag == ""


def test_a_304_renews_and_keeps_the_validators_that_it_does_not_repeat() -> None:
    stored = Freshness(0, True, '"a"', DATE)
    assert stored.renewed({"Cache-Control": "max-age=600"}, NOW) == Freshness(NOW + 600, False, '"a"', DATE)
    assert stored.renewed({"ETag": '"b"'}, NOW).etag == '"b"'
    assert stored.renewed({"Cache-Control": "no-store"}, NOW) == Freshness(0, True, '"a"', DATE)


@given(st.integers(0, 2**40), st.booleans(), st.text(max_size=120), st.text(max_size=120), st.binary())
def test_packing_and_unpacking_gives_the_same(
    expires: int, strict: bool, etag: str, last_modified: str, page: bytes
) -> None:
    freshness = Freshness.of({"ETag": etag, "Last-Modified": last_modified}, 0)
    assert freshness is not None
    freshness = freshness._replace(expires=expires, strict=strict)
    packed = freshness.pack()
    assert Freshness.unpack(packed + page) == (freshness, len(packed)) and len(packed) < HEAD_BYTES
    assert Freshness.unpack((packed + page)[:HEAD_BYTES]) == (freshness, len(packed))


@given(st.binary(max_size=40))
def test_any_bytes_can_be_unpacked(record: bytes) -> None:
    found = Freshness.unpack(record)
    assert found is None or found[1] <= len(record)


@given(st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 30)))
def test_dates_are_read_as_the_standard_library_reads_them(date: datetime) -> None:
    date = date.replace(microsecond=0, tzinfo=UTC)
    text = format_datetime(date, usegmt=True)
    assert http_date(text) == parsedate_to_datetime(text).timestamp() == date.timestamp()


@pytest.mark.parametrize(
    "text", ["Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 0000 08:49:37 GMT"]
)
def test_a_date_that_no_calendar_has_is_nothing(text: str) -> None:
    assert http_date(text) is None


def test_older_spellings_of_a_date_are_read_too() -> None:
    fixed = http_date("Sun, 06 Nov 1994 08:49:37 GMT")
    assert fixed == http_date("Sunday, 06-Nov-94 08:49:37 GMT") == http_date("Sun Nov  6 08:49:37 1994") == 784111777


def test_a_date_that_is_none_is_nothing() -> None:
    assert http_date(None) is None and http_date("") is None and http_date("0") is None
