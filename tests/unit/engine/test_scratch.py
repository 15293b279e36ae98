"""A run's private folder: its own while the run lives, and litter afterwards."""

import os
from pathlib import Path

import pytest

from cache.layout import Layout
from engine.errors import ConfigurationError, InstallFailed
from engine.scratch import Scratch, idle_folders


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(str(tmp_path / "cache"))


def test_it_is_made_in_the_cache_and_removed_with_all_in_it(layout: Layout) -> None:
    scratch = Scratch(layout)
    assert scratch.in_cache and os.path.dirname(scratch.folder) == layout.temporary
    Path(scratch.folder, "file").write_bytes(b"x")
    scratch.close()
    assert os.listdir(layout.temporary) == []


def test_litter_goes_and_the_folder_of_a_run_that_lives_stays(layout: Layout) -> None:
    litter = Path(layout.temporary, "1-dead")
    (litter / "deep").mkdir(parents=True)
    living = Scratch(layout)
    assert not litter.exists()
    other = Scratch(layout)
    assert os.path.isdir(living.folder)
    assert list(idle_folders(layout.temporary)) == []
    living.close()
    other.close()


def test_a_temporary_folder_that_is_a_link_is_refused(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "precious").mkdir(parents=True)
    os.mkdir(layout.root)
    os.symlink(tmp_path / "elsewhere", layout.temporary)
    with pytest.raises(ConfigurationError, match="symbolic link"):
        Scratch(layout)
    assert (tmp_path / "elsewhere" / "precious").is_dir()


def test_a_cache_that_is_a_file_is_an_error_that_names_it(layout: Layout) -> None:
    Path(layout.root).write_bytes(b"")
    with pytest.raises(InstallFailed, match=layout.root):
        Scratch(layout)
