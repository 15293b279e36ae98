"""The values of what is wanted: requirements with their places, and all of it together.  PURE.

Source: the dependency specifiers standard (PEP 508).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.markers import Marker
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet
    from packaging.utils import NormalizedName

    from engine.inputs import Conditions, LockInput
    from engine.lock.pins import Digest, LockedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One requirement.

    Attributes:
        requirement: as it was parsed; its URL is absolute, and is the file's.
        where: file and line for messages, such as `requirements.in:3`; "" for the command line.
        origin: what an annotation says of it, such as `-r requirements.in`; "" for the command line.
        hashes: of its line.
        file: the wheel that it names, or None.
        given: the URL or path of that wheel as it was written, with variables; "" without one.
    """

    requirement: Requirement
    where: str = ""
    origin: str = ""
    hashes: tuple[Digest, ...] = ()
    file: LockedFile | None = None
    given: str = ""

    @property
    def name(self) -> NormalizedName:
        """The project."""
        from packaging.utils import canonicalize_name

        return canonicalize_name(self.requirement.name)

    def only_where(self, marker: Marker | None) -> Wanted:
        """Returns the same for environments where a marker is true besides its own."""
        if marker is None:
            return self
        from packaging.requirements import Requirement

        requirement = Requirement(str(self.requirement))
        requirement.marker = marker if requirement.marker is None else marker & requirement.marker
        return replace(self, requirement=requirement)


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonBound:
    """The Pythons that a project is for: `Requires-Python`, and where it says so."""

    specifier: SpecifierSet
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wants:
    """All that is wanted, and what the files say about indexes.

    Attributes:
        requirements, constraints, overrides: in order.
        excludes: projects that nothing is to be installed of.
        pythons: what the projects say about Python.
        index_url: the index that the last `--index-url` names, or None.
        extra_index_urls, trusted_hosts: in order.
        find_links: URLs, or absolute paths.
        no_index: no index is to be asked.
        formats: (`no-binary` or `only-binary`, its value), in order.
        prereleases: a file says `--pre`.
        require_hashes: a file says `--require-hashes`.
        inputs: every file of the command line, with its bytes.
        conditions: what an answer that is stored for these bytes depends on besides (see `engine.inputs`); None when
            it cannot be stored.
        notes: lines for who wants to know more.
        extras, groups: the parts that markers of the requirements ask for, sorted.
    """

    requirements: tuple[Wanted, ...] = ()
    constraints: tuple[Wanted, ...] = ()
    overrides: tuple[Wanted, ...] = ()
    excludes: frozenset[NormalizedName] = frozenset()
    pythons: tuple[PythonBound, ...] = ()
    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    trusted_hosts: tuple[str, ...] = ()
    formats: tuple[tuple[str, str], ...] = ()
    prereleases: bool = False
    require_hashes: bool = False
    inputs: tuple[LockInput, ...] = ()
    conditions: Conditions | tuple[()] | None = None
    notes: tuple[str, ...] = field(default=())
    extras: tuple[NormalizedName, ...] = ()
    groups: tuple[NormalizedName, ...] = ()
