"""What a sync does when nothing goes wrong, as a user sees it."""

import os
import sys
from pathlib import Path

import pytest

from tests.integration.conftest import NewTarget
from tests.support.index import Index
from tests.support.tool import Target, Tool, clean_environ
from tests.support.trees import check_cache, leftovers, published
from tests.support.wheels import make_wheel

ONE, TWO = make_wheel("one", "1.0"), make_wheel("one", "2.0")
OTHER = make_wheel("other.thing", "0.3", requires=["absent"])


def files_of(target: Target) -> list[Path]:
    return [target.site / name for name in ("one.py", "one-1.0.dist-info/METADATA")]


def test_a_new_environment_gets_what_the_lock_pins(index: Index, tool: Tool, target: Target) -> None:
    index.add(ONE, OTHER)
    run = tool.sync(tool.write_lock("one==1.0", "Other_Thing==0.3"), target)
    assert (run.code, run.out) == (0, "")
    assert "Installed 2 distributions" in run.err
    assert " + one==1.0" in run.err and " + other-thing==0.3" in run.err
    assert target.installed() == {"one-1.0", "other_thing-0.3"}
    assert target.run("import one, other_thing; print(one.version, other_thing.version)") == "1.0 0.3"
    assert not (target.prefix / ".engine").exists()
    check_cache(tool.cache)
    assert published(tool.cache) == {ONE.sha256, OTHER.sha256}
    assert leftovers(tool.cache) == []


def test_a_second_run_has_nothing_to_do_and_asks_nobody(index: Index, tool: Tool, target: Target) -> None:
    index.add(ONE)
    lock = tool.write_lock("one==1.0")
    tool.sync(lock, target)
    before, asked = target.tree(), len(index.requests)
    run = tool.sync(lock, target)
    assert run.code == 0
    assert run.err.startswith("Nothing to do: 1 distribution in place")
    assert (target.tree(), len(index.requests)) == (before, asked)


def test_versions_are_replaced_and_what_the_lock_dropped_is_removed(index: Index, tool: Tool, target: Target) -> None:
    index.add(ONE, TWO, OTHER)
    tool.sync(tool.write_lock("one==1.0", "other-thing==0.3"), target)
    run = tool.sync(tool.write_lock("one==2.0"), target)
    assert run.code == 0
    assert "Removed 2 distributions" in run.err and "Installed 1 distribution" in run.err
    assert " - other-thing==0.3" in run.err
    assert target.installed() == {"one-2.0"}
    assert not (target.site / "other_thing.py").exists()
    assert target.run("import one; print(one.version)") == "2.0"


def test_an_empty_lock_empties_the_environment(index: Index, tool: Tool, target: Target) -> None:
    before = target.tree()
    index.add(make_wheel("one", "1.0", {"a/b/c.py": ""}, console_scripts=["one = one:main"]))
    tool.sync(tool.write_lock("one==1.0"), target)
    assert target.tree() != before
    assert tool.sync(tool.write_lock("# nothing"), target, options=["--allow-empty-requirements"]).code == 0
    assert target.tree() == before


def test_files_that_nobody_recorded_stay(index: Index, tool: Tool, target: Target) -> None:
    index.add(make_wheel("one", "1.0", {"one/__init__.py": "", "one/module.py": ""}))
    tool.sync(tool.write_lock("one==1.0"), target)
    (target.site / "one" / "mine.txt").write_text("mine\n")
    tool.sync(tool.write_lock(), target, options=["--allow-empty-requirements"])
    assert [path.name for path in (target.site / "one").iterdir()] == ["mine.txt"]


def test_bytecode_leaves_with_its_module(index: Index, tool: Tool, target: Target) -> None:
    index.add(make_wheel("one", "1.0", {"one/__init__.py": "", "one/module.py": ""}))
    tool.sync(tool.write_lock("one==1.0"), target)
    tool.run(str(target.python), "-c", "import one.module", environ={"PYTHONPATH": ""})
    assert (target.site / "one" / "__pycache__").is_dir()
    tool.sync(tool.write_lock(), target, options=["--allow-empty-requirements"])
    assert not (target.site / "one").exists()


