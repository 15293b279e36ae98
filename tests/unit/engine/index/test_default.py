"""The index that is asked where nobody names one."""

from urllib.parse import urlsplit

from engine.index.default import distlib_index_url


def test_the_last_resort_is_the_simple_api_of_distlibs_index() -> None:
    from distlib.index import DEFAULT_INDEX

    url, default = urlsplit(distlib_index_url()), urlsplit(DEFAULT_INDEX)
    assert (url.scheme, url.netloc, url.path) == (default.scheme, default.netloc, "/simple/")
