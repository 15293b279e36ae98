"""Makes `engine/usual_requirements.txt` of the wheels of well-known projects.

    python -m shipping.usual FOLDER... > engine/usual_requirements.txt

Of every project the newest of the wheels counts, with what it requires on Linux under Python 3.12.  Extras are noted
too, but for those that serve a project's own developers.
"""

import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.metadata import RawMetadata, parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name, parse_wheel_filename
from packaging.version import Version

#: Extras with one of these in their names are for developers, or for who wants everything.
_NOT_FOR_USERS = re.compile(r"all|bench|build|ci|complete|cover|dev|doc|example|full|lint|mypy|style|test|typ(es|ing)")

#: An extra that requires more than that is no small addition.
_MOST_OF_AN_EXTRA = 16

_ENVIRONMENT = {
    "implementation_name": "cpython",
    "implementation_version": "3.12.0",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": "3.12.0",
    "python_version": "3.12",
    "sys_platform": "linux",
}


def newest(folders: Iterable[Path]) -> dict[NormalizedName, RawMetadata]:
    """Returns the metadata of the newest wheel of every project.

    Args:
        folders: the wheels are in these.
    """
    found: dict[NormalizedName, tuple[Version, Path]] = {}
    for path in sorted(path for folder in folders for path in folder.glob("*.whl")):
        name, version, _, _ = parse_wheel_filename(path.name)
        if name not in found or found[name][0] < version:
            found[name] = version, path
    return {name: _metadata(path) for name, (_, path) in sorted(found.items())}


def _metadata(path: Path) -> RawMetadata:
    with zipfile.ZipFile(path) as wheel:
        member = next(name for name in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        return parse_email(wheel.read(member))[0]


def table(projects: dict[NormalizedName, RawMetadata]) -> str:
    """Returns the text of the table: a line for every project that requires something, and for every extra that adds.

    Args:
        projects: the metadata of each.
    """
    lines: dict[str, set[str]] = {}
    for name, metadata in projects.items():
        base = _wanted(metadata, "") - {name}
        lines[name] = base
        for extra in map(canonicalize_name, metadata.get("provides_extra", ())):
            added = _wanted(metadata, extra) - base - {name}
            if len(added) <= _MOST_OF_AN_EXTRA and not _NOT_FOR_USERS.search(extra):
                lines[f"{name}[{extra}]"] = added
    return "".join(f"{' '.join([key, *sorted(wanted)])}\n" for key, wanted in lines.items() if wanted)


def _wanted(metadata: RawMetadata, extra: str) -> set[str]:
    """Returns the names that are required, and beside them `name[extra]` for the extras of these."""
    found = set()
    for requirement in _requirements(metadata):
        if requirement.marker is None or requirement.marker.evaluate({**_ENVIRONMENT, "extra": extra}):
            name = canonicalize_name(requirement.name)
            found.update([name, *(f"{name}[{canonicalize_name(one)}]" for one in requirement.extras)])
    return found


def _requirements(metadata: RawMetadata) -> Iterator[Requirement]:
    for line in metadata.get("requires_dist", ()):
        try:
            yield Requirement(line)
        except InvalidRequirement:  # an old wheel, which a resolution would not follow either
            continue


def main(folders: list[str]) -> None:
    """Writes the table of the wheels in some folders to the standard output."""
    projects = newest(map(Path, folders))
    sys.stdout.write(
        f"# What {len(projects)} well-known projects require, as their wheels say: names to ask for early.\n"
        "# Made by shipping/usual.py, read by engine/usual.py.\n"
    )
    sys.stdout.write(table(projects))


if __name__ == "__main__":
    main(sys.argv[1:])
