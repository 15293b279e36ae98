"""Locks that nobody has synced, of lines that somebody has: a change of one line costs that line.

A plan answers for one lock, byte for byte.  It also says which line each of its entries came of,
and the last plan of a lock's path that had a new line, and the last of all, are found without the lock's bytes.
So a lock whose lines are all in these has its plan at once, and of another one only the
lines that are not known are asked for.

Rules: a line is known where it means the same in every lock: in a single requirements
file, under the same options, those of the file included, when it names no place and no variable and is the only one
about its project.  A lock that has hashes on some lines is read with all care.

Not on the warm path, but its imports are: what it answers is to be nearly as fast.

Source: pip's "Requirements File Format".
"""

import os

from cache import plans
from engine.light_sha256 import sha256
from engine.lock.text import decode, logical_lines
from engine.sync import Run, Target
from engine.warm import is_still_there

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.lock.lock import Lock
    from engine.lock.pins import Pin

#: Options of a file that say nothing about single lines; others lead elsewhere.
_OPTIONS = ("-i", "--index-url", "--extra-index-url", "--no-binary", "--only-binary", "--trusted-host")

_DIGEST_BYTES = 16


class Lines:
    """The lines of a lock that mean the same wherever they stand.

    Attributes:
        digests: of each requirement, by the number of its first physical line.
        options: the lines with options.
        path: of the lock, "" where it has none.
        are_all: whether there is nothing else in the lock.
    """

    __slots__ = ("are_all", "digests", "options", "path")

    def __init__(self, digests: dict[int, bytes], options: str, path: str, *, are_all: bool) -> None:
        self.digests = digests
        self.options = options
        self.path = path
        self.are_all = are_all


def read_lines(run: Run) -> Lines | None:
    """Returns the lines of a run's lock; None where it is none of which single lines can be known."""
    if len(run.inputs) != 1 or run.inputs[0].is_pylock or run.inputs[0].constrains or run.inputs[0].url:
        return None
    try:
        text = decode(run.inputs[0].body)
    except ValueError:
        return None  # whoever reads it tells why
    digests: dict[int, bytes] = {}
    options: list[str] = []
    requirements = hashed = 0
    for number, line in logical_lines(text):
        words = line.split()
        if "${" in line:
            return None
        if line.startswith("-"):
            if words[0].partition("=")[0] not in _OPTIONS:
                return None
            options.append(line)
            continue
        requirements += 1
        hashed += "--hash" in line
        # A wheel's path, and what is at a URL, may change.
        if "@" not in line and "/" not in line and "\\" not in line:
            digests[number] = sha256(" ".join(words).encode("utf-8", "surrogateescape")).digest()[:_DIGEST_BYTES]
    if 0 < hashed < requirements:
        return None
    return Lines(digests, "\n".join(options), run.inputs[0].path, are_all=len(digests) == requirements)


def recall(run: Run, target: Target) -> None:
    """Gives a target the plan of its lock where all lines are known, else what is known of some.

    Args:
        run: what was asked.
        target: its key is known, and has no plan.
    """
    if not os.path.isdir(os.path.dirname(os.path.dirname(run.layout.plan(target.key)))):
        return  # nothing is remembered at all
    lines = read_lines(run)
    if lines is None or not lines.digests:
        return
    found: dict[bytes, plans.PlannedEntry | None] = {}
    schemes = None
    for key in _places(run, target, lines):
        plan = plans.load(run.layout.plan(key))
        if plan is not None:
            schemes = plan.schemes
            for digest, index in plan.lines.items():
                found.setdefault(digest, plan.entries[index] if index >= 0 else None)
    if schemes is None:
        return
    known = {number: found[digest] for number, digest in lines.digests.items() if digest in found}
    entries = {number: entry for number, entry in known.items() if entry is not None}
    if len({entry.name for entry in entries.values()}) < len(entries):
        return
    if entries and lines.are_all and len(known) == len(lines.digests):
        target.plan = plans.Plan(schemes, list(entries.values()), (), _indices(lines, list(known.items())))
        if not run.options.dry_run and not run.options.check:
            try:
                _store(run, target, target.plan, lines)
            except OSError:  # a cache that cannot be written: the next run does this again
                return
    else:
        target.known = {number: entry for number, entry in entries.items() if is_still_there(run.layout, entry)}


def _indices(lines: Lines, known: "Iterable[tuple[int, plans.PlannedEntry | None]]") -> dict[bytes, int]:
    found, index = {}, 0
    for number, entry in known:
        found[lines.digests[number]] = -1 if entry is None else index
        index += entry is not None
    return found


def lines_of(lines: Lines, lock: "Lock", pins: "tuple[Pin, ...]") -> dict[bytes, int]:
    """Returns what a plan says of the lines of its lock.

    Args:
        lines: of the lock.
        lock: the same, parsed.
        pins: those that apply, in the order of the plan's entries.
    """
    count: dict[str, int] = {}
    found: dict[bytes, int] = {}
    for part in lock.parts:
        count[part.name] = count.get(part.name, 0) + 1  # type: ignore[union-attr]
    applied = {pin.name: index for index, pin in enumerate(pins)}
    for part in lock.parts:
        name, line = part.name, part.line  # type: ignore[union-attr]
        if count[name] == 1 and line in lines.digests:
            found[lines.digests[line]] = applied.get(name, -1)
    return found


def remember(run: Run, target: Target, plan: plans.Plan, lines: Lines | None) -> None:
    """Stores the plan of a target, so that locks like its own are recognised.

    Raises:
        OSError: when the cache cannot be written.
    """
    if lines is None or plan.conditions:
        plans.store(run.layout.plan(target.key), plan)
    else:
        _store(run, target, plan, lines)


def _store(run: Run, target: Target, plan: plans.Plan, lines: Lines) -> None:
    path = run.layout.plan(target.key)
    plans.store(path, plan)
    for place in map(run.layout.plan, _places(run, target, lines)):
        last = plans.load(place)
        if last is None or not _has_all(last, plan):
            plans.store_again(path, place, plan)


def _has_all(last: plans.Plan, plan: plans.Plan) -> bool:
    """Tells whether a plan teaches nothing that the last one did not: a lock that lost a line may get it back."""
    known = last.lines
    for digest, index in plan.lines.items():
        if (before := known.get(digest)) is None or (before < 0) != (index < 0):
            return False
        if index >= 0:
            one, other = last.entries[before], plan.entries[index]
            if (one.sha256, one.stamp) != (other.sha256, other.stamp):
                return False
    return True


def _places(run: Run, target: Target, lines: Lines) -> list[str]:
    """Returns the keys of the last plan of a lock's path, and of the last one whatever the lock."""
    environment = target.environment
    return [
        run.answer_key(
            environment.interpreter_key,
            environment.layout,
            [part.encode("utf-8", "surrogateescape") for part in ("lines\0", lines.options, "\0", path)],
        )
        for path in dict.fromkeys((lines.path, ""))
    ]
