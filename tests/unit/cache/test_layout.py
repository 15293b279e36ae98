"""Where the cache is, and where things are in it."""

import os
from pathlib import Path

import pytest

from cache.layout import TAG, Layout, default_root

KEY = "ab" + "0" * 62


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({"ENGINE_CACHE_DIR": "/there", "XDG_CACHE_HOME": "/xdg", "HOME": "/home/me"}, "/there"),
        ({"ENGINE_CACHE_DIR": "", "XDG_CACHE_HOME": "/xdg", "HOME": "/home/me"}, "/xdg/engine"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="paths are POSIX ones")
def test_the_own_variable_wins_over_the_one_of_the_platform(environ: dict[str, str], found: str) -> None:
    assert default_root(environ) == found


@pytest.mark.skipif(os.name == "nt", reason="XDG is not for Windows")
def test_a_relative_xdg_cache_home_is_ignored_as_the_specification_asks() -> None:
    root = default_root({"XDG_CACHE_HOME": "relative", "HOME": "/home/me"})
    assert root.startswith("/home/me/")


@pytest.mark.skipif(os.name == "nt", reason="homes of POSIX")
def test_a_home_that_nobody_knows_is_no_folder_of_that_name_here() -> None:
    assert os.path.isabs(default_root({"HOME": "~"}))


def test_a_relative_cache_dir_variable_becomes_absolute() -> None:
    assert default_root({"ENGINE_CACHE_DIR": "here"}) == os.path.abspath("here")


def test_tree_and_manifest_are_inside_the_entry(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path))
    entry = Path(layout.entry(KEY))
    assert entry == tmp_path / "wheels-v1" / "ab" / KEY
    assert Path(layout.tree(KEY)).parent == Path(layout.manifest(KEY)).parent == entry


def test_nothing_of_the_cache_is_outside_its_root(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path))
    for path in (layout.entry(KEY), layout.plan(KEY), layout.bucket("index-v3"), layout.temporary):
        assert tmp_path in Path(path).parents


def test_create_makes_the_folder_and_tags_it_as_a_cache(tmp_path: Path) -> None:
    root = tmp_path / "a" / "b"
    Layout(str(root)).create()
    content = (root / "CACHEDIR.TAG").read_bytes()
    assert content == TAG and content.startswith(b"Signature: 8a477f597d28d172789f06886806bc55")


def test_create_leaves_a_tag_that_is_there_alone(tmp_path: Path) -> None:
    (tmp_path / "CACHEDIR.TAG").write_bytes(b"mine")
    Layout(str(tmp_path)).create()
    assert (tmp_path / "CACHEDIR.TAG").read_bytes() == b"mine"
