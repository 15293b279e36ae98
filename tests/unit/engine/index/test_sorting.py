"""Pages are kept by version, and say the same as before."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName
from packaging.version import Version

from engine.index.page import File, ProjectPage
from engine.index.sorting import is_early, order_of, sort_page, version_of
from engine.solving.versions import ProjectListing, list_versions
from resolver.availability import Policy

DEMO = NormalizedName("demo")
TAGS = {"cp311-cp311-linux": 0, "py3-none-any": 1}


def file(filename: str, **fields: Any) -> File:
    return msgspec.convert({"filename": filename, "url": f"files/{filename}", **fields}, File)


def page(*files: File, name: str = "demo") -> ProjectPage:
    return ProjectPage(name=name, url="https://example.com/demo/", files=files)


def listing(of: ProjectPage, **policy: Any) -> ProjectListing:
    return list_versions(DEMO, [[of]], Policy(python=Version("3.11.4"), **policy), TAGS)


ENDS = [f"-{end}.whl" for end in ("py3-none-any", "cp311-cp311-linux", "1-py3-none-any", "cp39-cp39-win32", "any")]
ENDS += [".tar.gz", ".zip", "-beta.tar.gz", ".exe"]
NAMES = st.builds(
    "{}-{}{}".format,
    st.sampled_from(["demo", "Demo", "other"]),
    st.sampled_from(["1.0", "1", "1.0.0", "2.0b1", "2.0", "1!0.5", "3.dev1", "junk", ""]),
    st.sampled_from(ENDS),
)
FILES = st.builds(
    file,
    NAMES,
    **{"requires-python": st.sampled_from([None, ">=3.8", ">=3.12"]), "yanked": st.sampled_from([False, True, "bad"])},
)


@given(st.lists(FILES, max_size=12), st.sampled_from([{}, {"no_binary": frozenset({"demo"})}]))
def test_a_sorted_page_says_what_the_page_says(files: list[File], policy: dict[str, Any]) -> None:
    plain, stored = page(*files), ProjectPage.unpack(sort_page(page(*files)).pack())
    assert stored is not None
    expected, found = listing(plain, **policy), listing(stored, **policy)
    releases = sorted(expected.listing.releases, key=lambda release: release.version)
    assert list(found.listing.releases) == releases
    assert found.listing.missing == expected.listing.missing
    for release in releases:
        assert found.best(release.version) == expected.best(release.version)
        assert found.files(release.version) == expected.files(release.version)
    assert sorted(map(repr, stored.all_files())) == sorted(map(repr, files))


#: Texts that are versions, and texts that nearly are.
VERSIONS = st.from_regex(
    r"v?([01]!)?[0-2](\.[0-3]){0,3}([.-]?(a|b|rc|beta|c)[.-]?[01]?)?((\.post|-)[01])?(\.?dev([01]|99999999999999999999)?)?"
    r"(\+[a0](\.[0-9b]+)?)?[.]?",
    fullmatch=True,
)


@given(VERSIONS, VERSIONS)
def test_the_order_of_versions_is_that_of_packaging(one: str, other: str) -> None:
    found = [(order, version) for text in (one, other) if (order := order_of(text)) and (version := version_of(text))]
    assert [order_of(text) is None for text in (one, other)] == [version_of(text) is None for text in (one, other)]
    assert [is_early(order) for order, _ in found] == [version.is_prerelease for _, version in found]
    if len(found) == 2:
        (order, version), (other_order, other_version) = found
        assert (order < other_order, order == other_order) == (version < other_version, version == other_version)


@pytest.mark.parametrize("text", ["", ".", "1..2", "1.", "9" * 5000, "\u0661.2", "\u00b2"])
def test_what_is_no_version_has_no_order(text: str) -> None:
    assert order_of(text) is None and version_of(text) is None


def test_versions_of_one_kind_have_one_number() -> None:
    found = sort_page(page(*(file(f"demo-{text}-py3-none-any.whl") for text in ("2.0", "10.0", "2.0rc1")))).by_version
    assert found is not None
    assert found.texts == ("2.0rc1", "2.0", "10.0")
    assert found.early == (0,)
    assert found.kinds == (0, 0, 0)


def test_a_page_of_many_projects_stays_as_it_is() -> None:
    flat = page(file("demo-1-py3-none-any.whl"), name="")
    assert sort_page(flat) is flat


def test_sorting_twice_changes_nothing() -> None:
    once = sort_page(page(file("demo-1-py3-none-any.whl")))
    assert sort_page(once) is once


@pytest.mark.parametrize("at", [0, 1, 4, 5, 30, -1])
def test_a_damaged_page_is_none(at: int) -> None:
    packed = bytearray(sort_page(page(file("demo-1-py3-none-any.whl"), file("demo-2.tar.gz"))).pack())
    packed[at] ^= 0x20
    assert ProjectPage.unpack(bytes(packed)) is None
