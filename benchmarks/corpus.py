"""Unpacks real wheels with engine and with the standard library, and compares what comes out.

    python benchmarks/corpus.py ~/wheels other.whl
    python benchmarks/corpus.py --index-url https://example.com/simple/ flask httpx

Wheels are unpacked in pieces, as they arrive in the pipeline, and by `zipfile`; every file's content and execute bit
are compared, and the manifest with the files.  One line tells each difference or refusal, the last lines sum up.  The
exit code is 1 when there is a difference that has no known explanation, and 2 when nothing could be compared.

Folders are searched for wheels.  What is no path is the name of a project, of which pip downloads the newest wheel
that fits this interpreter into a temporary folder; it is deleted as soon as it was compared.  There is no built-in list
of projects: whoever means to ask an index about many has a mirror of their own.
"""

import argparse
import base64
import collections
import hashlib
import os
import re
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from engine.download import PIECE_BYTES  # noqa: E402
from engine.errors import EngineError  # noqa: E402
from engine.wheel.unpack import UnpackedWheel, Unpacker  # noqa: E402

DOWNLOAD_SECONDS = 600
READ_BYTES = 1 << 20
_PROJECT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_MADE_ON_UNIX = (3, 19)


class Content(NamedTuple):
    """One file: the sha256 of its content in hex, and whether it may be executed."""

    sha256: str
    executable: bool


@dataclass(kw_only=True)
class Report:
    """What came of one wheel; `explained` are differences with a known reason."""

    wheel: str
    files: int = 0
    size_bytes: int = 0
    unpacked_bytes: int = 0
    differences: list[str] = field(default_factory=list)
    explained: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    refused: str | None = None
    failed: str | None = None


def compare(
    ours: dict[str, Content], theirs: dict[str, Content], binding: frozenset[str]
) -> tuple[list[str], list[str]]:
    """Compares two trees.

    Args:
        ours: path to content, as engine unpacked it.
        theirs: the same, as the standard library reads it.
        binding: paths whose modes mean something.

    Returns:
        Differences without an explanation, and those with one.
    """
    differences = [f"{path!r} is missing" for path in theirs.keys() - ours.keys()]
    differences += [f"{path!r} is too much" for path in ours.keys() - theirs.keys()]
    explained: list[str] = []
    for path in sorted(ours.keys() & theirs.keys()):
        if ours[path].sha256 != theirs[path].sha256:
            differences.append(f"{path!r} has another content")
        if ours[path].executable != theirs[path].executable:
            found = differences if path in binding else explained
            found.append(f"{path!r} is {'' if ours[path].executable else 'not '}executable")
    return sorted(differences), explained


def unpack(wheel: Path, folder: Path) -> UnpackedWheel:
    """Unpacks a wheel with engine while a copy of it grows piece by piece.

    Args:
        wheel: the file.
        folder: an empty folder; gets the copy, and `tree` with the files.

    Raises:
        InvalidWheel: when engine refuses it.
    """
    tree = folder / "tree"
    tree.mkdir()
    descriptor = os.open(folder / "arriving", os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    unpacker = Unpacker(descriptor, str(tree), wheel.name)
    try:
        with wheel.open("rb") as source:
            arrived = 0
            while piece := source.read(PIECE_BYTES):
                view = memoryview(piece)
                while view:
                    view = view[os.write(descriptor, view) :]
                arrived += len(piece)
                unpacker.advance(arrived)
        return unpacker.finish(arrived)
    finally:
        unpacker.close()
        os.close(descriptor)


def read_tree(tree: Path) -> dict[str, Content]:
    """Returns the files below a folder."""
    found = {}
    for path in tree.rglob("*"):
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode):
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            found[path.relative_to(tree).as_posix()] = Content(sha256, bool(status.st_mode & 0o111))
    return found


def read_archive(wheel: Path) -> tuple[dict[str, Content], frozenset[str]]:
    """Returns the files of a wheel as `zipfile` reads them, and those whose modes were written on Unix.

    Raises:
        zipfile.BadZipFile: when the standard library refuses it.
    """
    found, unix = {}, set()
    with zipfile.ZipFile(wheel) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            digest = hashlib.sha256()
            with archive.open(info) as member:
                while piece := member.read(READ_BYTES):
                    digest.update(piece)
            mode = info.external_attr >> 16
            found[info.filename] = Content(digest.hexdigest(), bool(mode & 0o111))
            if info.create_system in _MADE_ON_UNIX:
                unix.add(info.filename)
    return found, frozenset(unix)


def check_wheel(wheel: Path) -> Report:
    """Unpacks one wheel in both ways, in a temporary folder, and tells what came of it."""
    report = Report(wheel=wheel.name, size_bytes=wheel.stat().st_size)
    with tempfile.TemporaryDirectory(prefix="corpus-") as name:
        folder = Path(name)
        try:
            unpacked = unpack(wheel, folder)
        except EngineError as exc:
            report.refused = exc.message
            return report
        ours = read_tree(folder / "tree")
        report.warnings = unpacked.warnings
        report.files = len(ours)
        report.unpacked_bytes = sum(file.size_bytes for file in unpacked.manifest.files)
        report.differences = _compare_manifest(unpacked, ours)
        try:
            theirs, unix = read_archive(wheel)
        except (zipfile.BadZipFile, NotImplementedError, OSError) as exc:
            report.failed = f"zipfile: {exc}"
            return report
        # RECORD is not installed, but written anew, so its mode is nobody's.
        record = f"{unpacked.manifest.dist_info}/RECORD"
        differences, report.explained = compare(ours, theirs, unix - {record})
        report.differences += differences
    return report


