"""pylock.toml: the text of an answer.  PURE.

Every wheel has its URL, hashes and, where they are known, size and upload time, so
that who installs from it needs no page of an index.  A wheel of this machine has a
path: from the lock's folder when it was named by a relative one, or lies below that.

Rules: one answer has one text, whatever the order of its entries.  No password is
written.  What is written has passed the check of the standard's own library.

Source: PEP 751 and the "pylock.toml Specification".
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from packaging.pylock import Package, PackageArchive, PackageSdist, PackageWheel, Pylock, PylockValidationError
from packaging.version import Version

from engine.compiled.model import marker_text, without_login
from engine.compiled.style import header_lines
from engine.compiled.toml_text import toml_text
from engine.errors import ConfigurationError
from engine.local import file_url, local_path
from engine.lock.direct import has_scheme

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from packaging.utils import NormalizedName

    from engine.compiled.model import Answer, ChosenFile, Entry

CREATED_BY = "engine"
_VERSION = Version("1.0")


def pylock_text(answer: Answer, *, command: str, folder: str, left_out: Sequence[NormalizedName] = ()) -> str:
    """Returns the file.

    Args:
        answer: what was chosen.
        command: the command line that made it; "" for no header.
        folder: absolute path of the folder that the file is for.
        left_out: projects that are not written.

    Raises:
        ConfigurationError: when a file has no hash, which the standard wants.
    """
    entries = [entry for entry in answer.sorted_entries if entry.name not in left_out]
    names = [entry.name for entry in entries]
    several = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set()
    pylock = Pylock(
        lock_version=_VERSION,
        environments=answer.environments or None,
        requires_python=answer.requires_python or None,
        extras=sorted(answer.extras) or None,
        dependency_groups=sorted(answer.groups) or None,
        default_groups=sorted(answer.default_groups) or None,
        created_by=CREATED_BY,
        packages=[_package(entry, folder, several, set(names)) for entry in entries],
    )
    fields = _with_quotes(dict(pylock.to_dict()))
    Pylock.from_dict(fields)
    header = "".join(f"{line}\n" for line in header_lines(command))
    return header + toml_text(fields, "packages")


def _with_quotes(fields: dict[str, Any]) -> dict[str, Any]:
    """Returns the fields with markers as uv quotes them."""
    from packaging.markers import Marker

    if "environments" in fields:
        fields["environments"] = [marker_text(Marker(text)) for text in fields["environments"]]
    for package in fields["packages"]:
        if "marker" in package:
            package["marker"] = marker_text(Marker(package["marker"]))
    return fields


def _package(entry: Entry, folder: str, several: set[NormalizedName], known: set[NormalizedName]) -> Package:
    """Returns an entry as the standard's library has it.

    Raises:
        ConfigurationError: when a file has no hash.
    """
    dependencies = [
        {"name": name, "version": str(version)} if name in several else {"name": name}
        for name, version in sorted(set(entry.dependencies))
        if name in known
    ]
    for file in entry.files:
        if not file.digests:
            raise ConfigurationError(
                f"{file.filename} of {entry.name} has no hash, and every file of a pylock.toml needs one",
                hint="use an index that tells hashes, or write a requirements.txt",
            )
    files = sorted(entry.files, key=lambda file: file.filename)
    return Package(
        name=entry.name,
        version=entry.version,
        marker=entry.marker,
        requires_python=entry.requires_python or None,
        dependencies=dependencies or None,
        index=without_login(entry.index_url) if entry.index_url.startswith(("http:", "https:")) else None,
        archive=_archive(files[0], entry, folder) if entry.direct else None,
        sdist=None if entry.direct else _sdist(files, folder),
        wheels=None if entry.direct else [_wheel(file, folder) for file in files if file.is_wheel],
    )


def _sdist(files: Sequence[ChosenFile], folder: str) -> PackageSdist | None:
    """Returns the source distribution: where there are several, the one that every installer can read."""
    found = [file for file in files if not file.is_wheel]
    if not found:
        return None
    file = next((one for one in found if one.filename.endswith(".tar.gz")), found[0])
    url, path = _place(file, folder, relative=file.url.startswith(f"{file_url(folder).rstrip('/')}/"))
    return PackageSdist(url=url, path=path, size=file.size_bytes, upload_time=file.upload_time, hashes=_hashes(file))


def _archive(file: ChosenFile, entry: Entry, folder: str) -> PackageArchive:
    url, path = _place(file, folder, relative=not has_scheme(entry.direct) and not os.path.isabs(entry.direct))
    return PackageArchive(url=url, path=path, size=file.size_bytes, upload_time=file.upload_time, hashes=_hashes(file))


def _wheel(file: ChosenFile, folder: str) -> PackageWheel:
    url, path = _place(file, folder, relative=file.url.startswith(f"{file_url(folder).rstrip('/')}/"))
    wheel = PackageWheel(url=url, path=path, size=file.size_bytes, upload_time=file.upload_time, hashes=_hashes(file))
    try:
        named = wheel.filename
    except PylockValidationError:
        named = ""
    if named == file.filename:
        return wheel
    return PackageWheel(
        name=file.filename,
        url=url,
        path=path,
        size=file.size_bytes,
        upload_time=file.upload_time,
        hashes=_hashes(file),
    )


def _place(file: ChosenFile, folder: str, *, relative: bool) -> tuple[str | None, str | None]:
    """Returns the URL, or the path of a file of this machine."""
    if not file.url.startswith("file:"):
        return without_login(file.url), None
    path = local_path(file.url)
    if relative:
        try:
            path = os.path.relpath(path, folder)
        except ValueError:
            pass  # another drive
    return None, path.replace(os.sep, "/")


def _hashes(file: ChosenFile) -> dict[str, str]:
    return {digest.algorithm: digest.hex for digest in sorted(file.digests, key=lambda one: one.algorithm)}
