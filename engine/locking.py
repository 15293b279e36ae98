"""`lock`: from the pyproject.toml here to a pylock.toml for every platform, and what changed in words.

Owns what is told of it.  The work is that of `engine.compiling`: a universal resolution of which every extra and every
dependency group is a part that an installation can choose.

Source: PEP 751; uv, for keeping what an earlier lock says.
"""

from __future__ import annotations

import os
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from engine.compiled.preferences import read_pinned
from engine.compiling import CompileOptions, compile_lock
from engine.errors import EngineError
from engine.printing import GREEN, RED, count, escape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.printing import Style
    from engine.reporting import View

#: Where it goes.
LOCK = "pylock.toml"


class Locked(NamedTuple):
    """What came of it.

    Attributes:
        size: how many distributions it has.
        added, removed: name and version of each that the lock has now, or had, alone.
        changed: the lock was another, or was not there.
        seconds: how long it took.
        warnings, details: one line each.
    """

    size: int
    added: list[tuple[str, str]]
    removed: list[tuple[str, str]]
    changed: bool
    seconds: float
    warnings: tuple[str, ...]
    details: tuple[str, ...]


def lock_project(
    options: CompileOptions, environ: Mapping[str, str], cwd: str, view: View, *, write: bool = True
) -> Locked:
    """Finds versions for all that the project here may want, and writes them.

    Args:
        options: what was asked, with an output.
        environ: the environment variables.
        cwd: absolute path of the project's folder.
        view: where progress is shown.
        write: whether the lock is to be written.

    Raises:
        NoResolution: when there are none.
        EngineError: when something cannot be read, asked or written.
    """
    start = perf_counter()
    compiled = compile_lock(options, environ, cwd, view, write=write)
    old, new = _pinned(compiled.before or b""), _pinned(compiled.text.encode())
    return Locked(
        compiled.size,
        sorted(new - old),
        sorted(old - new),
        compiled.changed,
        perf_counter() - start,
        compiled.warnings,
        compiled.details,
    )


def _pinned(body: bytes) -> set[tuple[str, str]]:
    return {(pin.name, str(pin.version)) for pin in read_pinned(body, LOCK)}


def differs(options: CompileOptions) -> EngineError:
    """Returns what is wrong with a lock that would be another now."""
    lock = os.path.basename(options.output or LOCK)
    there = "is not what the project asks for" if os.path.exists(options.output or "") else "is not there"
    return EngineError(f"{lock} {there}", hint="engine lock writes it")


def lock_lines(locked: Locked, style: Style, *, written: bool) -> list[str]:
    """Returns what to say about it.

    Args:
        locked: what happened.
        style: how it should look.
        written: not only looked at.
    """
    took = f" in {locked.seconds * 1000:.0f} ms" if locked.seconds < 1 else f" in {locked.seconds:.2f} s"
    if not locked.changed:
        return [f"Nothing to do: {LOCK} has {count(locked.size)}, checked{took}"]
    lines = [f"{'Locked' if written else 'Would lock'} {count(locked.size)} in {LOCK}{took if written else ''}"]
    changes = [(name, 0, version) for name, version in locked.removed]
    changes += [(name, 1, version) for name, version in locked.added]
    for name, sign, version in sorted(changes):
        mark = style.paint("+", GREEN) if sign else style.paint("-", RED)
        lines.append(f" {mark} {escape(name)}=={escape(version)}")
    return lines
