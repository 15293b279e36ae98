"""Pages become versions: each file belongs to one, is judged, and the best one of each is known."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from packaging.utils import NormalizedName
from packaging.version import Version

from engine.index.page import File, ProjectPage
from engine.solving.versions import ProjectListing, list_versions
from resolver.availability import Obstacle, Policy, Release, Unusable

DEMO = NormalizedName("demo-two")
TAGS = {"cp311-cp311-linux": 0, "py3-none-any": 1}
WHEEL = "demo_two-1.0-py3-none-any.whl"
SDIST = "demo_two-1.0.tar.gz"
ONE = Version("1.0")


def file(filename: str, **fields: Any) -> File:
    return msgspec.convert({"filename": filename, "url": f"files/{filename}", **fields}, File)


def page(*files: File | str, status: str = "active", url: str = "https://example.com/demo-two/") -> ProjectPage:
    made = tuple(file(one) if isinstance(one, str) else one for one in files)
    return ProjectPage(name=DEMO, url=url, files=made, status=status)


def listing(*groups: list[ProjectPage], **policy: Any) -> ProjectListing:
    return list_versions(DEMO, groups, Policy(python=Version("3.11.4"), **policy), TAGS)


def best(*files: File | str, **policy: Any) -> str | None:
    found = listing([page(*files)], **policy).best(ONE)
    return found and found.filename


def release(*files: File | str, **policy: Any) -> Release:
    (found,) = listing([page(*files)], **policy).listing.releases
    return found


@pytest.mark.parametrize(
    ("filename", "version"),
    [
        (WHEEL, "1.0"),
        ("Demo.Two-1.0-1build-py3-none-any.whl", "1.0"),
        ("demo_two-1!2.0.post1+cpu.1-py3-none-any.whl", "1!2.0.post1+cpu.1"),
        (SDIST, "1.0"),
        ("demo-two-1.0.zip", "1.0"),
        ("Demo.Two-1.0.tar.bz2", "1.0"),
        ("demo-two-1.0-beta.tar.gz", "1.0b0"),
    ],
)
def test_a_file_is_of_the_version_in_its_name(filename: str, version: str) -> None:
    assert [one.version for one in listing([page(filename)]).listing.releases] == [Version(version)]


@pytest.mark.parametrize(
    "filename",
    [
        "other-1.0-py3-none-any.whl",
        "demo_two_more-1.0.tar.gz",
        "demo_two-new-py3-none-any.whl",
        "demo_two-1.0-py3-none.whl",
        "demo_two-1.0-x-py3-none-any.whl",
        "demo_two-1.0.exe",
        "demo_two-1.0-py3.11.egg",
        "demo_two.tar.gz",
        "demo_two.whl",
        ".whl",
        "-.tar.gz",
    ],
)
def test_what_is_no_file_of_the_project_is_left_out(filename: str) -> None:
    found = listing([page(filename)])
    assert found.listing.releases == () and found.listing.missing == "has no files"


def test_two_spellings_are_one_version() -> None:
    found = listing([page(WHEEL, "demo_two-1.0.0.tar.gz")])
    assert len(found.listing.releases) == 1
    assert [one.filename for one in found.files(ONE)] == [WHEEL, "demo_two-1.0.0.tar.gz"]


def test_the_best_tag_then_the_highest_build_is_the_best_file() -> None:
    assert best(SDIST, WHEEL) == WHEEL
    assert best("demo_two-1.0-cp311-cp311-linux.whl", WHEEL) == "demo_two-1.0-cp311-cp311-linux.whl"
    builds = [f"demo_two-1.0-{build}-py3-none-any.whl" for build in ("9", "10", "2x")]
    assert best(WHEEL, *builds) == builds[1]
    assert best("demo_two-1.0-cp312-cp312-linux.whl", SDIST) == SDIST
    assert best("demo_two-1.0-cp312-cp312-linux.whl") is None


def test_a_file_that_is_yanked_is_the_last_choice() -> None:
    assert best(file(WHEEL, yanked="broken"), SDIST) == SDIST
    assert best(file(WHEEL, yanked="broken")) == WHEEL
    assert release(file(WHEEL, yanked="broken")) == Release(ONE, yanked="broken")
    assert release(file(WHEEL, yanked="broken"), WHEEL) == Release(ONE)


def test_a_release_says_why_it_cannot_be_used() -> None:
    assert release("demo_two-1.0-cp312-cp312-linux.whl") == Release(ONE, Unusable(Obstacle.NO_MATCHING_WHEEL))
    assert release(file(WHEEL, **{"requires-python": ">=3.12"})) == Release(
        ONE, Unusable(Obstacle.REQUIRES_PYTHON, ">=3.12")
    )
    assert release(file(WHEEL, **{"requires-python": ">=3.12"}), WHEEL) == Release(ONE)


def test_formats_that_are_forbidden_do_not_count() -> None:
    forbidden = frozenset({"demo-two"})
    assert release(WHEEL, no_binary=forbidden) == Release(ONE, Unusable(Obstacle.WHEEL_REFUSED))
    assert best(WHEEL, SDIST, no_binary=forbidden) == SDIST
    assert release(SDIST, only_binary=forbidden) == Release(ONE, Unusable(Obstacle.SDIST_REFUSED))


def test_a_time_limit_holds_for_every_file() -> None:
    limit = datetime(2024, 6, 1, tzinfo=UTC)
    old = file(WHEEL, **{"upload-time": "2024-05-31T23:59:59.5Z"})
    new = file("demo_two-1.0-cp311-cp311-linux.whl", **{"upload-time": "2024-06-01T00:00:00Z"})
    assert best(new, old, exclude_newer=limit) == WHEEL
    assert release(new, exclude_newer=limit) == Release(ONE, Unusable(Obstacle.TOO_NEW, "2024-06-01"))
    for text in ({}, {"upload-time": "yesterday"}, {"upload-time": "2024-05-01T00:00:00"}):
        unknown = release(file(WHEEL, **text), exclude_newer=limit)
        assert unknown == Release(ONE, Unusable(Obstacle.UPLOAD_TIME_UNKNOWN))
    assert release(new, exclude_newer=limit, exclude_newer_package={DEMO: None}) == Release(ONE)


def test_an_sdist_costs_a_build_unless_the_index_serves_its_metadata() -> None:
    assert not release(SDIST).cheap
    assert release(file(SDIST, **{"core-metadata": True})).cheap
    assert release(SDIST, WHEEL).cheap


def test_the_first_index_gives_the_files_of_a_version_that_several_have() -> None:
    first = page(SDIST, WHEEL, url="https://example.com/first/")
    second = page("demo_two-1.0-cp311-cp311-linux.whl", "demo_two-2.0-py3-none-any.whl", url="https://example.com/2/")
    found = listing([first], [second])
    assert {one.version for one in found.listing.releases} == {ONE, Version("2.0")}
    chosen = found.best(ONE)
    assert chosen is not None and chosen.url == f"https://example.com/first/files/{WHEEL}"
    assert [one.filename for one in found.files(ONE)] == [SDIST, WHEEL]


def test_a_quarantined_page_has_no_versions() -> None:
    found = listing([page(WHEEL, status="quarantined")])
    assert found.listing.releases == () and found.listing.missing == "is quarantined"
    assert len(listing([page(WHEEL, status="quarantined")], [page(WHEEL)]).listing.releases) == 1


def test_a_listed_file_has_what_a_lock_and_a_download_need() -> None:
    fields = {
        "hashes": {"sha256": "AB" * 32, "md5": "0" * 32},
        "size": 7,
        "upload-time": "2024-01-01T00:00:00Z",
        "requires-python": ">=3.8",
        "yanked": True,
        "core-metadata": {"sha256": "CD" * 32},
    }
    found = listing([page(file(WHEEL, **fields))]).best(ONE)
    assert found is not None
    assert found.hashes == {"sha256": "ab" * 32, "md5": "0" * 32} and found.core_metadata == {"sha256": "cd" * 32}
    assert (found.size_bytes, found.requires_python, found.yanked) == (7, ">=3.8", "")
    assert found.uploaded == "2024-01-01T00:00:00Z"
    chosen = found.chosen()
    assert (chosen.sha256, chosen.promised, chosen.yanked) == ("ab" * 32, found.hashes, f"{WHEEL} was yanked")


def test_a_sha256_that_is_none_is_not_promised() -> None:
    found = listing([page(file(WHEEL, hashes={"sha256": "../../etc"}))]).best(ONE)
    assert found is not None and found.sha256 is None


def test_without_a_target_every_wheel_fits_and_one_for_all_platforms_is_the_best() -> None:
    files = page("demo_two-1.0-cp39-cp39-win32.whl", WHEEL)
    found = list_versions(DEMO, [[files]], Policy(python=Version("3.11")), None)
    assert found.listing.releases == (Release(ONE),)
    chosen = found.best(ONE)
    assert chosen is not None and chosen.filename == WHEEL
