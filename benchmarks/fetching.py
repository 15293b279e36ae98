"""Fetches pages and files from the index that pip is configured for.

Owns which index that is, and who we are to it.  It stores nothing.

Rules: a URL's own name and password come first; then those of the index's URL, for the same scheme, host and port only;
then what netrc has for the host.  They travel as a header that a redirect does not take along, and are in no page, no
file name and no message.

Source: RFC 7617; "The .netrc file" of GNU inetutils.
"""

import base64
import netrc
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import NamedTuple

FETCH_SECONDS = 300
_TRIES = 3


class Answer(NamedTuple):
    """What an index answered: the body, its type, and the URL that it came from in the end, without credentials."""

    body: bytes
    content_type: str
    url: str


class Credentials(NamedTuple):
    """A name and a password."""

    name: str
    password: str


def configured_index() -> str:
    """Returns the URL of the index that pip would ask."""
    if url := os.environ.get("PIP_INDEX_URL"):
        return url
    asked = subprocess.run([sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True)
    if asked.returncode == 0:
        return asked.stdout.decode().strip()
    code = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout.decode().strip()


def fetch(url: str, accept: str, index_url: str = "") -> Answer | None:
    """Returns what an index answers, or None where it has no such thing.

    Args:
        url: what to fetch.
        accept: the types that are understood, as the header has them.
        index_url: whose credentials count for everything on its host.

    Raises:
        OSError: when the index cannot be asked, after three tries.
    """
    request = urllib.request.Request(without_credentials(url), headers={"Accept": accept})
    request.add_header("User-Agent", "engine-benchmarks")
    if (found := credentials_for(url, index_url)) is not None:
        secret = base64.b64encode(f"{found.name}:{found.password}".encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {secret}")
    for attempt in range(_TRIES):
        try:
            with urllib.request.urlopen(request, timeout=FETCH_SECONDS) as answer:
                return Answer(answer.read(), answer.headers.get_content_type(), answer.url)
        except urllib.error.HTTPError as error:
            with error:
                if error.code in (403, 404, 410):
                    return None
            if attempt == _TRIES - 1:
                raise
        except OSError:
            if attempt == _TRIES - 1:
                raise
        time.sleep(1 + attempt)
    return None


def credentials_for(url: str, index_url: str) -> Credentials | None:
    """Returns what a URL is to be asked with, or None where nobody is to be named."""
    if (own := _credentials_in(url)) is not None:
        return own
    if _origin(url) == _origin(index_url) and (shared := _credentials_in(index_url)) is not None:
        return shared
    return _from_netrc(urllib.parse.urlsplit(url).hostname or "")


def without_credentials(url: str) -> str:
    """Returns a URL without the name and the password in it."""
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _credentials_in(url: str) -> Credentials | None:
    parts = urllib.parse.urlsplit(url)
    if parts.username is None:
        return None
    return Credentials(urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or ""))


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _from_netrc(host: str) -> Credentials | None:
    # An empty NETRC is none, as with pip's library.
    path = os.environ.get("NETRC") or str(Path.home() / ".netrc")
    try:
        found = netrc.netrc(path).authenticators(host)
    except (OSError, netrc.NetrcParseError):
        return None
    return None if found is None else Credentials(found[0], found[2] or "")
