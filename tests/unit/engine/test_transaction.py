"""A target changes all at once or not at all, and whoever comes next finishes what a killed process began."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import InstallConflict, InstallFailed
from engine.transaction import Transaction, lock_folder, recover
from tests.support.trees import Tree, snapshot
from tests.unit.engine.entries import RELATIVE, absolute_schemes

posix_only = pytest.mark.skipif(os.name == "nt", reason="locks and links of POSIX")


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    prefix = tmp_path / "environment"
    make_environment(prefix)
    return prefix


def make_environment(prefix: Path) -> None:
    for folder in RELATIVE.values():
        (prefix / folder).mkdir(parents=True, exist_ok=True)


def put(root: Path, *paths: str, content: str = "old") -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)


def begin(prefix: Path, *staged: str) -> Transaction:
    """Returns a transaction with `scheme/path` files staged."""
    transaction = Transaction(str(prefix), absolute_schemes(prefix))
    put(Path(transaction.stage), *staged, content="new")
    return transaction


def files(prefix: Path) -> dict[str, str]:
    """Returns the content of every file of an environment."""
    return {
        path.relative_to(prefix).as_posix(): path.read_text() for path in sorted(prefix.rglob("*")) if path.is_file()
    }


def carry_out(transaction: Transaction, *outgoing: Path) -> None:
    transaction.plan_moves([str(path) for path in outgoing])
    transaction.commit()
    transaction.close()


def test_what_is_staged_arrives_and_nothing_else_is_left(prefix: Path) -> None:
    carry_out(begin(prefix, "purelib/demo/a.py", "scripts/demo", "data/share/x"))
    assert files(prefix) == {"lib/site/demo/a.py": "new", "bin/demo": "new", "share/x": "new"}
    assert not (prefix / ".engine").exists()


def test_what_is_not_committed_leaves_no_trace(prefix: Path) -> None:
    before = snapshot(prefix)
    transaction = begin(prefix, "purelib/demo/a.py")
    transaction.plan_moves([])
    transaction.close()
    assert snapshot(prefix) == before


def test_outgoing_files_are_replaced(prefix: Path) -> None:
    put(prefix, "lib/site/demo/a.py", "lib/site/demo/gone.py")
    carry_out(begin(prefix, "purelib/demo/a.py"), prefix / "lib/site/demo")
    assert files(prefix) == {"lib/site/demo/a.py": "new"}


def test_a_folder_that_is_there_is_merged_file_by_file(prefix: Path) -> None:
    put(prefix, "lib/site/space/mine.py", "lib/site/space/deep/other.py")
    carry_out(begin(prefix, "purelib/space/new.py", "purelib/space/deep/new.py", "purelib/space/more/new.py"))
    assert files(prefix) == {
        "lib/site/space/deep/new.py": "new",
        "lib/site/space/deep/other.py": "old",
        "lib/site/space/mine.py": "old",
        "lib/site/space/more/new.py": "new",
        "lib/site/space/new.py": "new",
    }


def test_a_file_that_nobody_removes_is_replaced_by_a_staged_one(prefix: Path) -> None:
    put(prefix, "lib/site/demo.py")
    carry_out(begin(prefix, "purelib/demo.py"))
    assert files(prefix) == {"lib/site/demo.py": "new"}


def test_a_folder_takes_the_place_of_a_file(prefix: Path) -> None:
    put(prefix, "lib/site/demo")
    carry_out(begin(prefix, "purelib/demo/a.py"))
    assert files(prefix) == {"lib/site/demo/a.py": "new"}


def test_a_file_does_not_take_the_place_of_a_folder_that_stays(prefix: Path) -> None:
    put(prefix, "lib/site/demo/a.py", "lib/site/demo/b.py")
    transaction = begin(prefix, "purelib/demo")
    with pytest.raises(InstallConflict, match="demo is a folder"):
        transaction.plan_moves([str(prefix / "lib/site/demo/a.py")])
    transaction.close()
    assert files(prefix) == {"lib/site/demo/a.py": "old", "lib/site/demo/b.py": "old"}


def test_a_file_takes_the_place_of_a_folder_that_leaves(prefix: Path) -> None:
    put(prefix, "lib/site/demo/a.py")
    carry_out(begin(prefix, "purelib/demo"), prefix / "lib/site/demo")
    assert files(prefix) == {"lib/site/demo": "new"}


@posix_only
def test_a_link_inside_the_environment_is_merged_into(prefix: Path) -> None:
    put(prefix, "lib/site/demo/a.py")
    (prefix / "lib64").symlink_to("lib")
    carry_out(begin(prefix, "data/lib64/site/demo/b.py"))
    assert (prefix / "lib64").is_symlink()
    assert files(prefix)["lib/site/demo/b.py"] == "new"


@posix_only
def test_a_linked_folder_is_replaced_and_what_it_points_to_stays_as_it_is(prefix: Path, tmp_path: Path) -> None:
    put(tmp_path / "elsewhere", "precious.py")
    (prefix / "lib/site/demo").symlink_to(tmp_path / "elsewhere")
    carry_out(begin(prefix, "purelib/demo/a.py"))
    assert not (prefix / "lib/site/demo").is_symlink()
    assert files(prefix) == {"lib/site/demo/a.py": "new"}
    assert files(tmp_path / "elsewhere") == {"precious.py": "old"}


@posix_only
def test_a_scheme_folder_that_is_a_link_is_followed(prefix: Path, tmp_path: Path) -> None:
    (prefix / "bin").rmdir()
    (tmp_path / "scripts").mkdir()
    (prefix / "bin").symlink_to(tmp_path / "scripts")
    carry_out(begin(prefix, "scripts/demo"))
    assert (tmp_path / "scripts" / "demo").read_text() == "new"


def test_a_scheme_folder_that_is_missing_is_made_only_when_something_goes_there(prefix: Path) -> None:
    (prefix / "bin").rmdir()
    (prefix / "include").rmdir()
    carry_out(begin(prefix, "scripts/demo"))
    assert (prefix / "bin" / "demo").exists() and not (prefix / "include").exists()


def test_dist_info_leaves_first_and_arrives_last(prefix: Path) -> None:
    put(prefix, "lib/site/demo-1.dist-info/RECORD", "lib/site/demo.py")
    transaction = begin(prefix, "purelib/demo-2.dist-info/RECORD", "purelib/zzz.py", "scripts/demo", "data/x")
    going = [str(prefix / "lib/site" / name) for name in ("demo-1.dist-info", "demo.py")]
    steps = transaction.plan_moves(going)
    transaction.close()
    assert [step[1] for step in steps[:2]] == going
    assert [kind for kind, _, _ in steps] == ["out"] * 2 + ["in"] * 4
    assert steps[-1][2] == str(prefix / "lib/site/demo-2.dist-info")


class _Stop(BaseException):
    """What a test raises where a process would be killed."""


def stop_at(wanted: int, error: BaseException) -> Callable[[int], None]:
    def check(step: int) -> None:
        if step == wanted:
            raise error

    return check


def _old_environment(prefix: Path) -> None:
    make_environment(prefix)
    put(prefix, "lib/site/demo-1.dist-info/RECORD", "lib/site/demo/a.py", "lib/site/space/keep.py", "bin/demo")


def _change(prefix: Path) -> Transaction:
    """Plans a change of `_old_environment` that has every kind of step."""
    transaction = begin(
        prefix,
        "purelib/demo-2.dist-info/RECORD",
        "purelib/demo/a.py",
        "purelib/space/new.py",
        "scripts/demo",
        "data/share/x",
    )
    transaction.plan_moves([str(prefix / "lib/site" / name) for name in ("demo-1.dist-info", "demo")])
    return transaction


def _states(folder: Path) -> tuple[Tree, Tree]:
    """Returns what the environment is like before and after the change."""
    _old_environment(folder)
    before = snapshot(folder)
    transaction = _change(folder)
    transaction.commit()
    transaction.close()
    return before, snapshot(folder)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), SystemExit(143)])
def test_an_error_or_interrupt_at_any_step_leaves_the_old_or_the_new_environment(
    tmp_path: Path, error: BaseException
) -> None:
    before, after = _states(tmp_path / "model")
    step = 0
    while True:
        prefix = tmp_path / str(step)
        _old_environment(prefix)
        transaction = _change(prefix)
        try:
            transaction.commit(check=stop_at(step, error))
        except (InstallFailed, KeyboardInterrupt, SystemExit):
            transaction.close()
            with_lock_recover(prefix)
            assert snapshot(prefix) in (before, after), step
            step += 1
        else:
            transaction.close()
            assert snapshot(prefix) == after
            break
    assert step > len(transaction.plan_moves([]))


def with_lock_recover(prefix: Path) -> bool:
    lock = lock_folder(str(prefix), wait=True)
    try:
        return recover(str(prefix))
    finally:
        if lock is not None:
            os.close(lock)


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyboardInterrupt()])
def test_a_failed_move_takes_all_others_back_at_once(prefix: Path, error: BaseException) -> None:
    _old_environment(prefix)
    before = snapshot(prefix)
    transaction = _change(prefix)
    with pytest.raises((InstallFailed, KeyboardInterrupt)):
        transaction.commit(check=stop_at(6, error))
    transaction.close()
    assert snapshot(prefix) == before


def test_a_real_refusal_takes_everything_back_and_says_which_environment(prefix: Path) -> None:
    _old_environment(prefix)
    transaction = _change(prefix)
    before = {path: text for path, text in files(prefix).items() if not path.startswith(".engine")}
    # What is staged for the last step is gone: renaming it fails.
    (Path(transaction.stage) / "purelib/demo-2.dist-info/RECORD").unlink()
    (Path(transaction.stage) / "purelib/demo-2.dist-info").rmdir()
    with pytest.raises(InstallFailed, match="cannot change the environment") as caught:
        transaction.commit()
    transaction.close()
    assert str(prefix) in caught.value.message and caught.value.hint
    assert files(prefix) == before


def _killed_at(prefix: Path, step: int) -> bool:
    """Changes an environment in another process that ends at `step`; returns whether it came that far."""
    pid = os.fork()
    if not pid:
        try:
            _change(prefix).commit(check=lambda now: os._exit(9) if now == step else None)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9


@posix_only
def test_a_process_killed_at_any_step_leaves_what_the_next_run_finishes(tmp_path: Path) -> None:
    before, after = _states(tmp_path / "model")
    changed: list[bool] = []
    recoveries = 0
    while True:
        prefix = tmp_path / str(len(changed))
        _old_environment(prefix)
        killed = _killed_at(prefix, len(changed))
        recovered = with_lock_recover(prefix)
        state = snapshot(prefix)
        assert state in (before, after), len(changed)
        assert state == after or not recovered
        assert not with_lock_recover(prefix), "the second recovery has nothing to do"
        changed.append(state == after)
        recoveries += recovered
        if not killed:
            break
    # Undone before the journal is there, finished from then on; the last two had no journal any more.
    assert changed == [False] * 2 + [True] * (recoveries + 2) and recoveries == 9


@pytest.mark.parametrize("done", range(9))
def test_a_decided_change_is_carried_out_from_whatever_step_it_stopped_at(prefix: Path, done: int) -> None:
    _old_environment(prefix)
    _, after = _states(prefix.parent / "model")
    transaction = _change(prefix)
    steps = transaction.plan_moves([str(prefix / "lib/site" / name) for name in ("demo-1.dist-info", "demo")])
    assert len(steps) == 8
    fields = [b"engine journal 1", *(os.fsencode(part) for step in steps for part in step), b"end"]
    (Path(transaction.folder) / "journal").write_bytes(b"\0".join(fields))
    for _, source, target in steps[:done]:
        os.rename(source, target)
    assert with_lock_recover(prefix)
    assert snapshot(prefix) == after
    transaction.close()


def test_what_can_no_longer_be_carried_out_is_taken_back(prefix: Path) -> None:
    _old_environment(prefix)
    before = snapshot(prefix)
    transaction = _change(prefix)
    with pytest.raises(_Stop):
        transaction.commit(check=stop_at(2, _Stop()))
    steps = transaction.plan_moves([str(prefix / "lib/site" / name) for name in ("demo-1.dist-info", "demo")])
    # A step that can neither be seen as done nor be done: its source is gone, its place in the trash is free.
    steps.insert(3, ("out", str(prefix / "never" / "there"), str(Path(transaction.folder) / "trash" / "99")))
    fields = [b"engine journal 1", *(os.fsencode(part) for step in steps for part in step), b"end"]
    (Path(transaction.folder) / "journal").write_bytes(b"\0".join(fields))
    assert with_lock_recover(prefix)
    transaction.close()
    assert snapshot(prefix) == before


@pytest.mark.parametrize(
    "damage", [b"", b"engine journal 1", b"engine journal 2\0end", b"engine journal 1\0out\0a\0end", b"\xff\0"]
)
def test_a_damaged_journal_is_an_error_that_names_it_and_changes_nothing(prefix: Path, damage: bytes) -> None:
    put(prefix, ".engine/1-ab/journal", ".engine/1-ab/trash/0")
    (prefix / ".engine/1-ab/journal").write_bytes(damage)
    before = snapshot(prefix)
    with pytest.raises(InstallFailed, match="journal"):
        with_lock_recover(prefix)
    assert snapshot(prefix) == before


def test_close_leaves_a_decided_change_to_the_next_run(prefix: Path) -> None:
    _old_environment(prefix)
    _, after = _states(prefix.parent / "model")
    transaction = _change(prefix)
    last = 2 + len(transaction.plan_moves([str(prefix / "lib/site" / name) for name in ("demo-1.dist-info", "demo")]))
    with pytest.raises(_Stop):
        transaction.commit(check=stop_at(last, _Stop()))
    transaction.close()
    assert (Path(transaction.folder) / "journal").exists()
    assert with_lock_recover(prefix)
    assert snapshot(prefix) == after


def test_litter_of_a_dead_process_is_removed_without_counting_as_recovery(prefix: Path) -> None:
    before = snapshot(prefix)
    put(prefix, ".engine/1-ab/stage/purelib/x.py", ".engine/1-ab/journal.tmp")
    assert not with_lock_recover(prefix)
    assert snapshot(prefix) == before


@posix_only
def test_what_a_living_process_stages_is_left_alone(prefix: Path) -> None:
    transaction = begin(prefix, "purelib/demo.py")
    assert not with_lock_recover(prefix)
    assert (Path(transaction.stage) / "purelib/demo.py").exists()
    transaction.plan_moves([])
    transaction.commit()
    transaction.close()
    assert files(prefix) == {"lib/site/demo.py": "new"}


def test_a_stray_file_among_the_transactions_does_no_harm(prefix: Path) -> None:
    put(prefix, ".engine/.DS_Store")
    assert not with_lock_recover(prefix)


def test_an_environment_without_transactions_needs_no_recovery(prefix: Path) -> None:
    assert not with_lock_recover(prefix)


@posix_only
def test_two_transactions_at_once_do_not_take_each_others_folder(prefix: Path) -> None:
    one, two = begin(prefix, "purelib/one.py"), begin(prefix, "purelib/two.py")
    carry_out(one)
    carry_out(two)
    assert files(prefix) == {"lib/site/one.py": "new", "lib/site/two.py": "new"}
    assert not (prefix / ".engine").exists()


@posix_only
def test_the_folder_of_transactions_stays_while_another_process_may_be_using_it(prefix: Path) -> None:
    transaction = begin(prefix)
    lock = lock_folder(str(prefix), wait=True)
    assert lock is not None
    transaction.close()
    assert (prefix / ".engine").exists() and list((prefix / ".engine").iterdir()) == []
    os.close(lock)


@posix_only
def test_a_lock_excludes_another_process_until_it_is_closed(tmp_path: Path) -> None:
    code = "import sys; from engine.transaction import lock_folder as l; print(l(sys.argv[1], wait=False) is not None)"

    def other_process_gets_it() -> bool:
        run = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            cwd=Path(__file__).resolve().parents[3],
            capture_output=True,
            text=True,
            check=True,
        )
        return run.stdout.strip() == "True"

    lock = lock_folder(str(tmp_path), wait=True)
    assert lock is not None
    assert not other_process_gets_it()
    assert lock_folder(str(tmp_path), wait=False) is None
    os.close(lock)
    assert other_process_gets_it()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_an_environment_that_cannot_be_written_is_an_error_that_names_it(prefix: Path) -> None:
    prefix.chmod(0o555)
    try:
        with pytest.raises(InstallFailed, match="cannot write to the environment"):
            begin(prefix)
    finally:
        prefix.chmod(0o755)


def test_an_environment_that_is_gone_is_an_error_that_names_it(prefix: Path) -> None:
    (prefix / ".engine").write_text("a file where the folder of transactions goes")
    with pytest.raises(InstallFailed, match="cannot write to the environment"):
        begin(prefix)


def test_two_schemes_that_reach_one_new_folder_arrive_together(prefix: Path) -> None:
    carry_out(begin(prefix, "purelib/demo/a.py", "purelib/demo/sub/b.py", "data/lib/site/demo/sub/c.py"))
    assert files(prefix) == {f"lib/site/demo/{name}": "new" for name in ("a.py", "sub/b.py", "sub/c.py")}


def test_two_schemes_that_want_a_file_and_a_folder_in_one_place_are_refused(prefix: Path) -> None:
    transaction = begin(prefix, "purelib/demo", "data/lib/site/demo/c.py")
    with pytest.raises(InstallConflict, match="a file and a folder"):
        transaction.plan_moves([])
    transaction.close()
    assert files(prefix) == {}
