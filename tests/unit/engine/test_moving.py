"""A folder that is not renamed goes out file by file; whoever finds that half done can finish it or take it back."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from engine.errors import InstallFailed
from engine.moving import is_begun, move_out, take_back
from engine.transaction import Transaction, recover
from tests.support.trees import snapshot
from tests.unit.engine.entries import RELATIVE, absolute_schemes

REFUSED = OSError(errno.EXDEV, "Invalid cross-device link")
NAMES = ("a.py", "deep/b.py", "deep/deeper/c.py", "z.py")


def fill(folder: Path) -> None:
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def interrupt(source: Path, target: Path, moved: int) -> None:
    """Leaves what a process leaves that is killed when it has moved so many files."""
    part = Path(f"{target}.part")
    for name in NAMES[:moved]:
        (part / name).parent.mkdir(parents=True, exist_ok=True)
        os.rename(source / name, part / name)
    part.mkdir(exist_ok=True)


def test_all_of_a_folder_arrives_with_its_mode(tmp_path: Path) -> None:
    fill(tmp_path / "out")
    (tmp_path / "out/deep").chmod(0o750)
    before = snapshot(tmp_path / "out")
    move_out(str(tmp_path / "out"), str(tmp_path / "0"), REFUSED)
    assert snapshot(tmp_path / "0") == before
    assert os.listdir(tmp_path) == ["0"]


@pytest.mark.parametrize("moved", range(len(NAMES) + 1))
def test_a_move_that_was_cut_off_is_finished_or_taken_back(tmp_path: Path, moved: int) -> None:
    for way in ("on", "back"):
        source, target = tmp_path / way / "out", tmp_path / way / "0"
        fill(source)
        before = snapshot(source)
        interrupt(source, target, moved)
        assert is_begun(str(target))
        if way == "on":
            move_out(str(source), str(target), REFUSED)
        else:
            take_back(str(source), str(target))
        assert snapshot(target if way == "on" else source) == before
        assert len(os.listdir(tmp_path / way)) == 1


def test_the_last_rename_may_be_all_that_is_missing(tmp_path: Path) -> None:
    fill(tmp_path / "0.part")
    move_out(str(tmp_path / "out"), str(tmp_path / "0"), FileNotFoundError(errno.ENOENT, "gone"))
    assert os.listdir(tmp_path) == ["0"]


def test_another_refusal_stays_one(tmp_path: Path) -> None:
    fill(tmp_path / "out")
    with pytest.raises(PermissionError):
        move_out(str(tmp_path / "out"), str(tmp_path / "0"), PermissionError(errno.EACCES, "no"))
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("moved", range(len(NAMES) + 1))
def test_a_transaction_with_a_folder_half_moved_is_taken_back_or_finished(tmp_path: Path, moved: int) -> None:
    prefix, killed = tmp_path / "environment", tmp_path / "killed"
    for folder in RELATIVE.values():
        (prefix / folder).mkdir(parents=True, exist_ok=True)
    package = prefix / "lib/site/demo"
    fill(package)
    before = snapshot(package)
    transaction = Transaction(str(prefix), absolute_schemes(prefix))
    (Path(transaction.stage) / "purelib/demo").mkdir()
    (Path(transaction.stage) / "purelib/demo/new.py").write_text("new")
    (out, _) = transaction.plan_moves([str(package)])

    def fail(number: int) -> None:
        if number == 2:
            interrupt(package, Path(out[2]), moved)
            shutil.copytree(prefix, killed)
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(InstallFailed):
        transaction.commit(check=fail)
    transaction.close()
    assert snapshot(package) == before
    # In the place of the system, which is not asked for a folder of which all but the last rename is done.
    if moved == len(NAMES):
        shutil.rmtree(killed / "lib/site/demo")
    assert recover(str(killed))
    assert os.listdir(killed / "lib/site/demo") == ["new.py"] and not (killed / ".engine").exists()
