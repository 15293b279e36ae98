"""Installed distributions are read from folder names, and what a name does not say is looked up, not guessed."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version

from engine.environment.installed import Installed, installed_distributions, normalize_name, same_version
from engine.errors import InvalidEnvironment


def make_dist_info(site: Path, folder: str, *, without: str = "", metadata: str = "") -> Path:
    path = site / folder
    path.mkdir(parents=True)
    for name in {"METADATA", "RECORD"} - {without}:
        (path / name).write_text(metadata if name == "METADATA" else "", encoding="utf-8")
    return path


def only(site: Path) -> Installed:
    found = installed_distributions([str(site)])
    assert [len(same) for same in found.values()] == [1]
    name, [distribution] = found.popitem()
    assert name == distribution.name
    return distribution


def test_dist_info_is_read_from_its_name(tmp_path: Path) -> None:
    path = make_dist_info(tmp_path, "Zope.Interface_X-5.0+cu118.dist-info")
    found = only(tmp_path)
    assert (found.name, found.version, found.path) == ("zope-interface-x", "5.0+cu118", str(path))
    assert (found.legacy, found.broken) == (False, False)


@pytest.mark.parametrize("missing", ["METADATA", "RECORD"])
def test_dist_info_without_its_files_is_broken(tmp_path: Path, missing: str) -> None:
    make_dist_info(tmp_path, "a-1.0.dist-info", without=missing)
    assert only(tmp_path).broken


@pytest.mark.parametrize("folder", ["a-b-1.0.dist-info", "a_b.dist-info", "a_b-1.0-1.dist-info"])
def test_ambiguous_folder_name_is_settled_by_metadata(tmp_path: Path, folder: str) -> None:
    make_dist_info(tmp_path, folder, metadata="Metadata-Version: 2.1\nName: A.B\nversion:  1.0.post1 \n\nName: other\n")
    found = only(tmp_path)
    assert (found.name, found.version, found.broken) == ("a-b", "1.0.post1", False)


def test_ambiguous_folder_name_without_metadata_still_shows_up_as_broken(tmp_path: Path) -> None:
    make_dist_info(tmp_path, "a.dist-info", without="METADATA")
    found = only(tmp_path)
    assert (found.name, found.version, found.broken) == ("a", "", True)


def test_header_in_the_description_is_not_a_header(tmp_path: Path) -> None:
    make_dist_info(tmp_path, "a_b.dist-info", metadata="Name: x\n\nVersion: 9\n")
    assert (only(tmp_path).name, only(tmp_path).version) == ("a-b", "")


@pytest.mark.parametrize("name", ["Old_Thing-1.2-py3.11.egg-info", "Old_Thing-1.2.egg-info"])
@pytest.mark.parametrize("is_folder", [True, False])
def test_egg_info_is_legacy_as_file_and_as_folder(tmp_path: Path, name: str, is_folder: bool) -> None:
    if is_folder:
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_text("Name: x\nVersion: 1\n", encoding="utf-8")
    found = only(tmp_path)
    assert (found.name, found.version, found.legacy, found.broken) == ("old-thing", "1.2", True, False)


@pytest.mark.parametrize("name", ["thing.egg-info", "thing-py3.11.egg-info"])
def test_egg_info_without_version_is_asked_for_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "PKG-INFO").write_text("Name: Thing\nVersion: 3.4\n", encoding="utf-8")
    assert (only(tmp_path).name, only(tmp_path).version) == ("thing", "3.4")


def test_egg_link_is_legacy_without_version(tmp_path: Path) -> None:
    (tmp_path / "My.Project.egg-link").write_text("/somewhere", encoding="utf-8")
    found = only(tmp_path)
    assert (found.name, found.version, found.legacy) == ("my-project", "", True)


def test_everything_else_is_ignored(tmp_path: Path) -> None:
    make_dist_info(tmp_path, "~ip-24.0.dist-info")
    (tmp_path / "file-1.0.dist-info").write_text("", encoding="utf-8")
    (tmp_path / "package").mkdir()
    (tmp_path / "dist-info").mkdir()
    (tmp_path / "a.py").write_text("", encoding="utf-8")
    assert installed_distributions([str(tmp_path)]) == {}


def test_both_of_two_distributions_of_one_project_are_kept(tmp_path: Path) -> None:
    make_dist_info(tmp_path, "a_b-1.0.dist-info")
    make_dist_info(tmp_path, "A.B-2.0.dist-info")
    found = installed_distributions([str(tmp_path)])
    assert sorted(one.version for one in found["a-b"]) == ["1.0", "2.0"]


def test_purelib_and_platlib_are_joined(tmp_path: Path) -> None:
    make_dist_info(tmp_path / "lib", "a-1.0.dist-info")
    make_dist_info(tmp_path / "lib64", "b-1.0.dist-info")
    folders = [str(tmp_path / "lib"), str(tmp_path / "lib64"), str(tmp_path / "missing")]
    assert sorted(installed_distributions(folders)) == ["a", "b"]


def test_folder_that_is_reached_twice_counts_once(tmp_path: Path) -> None:
    make_dist_info(tmp_path / "lib", "a-1.0.dist-info")
    (tmp_path / "lib64").symlink_to("lib", target_is_directory=True)
    folders = [str(tmp_path / "lib"), str(tmp_path / "lib64"), str(tmp_path / "lib")]
    assert [len(same) for same in installed_distributions(folders).values()] == [1]


def test_folder_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("", encoding="utf-8")
    with pytest.raises(InvalidEnvironment, match="site"):
        installed_distributions([str(tmp_path / "site")])


@given(st.text() | st.text("aB-_.\u0130\u00df0"))
def test_normal_form_is_that_of_packaging(name: str) -> None:
    assert normalize_name(name) == canonicalize_name(name)


_NUMBERS = st.lists(st.integers(0, 3), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
_VERSIONS = st.builds(
    str.__add__, _NUMBERS, st.sampled_from(["", "", "", "rc1", ".rc1", ".post0", "-0", ".dev0", "+a.1", "+a-1"])
)


@given(_VERSIONS, _VERSIONS)
def test_same_version_is_equality_of_versions(a: str, b: str) -> None:
    assert same_version(a, b) == (Version(a) == Version(b))


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("1.0", "1.0.0", True),
        ("01.0", "1", True),
        ("1!1.0", "1.0", False),
        ("v1.0", "1.0", True),
        ("not a version", "not a version", True),
        ("not a version", "1.0", False),
        ("", "0", False),
        ("1..0", "1.0", False),
        ("\u0661.0", "\u00b2", False),
    ],
)
def test_same_version_of_odd_texts(a: str, b: str, same: bool) -> None:
    assert same_version(a, b) is same


def test_path_is_the_folder_that_was_asked_for_and_not_where_a_link_leads(tmp_path: Path) -> None:
    make_dist_info(tmp_path / "lib", "a-1.0.dist-info")
    (tmp_path / "lib64").symlink_to("lib", target_is_directory=True)
    assert only(tmp_path / "lib64").path == os.path.join(str(tmp_path), "lib64", "a-1.0.dist-info")
