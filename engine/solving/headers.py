"""Reads of METADATA what a resolution needs.  Pure.

Rules: the headers end at the first empty line; a value goes on in lines that begin with
white space; of a header that stands once the first counts; name and version must be
those of the file name.  What Requires-Dist says is read by the resolver.

Source: "Core metadata specifications"; RFC 5322, section 2.2.3, "Long Header Fields".
"""

import re

from packaging.utils import NormalizedName
from packaging.version import Version

from engine.environment.installed import normalize_name
from engine.errors import InvalidWheel
from resolver.requests import Metadata

#: A header that matters, and its value with the lines in which it goes on; every header stands behind a line end.
_HEADER = re.compile(
    r"\n(name|version|requires-dist|requires-python|provides-extra)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE
)


def read_metadata(body: bytes | bytearray, name: NormalizedName, version: Version) -> Metadata:
    """Returns what METADATA says about dependencies.

    Args:
        body: the whole file.
        name: of the project that was asked for.
        version: that was asked for.

    Raises:
        InvalidWheel: when it is the METADATA of something else.
    """
    found = _values(body)
    # Not the value in full: it may be a megabyte.
    said_name, said_version = (next(iter(found.get(header, ())), "") for header in ("name", "version"))
    if said_name != name and normalize_name(said_name) != name:
        raise InvalidWheel(f"METADATA has the name {said_name[:100]!r}, asked for was {name}")
    try:
        is_same = said_version == str(version) or Version(said_version) == version
    except ValueError:
        is_same = False
    if not is_same:
        raise InvalidWheel(f"METADATA has the version {said_version[:100]!r}, asked for was {version}")
    return Metadata(
        requires_dist=tuple(found.get("requires-dist", ())),
        requires_python=next(iter(found.get("requires-python", ())), None) or None,
        provides_extra=tuple(found.get("provides-extra", ())),
    )


def _values(body: bytes | bytearray) -> dict[str, list[str]]:
    text = body.replace(b"\r\n", b"\n") if b"\r" in body else body
    head = (b"\n" + text).partition(b"\n\n")[0].decode("utf-8", "replace")
    found: dict[str, list[str]] = {}
    for header, value in _HEADER.findall(head):
        if "\n" in value:
            value = " ".join(line.strip() for line in value.split("\n"))
        found.setdefault(header.lower(), []).append(value.strip())
    return found
