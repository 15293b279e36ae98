"""The error of the cache carries its data."""

from cache import CacheError


def test_an_error_says_what_and_where() -> None:
    error = CacheError("damaged manifest", path="/cache/one")
    assert (error.message, error.path, str(error)) == (
        "damaged manifest",
        "/cache/one",
        "damaged manifest (/cache/one)",
    )
