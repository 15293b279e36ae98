"""What is usual in containers: layers, a cache on another file system, users without names, nothing to write to.

Namespaces and mounts are the real ones; where the system does not grant them, the test is skipped.
"""

import os
import shlex
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.index import Index
from tests.support.tool import ROOT, Result, Target, Tool
from tests.support.wheels import make_wheel

OLD = make_wheel("one", "1.0", {"one/__init__.py": "a = 1\n", "one/deep/gone.py": "", "shared/one.py": ""})
NEW = make_wheel("one", "2.0", {"one/__init__.py": "a = 2\n", "one/deep/new.py": ""}, console_scripts=["one = one:a"])
OTHER = make_wheel("other", "1.0", {"other.py": "", "shared/other.py": ""})
#: A user id that no file of the system knows, in the group of root, as some clusters give it.
STRANGER = ("setpriv", "--reuid", "54321", "--regid", "0", "--clear-groups")
SEARCH_PATH = os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])
#: Nothing can be written but what is mounted there; the folder of the test is gone behind its own mount.
READ_ONLY = "mount -t tmpfs -o mode=1777 tmpfs {writable} && mount -o remount,bind,ro /"

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0 or not shutil.which("unshare"),
    reason="needs root on Linux, for namespaces",
)


@pytest.fixture
def box() -> Iterator[Path]:
    """A folder that everybody can reach and write."""
    folder = Path(tempfile.mkdtemp(prefix="engine-box-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def in_namespace(tool: Tool, script: str, *command: str, environ: dict[str, str] | None = None) -> Result:
    """Runs a command behind the mounts of a shell script; they are gone with it.  Skips where mounts are refused."""
    words = shlex.join(command)
    run = tool.run("unshare", "--mount", "sh", "-c", f"{{ {script}; }} || exit 77; exec {words}", environ=environ)
    if run.code == 77:
        pytest.skip(f"mounts are refused: {run.err}")
    return run


def readable_python() -> str:
    """Returns an interpreter of our version that a stranger can run with our sources; skips where there is none."""
    wanted = f"sys.version_info[:2] == {sys.version_info[:2]} and os.path.isfile(sys.executable)"
    probe = f"import os, sys; assert {wanted}; import ensurepip, cli, aiohttp"
    for python in (os.path.realpath(sys.executable), f"/usr/bin/python3.{sys.version_info[1]}"):
        command = [*STRANGER, python, "-c", probe]
        environ = {"PYTHONPATH": SEARCH_PATH}
        if (
            os.path.exists(python)
            and subprocess.run(command, env=environ, capture_output=True, timeout=60).returncode == 0
        ):
            return python
    pytest.skip("a stranger can run no interpreter with our sources")


def as_stranger(index: Index, box: Path, *words: str, home: str | None, mounts: str = ":") -> Result:
    """Runs the tool under a user id that has no name, behind the mounts of a shell script."""
    python = readable_python()
    if not (box / "env").exists():
        subprocess.run([*STRANGER, python, "-m", "venv", "--without-pip", box / "env"], check=True, timeout=60)
    command = [*STRANGER, python, "-m", "cli", *words, "--index-url", index.url]
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": SEARCH_PATH, "PIP_CONFIG_FILE": os.devnull}
    if home is not None:
        environ["HOME"] = home
    script = f"{{ {mounts}; }} || exit 77; exec {shlex.join(command)}"
    run = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], cwd=box, env=environ, capture_output=True, text=True, timeout=60
    )
    if run.returncode == 77:
        pytest.skip(f"mounts are refused: {run.stderr}")
    return Result(run.returncode, run.stdout, run.stderr)


def overlay(lower: Path, box: Path) -> tuple[Path, str]:
    """Returns a folder and the mount that makes it a layer above `lower`."""
    merged = box / "merged"
    for name in ("upper", "work", "merged"):
        (box / name).mkdir()
    places = f"lowerdir={lower},upperdir={box / 'upper'},workdir={box / 'work'}"
    return merged, f"mount -t overlay overlay -o {places} {merged}"


def sync(tool: Tool, prefix: Path, lock: Path, *options: str) -> list[str]:
    return tool.command(lock, [Target(prefix)], *options)


def test_what_a_lower_layer_installed_is_replaced_in_an_upper_one(
    index: Index, tool: Tool, target: Target, box: Path
) -> None:
    index.add(OLD, NEW, OTHER)
    tool.sync(tool.write_lock(OLD.pin, OTHER.pin), target)
    shutil.move(target.prefix, box / "lower")
    merged, mount = overlay(box / "lower", box)
    listing = box / "listing.txt"
    look = f"find {merged} -path '*one*' > {listing}; find {merged} -name .engine >> {listing}"
    words = sync(tool, merged, tool.write_lock(NEW.pin, OTHER.pin))
    run = in_namespace(tool, mount, "sh", "-c", f"{shlex.join(words)}; code=$?; {look}; exit $code")
    assert run.code == 0 and "Installed 1 distribution" in run.err
    names = {os.path.basename(line) for line in listing.read_text().splitlines()}
    assert names >= {"one", "one-2.0.dist-info", "new.py"} and not names & {"gone.py", "one-1.0.dist-info", ".engine"}
    # Below, nothing has changed.
    assert Target(box / "lower").installed() == {"one-1.0", "other-1.0"}


