"""What a published cache entry holds: one JSON file beside the unpacked tree.

The manifest is what links, drift checks and plans are made from, so that no
wheel is opened twice.  Reading and writing here are pure; `cache.entries` does
the file work.
"""

import json
from dataclasses import dataclass
from typing import NamedTuple

from cache import CacheError

FORMAT = 1


class ManifestFile(NamedTuple):
    """One regular file of an unpacked wheel.

    `path` is relative to the tree with `/` between parts, `sha256` the digest in
    URL-safe base64 without padding, as RECORD writes it.
    """

    path: str
    size_bytes: int
    mtime_ns: int
    executable: bool
    sha256: str


class EntryPoint(NamedTuple):
    """A console or GUI script: `name = module:attribute`."""

    name: str
    module: str
    attribute: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """An unpacked wheel.

    `name` is normalised, `version` as its dist-info spells it, `dist_info` and
    `data` the names of those folders (`data` is None where there is none).
    RECORD itself is not among `files`.  `requires_python` is what METADATA says, ""
    where it says nothing, and in entries from before it was looked at.
    """

    filename: str
    name: str
    version: str
    dist_info: str
    data: str | None
    root_is_purelib: bool
    files: tuple[ManifestFile, ...]
    console_scripts: tuple[EntryPoint, ...] = ()
    gui_scripts: tuple[EntryPoint, ...] = ()
    requires_python: str = ""

    def to_json(self) -> bytes:
        """Returns the bytes that `from_json` reads back."""
        fields: dict[str, object] = {
            "format": FORMAT,
            "filename": self.filename,
            "name": self.name,
            "version": self.version,
            "dist_info": self.dist_info,
            "data": self.data,
            "root_is_purelib": self.root_is_purelib,
            "files": self.files,
            "console_scripts": self.console_scripts,
            "gui_scripts": self.gui_scripts,
        }
        if self.requires_python:
            fields["requires_python"] = self.requires_python
        return json.dumps(fields, separators=(",", ":")).encode("utf-8", "surrogatepass")

    @classmethod
    def from_json(cls, body: bytes, *, path: str) -> "Manifest":
        """Reads a manifest.

        Args:
            body: what `to_json` made.
            path: where it was found, for the error.

        Raises:
            CacheError: when the bytes are not a manifest of this format.
        """
        try:
            fields = json.loads(body)
            if fields.pop("format") != FORMAT:
                raise ValueError("unknown format")
            fields["files"] = tuple(ManifestFile(*row) for row in fields["files"])
            for kind in ("console_scripts", "gui_scripts"):
                fields[kind] = tuple(EntryPoint(*row) for row in fields[kind])
            return cls(**fields)
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise CacheError("damaged manifest", path=path) from exc
