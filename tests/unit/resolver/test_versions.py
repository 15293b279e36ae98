"""Sets of versions as bits, compared with what `packaging` says of each version."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from resolver import Release
from resolver.versions import ABSENT, VersionTable

SEGMENTS = st.lists(st.sampled_from([0, 0, 1, 2, 10]), min_size=1, max_size=3).map(
    lambda parts: ".".join(map(str, parts))
)
PUBLIC = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["", "", "", "1!"]),
    SEGMENTS,
    st.sampled_from(["", "", "a1", "rc1"]),
    st.sampled_from(["", "", ".post1"]),
    st.sampled_from(["", "", ".dev1"]),
)
VERSIONS = st.builds("{}{}".format, PUBLIC, st.sampled_from(["", "", "+local"]))
SPECIFIERS = st.one_of(
    st.builds("{}{}".format, st.sampled_from(["<", "<=", ">", ">=", "==", "!=", "~=", "==="]), PUBLIC),
    st.builds("{}{}".format, st.sampled_from(["==", "!="]), VERSIONS),
    st.builds("{}{}.*".format, st.sampled_from(["==", "!="]), SEGMENTS),
)


def table(*versions: str) -> VersionTable:
    return VersionTable(Release(Version(text)) for text in versions)


@given(st.lists(VERSIONS, max_size=12), st.lists(SPECIFIERS, min_size=1, max_size=2))
def test_matching_versions_are_those_that_packaging_accepts(versions: list[str], texts: list[str]) -> None:
    try:
        specifiers = SpecifierSet(",".join(texts))
    except InvalidSpecifier:
        return
    known = table(*versions)
    accepted = known.matching(specifiers, ",".join(texts))
    assert [known.releases[position].version for position in known.positions(accepted)] == [
        release.version for release in known.releases if specifiers.contains(release.version, prereleases=True)
    ]


@pytest.mark.parametrize(
    ("specifier", "expected"),
    [
        ("", ["1.0", "1.5rc1", "1.5", "1.10", "2.0"]),
        (">=1.5", ["1.5", "1.10", "2.0"]),
        ("<1.5", ["1.0"]),
        ("~=1.5", ["1.5", "1.10"]),
        ("==1.*", ["1.0", "1.5rc1", "1.5", "1.10"]),
        ("===1.5RC1", ["1.5rc1"]),
        (">2", []),
    ],
)
def test_specifier_selects(specifier: str, expected: list[str]) -> None:
    known = table("2.0", "1.10", "1.0", "1.5rc1", "1.5")
    bits = known.matching(SpecifierSet(specifier), specifier)
    assert [str(known.releases[position].version) for position in known.positions(bits)] == expected


def test_equal_versions_count_once_and_the_first_stays() -> None:
    known = VersionTable([Release(Version("1.0"), yanked="first"), Release(Version("1"), yanked="second")])
    assert [release.yanked for release in known.releases] == ["first"]
    assert known.full == 0b11


def test_nothing_matches_includes_no_absence() -> None:
    known = table("1", "2")
    assert not known.matching(SpecifierSet(">=1"), ">=1") & ABSENT
    assert known.some == known.full & ~ABSENT


def test_releases_of_different_urls_stay_apart() -> None:
    release = Release(Version("1"))
    known = VersionTable([release, release], urls=["https://example.com/a", "https://example.com/b"])
    assert {known.at_url("https://example.com/a"), known.at_url("https://example.com/b")} == {2, 4}
    assert known.at_url("https://example.com/c") == 0


@pytest.mark.parametrize(("version", "expected"), [("1", 0), ("2.0", 1), ("1.5", None), ("3", None)])
def test_index_finds_equal_versions(version: str, expected: int | None) -> None:
    assert table("1", "2").index(Version(version)) == expected
