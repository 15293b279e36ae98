"""Fills a staging area from cache entries.  On the warm path.

A staging area has one folder per scheme (purelib, scripts, data, …) and holds
what a transaction will move into the environment.  Every cached file is checked
against its manifest (size and mtime) before it is linked, because a file that
was edited through a hard link in some environment has changed in the cache as
well.  RECORD, INSTALLER, REQUESTED and scripts are written, never linked.
"""

import errno
import os

from cache.plans import PlannedEntry, PlannedFolder
from engine.light_sha256 import sha256
from engine.linking import Linker, write_file
from engine.wheel.digest import encode_digest
from engine.wheel.record import format_row
from engine.wheel.scripts import launcher_files, rewrite_shebang

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_DIR_FD = os.link in os.supports_dir_fd and os.stat in os.supports_dir_fd
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)

#: What the system says of a cached file that was deleted, or that is not ours to read.
_LOST = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, getattr(errno, "ESTALE", errno.ENOENT))

#: What marks the installer, as the recording standard asks.
INSTALLER = b"engine\n"


class Drift(Exception):
    """A cached file is not what its manifest says.

    Args:
        sha256: the entry.
        path: the file or folder.
    """

    def __init__(self, sha256: str, path: str) -> None:
        super().__init__(f"{sha256}: {path} has changed")
        self.sha256 = sha256
        self.path = path


class Area:
    """Where one environment's files are staged.

    Args:
        stage: the staging folder; it exists.
        python: the interpreter that scripts start with.
        schemes: scheme to folder, absolute, as the environment has them.
    """

    __slots__ = ("python", "schemes", "stage")

    def __init__(self, stage: str, python: str, schemes: dict[str, str]) -> None:
        self.stage = stage
        self.python = python
        self.schemes = schemes


def stage_entry(entry: PlannedEntry, tree: str, area: Area, linker: Linker) -> list[str]:
    """Puts everything that one wheel installs into the staging area.

    Args:
        entry: what to create.
        tree: the entry's unpacked files.
        area: where to.
        linker: how.

    Returns:
        Paths (`scheme/relative`) that another distribution had staged before.

    Raises:
        Drift: when a cached file is missing or has changed; nothing of the entry stays in the staging area then.
        OSError: when the operating system refuses.
    """
    collisions: list[str] = []
    planned: PlannedFolder | None = None
    try:
        for planned in entry.folders:
            scheme, folder, source, names, sizes, mtimes = planned
            target = f"{area.stage}/{scheme}/{folder}" if folder else f"{area.stage}/{scheme}"
            try:
                os.mkdir(target)
            except FileExistsError:
                pass
            if not names:
                continue
            origin = f"{tree}/{source}" if source else tree
            existing = _link_folder(origin, target, names, sizes, mtimes, linker, entry.sha256)
            prefix = f"{scheme}/{folder}/" if folder else f"{scheme}/"
            collisions.extend(prefix + name for name in existing)
        planned = None
        _write_generated(entry, tree, area, collisions)
    except Drift:
        from engine.unstaging import unstage_folders

        unstage_folders(entry, area, planned, collisions)
        raise
    return collisions


def _link_folder(
    origin: str,
    target: str,
    names: "Sequence[str]",
    sizes: "Sequence[int]",
    mtimes: "Sequence[int]",
    linker: Linker,
    sha256: str,
) -> list[str]:
    if not (_DIR_FD and linker.links):
        return _link_by_path(origin, target, names, sizes, mtimes, linker, sha256)
    existing: list[str] = []
    stat, link, linked, modes = os.stat, os.link, 0, linker.modes
    try:
        origin_fd = os.open(origin, _FOLDER)
    except OSError as exc:
        if exc.errno in _LOST:
            raise Drift(sha256, origin) from exc
        raise
    target_fd = -1
    try:
        target_fd = os.open(target, _FOLDER)
        for name, size, mtime in zip(names, sizes, mtimes, strict=True):
            try:
                found = stat(name, dir_fd=origin_fd, follow_symlinks=False)
            except OSError as exc:
                raise _drift(sha256, origin, target, names, name, existing) from exc
            if found.st_mtime_ns != mtime or found.st_size != size:
                raise _drift(sha256, origin, target, names, name, existing)
            try:
                if found.st_mode in modes:
                    link(name, name, src_dir_fd=origin_fd, dst_dir_fd=target_fd)
                    linked += 1
                    continue
                reason = None
            except OSError as exc:
                reason = exc
            if not _fell_back(linker, f"{origin}/{name}", f"{target}/{name}", reason, existing):
                raise _drift(sha256, origin, target, names, name, existing) from reason
    finally:
        os.close(origin_fd)
        if target_fd >= 0:
            os.close(target_fd)
        linker.counts["hardlink"] += linked
    return existing


