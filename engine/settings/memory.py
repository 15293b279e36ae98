"""What a settings file says, and the memory of it.

A file is parsed and checked once (`engine.settings.toml_file`, which loads
pydantic and takes a tenth of a second, or `engine.settings.pip_file`); what it
says is kept in the cache under the hash of its path and content.  Instead of a
text that may have credentials in it, its place in the file is kept.

On the warm path: imports nothing heavy.
"""

import marshal
import os
import sys
from binascii import crc32

from engine import __version__
from engine.light_sha256 import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from engine.arguments import Value

    #: What makes an `engine.locations.IndexLocation`, by the names of its arguments.
    Table = dict[str, Any]

#: Raised whenever a record would be read differently.
FORMAT = 2

#: How a place in the file is marked in a record.
_PLACE = "\0place"


class Layer:
    """What one file says.

    Attributes:
        path: the file.
        values: by the name of an option, its value, as `engine.arguments` has it.
        default_index: the table of the index that is asked last, or None.
        indexes: the tables of the other indexes, in order.
        sources: normalised project name to the name of the index that it comes from.
    """

    __slots__ = ("default_index", "indexes", "path", "sources", "values")

    def __init__(
        self,
        path: str,
        values: "Mapping[str, Value]",
        default_index: "Table | None" = None,
        indexes: "Sequence[Table]" = (),
        sources: "Mapping[str, str] | None" = None,
    ) -> None:
        self.path = path
        self.values = dict(values)
        self.default_index = default_index
        self.indexes = list(indexes)
        self.sources = dict(sources or {})

    def fields(self) -> tuple[object, ...]:
        """Returns all that it says."""
        return (self.values, self.default_index, self.indexes, self.sources)


class Memory:
    """What settings files said when they were last read.

    Args:
        folder: absolute path of the bucket of the cache, or None to remember nothing.
    """

    __slots__ = ("folder", "pending")

    def __init__(self, folder: str | None) -> None:
        self.folder = folder
        self.pending: list[tuple[str, bytes]] = []

    def read(self, path: str, data: bytes, kind: str) -> Layer | None:
        """Returns what a file says, from its record or by reading it.

        Args:
            path: absolute path of the file.
            data: its content.
            kind: `engine`, `pyproject`, or the section of a file of pip's: `global` or `install`.

        Returns:
            What it says, or None where it has no table for us.

        Raises:
            ConfigurationError: when it says something wrong.
        """
        digest = sha256()
        for part in (f"{FORMAT} {__version__} {sys.implementation.cache_tag} {kind}", path):
            digest.update(part.encode("utf-8", "surrogateescape") + b"\0")
        digest.update(data)
        record = os.path.join(self.folder, digest.hexdigest()) if self.folder else ""
        if record and (body := _load(record)) is not None:
            fields = _reveal(marshal.loads(body), data)
            return Layer(path, *fields) if fields else None
        layer = _read(path, data, kind)
        if record:
            try:
                self.pending.append((record, marshal.dumps(_hide(layer.fields() if layer is not None else (), data))))
            except LookupError:  # a secret that is spelled otherwise in the file
                pass
        return layer

    def keep(self) -> None:
        """Stores what was read, for the next run.

        To be called when a run has ended well: a mistake must not leave a cache behind.
        """
        if not self.pending or not self.folder:
            return
        from cache.layout import Layout
        from cache.records import publish_file

        try:
            Layout(os.path.dirname(self.folder)).create()
            for record, body in self.pending:
                publish_file(record, crc32(body).to_bytes(4, "big") + body)
        except OSError:  # a cache that cannot be written only costs time
            return


def _read(path: str, data: bytes, kind: str) -> Layer | None:
    if kind in ("global", "install"):
        from engine.settings.pip_file import read_pip

        return read_pip(path, data, kind)
    from engine.settings.toml_file import read_toml

    return read_toml(path, data, in_pyproject=kind == "pyproject")


def _load(record: str) -> bytes | None:
    """Returns the body of a record, or None where there is none or it is torn."""
    try:
        with open(record, "rb", buffering=0) as file:
            stored = file.read()
    except OSError:
        return None
    body = stored[4:]
    return body if body and crc32(body) == int.from_bytes(stored[:4], "big") else None


def _hide(value: "Any", data: bytes) -> "Any":
    """Returns `value` with every text that may have credentials in it replaced by its place in the file.

    Raises:
        LookupError: when such a text does not stand in the file as it is.
    """
    if isinstance(value, str):
        if "@" not in value:
            return value
        raw = value.encode()
        if (start := data.find(raw)) < 0:
            raise LookupError(start)
        return (_PLACE, start, start + len(raw))
    if isinstance(value, dict):
        return {key: _hide(inner, data) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([_hide(inner, data) for inner in value])
    return value


def _reveal(value: "Any", data: bytes) -> "Any":
    """Returns what `_hide` was given."""
    if isinstance(value, dict):
        return {key: _reveal(inner, data) for key, inner in value.items()}
    if isinstance(value, tuple) and value[:1] == (_PLACE,):
        return data[value[1] : value[2]].decode()
    if isinstance(value, list | tuple):
        return type(value)([_reveal(inner, data) for inner in value])
    return value