def test_what_an_environment_came_with_stays_until_the_lock_pins_it(index: Index, tool: Tool, target: Target) -> None:
    index.add(ONE, make_wheel("pip", "1.0"), make_wheel("pip", "2.0"), make_wheel("setuptools", "1.0"))
    tool.sync(tool.write_lock("pip==1.0", "setuptools==1.0"), target)
    assert tool.sync(tool.write_lock("one==1.0"), target).code == 0
    assert target.installed() == {"one-1.0", "pip-1.0", "setuptools-1.0"}
    tool.sync(tool.write_lock("pip==2.0"), target)
    assert target.installed() == {"pip-2.0", "setuptools-1.0"}


def test_markers_extras_hashes_and_continuations_are_understood(index: Index, tool: Tool, target: Target) -> None:
    index.add(ONE, OTHER, make_wheel("never", "1.0"))
    lock = tool.write_lock(
        "# a comment",
        "one[extra,more]==1.0 \\",
        f"    --hash=sha256:{'0' * 64} \\",
        f"    --hash=sha256:{ONE.sha256}  # why",
        "",
        f"other-thing == 0.3 ; python_version >= '3' --hash=sha256:{OTHER.sha256}",
        "never==1.0; python_version < '3'",
    )
    run = tool.sync(lock, target)
    assert run.code == 0, run.err
    assert target.installed() == {"one-1.0", "other_thing-0.3"}
    assert "/simple/never/" not in index.requests


def test_a_page_in_html_serves_as_well(index: Index, tool: Tool, target: Target) -> None:
    index.html = True
    index.add(ONE)
    run = tool.sync(tool.write_lock("one==1.0"), target)
    assert run.code == 0, run.err
    assert target.installed() == {"one-1.0"}


def test_the_index_of_the_lock_is_asked(index: Index, tool: Tool, target: Target) -> None:
    index.add(ONE)
    lock = tool.write_lock(f"--index-url {index.url}", "one==1.0")
    run = tool.run(
        *(sys.executable, "-m", "cli", "sync", str(lock), "-p", str(target.prefix)), "--cache-dir", str(tool.cache)
    )
    assert run.code == 0, run.err
    assert target.installed() == {"one-1.0"}


def test_a_yanked_file_is_installed_with_a_warning(index: Index, tool: Tool, target: Target) -> None:
    index.add(ONE, yanked="it was bad")
    run = tool.sync(tool.write_lock("one==1.0"), target)
    assert run.code == 0
    assert "warning: " in run.err and "it was bad" in run.err
    assert target.installed() == {"one-1.0"}


@pytest.mark.parametrize("options", [["--reinstall"], ["--reinstall", "--dry-run"]])
def test_the_warning_of_a_yanked_file_is_said_once_by_a_stored_plan_too(
    index: Index, tool: Tool, target: Target, options: list[str]
) -> None:
    index.add(ONE, yanked="it was bad")
    lock = tool.write_lock("one==1.0")
    assert tool.sync(lock, target).code == 0
    again = tool.sync(lock, target, options=["-v", *options])
    assert again.code == 0 and "downloaded" not in again.err
    assert again.err.count(f"{ONE.filename} was yanked: it was bad") == 1
    assert "was yanked" not in tool.sync(lock, target).err


@pytest.mark.parametrize("place", ["folder", "path", "index"])
def test_a_wheel_whose_metadata_requires_another_python_is_not_installed(
    index: Index, tool: Tool, target: Target, place: str
) -> None:
    wheel = make_wheel("future", "1.0", requires_python=">=4.1")
    (tool.folder / wheel.filename).write_bytes(wheel.content)
    index.add(wheel, **{"requires-python": None})
    line = f"./{wheel.filename}" if place == "path" else "future==1.0"
    lock = tool.write_lock(line, *([f"-f {tool.folder}"] if place == "folder" else []))
    for _ in range(2):  # downloaded, and from the cache
        run = tool.sync(lock, target)
        assert run.code == 1 and f"{wheel.filename} requires Python >=4.1" in run.err, run.err
        assert target.installed() == set()


def test_two_owners_of_a_file_are_named_and_the_first_in_the_lock_wins(
    index: Index, tool: Tool, target: Target
) -> None:
    index.add(make_wheel("first", "1.0", {"shared.py": "who = 1\n"}), make_wheel("second", "1.0", {"shared.py": "2\n"}))
    run = tool.sync(tool.write_lock("first==1.0", "second==1.0"), target)
    assert run.code == 0
    assert "shared.py" in run.err and "first" in run.err and "second" in run.err
    assert (target.site / "shared.py").read_text() == "who = 1\n"
    tool.sync(tool.write_lock("first==1.0"), target)
    assert (target.site / "shared.py").read_text() == "who = 1\n"


