"""Turns a manifest into what one kind of environment gets from it.  PURE.

Source: PEP 427, "Installing a wheel"; Recording installed projects.
"""

import posixpath

from cache.manifest import Manifest
from cache.plans import PlannedEntry, PlannedFolder, PlannedLauncher
from engine.wheel.layout import destination
from engine.wheel.record import format_row

#: Files of the dist-info folder that the installer writes itself.
_OWN_FILES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


def plan_entry(manifest: Manifest, sha256: str, stamp: int, schemes: dict[str, str]) -> PlannedEntry:
    """Returns what the wheel creates in an environment with these schemes.

    Args:
        manifest: the unpacked wheel.
        sha256: its key in the cache.
        stamp: mtime of the manifest in ns.
        schemes: scheme to folder, with `/` between parts; all relative to one prefix, or all absolute.

    Raises:
        InvalidWheel: when the wheel puts files where no scheme has a place for them.
    """
    site = "purelib" if manifest.root_is_purelib or _same(schemes, "platlib") else "platlib"
    bases = scheme_bases(schemes, site)
    folders: dict[tuple[str, str, str], list[tuple[str, int, int]]] = {}
    rows: list[str] = []
    scripts: list[str] = []
    own = {f"{manifest.dist_info}/{name}" for name in _OWN_FILES}
    for path, size, mtime, _executable, sha in manifest.files:
        if path in own:
            continue
        scheme, relative = destination(path, manifest.dist_info, manifest.data, manifest.root_is_purelib)
        if scheme == "scripts":
            scripts.append(path)
            continue
        if scheme == "platlib" and _same(schemes, "platlib"):
            scheme = "purelib"
        if scheme == "headers":
            relative = f"{manifest.name}/{relative}"
        source = path.rpartition("/")[0]
        folder, _, name = relative.rpartition("/")
        folders.setdefault((scheme, folder, source), []).append((name, size, mtime))
        base = bases[scheme]
        rows.append(format_row(relative if base == "." else f"{base}/{relative}", sha, size))
    return PlannedEntry(
        name=manifest.name,
        version=manifest.version,
        sha256=sha256,
        stamp=stamp,
        site=site,
        dist_info=manifest.dist_info,
        record="".join(rows),
        folders=_in_order(folders),
        scripts=tuple(scripts),
        launchers=_launchers(manifest),
    )


def scheme_bases(schemes: dict[str, str], site: str) -> dict[str, str]:
    """Returns scheme to its folder relative to that of the scheme `site`, as RECORD names it; `.` for the same one."""
    return {
        scheme: posixpath.relpath(_absolute(folder), _absolute(schemes[site])) for scheme, folder in schemes.items()
    }


def _same(schemes: dict[str, str], scheme: str) -> bool:
    return schemes[scheme] == schemes["purelib"]


def _absolute(folder: str) -> str:
    return posixpath.normpath(posixpath.join("/", folder.replace("\\", "/")))


def _launchers(manifest: Manifest) -> tuple[PlannedLauncher, ...]:
    return tuple(
        (point.name, point.module, point.attribute, gui)
        for gui, points in ((False, manifest.console_scripts), (True, manifest.gui_scripts))
        for point in points
    )


def _in_order(folders: dict[tuple[str, str, str], list[tuple[str, int, int]]]) -> tuple[PlannedFolder, ...]:
    """Sorts folders so that parents come first, and adds the parents that hold no file."""
    known = {(scheme, folder) for scheme, folder, _ in folders}
    for scheme, folder, _ in list(folders):
        parent = folder
        while parent := parent.rpartition("/")[0]:
            if (scheme, parent) in known:
                break
            known.add((scheme, parent))
            folders[scheme, parent, ""] = []
    result = []
    for key in sorted(folders):
        files = folders[key]
        names, sizes, mtimes = zip(*files, strict=True) if files else ((), (), ())
        result.append((*key, tuple(names), tuple(sizes), tuple(mtimes)))
    return tuple(result)
