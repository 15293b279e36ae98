"""Publishes small wheels into a cache by hand, and makes environments that are only folders."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from cache.entries import EntryStore
from cache.layout import Layout
from cache.manifest import EntryPoint, Manifest, ManifestFile
from cache.plans import PlannedEntry
from engine.planning import plan_entry
from engine.staging import Area

#: Scheme to folder below the prefix, as plans have it.
RELATIVE = {"purelib": "lib/site", "platlib": "lib/site", "scripts": "bin", "headers": "include", "data": ""}


def row_digest(content: bytes) -> str:
    """Returns a digest as RECORD writes it."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


def write_tree(tree: Path, files: Mapping[str, bytes], executable: Iterable[str] = ()) -> tuple[ManifestFile, ...]:
    """Writes `files` below `tree`; returns their rows of a manifest."""
    rows = []
    for path, content in files.items():
        file = tree / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        if path in executable:
            file.chmod(0o755)
        mtime_ns = file.stat().st_mtime_ns
        rows.append(ManifestFile(path, len(content), mtime_ns, path in executable, row_digest(content)))
    return tuple(rows)


def publish(
    cache: Path,
    files: Mapping[str, bytes],
    *,
    name: str = "demo",
    version: str = "1.0",
    console_scripts: tuple[EntryPoint, ...] = (),
    gui_scripts: tuple[EntryPoint, ...] = (),
    root_is_purelib: bool = True,
) -> PlannedEntry:
    """Publishes a wheel with these files and a METADATA; returns what it brings to an environment of `RELATIVE`."""
    dist_info, data = f"{name}-{version}.dist-info", f"{name}-{version}.data"
    files = {**files, f"{dist_info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()}
    sha256 = hashlib.sha256(repr((name, version, sorted(files.items()))).encode()).hexdigest()
    layout = Layout(str(cache))
    folder = Path(layout.temporary) / sha256
    manifest = Manifest(
        filename=f"{name}-{version}-py3-none-any.whl",
        name=name,
        version=version,
        dist_info=dist_info,
        data=data if any(path.startswith(data) for path in files) else None,
        root_is_purelib=root_is_purelib,
        files=write_tree(folder / "tree", files),
        console_scripts=console_scripts,
        gui_scripts=gui_scripts,
    )
    manifest, stamp = EntryStore(layout).publish(str(folder), sha256, manifest)
    return plan_entry(manifest, sha256, stamp, RELATIVE)


def tree_of(cache: Path, entry: PlannedEntry) -> str:
    """Returns the unpacked files of a published entry."""
    return Layout(str(cache)).tree(entry.sha256)


def absolute_schemes(prefix: Path) -> dict[str, str]:
    """Returns `RELATIVE` below `prefix`."""
    return {scheme: str(prefix / folder) for scheme, folder in RELATIVE.items()}


def make_area(folder: Path, prefix: Path | None = None) -> Area:
    """Returns an empty staging area in `folder`, with a folder for each scheme."""
    for scheme in RELATIVE:
        (folder / scheme).mkdir(parents=True)
    prefix = prefix or folder.parent / "environment"
    return Area(str(folder), str(prefix / "bin" / "python"), absolute_schemes(prefix))


def install(prefix: Path, name: str, files: Mapping[str, bytes], *, version: str = "1.0", extra_rows: str = "") -> Path:
    """Writes a distribution into an environment as an installer would; returns its dist-info folder.

    Args:
        prefix: the environment.
        name: of the project.
        files: path below site-packages, which may climb, to content.
        version: of the release.
        extra_rows: lines that RECORD has besides.
    """
    site = prefix / RELATIVE["purelib"]
    info = f"{name}-{version}.dist-info"
    files = {**files, f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()}
    for path, content in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(content)
    rows = "".join(f"{path},sha256={row_digest(content)},{len(content)}\n" for path, content in files.items())
    (site / info / "RECORD").write_bytes(f"{rows}{extra_rows}{info}/RECORD,,\n".encode())
    return site / info
