"""One environment's way through a sync: what differs, and a commit that looks again."""

import os
from pathlib import Path

import pytest

from engine.environment.target import Environment
from engine.errors import InstallConflict
from engine.linking import Linker
from engine.options import InstallOptions
from engine.staging import stage_entry
from engine.work import Work
from tests.unit.engine.entries import RELATIVE, install, publish, tree_of


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    prefix = tmp_path / "environment"
    for folder in RELATIVE.values():
        (prefix / folder).mkdir(parents=True, exist_ok=True)
    for name in ("python", "python3", "python3.13"):
        (prefix / "bin" / name).write_text("the interpreter")
    (prefix / "pyvenv.cfg").write_text("home = x\n")
    return prefix


def work_on(prefix: Path) -> Work:
    environment = Environment(
        prefix=str(prefix), python=str(prefix / "bin/python"), base_executable="x", is_virtual=True, interpreter_key="k"
    )
    work = Work(environment, RELATIVE, InstallOptions())
    work.scan()
    return work


def names(prefix: Path) -> set[str]:
    return {path.name for path in (prefix / "lib/site").iterdir()}


def test_what_is_there_is_kept_and_the_rest_is_missing_in_lock_order(prefix: Path) -> None:
    install(prefix, "here", {"here.py": b""})
    work = work_on(prefix)
    assert work.compare([("zeta", "1"), ("here", "1.0.0"), ("alpha", "2")]) == ["zeta", "alpha"]
    assert (work.added, work.removed, work.kept) == ([("zeta", "1"), ("alpha", "2")], [], 1)
    assert work.changes


def test_another_version_is_replaced_and_what_the_lock_does_not_name_leaves(prefix: Path) -> None:
    install(prefix, "demo", {"demo.py": b""})
    install(prefix, "extra", {"extra.py": b""})
    work = work_on(prefix)
    assert work.compare([("demo", "2.0")]) == ["demo"]
    assert work.added == [("demo", "2.0")]
    assert sorted(work.removed) == [("demo", "1.0"), ("extra", "1.0")]


def test_what_a_new_environment_comes_with_stays_unless_it_is_pinned(prefix: Path) -> None:
    install(prefix, "pip", {"pip/__init__.py": b""})
    work = work_on(prefix)
    assert work.compare([]) == [] and not work.changes
    assert work.compare([("pip", "2.0")]) == ["pip"] and work.removed == [("pip", "1.0")]


@pytest.mark.parametrize("missing", ["METADATA", "RECORD"])
def test_a_distribution_that_is_not_whole_is_installed_again(prefix: Path, missing: str) -> None:
    (install(prefix, "demo", {"demo.py": b""}) / missing).unlink()
    assert work_on(prefix).compare([("demo", "1.0")]) == ["demo"]


def test_two_versions_of_one_project_are_both_replaced(prefix: Path) -> None:
    install(prefix, "demo", {"demo.py": b""})
    install(prefix, "demo", {"demo.py": b""}, version="2.0")
    work = work_on(prefix)
    assert work.compare([("demo", "1.0")]) == ["demo"]
    assert sorted(work.removed) == [("demo", "1.0"), ("demo", "2.0")]


def test_comparing_again_starts_anew(prefix: Path) -> None:
    work = work_on(prefix)
    work.compare([("demo", "1.0")])
    work.compare([])
    assert not work.changes and work.kept == 0


def commit(cache: Path, work: Work, **files: dict[str, bytes]) -> None:
    """Stages and commits projects with these files."""
    area = work.open()
    for name, content in files.items():
        entry = publish(cache, content, name=name, version="2.0")
        stage_entry(entry, tree_of(cache, entry), area, Linker("hardlink"))
    work.commit()
    work.close()


def test_a_commit_replaces_the_old_version_and_removes_what_is_not_wanted(prefix: Path, tmp_path: Path) -> None:
    install(prefix, "demo", {"demo/__init__.py": b"old", "demo/gone.py": b"", "../../bin/demo": b"#!"})
    install(prefix, "extra", {"extra.py": b""})
    work = work_on(prefix)
    work.compare([("demo", "2.0")])
    commit(tmp_path / "cache", work, demo={"demo/__init__.py": b"new"})
    assert names(prefix) == {"demo", "demo-2.0.dist-info"}
    assert sorted(path.name for path in (prefix / "lib/site/demo").iterdir()) == ["__init__.py"]
    assert not (prefix / "bin/demo").exists() and not (prefix / ".engine").exists()
    assert work.committed


def test_a_file_that_a_kept_distribution_owns_too_stays(prefix: Path, tmp_path: Path) -> None:
    install(prefix, "one", {"shared.py": b"", "one.py": b""})
    install(prefix, "two", {"shared.py": b"", "two.py": b""})
    work = work_on(prefix)
    work.compare([("two", "1.0")])
    commit(tmp_path / "cache", work)
    assert names(prefix) == {"shared.py", "two.py", "two-1.0.dist-info"}


