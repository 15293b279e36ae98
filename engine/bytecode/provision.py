"""Brings the bytecode of a published wheel into the cache, unless it is there.

Owns which modules a wheel has, how they are shared out among compilers, and the
publication.  A wheel is compiled as soon as it is published, while others still
arrive; once for every kind of bytecode that the run's environments read.
"""

import os
from collections.abc import Iterable

import anyio

from cache.bytecode import Bytecode, BytecodeStore, CompiledFile
from cache.entries import EntryStore
from cache.layout import Layout
from engine.bytecode.compiler import Compiled, Compilers, Module
from engine.bytecode.kind import BytecodeKind
from engine.bytecode.planning import modules
from engine.errors import InstallFailed

#: A turn of a compiler: small enough for all cores to end at the same time, large enough not to count messages.
TURN_BYTES = 1 << 17
TURN_FILES = 32

#: (path in the wheel's tree, path below site-packages, size in bytes)
_Row = tuple[str, str, int]


class Provision:
    """The bytecode that one run needs.

    Args:
        layout: where the cache is.
        scratch: the run's private folder.
        entries: the wheels.
        compilers: who compiles.
    """

    def __init__(self, layout: Layout, scratch: str, entries: EntryStore, compilers: Compilers) -> None:
        self._store = BytecodeStore(layout, entries.private)
        self._scratch = scratch
        self._entries = entries
        self._compilers = compilers
        self._number = 0

    async def provide(self, sha256: str, kinds: Iterable[BytecodeKind]) -> list[str]:
        """Sees to it that the cache has the bytecode of a wheel.

        Args:
            sha256: a published wheel; one that has vanished meanwhile has nothing to compile.
            kinds: which bytecode.

        Returns:
            A line for each module that does not compile.

        Raises:
            InstallFailed: when an interpreter fails, or the cache cannot be written.
        """
        loaded = self._entries.load(sha256)
        if loaded is None:
            return []
        manifest, stamp = loaded
        rows = modules(manifest)
        lines: list[str] = []
        for kind in {kind.key: kind for kind in kinds}.values() if rows else ():
            found = self._store.load(kind.key, sha256, stamp)
            bytecode = found[0] if found is not None else await self._make(sha256, stamp, kind, rows)
            lines.extend(f"{manifest.filename}: {path} is not compiled: {reason}" for path, reason in bytecode.skipped)
        return lines

    async def _make(self, sha256: str, stamp: int, kind: BytecodeKind, rows: list[_Row]) -> Bytecode:
        self._number += 1
        folder = os.path.join(self._scratch, f"bytecode-{self._number}")
        tree = self._entries.tree(sha256)
        results: dict[str, Compiled] = {}

        async def turn(part: list[_Row]) -> None:
            wanted = [Module(f"{tree}/{path}", _target(folder, path, kind), shown) for path, shown, _ in part]
            compiled = await self._compilers.compile(kind.python, wanted, hashed=kind.hashed)
            results.update((row[0], result) for row, result in zip(part, compiled, strict=True))

        try:
            os.makedirs(os.path.join(folder, "tree"))
            async with anyio.create_task_group() as group:
                for part in turns(rows):
                    group.start_soon(turn, part)
            bytecode = _collect(stamp, kind, rows, results)
            await anyio.to_thread.run_sync(self._store.publish, folder, kind.key, sha256, bytecode)
        except OSError as exc:
            raise InstallFailed(f"cannot keep bytecode in the cache: {exc.strerror}: {exc.filename}") from exc
        except BaseExceptionGroup as group:
            raise _first(group) from None
        return bytecode


def turns(rows: list[_Row]) -> list[list[_Row]]:
    """Shares modules out, the largest first, so that no compiler is left with a large one at the end."""
    parts: list[list[_Row]] = []
    size = TURN_BYTES
    for row in sorted(rows, key=lambda row: row[2], reverse=True):
        if size >= TURN_BYTES or len(parts[-1]) >= TURN_FILES:
            parts.append([])
            size = 0
        parts[-1].append(row)
        size += row[2]
    return parts


def _target(folder: str, path: str, kind: BytecodeKind) -> str:
    parent, _, name = path.rpartition("/")
    return os.path.join(folder, "tree", parent, "__pycache__", kind.compiled_name(name))


def _collect(stamp: int, kind: BytecodeKind, rows: list[_Row], results: dict[str, Compiled]) -> Bytecode:
    files = []
    skipped = []
    for path, _, _ in rows:
        result = results[path]
        if result.skipped:
            skipped.append((path, result.skipped))
        else:
            name = kind.compiled_name(path.rpartition("/")[2])
            files.append(CompiledFile(path, name, result.size_bytes, result.mtime_ns, result.sha256))
    return Bytecode(stamp=stamp, files=tuple(files), skipped=tuple(skipped))


def _first(group: BaseExceptionGroup) -> BaseException:
    """Returns one exception of a group; what a person can act on goes before what ended the others."""
    exceptions = list(group.exceptions)
    chosen = next((exc for exc in exceptions if isinstance(exc, InstallFailed)), exceptions[0])
    return _first(chosen) if isinstance(chosen, BaseExceptionGroup) else chosen
