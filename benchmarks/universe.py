"""Makes the pages and metadata of a large synthetic application, for benchmarks of resolving.

Owns projects that depend on each other as those of a platform with a hundred providers do, so that a large resolution
is measured without asking an index for some hundred projects.  There are no wheels: nothing of it can be installed, and
what it shows is pages, metadata and the search.  Everything is the same bytes each time.

Rules: the newest releases of every provider want a platform that is newer than the wanted one, so each is stepped back
from; some bounds of libraries leave the newest releases out.  An answer exists, because every lower bound is in the
first half of a project's releases and every upper bound above four fifths of them.

Source: "Core metadata"; PEP 658.
"""

import gzip
import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

from benchmarks.mirror import store
from benchmarks.pages import File, write_page

PROVIDERS = 100
LIBRARIES = 600
WANTED = "synthetic-platform[all]==2.10\n"
_EDITION = "1"
"""Another one for other content, so that what an earlier edition made is not taken for it."""
_PLATFORM_RELEASES, _PROVIDER_RELEASES, _FEW, _MANY = 20, 30, 12, 150
_OLD_TAGS = [f"cp3{minor}-cp3{minor}-{system}" for minor in (6, 7, 8, 9) for system in ("win32", "win_amd64")]
_TEXT = "A line of the description, which most projects have a few dozen of.\n" * 30

Releases = dict[str, list[str]]
"""Versions of a project, ascending, and the lines of metadata that each has beside its name and version."""


def publish(folder: Path) -> None:
    """Puts every page and all metadata into the folder of a mirror, unless they are there."""
    done = folder / f"universe-{_EDITION}"
    if done.exists():
        return
    for name, releases in projects():
        files: list[File] = []
        for version, lines in releases.items():
            stem = f"{name.replace('-', '_')}-{version}"
            for tag in ("py3-none-any", *(_OLD_TAGS if releases_of(name) == _MANY else ())):
                filename = f"{stem}-{tag}.whl"
                digest = hashlib.sha256(filename.encode()).hexdigest()
                files.append(File(filename=filename, url="", hashes={"sha256": digest}, requires_python=">=3.8"))
            path = folder / "files" / name / f"{stem}-py3-none-any.whl.metadata"
            store(path, metadata(name, version, lines))
        body = write_page(name, files)
        page = folder / "simple" / name / "index.json"
        store(page.with_name("index.json.gz"), gzip.compress(body, 6, mtime=0))
        store(page, body)
    store(done, b"")


def metadata(name: str, version: str, lines: list[str]) -> bytes:
    """Returns the METADATA of a release."""
    head = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", "Requires-Python: >=3.8"]
    return "\n".join([*head, *lines, "", _TEXT]).encode()


def releases_of(name: str) -> int:
    """Returns how many releases a project has; every tenth library has many, as if released each week."""
    if name == "synthetic-platform":
        return _PLATFORM_RELEASES
    kind, _, number = name.removeprefix("synthetic-").partition("-")
    if kind == "provider":
        return _PROVIDER_RELEASES
    return _MANY if int(number) % 10 == 0 else _FEW


def projects() -> Iterator[tuple[str, Releases]]:
    """Yields the names of all projects and their releases."""
    chance = random.Random(1)
    yield "synthetic-platform", _platform(chance)
    for number in range(PROVIDERS):
        yield _provider(number), _provider_releases(chance)
    for number in range(LIBRARIES):
        yield _library(number), _library_releases(chance, number)


def _provider(number: int) -> str:
    return f"synthetic-provider-{number:03}"


def _library(number: int) -> str:
    return f"synthetic-library-{number:03}"


def _platform(chance: random.Random) -> Releases:
    core = [_bound(chance, number) for number in sorted(chance.sample(range(LIBRARIES // 2), 40))]
    lines = ["Provides-Extra: all", *(f"Requires-Dist: {line}" for line in core)]
    lines += [f"Requires-Dist: {_provider(number)}; extra == 'all'" for number in range(PROVIDERS)]
    return {f"2.{minor}": lines for minor in range(_PLATFORM_RELEASES)}


def _provider_releases(chance: random.Random) -> Releases:
    needed = sorted(chance.sample(range(LIBRARIES), chance.randint(3, 8)))
    lines = [f"Requires-Dist: {_bound(chance, number)}" for number in needed]
    too_new = _PROVIDER_RELEASES - 4
    return {
        f"1.{minor}": [f"Requires-Dist: synthetic-platform>={'2.15' if minor >= too_new else '2.5'}", *lines]
        for minor in range(_PROVIDER_RELEASES)
    }


def _library_releases(chance: random.Random, number: int) -> Releases:
    below = range(number + 1, LIBRARIES)
    needed = sorted(chance.sample(below, min(len(below), chance.choice((0, 1, 1, 2, 3, 5)))))
    releases: Releases = {}
    lines: list[str] = []
    for minor in range(releases_of(_library(number))):
        if minor % 5 == 0:
            lines = [f"Requires-Dist: {_bound(chance, each)}" for each in needed]
            lines += [f"Requires-Dist: {_library(LIBRARIES - 1)}; python_version < '3'"] if needed else []
        releases[f"1.{minor}"] = lines
    return releases


def _bound(chance: random.Random, number: int) -> str:
    name = _library(number)
    count = releases_of(name)
    upper = f",<1.{count * 9 // 10}" if chance.random() < 0.03 else ",<2"
    return f"{name}>=1.{chance.randrange(count // 2)}{upper}"