def _compare_manifest(unpacked: UnpackedWheel, ours: dict[str, Content]) -> list[str]:
    said = {
        file.path: Content(base64.urlsafe_b64decode(file.sha256 + "=").hex(), file.executable)
        for file in unpacked.manifest.files
    }
    record = f"{unpacked.manifest.dist_info}/RECORD"
    on_disk = {path: content for path, content in ours.items() if path != record}
    differences, _ = compare(on_disk, said, frozenset(said))
    return [f"{difference}, says the manifest" for difference in differences]


def check_project(project: str, index_url: str | None) -> Report:
    """Downloads the newest wheel of a project with pip, checks it and deletes it."""
    with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        command += ["--no-cache-dir", "--disable-pip-version-check", "--dest", folder]
        command += ["--index-url", index_url] if index_url else []
        run = subprocess.run([*command, project], capture_output=True, text=True, timeout=DOWNLOAD_SECONDS)
        wheels = list(Path(folder).glob("*.whl"))
        if run.returncode or not wheels:
            said = run.stderr.strip().splitlines() or ["pip downloaded no wheel"]
            return Report(wheel=project, failed=said[-1])
        return check_wheel(wheels[0])


def _check(task: tuple[Path | str, str | None]) -> Report:
    source, index_url = task
    return check_wheel(source) if isinstance(source, Path) else check_project(source, index_url)


def find_sources(words: Iterable[str]) -> Iterator[Path | str]:
    """Yields wheels of the named files and folders, and names of projects.

    Raises:
        ValueError: when a word is neither.
    """
    for word in words:
        path = Path(word)
        if path.is_dir():
            yield from sorted(path.rglob("*.whl"))
        elif path.is_file():
            yield path
        elif _PROJECT.fullmatch(word):
            yield word
        else:
            raise ValueError(f"{word!r} is neither a file, a folder nor the name of a project")


def describe(reports: Iterable[Report], *, verbose: bool) -> tuple[list[str], int]:
    """Returns the lines of the summary, and the exit code; prints what is odd as it comes."""
    compared = files = size_bytes = unpacked_bytes = differences = explained = 0
    refused: collections.Counter[str] = collections.Counter()
    failed = warned = 0
    for report in reports:
        for line in _lines(report, verbose):
            print(ascii(line)[1:-1], flush=True)
        failed += report.failed is not None
        refused.update([report.refused.partition(": ")[2]] if report.refused else [])
        compared += report.failed is None and report.refused is None
        warned += bool(report.warnings)
        files, size_bytes = files + report.files, size_bytes + report.size_bytes
        unpacked_bytes += report.unpacked_bytes
        differences, explained = differences + len(report.differences), explained + len(report.explained)
    lines = [
        f"{compared} wheels compared: {files} files, {size_bytes / 1e6:.1f} MB, {unpacked_bytes / 1e6:.1f} MB unpacked",
        f"{differences} differences, {explained} explained; {warned} wheels with warnings; "
        f"{refused.total()} refused, {failed} not to be had or not read by zipfile",
        *(f"refused {count} times: {reason}" for reason, count in refused.most_common()),
    ]
    return lines, 1 if differences else 2 if not compared else 0


def _lines(report: Report, verbose: bool) -> list[str]:
    lines = [f"{report.wheel}: differs: {difference}" for difference in report.differences]
    if report.refused is not None:
        lines.append(f"refused: {report.refused}")
    if report.failed is not None:
        lines.append(f"{report.wheel}: {report.failed}")
    if verbose:
        lines += [
            f"{report.wheel}: explained: {difference}, and its mode means nothing" for difference in report.explained
        ]
        lines += [f"warning: {warning}" for warning in report.warnings]
    return lines


def main() -> int:
    """Runs the comparison; returns the exit code."""
    parser = argparse.ArgumentParser(description="Compares how engine and zipfile unpack real wheels.")
    parser.add_argument("sources", nargs="+", metavar="PATH|PROJECT", help="wheels, folders of wheels, or projects")
    parser.add_argument("--index-url", metavar="URL", help="what pip asks for projects (default: pip's settings)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="how many at once")
    parser.add_argument("-v", "--verbose", action="store_true", help="print warnings and explained differences too")
    arguments = parser.parse_args()
    try:
        tasks = [(source, arguments.index_url) for source in find_sources(arguments.sources)]
    except ValueError as exc:
        parser.error(str(exc))
    with ProcessPoolExecutor(max(1, arguments.jobs)) as pool:
        lines, code = describe(pool.map(_check, tasks), verbose=arguments.verbose)
    print("\n".join(ascii(line)[1:-1] for line in lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
