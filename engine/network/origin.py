"""Origins of URLs, and user names and passwords taken out of URLs.  Pure.

A password belongs to one origin (scheme, host and port) and is sent nowhere else.

Source: RFC 6454, section 4, "Origin of a URI"; RFC 3986, section 3.2.1, "User Information".
"""

import base64
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Scheme, host and port of a URL, in lower case."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> "Origin":
        """Returns the origin of an absolute URL.

        Raises:
            ValueError: when it is not a URL of http or https with a host.
        """
        # A run asks a few servers for hundreds of paths.
        path = url.find("/", url.find("://") + 3)
        return _origin(url if path < 0 else url[:path])

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


@lru_cache(maxsize=256)
def _origin(url: str) -> Origin:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("it is not a URL of http or https")
    host = parts.hostname.rstrip(".")
    # What the system's resolver refuses with a ValueError of its own. Source: RFC 1034, section 3.1.
    if any(not 0 < len(label) < 64 for label in host.split(".")):
        raise ValueError("its host is not a name")
    return Origin(parts.scheme, host, parts.port or _PORTS[parts.scheme])


class Credentials(NamedTuple):
    """A user name and a password, and where they were found.

    `password` is None where only a name is known.
    """

    username: str
    password: str | None
    source: str

    def header(self) -> str:
        """Returns the value of an Authorization or Proxy-Authorization header.

        Source: RFC 7617, section 2, "The 'Basic' Authentication Scheme"; UTF-8 as in its section 2.1.
        """
        return "Basic " + base64.b64encode(f"{self.username}:{self.password or ''}".encode()).decode("ascii")

    def __repr__(self) -> str:
        return f"Credentials(from {self.source})"


def split_credentials(url: str, source: str = "the URL") -> tuple[str, Credentials | None]:
    """Returns a URL without `user:password@`, and what stood there, percent-decoded; None if nothing did.

    Args:
        url: an absolute URL.
        source: where the URL was found, for messages.

    Raises:
        ValueError: when it is not a URL, and looks as if it had a name or password.
    """
    if "@" not in url:
        return url, None
    parts = urlsplit(url)
    userinfo, at_sign, address = parts.netloc.rpartition("@")
    if not at_sign:
        return url, None
    clean = urlunsplit(parts._replace(netloc=address))
    name, colon, password = userinfo.partition(":")
    if not name and not password:
        return clean, None
    return clean, Credentials(unquote(name), unquote(password) if colon else None, source)
