"""Compiled files in the cache."""

import os
from hashlib import sha256
from pathlib import Path

import pytest

from cache.bytecode import Bytecode, BytecodeStore, CompiledFile, orphans
from cache.layout import Layout

SHA256 = "ab" * 32


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(str(tmp_path / "cache"))


def finished(layout: Layout, content: bytes = b"code", name: str = "new") -> tuple[str, Bytecode]:
    """Returns a folder to publish, and what it holds."""
    folder = Path(layout.temporary) / name
    file = folder / "tree" / "pkg" / "__pycache__" / "a.tag.pyc"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    found = file.stat()
    files = (CompiledFile("pkg/a.py", "a.tag.pyc", found.st_size, found.st_mtime_ns, sha256(content).hexdigest()),)
    return str(folder), Bytecode(stamp=7, files=files, skipped=(("pkg/b.py", "SyntaxError"),))


def test_what_was_published_is_found_for_its_kind_and_its_tree_only(layout: Layout) -> None:
    folder, bytecode = finished(layout)
    store = BytecodeStore(layout)
    assert store.load("kind", SHA256, 7) is None
    store.publish(folder, "kind", SHA256, bytecode)
    found = store.load("kind", SHA256, 7)
    assert found is not None and found[0] == bytecode
    assert found[1] == f"{layout.root}/bytecode-v1/kind/ab/{SHA256}/tree" and not os.path.exists(folder)
    assert store.load("other", SHA256, 7) is None and store.load("kind", SHA256, 8) is None


@pytest.mark.parametrize("damage", ["size", "mtime", "gone", "manifest", "format"])
def test_damage_is_a_miss_and_is_replaced(layout: Layout, damage: str) -> None:
    folder, bytecode = finished(layout)
    store = BytecodeStore(layout)
    store.publish(folder, "kind", SHA256, bytecode)
    place = Path(layout.root, "bytecode-v1", "kind", "ab", SHA256)
    file = place / "tree" / "pkg" / "__pycache__" / "a.tag.pyc"
    if damage == "size":
        file.write_bytes(b"longer than before")
        os.utime(file, ns=(0, bytecode.files[0].mtime_ns))
    elif damage == "mtime":
        os.utime(file, ns=(0, 1))
    elif damage == "gone":
        file.unlink()
    else:
        (place / "manifest").write_bytes(b"{" if damage == "manifest" else b'{"format": 0}')
    assert store.load("kind", SHA256, 7) is None
    store.publish(*finished_arguments(layout))
    assert store.load("kind", SHA256, 7) is not None and file.read_bytes() == b"again"


def finished_arguments(layout: Layout) -> tuple[str, str, str, Bytecode]:
    folder, bytecode = finished(layout, b"again", "again")
    return folder, "kind", SHA256, bytecode


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_what_the_cache_refuses_goes_to_the_private_layer(tmp_path: Path, layout: Layout) -> None:
    private = Layout(str(tmp_path / "private"))
    folder, bytecode = finished(private)
    os.makedirs(layout.root)
    os.chmod(layout.root, 0o555)
    store = BytecodeStore(layout, private)
    store.publish(folder, "kind", SHA256, bytecode)
    os.chmod(layout.root, 0o755)
    found = store.load("kind", SHA256, 7)
    assert found is not None and found[1].startswith(private.root)


def test_what_was_compiled_of_a_wheel_that_is_gone_is_found(layout: Layout) -> None:
    folder, bytecode = finished(layout)
    BytecodeStore(layout).publish(folder, "kind", SHA256, bytecode)
    assert list(orphans(layout)) == [f"{layout.root}/bytecode-v1/kind/ab/{SHA256}"]
    manifest = Path(layout.manifest(SHA256))
    manifest.parent.mkdir(parents=True)
    manifest.write_text("")
    assert list(orphans(layout)) == []
