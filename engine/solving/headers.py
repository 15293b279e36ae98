"""Reads of METADATA what a resolution needs.  Pure.

Rules: the headers end at the first empty line; a value goes on in lines that begin with
white space; of a header that stands once the first counts; name and version must be
those of the file name.  What Requires-Dist says is read by the resolver.

Source: "Core metadata specifications"; RFC 5322, section 2.2.3, "Long Header Fields".
"""

from packaging.utils import NormalizedName
from packaging.version import InvalidVersion, Version

from engine.environment.installed import normalize_name
from engine.errors import InvalidWheel
from resolver.requests import Metadata

_WANTED = frozenset({"name", "version", "requires-dist", "requires-python", "provides-extra"})


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
    said_name, said_version = (next(iter(found[header]), "") for header in ("name", "version"))
    if normalize_name(said_name) != name:
        raise InvalidWheel(f"METADATA has the name {said_name[:100]!r}, asked for was {name}")
    try:
        is_same = Version(said_version) == version
    except InvalidVersion:
        is_same = False
    if not is_same:
        raise InvalidWheel(f"METADATA has the version {said_version[:100]!r}, asked for was {version}")
    return Metadata(
        requires_dist=tuple(found["requires-dist"]),
        requires_python=next(iter(found["requires-python"]), None) or None,
        provides_extra=tuple(found["provides-extra"]),
    )


def _values(body: bytes | bytearray) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {header: [] for header in _WANTED}
    values: list[str] | None = None
    head = (b"\n" + body.replace(b"\r\n", b"\n")).partition(b"\n\n")[0].decode("utf-8", "replace")
    for line in head.split("\n"):
        if line[:1] in (" ", "\t"):
            if values:
                values[-1] = f"{values[-1]} {line.strip()}"
            continue
        header, colon, value = line.partition(":")
        values = found.get(header.strip().lower()) if colon else None
        if values is not None:
            values.append(value.strip())
    return found
