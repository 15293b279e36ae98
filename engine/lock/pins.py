"""The model of a lock: pins, and the choice of those that apply to an environment.

Rules: pure; every problem is collected before one error is raised.
Does not read any format: the modules beside it do.

Source: the dependency specifiers standard (PEP 508); PEP 610 for `LockedFile.direct`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.errors import InvalidLock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.markers import Marker
    from packaging.utils import NormalizedName
    from packaging.version import Version

HEX_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
WEAK_ALGORITHMS = frozenset({"md5", "sha1"})
_HEX_DIGITS = "0123456789abcdef"


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A hash that a file must have: `algorithm` and lower-case `hex`."""

    algorithm: str
    hex: str

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Reads `sha256:<hex>`, `sha384:<hex>` or `sha512:<hex>`, in any case.

        Raises:
            ValueError: when the algorithm is weak or unknown, or the digits are not
                a digest of it; the message quotes `text`.
        """
        algorithm, _, digits = text.lower().partition(":")
        if len(digits) == HEX_LENGTHS.get(algorithm) and not digits.strip(_HEX_DIGITS):
            return cls(algorithm=algorithm, hex=digits)
        if algorithm in WEAK_ALGORITHMS:
            raise ValueError(f'weak hash "{text}": {algorithm} protects nothing, use sha256')
        if algorithm not in HEX_LENGTHS:
            raise ValueError(f'unknown hash "{text}": use sha256, sha384 or sha512')
        raise ValueError(f'invalid hash "{text}": {algorithm} has {HEX_LENGTHS[algorithm]} hexadecimal digits')


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedFile:
    """The one wheel that a pin means, where the lock names it.

    `url` is absolute (`https:`, `http:` or `file:`) and may have credentials in it, `digests` must all match,
    `direct` tells that the distribution has to say where it came from (`direct_url.json`).
    """

    filename: str
    url: str
    size_bytes: int | None
    digests: tuple[Digest, ...]
    direct: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One project at one version, as a line of a lock asks for it.

    `arbitrary_equality` is True for `===`, which compares `version_text` as text;
    only then `version` may be None.  `line` counts from 1.  `file` is the wheel to
    install where the lock names one; without it an index is asked.
    """

    name: NormalizedName
    version_text: str
    version: Version | None
    arbitrary_equality: bool
    extras: frozenset[NormalizedName]
    marker: Marker | None
    hashes: tuple[Digest, ...]
    line: int
    source: str
    file: LockedFile | None = None

    @property
    def where(self) -> str:
        """File and line, such as `lock.txt:12`."""
        return f"{self.source}:{self.line}"

    @property
    def direct_url(self) -> str:
        """The text of `direct_url.json`, as far as the lock knows it; "" where there is to be none."""
        if self.file is None or not self.file.direct:
            return ""
        from engine.origin import direct_url_text

        known = [digest.hex for digest in self.file.digests or self.hashes if digest.algorithm == "sha256"]
        return direct_url_text(self.file.url, known[0] if len(known) == 1 else None)

    def __str__(self) -> str:
        return f"{self.name}{'===' if self.arbitrary_equality else '=='}{self.version_text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """All pins of a lock file in its order, and the index that it names, if any."""

    pins: tuple[Pin, ...]
    index_url: str | None

    def select(self, environment: Mapping[str, str]) -> tuple[Pin, ...]:
        """Returns the pins that apply to an environment, one for each project, in file order.

        Two lines that pin one project to one version become one pin with the
        extras and hashes of both.

        Args:
            environment: the target's complete marker environment; `extra` is taken as "".

        Raises:
            InvalidLock: when two lines that apply pin one project to different
                versions, or a marker cannot be evaluated.
        """
        complete = {**environment, "extra": ""}
        verdicts: dict[int, bool] = {}
        selected: dict[NormalizedName, Pin] = {}
        problems: list[str] = []
        for pin in self.pins:
            if pin.marker is not None:
                try:
                    applies = verdicts.get(id(pin.marker))
                    if applies is None:
                        applies = verdicts[id(pin.marker)] = pin.marker.evaluate(complete)
                except ValueError as exc:
                    problems.append(f'{pin.where}: the marker "{pin.marker}" cannot be evaluated: {_one_line(exc)}')
                    continue
                if not applies:
                    continue
            other = selected.setdefault(pin.name, pin)
            if other is not pin:
                if _same_release(other, pin):
                    selected[pin.name] = _merged(other, pin)
                else:
                    problems.append(f'{pin.where}: "{pin}" contradicts "{other}" at {other.where}')
        if problems:
            raise InvalidLock(problems)
        return tuple(selected.values())


def _one_line(exc: Exception) -> str:
    return (str(exc).splitlines() or [type(exc).__name__])[0]


def _same_release(one: Pin, other: Pin) -> bool:
    if one.version_text == other.version_text:
        return True
    if one.arbitrary_equality and other.arbitrary_equality:
        return False
    return one.version is not None and one.version == other.version


def _merged(first: Pin, second: Pin) -> Pin:
    stricter = first if first.arbitrary_equality else second
    return replace(
        first,
        version_text=stricter.version_text,
        arbitrary_equality=stricter.arbitrary_equality,
        extras=first.extras | second.extras,
        hashes=tuple(dict.fromkeys(first.hashes + second.hashes)),
    )
