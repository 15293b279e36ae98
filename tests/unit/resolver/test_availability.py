"""What makes a release of its files."""

from datetime import UTC, datetime

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from resolver import File, Obstacle, Policy, Release, Unusable
from resolver.availability import WITH_SDIST

NAME = canonicalize_name("a")
VERSION = Version("1")
EARLY = datetime(2026, 1, 1, tzinfo=UTC)
LATE = datetime(2026, 6, 1, tzinfo=UTC)
WHEEL, SDIST = File(is_wheel=True), File(is_wheel=False, cheap=False)
ALL = frozenset({":all:"})


def policy(**options: object) -> Policy:
    return Policy(python=Version("3.11.4"), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "files", "expected"),
    [
        ({}, [], Unusable(Obstacle.NO_FILES)),
        ({"only_binary": ALL}, [SDIST], Unusable(Obstacle.SDIST_REFUSED)),
        ({"only_binary": frozenset({"a"})}, [SDIST], Unusable(Obstacle.SDIST_REFUSED)),
        ({"no_binary": ALL}, [WHEEL], Unusable(Obstacle.WHEEL_REFUSED)),
        ({}, [WHEEL._replace(fits=False)], Unusable(Obstacle.NO_MATCHING_WHEEL)),
        ({}, [WHEEL._replace(requires_python=">=3.12")], Unusable(Obstacle.REQUIRES_PYTHON, ">=3.12")),
        ({"exclude_newer": EARLY}, [WHEEL], Unusable(Obstacle.UPLOAD_TIME_UNKNOWN)),
        ({"exclude_newer": EARLY}, [WHEEL._replace(uploaded=LATE)], Unusable(Obstacle.TOO_NEW, "2026-06-01")),
        ({"exclude_newer": LATE}, [WHEEL._replace(uploaded=LATE)], Unusable(Obstacle.TOO_NEW, "2026-06-01")),
        (
            {"exclude_newer_package": {NAME: EARLY}},
            [WHEEL._replace(uploaded=LATE)],
            Unusable(Obstacle.TOO_NEW, "2026-06-01"),
        ),
        ({"only_binary": ALL}, [SDIST, WHEEL._replace(fits=False)], Unusable(Obstacle.NO_MATCHING_WHEEL, WITH_SDIST)),
        ({"only_binary": ALL}, [WHEEL._replace(fits=False), SDIST], Unusable(Obstacle.NO_MATCHING_WHEEL, WITH_SDIST)),
    ],
)
def test_release_is_unusable(options: dict[str, object], files: list[File], expected: Unusable) -> None:
    assert policy(**options).judge(NAME, VERSION, files).unusable == expected


@pytest.mark.parametrize(
    ("options", "files"),
    [
        ({}, [WHEEL._replace(fits=False), SDIST]),
        ({}, [WHEEL._replace(requires_python=">=3.8")]),
        ({}, [WHEEL._replace(requires_python="what?")]),
        ({"only_binary": frozenset({"b"})}, [SDIST]),
        ({"only_binary": ALL, "no_binary": frozenset({"a"})}, [SDIST]),
        ({"exclude_newer": LATE}, [WHEEL._replace(uploaded=EARLY)]),
        ({"exclude_newer": EARLY, "exclude_newer_package": {NAME: None}}, [WHEEL._replace(uploaded=LATE)]),
    ],
)
def test_release_is_usable(options: dict[str, object], files: list[File]) -> None:
    assert policy(**options).judge(NAME, VERSION, files).unusable is None


def test_release_is_yanked_only_if_all_usable_files_are() -> None:
    yanked = WHEEL._replace(yanked="broken")
    assert policy().judge(NAME, VERSION, [yanked, WHEEL]).yanked is None
    assert policy().judge(NAME, VERSION, [yanked, WHEEL._replace(fits=False)]) == Release(VERSION, yanked="broken")


def test_metadata_is_cheap_if_one_usable_file_has_it() -> None:
    assert policy().judge(NAME, VERSION, [SDIST, WHEEL]).cheap
    assert not policy().judge(NAME, VERSION, [SDIST, WHEEL._replace(fits=False)]).cheap
