"""What is installed in an environment, read from folder names alone.

Owns the scan of site-packages, the normal form of a project's name, and the
comparison of two version texts.  Does not read RECORD and judges nothing: two
dist-infos of one project are both reported, and so is what only an old
setuptools knows (`legacy`).

On the warm path: imports nothing beyond `os`; `packaging` only where two
version texts cannot be compared without it.
Source: "Recording installed projects"; PEP 503, "Normalized Names"; PEP 440.
"""

import os

from engine.errors import InvalidEnvironment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_DIST_INFO = ".dist-info"
_EGG_INFO = ".egg-info"
_EGG_LINK = ".egg-link"


class Installed:
    """One installed distribution.

    Attributes:
        name: normalised.
        version: as its folder spells it; "" where nothing says it.
        path: its dist-info folder, its egg-info file or folder, or its egg-link.
        legacy: it has no dist-info.
        broken: its dist-info lacks METADATA or RECORD; False for a legacy one.
    """

    __slots__ = ("broken", "legacy", "name", "path", "version")

    def __init__(self, *, name: str, version: str, path: str, legacy: bool, broken: bool) -> None:
        self.name = name
        self.version = version
        self.path = path
        self.legacy = legacy
        self.broken = broken


def installed_distributions(site_packages: "Iterable[str]") -> dict[str, list[Installed]]:
    """Returns what is installed, by normalised name.

    Args:
        site_packages: the purelib and platlib folders; one that is missing is
            empty, one that is named twice, or reached by a link, counts once.

    Raises:
        InvalidEnvironment: when a folder cannot be read.
    """
    found: dict[str, list[Installed]] = {}
    seen = set()
    for folder in site_packages:
        try:
            status = os.stat(folder)
            identity = (status.st_dev, status.st_ino)
            if identity in seen:
                continue
            seen.add(identity)
            for distribution in _scan(folder):
                found.setdefault(distribution.name, []).append(distribution)
        except FileNotFoundError:
            continue
        except OSError as exc:
            raise InvalidEnvironment(
                f"{folder} cannot be read: {exc.strerror}", hint="look at its owner and its permissions"
            ) from exc
    return found


def normalize_name(name: str) -> str:
    """Returns the normal form of a project's name, as `packaging.utils.canonicalize_name` has it.

    Source: PEP 503, "Normalized Names".
    """
    name = name.lower().replace("_", "-").replace(".", "-")
    while "--" in name:
        name = name.replace("--", "-")
    return name


def same_version(a: str, b: str) -> bool:
    """Returns whether two texts name the same version, as `1.0` and `1.0.0` do.

    A text that is no version is only the same as itself.
    Source: PEP 440, "Version scheme".
    """
    if a == b:
        return True
    release_a, release_b = _plain_release(a), _plain_release(b)
    if release_a is not None and release_b is not None:
        return release_a == release_b
    from packaging.version import Version

    try:
        return Version(a) == Version(b)
    except ValueError:
        return False


def _scan(folder: str) -> list[Installed]:
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            filename = entry.name
            # pip renames what it is about to remove to `~...`; a crash leaves it behind.
            if filename[0] == "~":
                continue
            suffix = filename[-len(_DIST_INFO) :] if filename.endswith("-info") else filename[-len(_EGG_LINK) :]
            if suffix == _DIST_INFO:
                if entry.is_dir():
                    found.append(_dist_info(filename, entry.path))
            elif filename.endswith(_EGG_INFO):
                found.append(_egg_info(filename, entry.path, is_folder=entry.is_dir()))
            elif suffix == _EGG_LINK:
                name = normalize_name(filename[: -len(_EGG_LINK)])
                found.append(Installed(name=name, version="", path=entry.path, legacy=True, broken=False))
    return found


def _dist_info(filename: str, path: str) -> Installed:
    stem = filename[: -len(_DIST_INFO)]
    name, _, version = stem.partition("-")
    broken = not (os.path.exists(path + "/METADATA") and os.path.exists(path + "/RECORD"))
    if not version or "-" in version:
        # The standard says {name}-{version} with no other hyphen; who breaks it is asked by METADATA.
        name, version = _read_header(path + "/METADATA") or (name, version)
    return Installed(name=normalize_name(name), version=version, path=path, legacy=False, broken=broken)


def _egg_info(filename: str, path: str, *, is_folder: bool) -> Installed:
    # {name}-{version}-py{python}-{platform}, everything after the name optional.
    parts = filename[: -len(_EGG_INFO)].split("-")
    name, version = parts[0], parts[1] if len(parts) > 1 else ""
    if not version or version.startswith("py"):
        name, version = _read_header(path + "/PKG-INFO" if is_folder else path) or (name, "")
    return Installed(name=normalize_name(name), version=version, path=path, legacy=True, broken=False)


def _read_header(path: str) -> tuple[str, str] | None:
    """Returns name and version from core metadata, or None where it does not have both."""
    name = version = ""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                if not line.strip():
                    break
                key, _, value = line.partition(":")
                key = key.lower()
                if key == "name" and not name:
                    name = value.strip()
                elif key == "version" and not version:
                    version = value.strip()
    except OSError:
        return None
    return (name, version) if name and version else None


def _plain_release(text: str) -> list[int] | None:
    """Returns the numbers of a version that has nothing but a release, without its final zeros."""
    if not text.isascii():
        return None
    parts = text.split(".")
    if not all(part.isdigit() for part in parts):
        return None
    release = [int(part) for part in parts]
    while release and not release[-1]:
        release.pop()
    return release