def test_a_dry_run_says_what_would_happen_and_changes_nothing(index: Index, tool: Tool, target: Target) -> None:
    index.add(ONE, TWO)
    tool.sync(tool.write_lock("one==1.0"), target)
    before = target.tree()
    run = tool.sync(tool.write_lock("one==2.0"), target, options=["--dry-run"])
    assert run.code == 0
    assert "Would remove 1 distribution" in run.err and "Would install 1 distribution" in run.err
    assert target.tree() == before
    assert f"/files/{TWO.filename}" not in index.requests


def test_a_dry_run_reports_what_would_fail(index: Index, tool: Tool, target: Target) -> None:
    index.add(ONE)
    run = tool.sync(tool.write_lock("one==9"), target, options=["--dry-run"])
    assert run.code == 1
    assert "one==9" in run.err


def test_a_copied_file_shares_nothing_with_the_cache(index: Index, tool: Tool, target: Target) -> None:
    index.add(ONE)
    lock = tool.write_lock("one==1.0")
    assert tool.sync(lock, target, options=["--link-mode", "copy"]).code == 0
    assert [path.stat().st_nlink for path in files_of(target)] == [1, 1]


def test_a_linked_file_is_the_one_in_the_cache(index: Index, tool: Tool, target: Target) -> None:
    index.add(ONE)
    tool.sync(tool.write_lock("one==1.0"), target)
    tree = tool.cache / "wheels-v1" / ONE.sha256[:2] / ONE.sha256 / "tree"
    for path in files_of(target):
        assert path.stat().st_ino == (tree / path.relative_to(target.site)).stat().st_ino
    assert (target.site / "one-1.0.dist-info" / "RECORD").stat().st_nlink == 1


def test_a_mode_that_there_is_not_is_a_mistake(tool: Tool, target: Target) -> None:
    assert tool.sync(tool.write_lock(), target, options=["--link-mode", "teleport"]).code == 2


def test_quiet_says_nothing_when_all_went_well(index: Index, tool: Tool, target: Target) -> None:
    index.add(ONE)
    lock = tool.write_lock("one==1.0")
    assert tool.sync(lock, target, options=["-q"]) == (0, "", "")
    assert tool.sync(lock, target, options=["--quiet"]) == (0, "", "")


