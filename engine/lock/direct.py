"""Wheels that a lock names by a URL or a path: `name @ URL`, a bare URL, a path.  PURE.

Paths start from the working directory, as with pip and uv; in a file that came
from the network they start from that file's URL, and cannot name a file of this
machine.  Only wheels can be installed so far: everything else is told apart and
named.

Source: pip's "Requirements File Format"; PEP 508, "URL references"; PEP 610.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urldefrag, urljoin, urlsplit

from engine.local import file_url, local_path
from engine.lock.pins import WEAK_ALGORITHMS, Digest, LockedFile

if TYPE_CHECKING:
    from packaging.utils import NormalizedName
    from packaging.version import Version

_VERSION_CONTROL = ("git", "hg", "svn", "bzr")
_ARCHIVES = (".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tar", ".tar.zst", ".tar.lzma")
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]+:"

#: What to do where something would have to be built.
UNBUILT_HINT = "name a wheel of it (python -m build --wheel makes one), or its project, which an index may have"


class Unbuilt(ValueError):
    """It would have to be built, which cannot be done so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where relative names start.

    `folder` is the absolute working directory; `url` is that of the file that is being read when it came from the
    network, and "" for one of this machine.
    """

    folder: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectWheel:
    """A wheel that is named directly: the file, and what its name says."""

    file: LockedFile
    project: NormalizedName
    version: Version


def looks_direct(text: str) -> bool:
    """Tells whether a requirement that is no `name==version` is a URL or a path."""
    return (
        text.startswith((".", "/", "\\", "~"))
        or has_scheme(text)
        or "/" in text
        or "\\" in text
        or text.endswith((".whl", ".egg", *_ARCHIVES))
    )


def has_scheme(text: str) -> bool:
    """Tells whether a text is a URL; a drive letter is no scheme."""
    return re.match(_SCHEME, text) is not None


def read_direct(text: str, place: Place) -> DirectWheel:
    """Reads a URL or a path that names a wheel.

    Args:
        text: as the lock has it, with its fragment.
        place: where a relative one starts.

    Raises:
        ValueError: when it names no wheel, or its fragment is wrong; the message says what it is.
    """
    from packaging.utils import parse_wheel_filename

    if "\0" in unquote(text):
        raise ValueError("a name with a NUL character is none")
    url = _absolute(text, place)
    location, fragment = urldefrag(url)
    filename = wheel_filename(location)
    try:
        project, version, _, _ = parse_wheel_filename(filename)
    except ValueError as exc:
        raise ValueError(f'"{filename}" is not the name of a wheel') from exc
    fields = dict(parse_qsl(fragment, keep_blank_values=True))
    egg = fields.pop("egg", "").partition("[")[0]
    if egg and _normalized(egg) != project:
        raise ValueError(f'the wheel {filename} is not of the project "{egg}"')
    if "subdirectory" in fields:
        raise ValueError("a wheel has no subdirectory")
    file = LockedFile(filename=filename, url=location, size_bytes=None, digests=_digests(fields), direct=True)
    return DirectWheel(file=file, project=project, version=version)


def _normalized(name: str) -> str:
    from engine.environment.installed import normalize_name

    return normalize_name(name)


def wheel_filename(location: str) -> str:
    """Returns the last part of an absolute URL's path, decoded, when it is a wheel's name.

    Raises:
        ValueError: when it is something else; the message says what.
    """
    path = local_path(location) if location.startswith("file:") else urlsplit(location).path
    last = os.path.basename(path) if location.startswith("file:") else unquote(path.rpartition("/")[2])
    if last.endswith(".whl"):
        if "/" in last or "\\" in last:
            raise ValueError(f'"{last}" is not the name of a file')
        return last
    if last.endswith(_ARCHIVES):
        raise Unbuilt(f"{last} is a source distribution, and only wheels can be installed so far")
    raise Unbuilt("it names no wheel, and folders cannot be installed so far")


def _absolute(text: str, place: Place) -> str:
    """Returns the URL that a text means.

    Raises:
        ValueError: when no wheel can be there.
    """
    if not has_scheme(text):
        path, mark, fragment = text.partition("#")
        if place.url:
            if text.startswith(("/", "\\", "~")):
                raise ValueError("a file from the network cannot name a file of this machine")
            return urljoin(place.url, text)
        return file_url(os.path.normpath(os.path.join(place.folder, path))) + mark + fragment
    scheme = text.partition(":")[0].lower()
    if scheme.partition("+")[0] in _VERSION_CONTROL:
        raise Unbuilt("version control cannot be installed from so far")
    if scheme == "file":
        if place.url:
            raise ValueError("a file from the network cannot name a file of this machine")
        location, mark, fragment = text.partition("#")
        # One spelling for one file, relative ones (`file:x.whl`) included.
        path = local_path(location)
        return file_url(os.path.normpath(os.path.join(place.folder, path))) + mark + fragment
    if scheme not in ("http", "https") or not urlsplit(text).hostname:
        raise ValueError("only http:, https: and file: URLs name wheels")
    return text


def _digests(fields: dict[str, str]) -> tuple[Digest, ...]:
    """Returns the hashes of a fragment such as `sha256=…`; a weak one protects nothing and is left out."""
    digests = []
    for algorithm, digits in fields.items():
        if algorithm not in WEAK_ALGORITHMS and algorithm.startswith("sha"):
            digests.append(Digest.parse(f"{algorithm}:{digits}"))
    return tuple(digests)
