"""pylock.toml: TOML in, the wheels that an environment gets out.  PURE.

The standard's own library checks the structure and selects; what it leaves open
is here: paths and URLs, algorithms and sizes, unknown keys, and what engine
cannot install so far (anything but wheels).  No index is asked: the lock names
every file.  Attestations are not checked.

Paths start from the lock's folder and may leave it, since every file is checked
by its hash.  A lock that came from the network names nothing of this machine, and
its paths stay below its own folder.

Source: PEP 751 and the "pylock.toml Specification".
"""

from __future__ import annotations

import logging
import posixpath
import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

from packaging.markers import UndefinedEnvironmentName
from packaging.pylock import (
    Package,
    PackageArchive,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
    PylockSelectError,
    PylockUnsupportedVersionError,
    PylockValidationError,
)
from packaging.tags import Tag
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from engine.credentials import without_credentials
from engine.errors import ConfigurationError, InvalidLock
from engine.local import file_url
from engine.lock.direct import Place, has_scheme, wheel_filename
from engine.lock.pins import HEX_LENGTHS, Digest, LockedFile, Pin, line_reference
from engine.lock.pylock_words import Explanation, no_wheel, structural_problems

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.lock.lock import Facts

# What it warns about is told by us.
logging.getLogger("packaging.pylock").addHandler(logging.NullHandler())