def test_a_cache_on_another_file_system_is_no_reason_for_words(
    index: Index, tool: Tool, target: Target, box: Path
) -> None:
    index.add(NEW)
    (box / "cache").mkdir()
    tool.cache = box / "cache"
    mount = f"mount -t tmpfs tmpfs {box / 'cache'}"
    words = shlex.join(sync(tool, target.prefix, tool.write_lock(NEW.pin), "--compile-bytecode"))
    clear = f"rm -r {target.prefix} && cp -a {target.prefix}.new {target.prefix}"
    target.copy_to(Path(f"{target.prefix}.new"))
    run = in_namespace(tool, mount, "sh", "-c", f"{words} && {clear} && {words} -v")
    assert run.code == 0 and "warning" not in run.err and "hint" not in run.err
    assert run.err.count("Installed 1 distribution") == 2
    assert len([path for path in index.requests if path.endswith(".whl")]) == 1
    assert target.run("import one; print(one.a)") == "2"


@pytest.mark.parametrize("home", [None, "/", "/nonexistent"])
def test_a_user_without_name_and_home_installs_and_leaves_nothing_around(
    index: Index, tool: Tool, box: Path, home: str | None
) -> None:
    index.add(NEW)
    lock = str(shutil.copy(tool.write_lock(NEW.pin), box))
    run = as_stranger(index, box, "sync", lock, "--python", "env", home=home)
    assert run.code == 0 and "Installed 1 distribution" in run.err
    assert Target(box / "env").installed() == {"one-2.0"}
    assert sorted(os.listdir(box)) == ["env", "lock.txt"]
    again = as_stranger(index, box, "sync", lock, "--python", "env", home=home)
    assert again.code == 0 and "Nothing to do" in again.err


def test_a_user_without_home_has_a_cache_where_one_is_named(index: Index, tool: Tool, box: Path) -> None:
    index.add(NEW)
    lock = str(shutil.copy(tool.write_lock(NEW.pin), box))
    run = as_stranger(index, box, "sync", lock, "--python", "env", "--cache-dir", "cache", home=None)
    assert (run.code, "warning" in run.err) == (0, False)
    assert (box / "cache/wheels-v1").is_dir()


@pytest.mark.parametrize("options", [(), ("--compile-bytecode",)])
def test_a_read_only_root_needs_one_place_for_the_cache_and_none_for_temporary_files(
    index: Index, tool: Tool, box: Path, options: tuple[str, ...]
) -> None:
    index.add(NEW)
    lock = str(shutil.copy(tool.write_lock(NEW.pin), box))
    (box / "writable").mkdir()
    words = ("sync", lock, "--target", "writable/site", "--cache-dir", "writable/cache", *options)
    run = as_stranger(index, box, *words, home="/", mounts=READ_ONLY.format(writable=box / "writable"))
    assert (run.code, "warning" in run.err) == (0, False), run.err
    assert "Installed 1 distribution" in run.err


@pytest.mark.parametrize("option", ["--no-cache", "--cache-dir=nowhere"])
def test_a_read_only_root_without_any_place_is_an_error_that_says_so(
    index: Index, tool: Tool, box: Path, option: str
) -> None:
    index.add(NEW)
    lock = str(shutil.copy(tool.write_lock(NEW.pin), box))
    (box / "writable").mkdir()
    words = ("sync", lock, "--target", "writable/site", option)
    run = as_stranger(index, box, *words, home="/", mounts=READ_ONLY.format(writable=box / "writable"))
    assert run.code == 1
    assert run.err.startswith("error: there is no folder for temporary files") and "hint: mount one at /tmp" in run.err


@pytest.mark.parametrize("umask", [0o000, 0o027, 0o077])
def test_the_umask_of_the_run_decides_about_modes_whoever_filled_the_cache(
    index: Index, tool: Tool, target: Target, box: Path, umask: int
) -> None:
    index.add(NEW)
    lock = tool.write_lock(NEW.pin)
    tool.sync(lock, target)
    shutil.copytree(target.prefix, box / "env", symlinks=True)
    tool.sync(tool.write_lock(name="empty.txt"), Target(box / "env"), options=("--allow-empty-requirements",))
    run = tool.run("sh", "-c", f"umask {umask:03o}; exec {shlex.join(sync(tool, box / 'env', lock))}")
    assert run.code == 0, run.err
    package = Target(box / "env").site / "one"
    assert stat.S_IMODE(package.stat().st_mode) == 0o777 & ~umask
    assert stat.S_IMODE((package / "__init__.py").stat().st_mode) == 0o666 & ~umask
    assert stat.S_IMODE((box / "env/bin/one").stat().st_mode) == 0o777 & ~umask