@pytest.mark.parametrize("environ", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_escape_codes_where_nobody_sees_colors(
    environ: dict[str, str], index: Index, tool: Tool, target: Target
) -> None:
    index.add(ONE)
    good = tool.sync(tool.write_lock("one==1.0"), target, environ=environ)
    bad = tool.sync(tool.write_lock("one==2.0"), target, environ=environ)
    assert (good.code, bad.code) == (0, 1)
    assert "\x1b" not in good.err + bad.err


def test_offline_installs_what_the_cache_has(index: Index, tool: Tool, new_target: NewTarget) -> None:
    index.add(ONE, OTHER)
    tool.sync(tool.write_lock("one==1.0", "other-thing==0.3"), new_target("first"))
    index.requests.clear()
    second = new_target("second")
    # Another lock, so no plan answers.
    run = tool.sync(tool.write_lock("one==1.0"), second, options=["--offline"])
    assert run.code == 0, run.err
    assert second.installed() == {"one-1.0"}
    assert index.requests == []


def test_offline_names_what_is_missing(index: Index, tool: Tool, new_target: NewTarget) -> None:
    index.add(ONE, TWO)
    tool.sync(tool.write_lock("one==1.0"), new_target("first"))
    index.requests.clear()
    second = new_target("second")
    before = second.tree()
    for line in ("one==2.0", "absent==1.0"):
        run = tool.sync(tool.write_lock(line), second, options=["--offline"])
        assert run.code == 1
        assert "lock.txt:1" in run.err and "--offline" in run.err and line.partition("=")[0] in run.err
    assert second.tree() == before
    assert index.requests == []


def test_a_missing_environment_is_made_here(index: Index, tool: Tool, tmp_path: Path) -> None:
    index.add(ONE)
    project = tmp_path / "project"
    project.mkdir()
    command = tool.command(tool.write_lock("one==1.0"), [])
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    run = tool.run(*command, cwd=project, environ={"PATH": path})
    assert run.code == 0, run.err
    assert "Created an environment" in run.err
    made = Target(project / ".venv")
    assert made.run("import one; print(one.version)") == "1.0"


def test_the_active_environment_is_synced(index: Index, tool: Tool, target: Target) -> None:
    index.add(ONE)
    command = tool.command(tool.write_lock("one==1.0"), [])
    run = tool.run(*command, environ={"VIRTUAL_ENV": str(target.prefix)})
    assert run.code == 0, run.err
    assert target.installed() == {"one-1.0"}


def test_a_path_with_blanks_works(index: Index, tool: Tool, pristine: Target, tmp_path: Path) -> None:
    wheel = make_wheel("one", "1.0", {"one.py": "def main():\n    print('ran')\n"}, console_scripts=["run = one:main"])
    index.add(wheel)
    target = pristine.copy_to(tmp_path / "a b" / "ünder é")
    run = tool.sync(tool.write_lock("one==1.0"), target)
    assert run.code == 0, run.err
    assert tool.run(str(target.prefix / "bin" / "run")).out == "ran\n"


def test_a_durable_sync_installs_the_same(index: Index, tool: Tool, new_target: NewTarget) -> None:
    index.add(ONE)
    lock = tool.write_lock("one==1.0")
    plain, durable = new_target("plain"), new_target("durable")
    tool.sync(lock, plain)
    assert tool.sync(lock, durable, options=["--durable"]).code == 0
    assert durable.tree() == plain.tree()


def test_the_cache_is_where_it_was_asked_for(tool: Tool, tmp_path: Path) -> None:
    command = (sys.executable, "-m", "cli", "cache", "dir")
    assert tool.run(*command, "--cache-dir", "here").out == f"{tool.folder / 'here'}\n"
    assert tool.run(*command, environ={"ENGINE_CACHE_DIR": str(tmp_path)}).out == f"{tmp_path}\n"
    assert tool.run(*command).out.startswith(clean_environ(tool.folder)["HOME"])


def test_a_cleaned_cache_is_gone_and_environments_are_not(index: Index, tool: Tool, target: Target) -> None:
    index.add(ONE)
    lock = tool.write_lock("one==1.0")
    tool.sync(lock, target)
    before = target.tree()
    mine = tool.cache / "mine.txt"
    mine.write_text("not of the cache\n")
    clean = (sys.executable, "-m", "cli", "cache", "clean", "--cache-dir", str(tool.cache))
    run = tool.run(*clean)
    assert run.code == 0 and "Removed" in run.err
    assert published(tool.cache) == set() and mine.exists()
    assert target.tree() == before
    assert tool.sync(lock, target).code == 0
    mine.unlink()
    assert tool.run(*clean).code == 0
    assert not tool.cache.exists()
    assert tool.run(*clean).code == 0


def test_a_cached_wheel_has_to_have_a_hash_of_the_lock_too(index: Index, tool: Tool, new_target: NewTarget) -> None:
    index.add(ONE, hashes=None)
    assert tool.sync(tool.write_lock("one==1.0"), new_target("first")).code == 0
    target = new_target("second")
    run = tool.sync(tool.write_lock(f"one==1.0 --hash=sha256:{'0' * 64}", name="hashed.txt"), target)
    assert run.code == 1 and "hashed.txt:1" in run.err, run.err
    assert target.installed() == set()
    right = tool.write_lock(f"one==1.0 --hash=sha256:{ONE.sha256}", name="right.txt")
    assert tool.sync(right, target).code == 0


def test_a_new_environment_goes_again_when_nothing_comes_into_it(index: Index, tool: Tool) -> None:
    run = tool.run(*tool.command(tool.write_lock("absent==1.0"), []))
    assert run.code == 1, run.err
    assert not (tool.folder / ".venv").exists()


def test_an_environment_that_was_only_begun_is_made_anew(index: Index, tool: Tool) -> None:
    index.add(ONE)
    (tool.folder / ".venv").mkdir()
    (tool.folder / ".venv/.engine-creating").touch()
    run = tool.run(*tool.command(tool.write_lock("one==1.0"), []))
    assert run.code == 0, run.err
    assert Target(tool.folder / ".venv").installed() == {"one-1.0"}
    assert not (tool.folder / ".venv/.engine-creating").exists()


def test_one_bad_environment_leaves_the_others_their_sync(index: Index, tool: Tool, new_target: NewTarget) -> None:
    index.add(ONE)
    good, lock = new_target("good"), tool.write_lock("one==1.0")
    bad = Target(tool.folder / "nowhere")
    run = tool.sync(lock, bad, good)
    assert run.code == 1 and "nowhere" in run.err
    assert good.installed() == {"one-1.0"}
