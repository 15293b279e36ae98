"""Which index is meant when nobody names one."""


def distlib_index_url() -> str:
    """Returns the Simple API's URL of the index that `distlib` has as its default."""
    from urllib.parse import urljoin

    from distlib.index import DEFAULT_INDEX

    default: str = DEFAULT_INDEX
    return urljoin(default, "/simple/")
