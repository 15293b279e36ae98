"""Looks for damage in a cache.

A wheel is compared with its manifest by size, mtime and mode, and where that is asked for by content; so are the
compiled files of wheels.  Plans have a checksum; what other records mean is known to those who wrote them.
"""

import base64
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from typing import NamedTuple

from cache import CacheError, plans
from cache.bytecode import Bytecode, bytecode_entries
from cache.entries import EntryStore
from cache.inventory import entry_keys, files_of, plan_paths
from cache.layout import Layout
from cache.manifest import Manifest

_READ_BYTES = 1 << 20
_RECORDS = ("index-v3", "interpreters-v1", "pointers-v1")


class Damage(NamedTuple):
    """Something that is not as it was published: what a person calls it, what is wrong, and what has to go."""

    name: str
    reason: str
    path: str


def verify(layout: Layout, *, full: bool, readable: Callable[[str, bytes], bool]) -> Iterator[Damage | None]:
    """Looks at every wheel, compiled wheel, plan and record.

    Args:
        layout: where the cache is.
        full: hash the files of wheels and the compiled ones again.
        readable: tells of a bucket and the bytes of a record in it whether they can be read.

    Returns:
        For each thing what is wrong with it, or None.
    """
    for key in entry_keys(layout):
        yield _check_entry(layout, key, full=full)
    for folder in bytecode_entries(layout):
        yield _check_bytecode(layout, folder, full=full)
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


def _check_bytecode(layout: Layout, folder: str, *, full: bool) -> Damage | None:
    key = os.path.basename(folder)
    try:
        with open(f"{folder}/manifest", "rb", buffering=0) as file:
            bytecode = Bytecode.from_json(file.read())
    except OSError:
        return Damage(_compiled(layout, key), "its manifest is missing", folder) if os.path.isdir(folder) else None
    if bytecode is None:
        return Damage(_compiled(layout, key), "its manifest is damaged, or of an earlier format", folder)
    for compiled in bytecode.files:
        reason = _check_place(compiled.path, f"{folder}/tree", compiled.size_bytes, compiled.mtime_ns)
        if reason is None and full:
            digest = _read_digest(f"{folder}/tree/{compiled.path}")
            other = isinstance(digest, str) or digest.hex() != compiled.sha256
            reason = f"{compiled.path} has another content than was compiled" if other else None
        if reason is not None and os.path.exists(f"{folder}/manifest"):
            return Damage(_compiled(layout, key), reason, folder)
    return None


def _compiled(layout: Layout, key: str) -> str:
    """Returns what a person calls the compiled files of a wheel."""
    try:
        loaded = EntryStore(layout).load(key)
    except CacheError:
        loaded = None
    return f"bytecode of {key if loaded is None else loaded[0].filename}"


def check_files(manifest: Manifest, tree: str, *, full: bool) -> str | None:
    """Returns what is wrong with the first file that is not what the manifest says, or None."""
    for file in manifest.files:
        reason = _check_place(file.path, tree, file.size_bytes, file.mtime_ns, executable=file.executable)
        if reason is None and full:
            reason = _check_content(file.path, tree, file.sha256)
        if reason is not None:
            return reason
    return None


def _check_place(name: str, tree: str, size_bytes: int, mtime_ns: int, *, executable: bool | None = None) -> str | None:
    """Returns what is wrong with a file's place, size, mtime and mode, or None; a mode of None is not looked at."""
    try:
        found = os.stat(f"{tree}/{name}", follow_symlinks=False)
    except OSError:
        return f"{name} is missing"
    if not stat.S_ISREG(found.st_mode):
        return f"{name} is no file"
    if found.st_size != size_bytes:
        return f"{name} has {found.st_size} bytes instead of {size_bytes}"
    if found.st_mtime_ns != mtime_ns:
        return f"{name} was written to"
    if executable is not None and os.name == "posix" and bool(found.st_mode & 0o100) != executable:
        return f"{name} has another mode"
    return None


def _check_content(name: str, tree: str, sha256: str) -> str | None:
    digest = _read_digest(f"{tree}/{name}")
    if isinstance(digest, str):
        return f"{name} cannot be read: {digest}"
    found = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return None if found == sha256 else f"{name} has another content than RECORD says"


def _read_digest(path: str) -> bytes | str:
    """Returns the sha256 of a file, or why it cannot be read."""
    digest = hashlib.sha256(usedforsecurity=False)
    try:
        with open(path, "rb", buffering=0) as reader:
            while data := reader.read(_READ_BYTES):
                digest.update(data)
    except OSError as exc:
        return exc.strerror or str(exc)
    return digest.digest()
