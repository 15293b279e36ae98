from pathlib import Path

import pytest

from cache.manifest import Manifest, ManifestFile
from engine.errors import InvalidWheel
from engine.wheel.strict import check_cached, refuse_faults
from tests.support.building import DIST_INFO, FILENAME, record_row


def cached(tree: Path, record: str) -> Manifest:
    """Returns the manifest of a tree with one module; it says that its hash is what RECORD says."""
    (tree / "demo.py").write_bytes(b"x = 1\n")
    (tree / DIST_INFO).mkdir()
    (tree / DIST_INFO / "RECORD").write_text(record)
    claimed = record.partition("sha256=")[2].partition(",")[0]
    return Manifest(
        filename=FILENAME,
        name="demo",
        version="1.0",
        dist_info=DIST_INFO,
        data=None,
        root_is_purelib=True,
        files=(ManifestFile("demo.py", 6, 0, False, claimed),),
    )


def test_a_cached_wheel_with_a_right_record_passes(tmp_path: Path) -> None:
    check_cached(cached(tmp_path, record_row("demo.py", b"x = 1\n") + f"{DIST_INFO}/RECORD,,\n"), str(tmp_path))


def test_a_cached_wheel_whose_manifest_believed_its_record_is_refused(tmp_path: Path) -> None:
    manifest = cached(tmp_path, f"demo.py,sha256={'A' * 43},6\n{DIST_INFO}/RECORD,,\n")
    with pytest.raises(InvalidWheel, match=f"^{FILENAME}: RECORD is wrong about 'demo.py'$"):
        check_cached(manifest, str(tmp_path))


def test_one_fault_is_named_and_the_others_are_counted() -> None:
    refuse_faults([])
    with pytest.raises(InvalidWheel, match=r"^first \(and 2 more\)$"):
        refuse_faults(["first", "second", "third"])
