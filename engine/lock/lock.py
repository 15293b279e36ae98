"""All files of a lock together, and what applies to an environment.  PURE.

Rules: every problem is collected before one error is raised.  Hash-checking is
all or nothing, as in pip: one hash in the lock, and every line needs one.

Source: pip's "Hash-checking Mode", "Constraints Files"; PEP 751, "Installation".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from engine.errors import InvalidLock
from engine.lock.pins import Constraint, Digest, Pin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

#: How many lines without a hash are named one by one.
_NAMED_LINES = 100


class Facts(Protocol):
    """What is known about the environment: `engine.environment.interpreter.Interpreter` has it."""

    @property
    def markers(self) -> Mapping[str, str]:
        """The complete marker environment, without `extra`."""

    @property
    def tags(self) -> Sequence[str]:
        """The tags of wheels that fit, best first."""


class Selectable(Protocol):
    """A part of a lock that chooses its own pins."""

    def select(self, facts: Facts) -> tuple[Pin, ...]:
        """Returns the pins that apply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """All files of a lock: what they pin, and what they say about indexes.

    Attributes:
        parts: pins, and files that choose theirs by themselves (pylock.toml), in order.
        constraints: of all constraints files.
        require_hashes: every pin must have a hash.
        index_url: the index that the last `--index-url` names, or None.
        extra_index_urls, trusted_hosts: in order.
        find_links: URLs, or absolute paths.
        no_index: no index is to be asked.
        formats: (`no-binary` or `only-binary`, its value), in order.
        is_void: it requires nothing, and nobody said that an environment may be emptied: nothing is to be changed.
        warnings, notes: lines for the user, and for who wants to know more.
    """

    parts: tuple[Pin | Selectable, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    require_hashes: bool = False
    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    trusted_hosts: tuple[str, ...] = ()
    formats: tuple[tuple[str, str], ...] = ()
    is_void: bool = False
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def select(self, facts: Facts) -> tuple[Pin, ...]:
        """Returns the pins that apply to an environment, one for each project, in the order of the files.

        Two lines that pin one project to one version become one pin with the
        extras and hashes of both.

        Args:
            facts: the target's; no extra is active in a requirements file.

        Raises:
            InvalidLock: when two lines that apply contradict each other, a constraint forbids a pin, a pin lacks the
                hash that every pin must have, or a marker cannot be evaluated.
        """
        problems: list[str] = []
        hints: list[str | None] = []
        applies = _Applies({**facts.markers, "extra": ""}, problems)
        selected: dict[NormalizedName, Pin] = {}
        for pin in self._candidates(facts, problems, hints):
            if not applies(pin):
                continue
            other = selected.setdefault(pin.name, pin)
            if other is not pin:
                if _same_release(other, pin):
                    selected[pin.name] = _merged(other, pin)
                else:
                    problems.append(f'{pin.where}: "{pin}" contradicts "{other}" at {other.where}')
        for constraint in self.constraints:
            found = selected.get(constraint.name)
            if found is not None and applies(constraint):
                selected[constraint.name] = _constrained(found, constraint, problems)
        hint = self._find_missing_hashes(selected.values(), problems) if self.require_hashes else None
        if problems:
            raise InvalidLock(problems, hint=next((one for one in (hint, *hints) if one), None))
        return tuple(selected.values())

    def _candidates(self, facts: Facts, problems: list[str], hints: list[str | None]) -> Iterable[Pin]:
        for part in self.parts:
            if isinstance(part, Pin):
                yield part
                continue
            try:
                yield from part.select(facts)
            except InvalidLock as exc:
                problems.extend(exc.problems)
                hints.append(exc.hint)

    def _find_missing_hashes(self, pins: Iterable[Pin], problems: list[str]) -> str | None:
        missing = [pin for pin in pins if not pin.hashes and (pin.file is None or not pin.file.digests)]
        problems.extend(f'{pin.where}: "{pin}" has no hash, and every line needs one' for pin in missing[:_NAMED_LINES])
        if len(missing) > _NAMED_LINES:
            problems.append(f"and {len(missing) - _NAMED_LINES} more lines without a hash")
        if not missing:
            return None
        return (
            "where one line has a hash all need one; add --hash=sha256:… or lock again (--no-require-hashes allows it)"
        )


class _Applies:
    """Tells whether markers are true, each evaluated once; reports those that cannot be evaluated."""

    def __init__(self, environment: Mapping[str, str], problems: list[str]) -> None:
        self._environment = environment
        self._problems = problems
        self._verdicts: dict[int, bool] = {}

    def __call__(self, line: Pin | Constraint) -> bool:
        marker = line.marker
        if marker is None:
            return True
        verdict = self._verdicts.get(id(marker))
        if verdict is None:
            try:
                verdict = marker.evaluate(dict(self._environment))
            except (ValueError, KeyError) as exc:
                self._problems.append(f'{line.where}: the marker "{marker}" cannot be evaluated: {_one_line(exc)}')
                return False
            self._verdicts[id(marker)] = verdict
        return verdict


def _one_line(exc: Exception) -> str:
    return (str(exc).splitlines() or [type(exc).__name__])[0]


def _same_release(one: Pin, other: Pin) -> bool:
    if one.file is not None and other.file is not None:
        if one.file.url != other.file.url:
            return False
        promised = {digest.algorithm: digest.hex for digest in one.file.digests}
        if any(promised.get(digest.algorithm, digest.hex) != digest.hex for digest in other.file.digests):
            return False
    if one.version_text == other.version_text:
        return True
    if one.arbitrary_equality and other.arbitrary_equality:
        return False
    return one.version is not None and one.version == other.version


def _merged(first: Pin, second: Pin) -> Pin:
    stricter = first if first.arbitrary_equality else second
    file = first.file or second.file
    if first.file is not None and second.file is not None:
        digests = tuple(dict.fromkeys(first.file.digests + second.file.digests))
        file = replace(first.file, digests=digests, direct=first.file.direct or second.file.direct)
    return replace(
        first,
        version_text=stricter.version_text,
        arbitrary_equality=stricter.arbitrary_equality,
        extras=first.extras | second.extras,
        hashes=tuple(dict.fromkeys(first.hashes + second.hashes)),
        file=file,
    )


def _constrained(pin: Pin, constraint: Constraint, problems: list[str]) -> Pin:
    """Returns the pin with the hashes that the constraint leaves; reports a constraint that forbids it."""
    if not constraint.allows(pin):
        problems.append(f'{pin.where}: "{pin}" is not what "{constraint}" at {constraint.where} allows')
        return pin
    if not constraint.hashes:
        return pin
    hashes: tuple[Digest, ...] = constraint.hashes
    if pin.hashes:
        hashes = tuple(digest for digest in pin.hashes if digest in constraint.hashes)
        if not hashes:
            problems.append(f'{pin.where}: "{pin}" has no hash that {constraint.where} allows')
            return pin
    return replace(pin, hashes=hashes)
