"""Looks for damage in a cache.

An entry is compared with its manifest by size, mtime and mode, and where that is asked for by content.  Plans have
a checksum; what other records mean is known to those who wrote them.
"""

import base64
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from typing import NamedTuple

from cache import CacheError, plans
from cache.entries import EntryStore
from cache.inventory import entry_keys, files_of, plan_paths
from cache.layout import Layout
from cache.manifest import Manifest, ManifestFile

_READ_BYTES = 1 << 20
_RECORDS = ("index-v2", "interpreters-v1", "pointers-v1")


class Damage(NamedTuple):
    """Something that is not as it was published: what a person calls it, what is wrong, and what has to go."""

    name: str
    reason: str
    path: str


def verify(layout: Layout, *, full: bool, readable: Callable[[str, bytes], bool]) -> Iterator[Damage | None]:
    """Looks at every entry, plan and record.

    Args:
        layout: where the cache is.
        full: hash the files of wheels again.
        readable: tells of a bucket and the bytes of a record in it whether they can be read.

    Returns:
        For each thing what is wrong with it, or None.
    """
    for key in entry_keys(layout):
        yield _check_entry(layout, key, full=full)
    for path in plan_paths(layout):
        plan = plans.load(path)
        broken = plan is None and os.path.exists(path)
        yield Damage("a plan", "its checksum is wrong", path) if broken else None
    for bucket in _RECORDS:
        folder = layout.bucket(bucket)
        for path in [*files_of(folder), *files_of(folder, depth=1)]:
            if path.endswith(".tmp"):
                continue
            try:
                with open(path, "rb") as file:
                    body = file.read()
            except OSError:
                continue
            broken = not readable(bucket, body)
            yield (
                Damage(f"{bucket.partition('-')[0]} of {os.path.basename(path)}", "unreadable", path)
                if broken
                else None
            )


def _check_entry(layout: Layout, key: str, *, full: bool) -> Damage | None:
    path = layout.entry(key)
    try:
        loaded = EntryStore(layout).load(key)
    except CacheError:
        return Damage(key, "its manifest is damaged", path)
    if loaded is None:
        return Damage(key, "its manifest is missing", path) if os.path.isdir(path) else None
    manifest = loaded[0]
    reason = check_files(manifest, layout.tree(key), full=full)
    # Where all of it is gone, somebody has cleaned the cache.
    if reason is None or not os.path.exists(layout.manifest(key)):
        return None
    return Damage(manifest.filename, reason, path)


def check_files(manifest: Manifest, tree: str, *, full: bool) -> str | None:
    """Returns what is wrong with the first file that is not what the manifest says, or None."""
    for file in manifest.files:
        path = f"{tree}/{file.path}"
        try:
            found = os.stat(path, follow_symlinks=False)
        except OSError:
            return f"{file.path} is missing"
        if not stat.S_ISREG(found.st_mode):
            return f"{file.path} is no file"
        if found.st_size != file.size_bytes:
            return f"{file.path} has {found.st_size} bytes instead of {file.size_bytes}"
        if found.st_mtime_ns != file.mtime_ns:
            return f"{file.path} was written to"
        if os.name == "posix" and bool(found.st_mode & 0o100) != file.executable:
            return f"{file.path} has another mode"
        if full and (reason := _check_content(file, path)) is not None:
            return reason
    return None


def _check_content(file: ManifestFile, path: str) -> str | None:
    digest = hashlib.sha256(usedforsecurity=False)
    try:
        with open(path, "rb", buffering=0) as reader:
            while data := reader.read(_READ_BYTES):
                digest.update(data)
    except OSError as exc:
        return f"{file.path} cannot be read: {exc.strerror}"
    found = base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")
    return None if found == file.sha256 else f"{file.path} has another content than RECORD says"