def test_the_interpreter_and_what_is_outside_stay_whatever_record_says(prefix: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("x")
    rows = "".join(f"../../bin/{name},,\n" for name in ("python", "python3", "python3.13"))
    install(prefix, "evil", {"evil.py": b""}, extra_rows=f"{rows}../../pyvenv.cfg,,\n../../../precious,,\n")
    work = work_on(prefix)
    work.compare([])
    commit(tmp_path / "cache", work)
    assert sorted(path.name for path in (prefix / "bin").iterdir()) == ["python", "python3", "python3.13"]
    assert (prefix / "pyvenv.cfg").exists() and precious.exists()
    assert names(prefix) == set()
    assert any(str(precious) in warning for warning in work.warnings)


def test_the_commit_removes_what_another_process_has_installed_meanwhile(prefix: Path, tmp_path: Path) -> None:
    work = work_on(prefix)
    work.compare([("demo", "2.0")])
    install(prefix, "demo", {"demo.py": b"", "other.py": b""})
    commit(tmp_path / "cache", work, demo={"demo.py": b"new"})
    assert names(prefix) == {"demo.py", "demo-2.0.dist-info"}


def test_a_distribution_that_cannot_be_removed_stops_the_commit_and_nothing_changes(
    prefix: Path, tmp_path: Path
) -> None:
    (prefix / "lib/site/old-1.0-py3.13.egg-info").write_text("Name: old\nVersion: 1.0\n")
    before = names(prefix)
    work = work_on(prefix)
    work.compare([("demo", "2.0")])
    with pytest.raises(InstallConflict, match="old"):
        commit(tmp_path / "cache", work, demo={"demo.py": b"new"})
    work.close()
    assert names(prefix) == before and not work.committed and not (prefix / ".engine").exists()


def test_a_scan_finishes_what_a_killed_run_has_left_and_says_so(prefix: Path) -> None:
    folder = prefix / ".engine" / "1-ab"
    (folder / "trash").mkdir(parents=True)
    old = install(prefix, "demo", {"demo.py": b""})
    step = (b"out", os.fsencode(old), os.fsencode(folder / "trash" / "0"))
    (folder / "journal").write_bytes(b"\0".join((b"engine journal 1", *step, b"end")))
    work = work_on(prefix)
    assert work.recovered and work.installed == {} and not (prefix / ".engine").exists()


def test_closing_without_a_commit_leaves_the_environment_as_it_was(prefix: Path) -> None:
    work = work_on(prefix)
    work.open()
    work.close()
    work.close()
    assert not (prefix / ".engine").exists() and names(prefix) == set()


def test_what_another_run_has_brought_meanwhile_leaves_when_the_lock_does_not_name_it(
    prefix: Path, tmp_path: Path
) -> None:
    work = work_on(prefix)
    work.compare([("demo", "1.0")])
    area = work.open()
    entry = publish(tmp_path / "cache", {"demo.py": b"x = 1\n"})
    stage_entry(entry, tree_of(tmp_path / "cache", entry), area, Linker("copy"))
    install(prefix, "other", {"other.py": b""})
    work.commit()
    work.close()
    assert "demo.py" in names(prefix) and "other.py" not in names(prefix)


def test_a_kept_distribution_that_another_run_has_replaced_stops_the_commit(prefix: Path) -> None:
    here = install(prefix, "here", {"here.py": b""})
    install(prefix, "extra", {"extra.py": b""})
    work = work_on(prefix)
    work.compare([("here", "1.0")])
    work.open()
    here.rename(here.with_name("here-2.0.dist-info"))
    with pytest.raises(InstallConflict, match=r"here 1\.0 was changed"):
        work.commit()
    work.close()
    assert "extra.py" in names(prefix)


@pytest.mark.parametrize(
    ("installed", "kept"),
    [
        ('{"archive_info":{},"url":"https://example.com/demo.whl"}', True),
        ('{"url": "https://example.com/demo.whl", "archive_info": {"hashes": {"sha256": "00"}}}', True),
        ('{"archive_info":{},"url":"https://example.com/other.whl"}', False),
        ("not JSON", False),
        (None, False),
    ],
)
def test_a_distribution_that_came_from_elsewhere_is_replaced_when_the_lock_names_its_wheel(
    prefix: Path, installed: str | None, kept: bool
) -> None:
    folder = install(prefix, "demo", {"demo.py": b""})
    if installed is not None:
        (folder / "direct_url.json").write_text(installed)
    wanted = {"demo": '{"archive_info":{},"url":"https://example.com/demo.whl"}'}
    assert work_on(prefix).compare([("demo", "1.0")], wanted) == ([] if kept else ["demo"])


def test_a_distribution_that_is_only_pinned_may_have_come_from_anywhere(prefix: Path) -> None:
    folder = install(prefix, "demo", {"demo.py": b""})
    (folder / "direct_url.json").write_text('{"archive_info":{},"url":"https://example.com/other.whl"}')
    assert work_on(prefix).compare([("demo", "1.0")]) == []
