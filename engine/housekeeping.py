"""The commands that look at a cache and tidy it.

Owns what `engine cache …` does and what it says; `cache` does the work and `cli` prints.  All of it may run while
others install: what leaves the cache leaves by one rename, and an install that loses an entry fetches it again.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from cache.cleaning import clean, clean_projects, remove_if_empty
from cache.disposal import Disposal
from cache.inventory import CachedWheel, Room, cached_wheels, disk_bytes
from cache.layout import Layout
from cache.pruning import PruneOptions, prune
from cache.verifying import verify
from engine.environment.installed import normalize_name
from engine.errors import ConfigurationError, InstallFailed
from engine.quantities import format_size, parse_age, parse_size
from engine.scratch import Scratch
from engine.storage import check_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from engine.arguments import Value


class Report(NamedTuple):
    """What a command says: `out` is its answer, `said` is for people, `warned` too and even to those who want quiet."""

    out: Sequence[str] = ()
    said: Sequence[str] = ()
    warned: Sequence[str] = ()
    sound: bool = True


def run_command(values: "dict[str, Value]", root: str, cwd: str) -> Report:
    """Does what `engine cache …` was asked for.

    Args:
        values: the words of the command line, with a command of `engine.arguments`.
        root: absolute path of the cache.
        cwd: absolute path of the working folder.

    Raises:
        EngineError: when it cannot be done.
    """
    check_place(root, [])
    action = str(values["command"]).partition(" ")[2]
    names = values.get("names") or []
    assert isinstance(names, list)
    if action == "size":
        return cache_size(root, human=bool(values["human"]))
    if action == "info":
        return cache_info(root)
    if action == "list":
        return list_cache(root, names, as_json=values["format"] == "json")
    check_place(root, [cwd])
    if action == "verify":
        return verify_cache(root, full=bool(values["full"]), dry_run=bool(values["dry_run"]))
    if action == "prune":
        older, size = values["older_than"], values["max_size"]
        options = PruneOptions(
            older_than_seconds=parse_age(str(older)) if older else None,
            max_size_bytes=parse_size(str(size)) if size else None,
            everything_downloaded=bool(values["ci"]),
        )
        return prune_cache(root, options, time.time(), dry_run=bool(values["dry_run"]))
    return clean_cache(root, names)


def cache_size(root: str, *, human: bool) -> Report:
    """Tells what the cache takes on disk, in bytes or for people; files that are linked inside it count once."""
    size = disk_bytes(root) if _exists(root) else 0
    return Report(out=[format_size(size) if human else str(size)])


def cache_info(root: str) -> Report:
    """Tells where the cache is, what it takes and what it has."""
    exists = _exists(root)
    wheels = cached_wheels(Layout(root)) if exists else []
    return Report(
        out=[
            f"Location: {root}",
            f"Size: {format_size(disk_bytes(root) if exists else 0)}",
            f"Number of wheels: {len(wheels)}",
        ]
    )


def list_cache(root: str, names: Sequence[str], *, as_json: bool) -> Report:
    """Lists the wheels of the cache.

    Args:
        root: absolute path of the cache.
        names: of projects, with `*`, `?` and `[…]`; none means all.
        as_json: in JSON, instead of columns.
    """
    from datetime import UTC, datetime

    wheels = cached_wheels(Layout(root), _patterns(names)) if _exists(root) else []
    days = [datetime.fromtimestamp(wheel.used_seconds, UTC).date().isoformat() for wheel in wheels]
    if as_json:
        import json

        fields = [
            {
                "name": wheel.name,
                "version": wheel.version,
                "filename": wheel.filename,
                "sha256": wheel.sha256,
                "size": wheel.size_bytes,
                "last_used": day,
            }
            for wheel, day in zip(wheels, days, strict=True)
        ]
        return Report(out=[json.dumps(fields)])
    if not wheels:
        return Report(said=["No wheels in the cache" + (" of that name" if names else "")])
    rows = [("Name", "Version", "Size", "Last used", "Filename")]
    rows.extend(
        (wheel.name, wheel.version, format_size(wheel.size_bytes), day, wheel.filename)
        for wheel, day in zip(wheels, days, strict=True)
    )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows]
    return Report(out=[line.rstrip() for line in lines])


def clean_cache(root: str, names: Sequence[str] = ()) -> Report:
    """Deletes the cache, or what it has of some projects.

    Args:
        root: absolute path of the cache.
        names: of projects, with `*`, `?` and `[…]`; none means everything.

    Raises:
        ConfigurationError: when `root` is not a folder.
        InstallFailed: when the operating system refuses.
    """
    if not _exists(root):
        return Report(said=[f"No cache at {root}"])
    layout = Layout(root)
    with _disposing(layout, dry_run=False) as disposal:
        if not names:
            clean(layout, disposal)
            removed = _emptied(layout, disposal)
            said = [f"Removed {_files(removed)} from {root}"]
        else:
            cleaned = clean_projects(layout, _patterns(names), disposal)
            removed = _emptied(layout, disposal)
            said = [f"Removed {_count(len(cleaned.wheels), 'wheel')}, {_files(removed)}", *map(_minus, cleaned.wheels)]
            said.extend(f"Nothing in the cache is named {name}" for name in cleaned.unmatched)
    if not names:
        remove_if_empty(layout)
    return Report(said=said, warned=disposal.refused, sound=not disposal.refused)


def prune_cache(root: str, options: PruneOptions, now: float, *, dry_run: bool) -> Report:
    """Makes the cache smaller.

    Args:
        root: absolute path of the cache.
        options: what goes, besides what serves nobody.
        now: POSIX time.
        dry_run: only tell.

    Raises:
        ConfigurationError: when `root` is not a folder.
        InstallFailed: when the operating system refuses.
    """
    if not _exists(root):
        return Report(said=[f"No cache at {root}"])
    layout = Layout(root)
    with _disposing(layout, dry_run=dry_run) as disposal:
        pruned = prune(layout, disposal, options, now)
        removed = _emptied(layout, disposal)
    warned = disposal.refused.copy()
    if pruned.excess_bytes and options.max_size_bytes is not None:
        left, most = (
            format_size(size) for size in (options.max_size_bytes + pruned.excess_bytes, options.max_size_bytes)
        )
        warned.append(f"the cache takes {left}, more than {most}: nothing else in it may go")
    if not pruned.wheels and not pruned.others:
        return Report(said=["Nothing to prune"], warned=warned, sound=not disposal.refused)
    verb = "Would remove" if dry_run else "Removed"
    said = f"{verb} {_count(len(pruned.wheels), 'wheel')} and {_count(pruned.others, 'record')}, {_files(removed)}"
    return Report([], [said, *map(_minus, pruned.wheels)], warned, not disposal.refused)


def verify_cache(root: str, *, full: bool, dry_run: bool) -> Report:
    """Looks for damage and removes what is damaged, so that it is fetched again when it is needed.

    Args:
        root: absolute path of the cache.
        full: hash all files again.
        dry_run: only tell.

    Returns:
        A report that is not sound when there was damage.

    Raises:
        ConfigurationError: when `root` is not a folder.
        InstallFailed: when the operating system refuses.
    """
    if not _exists(root):
        return Report(said=[f"No cache at {root}"])
    layout = Layout(root)
    looked_at, warned = 0, []
    with _disposing(layout, dry_run=dry_run, needed=False) as disposal:
        for damage in verify(layout, full=full, readable=_readable):
            looked_at += 1
            if damage is not None:
                removed = disposal.remove(damage.path)
                if dry_run:
                    end = ""
                elif disposal.counts_only:
                    end = "; not removed: the cache cannot be written"
                else:
                    end = "; removed, and made again when it is needed" if removed else ""
                warned.append(f"{damage.name}: {damage.reason}{end}")
        _emptied(layout, disposal)
    how = "content" if full else "sizes and times; --full looks at the content"
    said = [f"Checked {looked_at} wheels and records ({how}): {f'{len(warned)} damaged' if warned else 'sound'}"]
    return Report([], said, [*warned, *disposal.refused], not warned)


@contextmanager
def _disposing(layout: Layout, *, dry_run: bool, needed: bool = True) -> Iterator[Disposal]:
    """Opens a place for what leaves the cache, deletes what is in it, and says what went wrong.

    Args:
        layout: where the cache is.
        dry_run: nothing leaves.
        needed: otherwise nothing leaves a cache that cannot be written.

    Raises:
        InstallFailed: when the cache cannot be written and that is needed.
    """
    scratch = None if dry_run else Scratch(layout)
    try:
        writable = scratch is not None and scratch.in_cache
        if needed and not dry_run and not writable:
            raise InstallFailed(f"cannot write to the cache {layout.root}", hint="its owner can")
        yield Disposal(scratch.folder if scratch is not None and writable else None)
    except OSError as exc:
        raise _failed(layout, exc) from exc
    finally:
        if scratch is not None:
            scratch.close()


def _emptied(layout: Layout, disposal: Disposal) -> Room:
    try:
        return disposal.empty()
    except OSError as exc:
        raise _failed(layout, exc) from exc


def _failed(layout: Layout, error: OSError) -> InstallFailed:
    return InstallFailed(f"cannot tidy the cache {layout.root}: {error.strerror}: {error.filename}")


def _exists(root: str) -> bool:
    """Tells whether there is a cache.

    Raises:
        ConfigurationError: when there is something else.
        InstallFailed: when it cannot be looked into.
    """
    try:
        with os.scandir(root):
            return True
    except FileNotFoundError:
        if os.path.lexists(root):
            raise ConfigurationError(f"{root} is not a folder") from None
        return False
    except NotADirectoryError as exc:
        raise ConfigurationError(f"{root} is not a folder") from exc
    except OSError as exc:
        raise InstallFailed(f"cannot read the cache {root}: {exc.strerror}") from exc


def _readable(bucket: str, body: bytes) -> bool:
    """Tells whether a record can be read by those who use it."""
    if bucket == "pointers-v1":
        return len(body) == 64
    if bucket == "interpreters-v1":
        from engine.environment.interpreter import Interpreter

        return Interpreter.from_json(body) is not None
    from engine.index.freshness import Freshness
    from engine.index.page import ProjectPage

    head = Freshness.unpack(body)
    # Nothing behind the freshness: the index has said that there is no such project.
    return head is not None and (head[1] == len(body) or ProjectPage.unpack(body[head[1] :]) is not None)


def _patterns(names: Sequence[str]) -> list[str]:
    """Returns patterns of normalised names; what stands for any characters stays as it is."""
    return [normalize_name(name) for name in names]


def _files(removed: Room) -> str:
    """Returns how much that is; what other links keep on the disk is no gain."""
    kept = f", {format_size(removed.linked_bytes)} of it still linked by environments" if removed.linked_bytes else ""
    return f"{_count(removed.files, 'file')}, {format_size(removed.bytes)}{kept}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _minus(wheel: CachedWheel) -> str:
    return f" - {wheel.filename}"