def _drift(
    sha256: str, origin: str, target: str, names: "Sequence[str]", name: str, existing: "Sequence[str]"
) -> Drift:
    """Takes back what was linked of a folder before `name` turned out to be lost; returns what to raise."""
    from engine.unstaging import remove_files

    remove_files(target, (done for done in names[: names.index(name)] if done not in existing))
    return Drift(sha256, f"{origin}/{name}")


def _fell_back(linker: Linker, source: str, target: str, reason: OSError | None, existing: list[str]) -> bool:
    """Makes a file in another way, or notes that it exists; False when the cached one is lost or may not be read.

    Raises:
        OSError: when the system refuses for another reason.
    """
    try:
        if isinstance(reason, FileExistsError):
            raise reason
        linker.fall_back(source, target, reason)
    except FileExistsError:
        existing.append(target.rpartition("/")[2])
    except OSError as refusal:
        if refusal.errno not in _LOST:
            # A link between folders is told with names alone.
            path = target if refusal is reason else refusal.filename
            raise OSError(refusal.errno, refusal.strerror, path or target) from refusal
        try:
            with open(source, "rb"):
                pass
        except OSError:
            return False
        raise
    return True


def _link_by_path(
    origin: str,
    target: str,
    names: "Sequence[str]",
    sizes: "Sequence[int]",
    mtimes: "Sequence[int]",
    linker: Linker,
    sha256: str,
) -> list[str]:
    existing: list[str] = []
    for name, size, mtime in zip(names, sizes, mtimes, strict=True):
        source, path = f"{origin}/{name}", f"{target}/{name}"
        try:
            found = os.stat(source, follow_symlinks=False)
        except OSError as exc:
            raise _drift(sha256, origin, target, names, name, existing) from exc
        if found.st_mtime_ns != mtime or found.st_size != size:
            raise _drift(sha256, origin, target, names, name, existing)
        reason: OSError | None = None
        try:
            if linker.links and found.st_mode in linker.modes:
                os.link(source, path)
                linker.counts["hardlink"] += 1
                continue
        except OSError as exc:
            reason = exc
        if not _fell_back(linker, source, path, reason, existing):
            raise _drift(sha256, origin, target, names, name, existing) from reason
    return existing


def _write_generated(entry: PlannedEntry, tree: str, area: Area, collisions: list[str]) -> None:
    rows = entry.record
    if entry.scripts or entry.launchers:
        rows += _write_scripts(entry, tree, area, collisions)
    folder = f"{area.stage}/{entry.site}/{entry.dist_info}"
    if entry.direct_url:
        origin = entry.direct_url.encode()
        write_file(f"{folder}/direct_url.json", origin)
        rows += f"{entry.dist_info}/direct_url.json,sha256={digest(origin)},{len(origin)}\n"
    if entry.requested:
        write_file(f"{folder}/REQUESTED", b"")
        rows += f"{entry.dist_info}/REQUESTED,{_REQUESTED_ROW}\n"
    rows += f"{entry.dist_info}/INSTALLER,{_INSTALLER_ROW}\n{entry.dist_info}/RECORD,,\n"
    write_file(f"{folder}/INSTALLER", INSTALLER)
    write_file(f"{folder}/RECORD", rows.encode("utf-8", "surrogateescape"))


def script_files(entry: PlannedEntry, tree: str, area: Area) -> list[tuple[str, bytes, bool]]:
    """Returns (file name, content, executable) of every script that one wheel brings, each name once.

    Raises:
        Drift: when a cached script cannot be read.
    """
    files: dict[str, tuple[str, bytes, bool]] = {}
    for path in entry.scripts:
        try:
            with open(f"{tree}/{path}", "rb", buffering=0) as file:
                content = file.read()
        except OSError as exc:
            raise Drift(entry.sha256, f"{tree}/{path}") from exc
        name = path.rpartition("/")[2]
        files.setdefault(name, (name, rewrite_shebang(content, area.python), True))
    for launcher_name, module, attribute, gui in entry.launchers:
        for made in launcher_files(launcher_name, module, attribute, area.python, gui=gui, windows=os.name == "nt"):
            files.setdefault(made[0], made)
    return list(files.values())


def _write_scripts(entry: PlannedEntry, tree: str, area: Area, collisions: list[str]) -> str:
    """Writes scripts and launchers; returns their RECORD rows."""
    folder = f"{area.stage}/scripts"
    base = os.path.relpath(area.schemes["scripts"], area.schemes[entry.site]).replace(os.sep, "/")
    rows = []
    for name, content, executable in script_files(entry, tree, area):
        try:
            write_file(f"{folder}/{name}", content, executable=executable)
        except FileExistsError:
            collisions.append(f"scripts/{name}")
        rows.append(format_row(f"{base}/{name}", digest(content), len(content)))
    return "".join(rows)


def digest(content: bytes) -> str:
    """Returns the sha256 of `content` as RECORD writes it."""
    return encode_digest(sha256(content).digest())


_INSTALLER_ROW = f"sha256={digest(INSTALLER)},{len(INSTALLER)}"
_REQUESTED_ROW = f"sha256={digest(b'')},0"
