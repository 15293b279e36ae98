"""Adds compiled files to what a wheel installs.  PURE.

Source: PEP 3147; Recording installed projects, "The RECORD file": compiled files have neither hash nor size there.
"""

import os

from cache.bytecode import Bytecode
from cache.manifest import Manifest
from cache.plans import PlannedEntry, PlannedFolder
from engine.planning import scheme_bases
from engine.wheel.layout import destination
from engine.wheel.record import format_row

_SITE_SCHEMES = ("purelib", "platlib")


def modules(manifest: Manifest) -> list[tuple[str, str, int]]:
    """Returns the modules that a wheel puts into site-packages.

    Returns:
        Path in the wheel's tree, path below site-packages, size in bytes.

    Raises:
        InvalidWheel: when the wheel puts files where no scheme has a place for them.
    """
    found = []
    for file in manifest.files:
        if file.path.endswith(".py"):
            scheme, relative = destination(file.path, manifest.dist_info, manifest.data, manifest.root_is_purelib)
            if scheme in _SITE_SCHEMES:
                found.append((file.path, relative, file.size_bytes))
    return found


def add_bytecode(entry: PlannedEntry, schemes: dict[str, str], bytecode: Bytecode, place: str) -> None:
    """Lets an entry bring its compiled files too.

    Args:
        entry: what the wheel creates.
        schemes: what it was planned for.
        bytecode: what there is; a file that the wheel brings itself stays as the wheel has it.
        place: folder of the compiled files, relative to the wheel's tree.
    """
    bases = scheme_bases(schemes, entry.site)
    compiled: dict[str, list[tuple[str, int, int]]] = {}
    for source, name, size, mtime, _ in bytecode.files:
        compiled.setdefault(source.rpartition("/")[0], []).append((name, size, mtime))
    brought = {(scheme, folder, name) for scheme, folder, _, names, _, _ in entry.folders for name in names}
    added: list[PlannedFolder] = []
    rows: list[str] = []
    for scheme, folder, source, names, _, _ in entry.folders:
        if scheme not in _SITE_SCHEMES or not names or source not in compiled:
            continue
        target = f"{folder}/__pycache__" if folder else "__pycache__"
        files = [file for file in compiled[source] if (scheme, target, file[0]) not in brought]
        if not files:
            continue
        below, sizes, mtimes = zip(*files, strict=True)
        origin = "/".join(part for part in (place, source, "__pycache__") if part)
        added.append((scheme, target, origin, below, sizes, mtimes))
        base = bases[scheme]
        rows.extend(format_row(f"{target}/{name}" if base == "." else f"{base}/{target}/{name}") for name in below)
    entry.add(added, "".join(rows))


def relative_place(bytecode_tree: str, wheel_tree: str) -> str:
    """Returns the place of compiled files as `add_bytecode` takes it."""
    return os.path.relpath(bytecode_tree, wheel_tree).replace(os.sep, "/")
