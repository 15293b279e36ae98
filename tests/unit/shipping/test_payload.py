"""What is packed is unpacked, whatever its size, and the same files give the same bytes."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipping.payload import File, pack
from shipping.unpacking import unpack

NAMES = st.text("abcü ", min_size=1, max_size=3)
FILES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.builds(File, st.binary(max_size=40), st.booleans())
)


def _is_tree(files: dict[str, File]) -> bool:
    return not any(other.startswith(f"{name}/") for name in files for other in files)


@given(files=FILES.filter(_is_tree).filter(bool), block_bytes=st.integers(1, 60))
def test_unpacked_is_what_was_packed(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, File], block_bytes: int
) -> None:
    folder = tmp_path_factory.mktemp("unpacked")
    unpack([pack(files, block_bytes)], str(folder))
    found = {
        path.relative_to(folder).as_posix(): File(path.read_bytes(), os.access(path, os.X_OK))
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert found == files


def test_the_order_of_the_files_does_not_count() -> None:
    files = {f"module{number}.py": File(b"x" * number) for number in range(40)}
    assert pack(files, 100) == pack(dict(reversed(files.items())), 100)


def test_what_is_unpacked_into_several_payloads_is_in_one_folder(tmp_path: Path) -> None:
    unpack([pack({"a/one.py": File(b"1")}), pack({"a/two.py": File(b"2")})], str(tmp_path))
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["one.py", "two.py"]
