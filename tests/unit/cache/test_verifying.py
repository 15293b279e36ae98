"""Verifying: every kind of damage is found, and what is whole is left alone."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cache import plans
from cache.bytecode import Bytecode, BytecodeStore, CompiledFile
from cache.layout import Layout
from cache.records import RecordStore
from cache.verifying import Damage, verify
from tests.unit.engine.entries import RELATIVE, publish

CONTENT = b"value = 1\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The files of the one wheel in a cache with one plan and one record."""
    entry = publish(tmp_path, {"demo.py": CONTENT})
    layout = Layout(str(tmp_path))
    plans.store(layout.plan("1" * 64), plans.Plan(RELATIVE, [entry]))
    RecordStore(layout.bucket("index-v3")).put("index/demo", b"good")
    return Path(layout.tree(entry.sha256))


def damages(tree: Path, *, full: bool = False) -> list[Damage]:
    found = verify(Layout(str(tree.parents[3])), full=full, readable=lambda bucket, body: body == b"good")
    return [damage for damage in found if damage is not None]


def edit_in_place(path: Path) -> None:
    before = path.stat()
    path.write_bytes(CONTENT.replace(b"1", b"2"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_by_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("elsewhere")


def touch(path: Path) -> None:
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))


def append(path: Path) -> None:
    path.write_bytes(CONTENT + b"#")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (append, "has 11 bytes instead of 10"),
        (touch, "was written to"),
        (Path.unlink, "is missing"),
        (replace_by_link, "is no file"),
        pytest.param(
            lambda path: path.chmod(0o755),
            "has another mode",
            marks=pytest.mark.skipif(os.name == "nt", reason="needs modes"),
        ),
    ],
)
def test_a_damaged_file_is_found(damage: Callable[[Path], None], reason: str, tree: Path) -> None:
    assert damages(tree) == []
    damage(tree / "demo.py")
    assert damages(tree) == [Damage("demo-1.0-py3-none-any.whl", f"demo.py {reason}", str(tree.parent))]


def test_another_content_of_the_same_size_and_time_is_found_when_all_is_read(tree: Path) -> None:
    edit_in_place(tree / "demo.py")
    assert damages(tree) == []
    (found,) = damages(tree, full=True)
    assert found.reason == "demo.py has another content than RECORD says"


@pytest.fixture
def compiled(tree: Path) -> Path:
    """The one compiled file of the wheel."""
    layout = Layout(str(tree.parents[3]))
    folder = Path(layout.temporary, "compiled")
    file = folder / "tree" / "__pycache__" / "demo.tag.pyc"
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT)
    rows = (CompiledFile("demo.py", file.name, 10, file.stat().st_mtime_ns, hashlib.sha256(CONTENT).hexdigest()),)
    BytecodeStore(layout).publish(str(folder), "kind", tree.parent.name, Bytecode(stamp=1, files=rows))
    place = f"{layout.bucket('bytecode-v1')}/kind/{tree.parent.name[:2]}/{tree.parent.name}/tree/__pycache__"
    return Path(place, file.name)


@pytest.mark.parametrize(
    ("damage", "reason"), [(append, "has 11 bytes instead of 10"), (touch, "was written to"), (Path.unlink, "missing")]
)
def test_damaged_bytecode_is_found(damage: Callable[[Path], None], reason: str, tree: Path, compiled: Path) -> None:
    assert damages(tree, full=True) == []
    damage(compiled)
    (found,) = damages(tree)
    assert found.name == "bytecode of demo-1.0-py3-none-any.whl" and reason in found.reason
    assert found.path == str(compiled.parents[2])


def test_other_bytecode_of_the_same_size_and_time_is_found_when_all_is_read(tree: Path, compiled: Path) -> None:
    edit_in_place(compiled)
    assert damages(tree) == []
    (found,) = damages(tree, full=True)
    assert found.reason == "__pycache__/demo.tag.pyc has another content than was compiled"


def test_bytecode_without_digests_is_not_called_sound(tree: Path, compiled: Path) -> None:
    (compiled.parents[2] / "manifest").write_bytes(b'{"format": 1, "stamp": 1, "files": [], "skipped": []}')
    (found,) = damages(tree)
    assert "earlier format" in found.reason


@pytest.mark.parametrize("content", [None, b"{"])
def test_a_manifest_that_is_damaged_or_missing_is_found(content: bytes | None, tree: Path) -> None:
    manifest = tree.parent / "manifest"
    manifest.unlink()
    if content is not None:
        manifest.write_bytes(content)
    (found,) = damages(tree)
    assert "manifest" in found.reason and found.path == str(tree.parent)


@pytest.mark.parametrize("place", ["plans-v1/11/" + "1" * 64, "index-v3/index/demo"])
def test_a_torn_plan_or_record_is_found(place: str, tree: Path) -> None:
    path = tree.parents[3] / place
    path.write_bytes(path.read_bytes()[:-1])
    assert [damage.path for damage in damages(tree)] == [str(path)]
