"""Compiled files of published wheels, for one kind of bytecode each.

    bytecode-v1/<kind>/<aa>/<sha256 of the wheel>/tree/<folder>/__pycache__/<module>.<tag>.pyc
    bytecode-v1/<kind>/<aa>/<sha256 of the wheel>/manifest

An entry appears by one rename, as a wheel does, and belongs to one unpacked tree:
compiled files carry the mtime of their source, so the manifest holds the stamp
of the wheel's manifest.  What is damaged or belongs to an earlier tree is a miss.
"""

import errno
import json
import os
from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from cache.entries import REFUSALS
from cache.layout import Layout

BUCKET = "bytecode-v1"
FORMAT = 2


class CompiledFile(NamedTuple):
    """One compiled module: the path of its source in the wheel's tree; its own name, size, mtime and sha256 (hex)."""

    source: str
    name: str
    size_bytes: int
    mtime_ns: int
    sha256: str

    @property
    def path(self) -> str:
        """Where it is in the tree of compiled files."""
        folder = self.source.rpartition("/")[0]
        return f"{folder}/__pycache__/{self.name}" if folder else f"__pycache__/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bytecode:
    """What an entry holds.

    `stamp` is the mtime of the wheel's manifest in ns; `skipped` has the modules that do not compile, with the reason.
    """

    stamp: int
    files: tuple[CompiledFile, ...]
    skipped: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> bytes:
        """Returns the bytes that `from_json` reads back."""
        fields = {"format": FORMAT, "stamp": self.stamp, "files": self.files, "skipped": self.skipped}
        return json.dumps(fields, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, body: bytes) -> "Bytecode | None":
        """Reads an entry's manifest; None when it is damaged or of another format."""
        try:
            fields = json.loads(body)
            if fields["format"] != FORMAT:
                return None
            return cls(
                stamp=fields["stamp"],
                files=tuple(CompiledFile(*row) for row in fields["files"]),
                skipped=tuple((path, reason) for path, reason in fields["skipped"]),
            )
        except (ValueError, KeyError, TypeError):
            return None


class BytecodeStore:
    """The compiled files of one cache.

    Args:
        layout: where the cache is.
        private: where to publish what the cache refuses.
    """

    __slots__ = ("_homes",)

    def __init__(self, layout: Layout, private: Layout | None = None) -> None:
        self._homes = (layout,) if private is None else (layout, private)

    def load(self, kind: str, sha256: str, stamp: int) -> "tuple[Bytecode, str] | None":
        """Returns what is there for a wheel and the folder it is in, or None on a miss.

        Args:
            kind: key of the kind of bytecode.
            sha256: the wheel.
            stamp: mtime of its manifest in ns.
        """
        for home in self._homes:
            folder = _entry(home, kind, sha256)
            try:
                with open(os.path.join(folder, "manifest"), "rb", buffering=0) as file:
                    found = Bytecode.from_json(file.read())
            except OSError:
                continue
            tree = os.path.join(folder, "tree")
            if found is not None and found.stamp == stamp and _is_whole(found, tree):
                return found, tree
        return None

    def publish(self, folder: str, kind: str, sha256: str, bytecode: Bytecode) -> None:
        """Publishes `folder`, which holds a finished `tree/`; replaces what is there, which was a miss.

        Raises:
            OSError: when it cannot be written.
        """
        with open(os.path.join(folder, "manifest"), "wb") as file:
            file.write(bytecode.to_json())
        for home in self._homes:
            try:
                _replace(folder, _entry(home, kind, sha256), home.temporary)
                return
            except OSError as exc:
                if exc.errno not in REFUSALS or home is self._homes[-1]:
                    raise


def bytecode_entries(layout: Layout) -> Iterator[str]:
    """Finds all entries, by their folders, which have the names of their wheels."""
    bucket = layout.bucket(BUCKET)
    for kind in _names(bucket):
        for start in _names(f"{bucket}/{kind}"):
            for sha256 in _names(f"{bucket}/{kind}/{start}"):
                yield f"{bucket}/{kind}/{start}/{sha256}"


def orphans(layout: Layout, gone: Container[str] = ()) -> Iterator[str]:
    """Finds the entries, by their folders, whose wheel is not in the cache any more.

    Args:
        layout: where the cache is.
        gone: wheels that count as gone.
    """
    for folder in bytecode_entries(layout):
        sha256 = os.path.basename(folder)
        if sha256 in gone or not os.path.exists(layout.manifest(sha256)):
            yield folder


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _entry(layout: Layout, kind: str, sha256: str) -> str:
    return f"{layout.bucket(BUCKET)}/{kind}/{sha256[:2]}/{sha256}"


def _is_whole(bytecode: Bytecode, tree: str) -> bool:
    """Tells whether every file has the size and mtime that the manifest says."""
    for file in bytecode.files:
        try:
            found = os.stat(os.path.join(tree, file.path), follow_symlinks=False)
        except OSError:
            return False
        if found.st_size != file.size_bytes or found.st_mtime_ns != file.mtime_ns:
            return False
    return True


def _replace(folder: str, target: str, temporary: str) -> None:
    for _ in range(20):
        try:
            os.rename(folder, target)
            return
        except FileNotFoundError:  # the first one, or somebody cleans the cache
            os.makedirs(os.path.dirname(target), exist_ok=True)
        except OSError as exc:
            if exc.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            aside = os.path.join(temporary, f"aside-{os.path.basename(target)[:16]}-{os.urandom(6).hex()}")
            try:
                os.makedirs(temporary, exist_ok=True)
                os.rename(target, aside)
            except FileNotFoundError:
                continue
            import shutil

            shutil.rmtree(aside, ignore_errors=True)
    os.rename(folder, target)
