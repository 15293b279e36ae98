"""The model of a lock's lines: pins, the wheels they may name, and constraints.  PURE.

Does not read any format: the modules beside it do.

Source: the dependency specifiers standard (PEP 508); PEP 610 for `LockedFile.direct`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.credentials import without_credentials

if TYPE_CHECKING:
    from packaging.markers import Marker
    from packaging.specifiers import SpecifierSet
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


def line_reference(source: str, line: int) -> str:
    """Returns file and line for messages, or the file alone where the line is not known (0)."""
    return f"{source}:{line}" if line else source


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One project at one version, as a line of a lock asks for it.

    `arbitrary_equality` is True for `===`, which compares `version_text` as text;
    only then `version` may be None.  `line` counts from 1 and is 0 where it is not known.  `file` is the wheel to
    install where the lock names one; without it an index is asked.  `requested` is False for what is only there because
    something else needs it, where that is known.
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
    requested: bool = True

    @property
    def where(self) -> str:
        """File and line, such as `lock.txt:12`; the file alone where the line is not known (0)."""
        return line_reference(self.source, self.line)

    @property
    def direct_url(self) -> str:
        """The text of `direct_url.json`, as far as the lock knows it; "" where there is to be none."""
        if self.file is None or not self.file.direct:
            return ""
        from engine.direct_url import direct_url_text

        known = [digest.hex for digest in self.file.digests or self.hashes if digest.algorithm == "sha256"]
        return direct_url_text(self.file.url, known[0] if len(known) == 1 else None)

    def without_hashes(self) -> Pin:
        """Returns the same pin with nothing to compare its file with."""
        return replace(self, hashes=(), file=None if self.file is None else replace(self.file, digests=()))

    def __str__(self) -> str:
        if self.file is not None and self.file.direct:
            return f"{self.name} @ {shown(self.file)}"
        return f"{self.name}{'===' if self.arbitrary_equality else '=='}{self.version_text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """What a constraints file allows for a project, should the lock pin it."""

    name: NormalizedName
    specifier: SpecifierSet
    marker: Marker | None
    hashes: tuple[Digest, ...]
    line: int
    source: str
    file: LockedFile | None = None

    @property
    def where(self) -> str:
        """File and line, such as `constraints.txt:12`."""
        return line_reference(self.source, self.line)

    def __str__(self) -> str:
        return f"{self.name}{self.specifier}" if self.file is None else f"{self.name} @ {shown(self.file)}"

    def allows(self, pin: Pin) -> bool:
        """Tells whether a pin of the same project is what the constraint asks for."""
        if self.file is not None:
            return pin.file is not None and pin.file.url == self.file.url
        if pin.arbitrary_equality or pin.version is None:
            return not self.specifier or any(
                clause.operator in ("==", "===") and clause.version == pin.version_text for clause in self.specifier
            )
        return self.specifier.contains(pin.version, prereleases=True)


def shown(file: LockedFile) -> str:
    """Returns the URL of a file as a message may have it."""
    return without_credentials(file.url)
