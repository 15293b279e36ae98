"""The synthetic application can be resolved, has what makes resolving it work, and is always the same."""

import json
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from benchmarks import universe

WANTED = universe.WANTED.strip().partition("==")[2]


def requirements(lines: list[str]) -> list[Requirement]:
    words = [line.removeprefix("Requires-Dist: ") for line in lines if line.startswith("Requires-Dist: ")]
    return [Requirement(word) for word in words]


def test_projects_are_the_same_each_time_and_have_distinct_names() -> None:
    made = dict(universe.projects())
    assert made == dict(universe.projects())
    assert len(made) == 1 + universe.PROVIDERS + universe.LIBRARIES
    assert all(len(releases) == universe.releases_of(name) for name, releases in made.items())


def test_there_is_an_answer() -> None:
    made = dict(universe.projects())
    # Two thirds up, every bound of a library holds; of providers, the newest that wants no newer platform does.
    chosen = {name: list(releases)[len(releases) * 2 // 3] for name, releases in made.items()}
    chosen["synthetic-platform"] = WANTED
    for name, version in chosen.items():
        for requirement in requirements(made[name][version]):
            if requirement.marker is None or requirement.marker.evaluate({"extra": "all"}):
                assert requirement.specifier.contains(chosen[requirement.name]), (name, str(requirement))


def test_the_newest_release_of_every_provider_does_not_fit_the_wanted_platform() -> None:
    wanted = WANTED
    for name, releases in universe.projects():
        if "-provider-" in name:
            newest = max(releases, key=Version)
            bounds = {each.name: each.specifier for each in requirements(releases[newest])}
            assert not bounds["synthetic-platform"].contains(wanted)


def test_every_release_has_its_metadata_where_the_page_says(tmp_path: Path) -> None:
    universe.publish(tmp_path)
    folder = tmp_path / "simple/synthetic-library-010"
    files = json.loads((folder / "index.json").read_bytes())["files"]
    pure = [file for file in files if file["filename"].endswith("-none-any.whl")]
    assert len(files) > len(pure) == universe.releases_of("synthetic-library-010")
    for file in pure:
        text = (tmp_path / f"{file['url'].removeprefix('/')}.metadata").read_text(encoding="utf-8")
        assert f"\nVersion: {parse_wheel_filename(file['filename'])[1]}\n" in text
    written = folder.joinpath("index.json").stat().st_mtime_ns
    universe.publish(tmp_path)
    assert folder.joinpath("index.json").stat().st_mtime_ns == written