_HEADER = re.compile(r"""\[\[[ \t]*(?:packages|"packages"|'packages')[ \t]*\]\][ \t]*(?:\#.*)?""")
_HINT = "lock again, or use an environment that the lock is for"
_FILE_KEYS = frozenset({"name", "upload-time", "url", "path", "size", "hashes"})
_KEYS = {
    "": frozenset(
        {
            *("lock-version", "environments", "requires-python", "extras", "dependency-groups", "default-groups"),
            *("created-by", "packages", "tool"),
        }
    ),
    "package": frozenset(
        {
            *("name", "version", "marker", "requires-python", "dependencies", "vcs", "directory", "archive", "index"),
            *("sdist", "wheels", "attestation-identities", "tool"),
        }
    ),
    "wheels": _FILE_KEYS,
    "sdist": _FILE_KEYS,
    "archive": frozenset({"url", "path", "size", "upload-time", "hashes", "subdirectory"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What is wanted of a pylock.toml besides its default: the words of the command line."""

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    all_extras: bool = False
    all_groups: bool = False
    default_groups: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PylockFile:
    """A pylock.toml, checked as far as it can be without an environment."""

    source: str
    place: Place
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    _pylock: Pylock
    _extras: frozenset[str]
    _groups: frozenset[str]
    _lines: tuple[int, ...]

    @classmethod
    def parse(cls, data: bytes, *, source: str, place: Place, choices: Choices) -> PylockFile:
        """Reads a lock.

        Args:
            data: its bytes.
            source: its name, for messages.
            place: its folder (not the working directory), and its URL when it came from the network.
            choices: extras and groups to install.

        Raises:
            InvalidLock: when it is no pylock.toml of major version 1.
            ConfigurationError: when it has no such extra or group.
        """
        try:
            text = data.decode("utf-8")
            fields = tomllib.loads(text)
        except UnicodeDecodeError as exc:
            raise InvalidLock([f"{source}: not UTF-8 text (byte {exc.start})"]) from exc
        except (ValueError, RecursionError) as exc:
            raise InvalidLock([f"{source}: {exc}"]) from exc
        lines = tuple(n for n, line in enumerate(text.split("\n"), 1) if _HEADER.fullmatch(line.strip()))
        try:
            pylock = Pylock.from_dict(fields)
        except PylockUnsupportedVersionError as exc:
            raise InvalidLock(
                [f"{source}: {exc}"], hint="this engine reads version 1; lock again with a tool that writes it"
            ) from exc
        except PylockValidationError as exc:
            problems = list(structural_problems(fields, source, lines)) or [f"{source}: {exc}"]
            raise InvalidLock(problems) from exc
        except RecursionError as exc:
            raise InvalidLock([f"{source}: a marker is nested too deeply"]) from exc
        return cls(
            source=source,
            place=place,
            warnings=tuple(_warnings(fields, pylock, source)),
            notes=(f"{source} was created by {pylock.created_by}",),
            _pylock=pylock,
            _extras=_chosen(source, "extra", choices.extras, pylock.extras, all_of_them=choices.all_extras),
            _groups=_chosen(source, "group", choices.groups, pylock.dependency_groups, all_of_them=choices.all_groups)
            | frozenset(pylock.default_groups or () if choices.default_groups else ()),
            _lines=lines if len(lines) == len(pylock.packages) else (),
        )

    def select(self, facts: Facts) -> tuple[Pin, ...]:
        """Returns the pins that apply to an environment, each with its wheel, in the order of the lock.

        Raises:
            InvalidLock: when the lock is not for the environment, or wants what cannot be installed.

        Source: PEP 751, "Installation".
        """
        numbers = {id(package): number for number, package in enumerate(self._pylock.packages)}
        problems: list[str] = []
        pins: list[Pin] = []
        try:
            selected = self._pylock.select(
                environment=dict(facts.markers),  # type: ignore[arg-type]
                tags=[Tag(*tag.split("-", 2)) for tag in facts.tags],
                extras=self._extras,
                dependency_groups=self._groups,
            )
            for package, chosen in selected:
                line = self._lines[numbers[id(package)]] if self._lines else 0
                try:
                    pins.append(self._pin(package, chosen, line, facts))
                except (ValueError, ConfigurationError) as exc:
                    problems.append(self._problem(package, line, exc))
        except (PylockSelectError, ValueError) as exc:
            raise InvalidLock(self._explain(facts) or [f"{self.source}: {exc}"], hint=_HINT) from exc
        except UndefinedEnvironmentName as exc:
            raise InvalidLock([f"{self.source}: a marker compares what cannot be compared: {exc}"], hint=_HINT) from exc
        if problems:
            raise InvalidLock(problems)
        return tuple(pins)

    def _explain(self, facts: Facts) -> list[str]:
        """Returns every reason why the lock cannot be selected from, where the library gave the first."""
        explanation = Explanation(self._pylock, facts, extras=self._extras, groups=self._groups)
        problems = [f"{self.source}: {reason}" for reason in explanation.of_the_lock()]
        if problems:
            return problems  # what else does not fit follows from it
        for number, found in explanation.of_packages():
            package, line = self._pylock.packages[number], self._lines[number] if self._lines else 0
            try:
                if isinstance(found, str):
                    raise ValueError(found)
                self._pin(package, found, line, facts)
            except (ValueError, ConfigurationError) as exc:
                problems.append(self._problem(package, line, exc))
        return problems

    def _problem(self, package: Package, line: int, error: Exception) -> str:
        return f"{line_reference(self.source, line)}: {package.name}: {without_credentials(str(error))}"

    def _pin(self, package: Package, chosen: object, line: int, facts: Facts) -> Pin:
        """Returns the pin for what was selected.

        Raises:
            ValueError: when it is not a wheel, or what is said about the wheel is wrong; the message says what.
        """
        if isinstance(chosen, PackageSdist):
            raise ValueError(f"{no_wheel(package, facts)}, and source distributions cannot be installed so far")
        if not isinstance(chosen, PackageWheel | PackageArchive):
            what = "version control" if isinstance(chosen, PackageVcs) else "a folder"
            raise ValueError(f"it is in {what}, and only wheels can be installed so far")
        url = self._url(chosen)
        direct = isinstance(chosen, PackageArchive)
        filename = wheel_filename(url) if isinstance(chosen, PackageArchive) else chosen.filename
        version = _version(package, filename)
        if isinstance(chosen, PackageArchive) and chosen.subdirectory is not None:
            raise ValueError("a wheel has no subdirectory")
        if chosen.size is not None and chosen.size < 0:
            raise ValueError(f"{filename} cannot have {chosen.size} bytes")
        return Pin(
            name=package.name,
            version_text=str(version),
            version=version,
            arbitrary_equality=False,
            extras=frozenset(),
            marker=None,
            hashes=(),
            line=line,
            source=self.source,
            file=LockedFile(
                filename=filename,
                url=url,
                size_bytes=chosen.size,
                digests=_digests(filename, chosen.hashes),
                direct=direct,
            ),
        )

    def _url(self, chosen: PackageWheel | PackageArchive) -> str:
        if chosen.path:
            return self._path_url(chosen.path.replace("\\", "/"))
        url = chosen.url or ""
        scheme = urlsplit(url).scheme.lower()
        if scheme == "file" and not self.place.url:
            return url
        if scheme == "file":
            raise ValueError(f"{url}: a lock from the network cannot name a file of this machine")
        if scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise ValueError(f'"{url}" is no URL of a file')
        return url

    def _path_url(self, path: str) -> str:
        if "\0" in path:
            raise ValueError("a path with a NUL character is none")
        if not self.place.url:
            return file_url(posixpath.normpath(posixpath.join(self.place.folder, path)))
        inside = posixpath.normpath(path)
        if inside.startswith(("/", "../")) or inside == ".." or has_scheme(inside):
            raise ValueError(f'the path "{path}" leaves the folder of a lock from the network')
        return urljoin(self.place.url, quote(inside))


def _version(package: Package, filename: str) -> Version:
    try:
        name, version, _, _ = parse_wheel_filename(filename)
    except ValueError as exc:
        raise ValueError(f'"{filename}" is not the name of a wheel') from exc
    if name != package.name or (package.version is not None and package.version != version):
        raise ValueError(f"{filename} is not a wheel of {package.name} {package.version or ''}".rstrip())
    return version


def _digests(filename: str, hashes: Mapping[str, str]) -> tuple[Digest, ...]:
    strong = [(algorithm, digits) for algorithm, digits in hashes.items() if algorithm.lower() in HEX_LENGTHS]
    if not strong:
        raise ValueError(f"{filename} has no hash by sha256, sha384 or sha512, only {', '.join(sorted(hashes))}")
    return tuple(Digest.parse(f"{algorithm}:{digits}") for algorithm, digits in strong)


def _chosen(
    source: str, kind: str, wanted: Sequence[str], known: Sequence[str] | None, *, all_of_them: bool
) -> frozenset[str]:
    """Returns the extras or groups to install, as the lock spells them.

    Raises:
        ConfigurationError: when one is not in the lock.
    """
    names = {canonicalize_name(name): name for name in known or ()}
    if all_of_them:
        return frozenset(names.values())
    for name in wanted:
        if canonicalize_name(name) not in names:
            there = f"it has {', '.join(sorted(names.values()))}" if names else "it has none"
            raise ConfigurationError(f"{source} has no {kind} {name}; {there}")
    return frozenset(names[canonicalize_name(name)] for name in wanted)


def _warnings(fields: Mapping[str, Any], pylock: Pylock, source: str) -> list[str]:
    """Says what this version does not know: newer minor versions may add keys."""
    unknown: list[str] = [key for key in fields if key not in _KEYS[""]]
    for number, package in enumerate(fields["packages"]):
        where = f"packages[{number}]"
        unknown.extend(f"{where}.{key}" for key in package if key not in _KEYS["package"])
        for kind in ("sdist", "archive"):
            unknown.extend(f"{where}.{kind}.{key}" for key in package.get(kind, ()) if key not in _KEYS[kind])
        for place, wheel in enumerate(package.get("wheels", ())):
            unknown.extend(f"{where}.wheels[{place}].{key}" for key in wheel if key not in _KEYS["wheels"])
    warnings = []
    if pylock.lock_version > Version("1.0"):
        warnings.append(f"{source} has version {pylock.lock_version}, which is newer than 1.0: it is read as 1.0")
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        warnings.append(f"{source}: unknown keys are ignored: {', '.join(unknown[:3])}{more}")
    return warnings
