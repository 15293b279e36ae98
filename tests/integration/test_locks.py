"""Locks of several files, from several places, and wheels that a lock names: what is installed, and what is asked."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.local import file_url
from tests.integration.conftest import NewTarget
from tests.support.index import Fault, Index
from tests.support.tool import TIMEOUT_SECONDS, Result, Target, Tool, clean_environ
from tests.support.wheels import Wheel, make_wheel

ONE, TWO = make_wheel("one", "1.0", {"one.py": ""}), make_wheel("two", "1.0", {"two.py": ""})
TWO_NEWER = make_wheel("two", "2.0", {"two.py": "NEWER = 1\n"})


@pytest.fixture(autouse=True)
def listed(index: Index) -> None:
    index.add(ONE, TWO, TWO_NEWER)


def serve(index: Index, path: str, content: bytes) -> str:
    """Puts any file on the server; returns its URL."""
    index.fault(path, Fault(status=200, body=content, headers={"Content-Type": "text/plain"}))
    return f"http://127.0.0.1:{index.port}{path}"


def put(tool: Tool, wheel: Wheel, folder: str = ".") -> Path:
    """Puts a wheel beside the locks, or below."""
    path = tool.folder / folder / wheel.filename
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(wheel.content)
    return path


def origin(target: Target, stem: str) -> dict[str, object]:
    """Returns what an installed distribution says about where it came from."""
    found: dict[str, object] = json.loads((target.site / f"{stem}.dist-info" / "direct_url.json").read_text())
    return found


def sync(tool: Tool, words: Sequence[str | Path], target: Target, **environ: str) -> Result:
    """Syncs files that are not only one."""
    command = tool.command(tool.folder / "first", [target])
    at = command.index(str(tool.folder / "first"))
    return tool.run(*command[:at], *map(str, words), *command[at + 1 :], environ=environ)


def has_plan(tool: Tool, result: Result) -> bool:
    """Whether a run with -v was answered by a stored plan."""
    return "by a stored plan" in result.err


# -- several files ----------------------------------------------------------------


def test_included_files_are_part_of_the_lock_wherever_they_lie(tool: Tool, target: Target) -> None:
    (tool.folder / "sub" / "more").mkdir(parents=True)
    tool.write_lock("-r more/deep.txt", name="sub/more.txt")
    tool.write_lock("two==1.0", name="sub/more/deep.txt")
    result = tool.sync(tool.write_lock("-r sub/more.txt", "one==1.0"), target)
    assert result.code == 0, result.err
    assert target.installed() == {"one-1.0", "two-1.0"}


def test_a_changed_include_is_not_answered_by_the_plan_of_before(tool: Tool, target: Target) -> None:
    lock = tool.write_lock("-r more.txt", "one==1.0")
    tool.write_lock("two==1.0", name="more.txt")
    assert tool.sync(lock, target).code == 0
    again = tool.sync(lock, target, options=["-v", "--offline"])
    assert again.code == 0 and "Nothing to do" in again.err
    tool.write_lock("two==2.0", name="more.txt")
    assert tool.sync(lock, target).code == 0
    assert target.installed() == {"one-1.0", "two-2.0"}
    (tool.folder / "more.txt").unlink()
    gone = tool.sync(lock, target)
    assert gone.code == 2 and "lock.txt:1" in gone.err and "more.txt" in gone.err


def test_a_copy_of_a_project_is_answered_by_the_plan_of_the_first(
    tool: Tool, index: Index, new_target: NewTarget
) -> None:
    for folder in ("a", "b"):
        (tool.folder / folder).mkdir()
        tool.write_lock("-r more.txt", name=f"{folder}/lock.txt")
        tool.write_lock("one==1.0", name=f"{folder}/more.txt")
    assert tool.sync(tool.folder / "a/lock.txt", new_target("a")).code == 0
    index.requests.clear()
    result = tool.sync(tool.folder / "b/lock.txt", new_target("b"), options=["-v"])
    assert result.code == 0 and has_plan(tool, result) and index.requests == []


def test_two_projects_whose_locks_differ_only_in_what_they_include_keep_apart(
    tool: Tool, new_target: NewTarget
) -> None:
    targets = {}
    for folder, line in (("a", "two==1.0"), ("b", "two==2.0")):
        (tool.folder / folder).mkdir()
        tool.write_lock("-r more.txt", name=f"{folder}/lock.txt")
        tool.write_lock(line, name=f"{folder}/more.txt")
        targets[folder] = new_target(folder)
        assert tool.sync(tool.folder / folder / "lock.txt", targets[folder]).code == 0
    assert (targets["a"].installed(), targets["b"].installed()) == ({"two-1.0"}, {"two-2.0"})


def test_several_files_are_one_lock_and_may_repeat_but_not_contradict_each_other(tool: Tool, target: Target) -> None:
    one = tool.write_lock("one==1.0", name="a.txt")
    two = tool.write_lock("two==1.0", "one==1.0", name="b.txt")
    assert sync(tool, [one, two], target).code == 0
    assert target.installed() == {"one-1.0", "two-1.0"}
    three = tool.write_lock("two==2.0", name="c.txt")
    result = sync(tool, [one, two, three], target)
    assert result.code == 2 and "c.txt:1" in result.err and "b.txt:1" in result.err


def test_constraints_forbid_and_never_install(tool: Tool, target: Target) -> None:
    tool.write_lock("two<2", "absent==9", "one>=1", name="c.txt")
    assert tool.sync(tool.write_lock("-c c.txt", "one==1.0"), target).code == 0
    assert target.installed() == {"one-1.0"}
    result = tool.sync(tool.write_lock("two==2.0"), target, options=["-c", str(tool.folder / "c.txt")])
    assert result.code == 2 and "lock.txt:1" in result.err and "c.txt:1" in result.err
    assert target.installed() == {"one-1.0"}


def test_standard_input_is_a_lock(tool: Tool, target: Target) -> None:
    tool.write_lock("two==1.0", name="more.txt")
    command = tool.command(Path("-"), [target])
    run = subprocess.run(
        command,
        cwd=tool.folder,
        env=clean_environ(tool.folder),
        input="one==1.0\n-r more.txt\n",
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert run.returncode == 0, run.stderr
    assert target.installed() == {"one-1.0", "two-1.0"}
    assert sync(tool, ["-", "-"], target).code == 2


def test_a_lock_at_a_web_address_leads_to_what_lies_beside_it(tool: Tool, index: Index, target: Target) -> None:
    url = serve(index, "/locks/lock.txt", f"-r more.txt\n../files/{ONE.filename}\n".encode())
    serve(index, "/locks/more.txt", b"two==1.0\n")
    result = sync(tool, [url], target)
    assert result.code == 0, result.err
    assert target.installed() == {"one-1.0", "two-1.0"}
    assert origin(target, "one-1.0")["url"] == f"http://127.0.0.1:{index.port}/files/{ONE.filename}"
    assert sync(tool, [url, "--offline"], target).code == 1


def test_a_lock_at_a_web_address_is_asked_for_each_time_and_has_a_plan_of_its_content(
    tool: Tool, index: Index, new_target: NewTarget
) -> None:
    index.fault("/locks/lock.txt", Fault(status=200, body=b"two==1.0\n", times=2))
    index.fault("/locks/lock.txt", Fault(status=200, body=b"two==2.0\n"))
    url = f"http://127.0.0.1:{index.port}/locks/lock.txt"
    target = new_target("one")
    assert sync(tool, [url], target).code == 0
    index.requests.clear()
    result = sync(tool, [url, "-v"], new_target("two"))
    assert result.code == 0 and has_plan(tool, result) and index.requests == ["/locks/lock.txt"]
    assert sync(tool, [url], target).code == 0
    assert target.installed() == {"two-2.0"}


# -- wheels that a lock names ----------------------------------------------------


def test_a_wheel_at_a_web_address_is_installed_without_an_index_and_says_where_it_came_from(
    tool: Tool, index: Index, target: Target
) -> None:
    url = serve(index, f"/direct/{ONE.filename}", ONE.content)
    with_secret = url.replace("://", "://someone:${PASSWORD}@")
    lock = tool.write_lock(f"one @ {with_secret}")
    result = tool.sync(lock, target, environ={"PASSWORD": "secret-word"})
    assert result.code == 0, result.err
    assert origin(target, "one-1.0") == {
        "url": url,
        "archive_info": {"hash": f"sha256={ONE.sha256}", "hashes": {"sha256": ONE.sha256}},
    }
    assert index.requests == [f"/direct/{ONE.filename}"]
    stored = [path.read_bytes() for path in tool.folder.rglob("*") if path.is_file()]
    assert not any(b"secret-word" in content for content in stored)
    record = (target.site / "one-1.0.dist-info" / "RECORD").read_text()
    assert "one-1.0.dist-info/direct_url.json,sha256=" in record


@pytest.mark.parametrize("spelling", ["./{name}", "{name}", "one @ {url}", "{url}", "one @ ./{name}", "{path}"])
def test_a_wheel_of_this_machine_is_installed_offline(spelling: str, tool: Tool, target: Target) -> None:
    path = put(tool, ONE)
    line = spelling.format(name=ONE.filename, url=file_url(str(path)), path=path)
    for _ in range(2):
        result = tool.sync(tool.write_lock(line), target, options=["--offline"])
        assert result.code == 0, result.err
    assert "Nothing to do" in result.err
    assert origin(target, "one-1.0")["url"] == file_url(str(path))


def test_paths_start_from_the_working_directory_as_with_pip(tool: Tool, target: Target) -> None:
    put(tool, ONE)
    (tool.folder / "sub").mkdir()
    tool.write_lock(f"./{ONE.filename}", name="sub/lock.txt")
    assert tool.sync(tool.folder / "sub" / "lock.txt", target).code == 0
    assert target.installed() == {"one-1.0"}


def test_a_local_wheel_that_was_replaced_is_installed_again(tool: Tool, target: Target) -> None:
    lock = tool.write_lock("./two-1.0-py3-none-any.whl")
    put(tool, TWO)
    assert tool.sync(lock, target).code == 0
    changed = make_wheel("two", "1.0", {"two.py": "CHANGED = 1\n"})
    put(tool, changed)
    assert tool.sync(lock, target).code == 0
    assert target.run("import two; print(two.CHANGED)") == "1"


def test_the_same_lock_in_another_folder_means_another_wheel(tool: Tool, new_target: NewTarget) -> None:
    targets = {}
    for folder, value in (("a", 1), ("b", 2)):
        put(tool, make_wheel("two", "1.0", {"two.py": f"VALUE = {value}\n"}), folder)
        lock = tool.write_lock("./two-1.0-py3-none-any.whl", name=f"{folder}/lock.txt")
        targets[folder] = target = new_target(folder)
        command = tool.command(lock, [target])
        assert tool.run(*command, cwd=tool.folder / folder).code == 0
        assert target.run("import two; print(two.VALUE)") == str(value)
        assert f"/{folder}/" in str(origin(target, "two-1.0")["url"])


def test_what_came_from_elsewhere_is_replaced_by_the_wheel_that_is_named_and_a_mere_pin_is_content(
    tool: Tool, target: Target
) -> None:
    put(tool, ONE)
    pinned, named = tool.write_lock("one==1.0"), tool.write_lock(f"./{ONE.filename}", name="named.txt")
    assert tool.sync(pinned, target).code == 0
    assert "Installed 1" in tool.sync(named, target).err
    assert "Nothing to do" in tool.sync(named, target).err
    assert origin(target, "one-1.0")
    result = tool.sync(pinned, target)
    assert result.code == 0 and "Nothing to do" in result.err
    assert origin(target, "one-1.0")


def test_a_wheel_for_another_platform_is_refused_by_name(tool: Tool, index: Index, target: Target) -> None:
    other = make_wheel("one", "1.0", tag="cp27-cp27m-win32")
    put(tool, other)
    result = tool.sync(tool.write_lock(f"./{other.filename}"), target)
    assert result.code == 1 and "lock.txt:1" in result.err and other.filename in result.err


def test_a_marker_that_is_false_needs_no_wheel(tool: Tool, target: Target) -> None:
    result = tool.sync(tool.write_lock("./absent-1.0-py3-none-any.whl ; python_version < '3'", "one==1.0"), target)
    assert result.code == 0, result.err
    assert target.installed() == {"one-1.0"}


# -- options and variables ---------------------------------------------------------


def test_a_variable_with_another_value_is_another_lock(tool: Tool, target: Target) -> None:
    lock = tool.write_lock("two==${VERSION}")
    for version in ("1.0", "2.0", "1.0"):
        result = tool.sync(lock, target, environ={"VERSION": version})
        assert result.code == 0, result.err
        assert target.installed() == {f"two-{version}"}
    assert tool.sync(lock, target).code == 2


def test_an_index_in_an_included_file_is_asked_and_no_other(tool: Tool, index: Index, target: Target) -> None:
    tool.write_lock(f"--index-url {index.url}", name="options.txt")
    lock = tool.write_lock("-r options.txt", "one==1.0")
    command = [*tool.command(lock, [target])]
    at = command.index("--index-url")
    result = tool.run(*command[:at], environ={"ENGINE_INDEX_URL": "http://127.0.0.1:1/simple/"})
    assert result.code == 0, result.err
    assert "/simple/one/" in index.requests


@pytest.mark.parametrize(
    ("options", "code"),
    [((), 2), (("--no-require-hashes",), 0), (("--no-verify-hashes",), 0), (("--require-hashes",), 2)],
)
def test_one_hash_asks_for_all_unless_that_is_switched_off(
    options: tuple[str, ...], code: int, tool: Tool, target: Target
) -> None:
    lock = tool.write_lock(f"one==1.0 --hash=sha256:{ONE.sha256}", "two==1.0")
    result = tool.sync(lock, target, options=options)
    assert result.code == code, result.err
    assert ("lock.txt:2" in result.err) == bool(code)


def test_a_run_without_its_hashes_does_not_answer_one_with_them(tool: Tool, new_target: NewTarget) -> None:
    lock = tool.write_lock(f"one==1.0 --hash=sha256:{'0' * 64}")
    assert tool.sync(lock, new_target("free"), options=["--no-verify-hashes"]).code == 0
    assert tool.sync(lock, new_target("strict")).code == 1


def test_what_has_no_meaning_for_pins_is_noted_for_who_asks(tool: Tool, target: Target) -> None:
    lock = tool.write_lock("--prefer-binary", "--use-feature=fast-deps", "--pre", "one==1.0 --config-settings=a=b")
    result = tool.sync(lock, target, options=["-v"])
    assert result.code == 0, result.err
    assert all(word in result.err for word in ("--prefer-binary", "--use-feature", "--config-settings"))
    assert "warning" not in result.err


# -- locks without requirements --------------------------------------------------


@pytest.mark.parametrize("lines", [(), ("# one==1.0", ""), ("--no-index",)])
def test_a_lock_without_requirements_empties_nothing_unless_that_is_allowed(
    lines: tuple[str, ...], tool: Tool, index: Index, target: Target
) -> None:
    assert tool.sync(tool.write_lock("one==1.0"), target).code == 0
    lock = tool.write_lock(*lines)
    result = tool.sync(lock, target)
    assert result.code == 0 and "no requirements" in result.err and "--allow-empty-requirements" in result.err
    assert target.installed() == {"one-1.0"}
    for _ in range(2):
        result = tool.sync(lock, target, options=["--allow-empty-requirements"])
        assert result.code == 0 and target.installed() == set(), result.err
    # The plan of the run that was allowed is none for one that is not.
    assert tool.sync(tool.write_lock("one==1.0"), target).code == 0
    assert "no requirements" in tool.sync(tool.write_lock(*lines), target).err and target.installed() == {"one-1.0"}


def test_of_several_files_one_may_be_empty(tool: Tool, index: Index, target: Target) -> None:
    empty = tool.folder / "empty.txt"
    empty.write_text("# nothing yet\n")
    result = sync(tool, [empty, tool.write_lock("one==1.0")], target)
    assert result.code == 0 and target.installed() == {"one-1.0"}, result.err
    # Constraints require nothing.
    result = sync(tool, [empty, "-c", tool.write_lock("one==1.0")], target)
    assert result.code == 0 and target.installed() == {"one-1.0"}


def test_a_pylock_without_packages_is_meant_so(tool: Tool, index: Index, target: Target) -> None:
    assert tool.sync(tool.write_lock("one==1.0"), target).code == 0
    lock = tool.folder / "pylock.toml"
    lock.write_text('lock-version = "1.0"\ncreated-by = "somebody"\npackages = []\n')
    result = tool.sync(lock, target)
    assert result.code == 0 and target.installed() == set(), result.err
