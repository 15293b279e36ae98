"""A system that refuses while things are installed: the environment stays as it was, and the message says what lacks.

Full disks are small file systems in a mount namespace of their own, where the system permits that.
"""

import os
import resource
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.index import Index
from tests.support.tool import Result, Target, Tool, clean_environ, standalone_interpreter
from tests.support.trees import check_cache, leftovers, published
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="uses limits and mounts of Linux")

LARGE = make_wheel("large", "1.0", {"large/data.bin": os.urandom(600_000)}, compress=False)
MANY = make_wheel("many", "1.0", {f"many/m{number}.py": "" for number in range(200)})


@pytest.fixture
def locked(index: Index, tool: Tool) -> Tool:
    """The tool with a lock of LARGE and MANY."""
    index.add(LARGE, MANY)
    tool.write_lock(LARGE.pin, MANY.pin)
    return tool


def on_small_disk(tool: Tool, options: str, place: Path, *words: str) -> Result:
    """Runs a sync where `place` is a small file system; prints what is left there."""
    place.mkdir()
    command = tool.command(tool.folder / "lock.txt", [], *words)
    script = 'mount -t tmpfs -o "$1" none "$2" && { place="$2"; shift 2; "$@"; code=$?; find "$place"; exit $code; }'
    run = tool.run("unshare", "--mount", "sh", "-c", script, "sh", options, str(place), *command)
    if "Operation not permitted" in run.err or "must be superuser" in run.err or "unshare failed" in run.err:
        pytest.skip(f"no mount namespace: {run.err.strip()}")
    return run


@pytest.mark.parametrize("options", ["size=300k", "nr_inodes=60"], ids=["bytes", "inodes"])
def test_a_full_disk_below_the_environment_is_named_with_what_was_needed(
    locked: Tool, target: Target, tmp_path: Path, options: str
) -> None:
    place = tmp_path / "small"
    run = on_small_disk(locked, options, place, "--target", str(place / "out"), "--python", str(target.prefix))
    assert run.code == 1, run.err
    assert "No space left on device" in run.err and f"are left on {place}" in run.err, run.err
    assert "files were needed" in run.err and "Traceback" not in run.err
    assert run.out.split() == [str(place)]
    check_cache(locked.cache)
    assert leftovers(locked.cache) == []
    assert locked.sync(locked.folder / "lock.txt", target).code == 0


@pytest.mark.parametrize("options", ["size=300k", "nr_inodes=60"], ids=["bytes", "inodes"])
def test_a_full_disk_below_the_cache_leaves_no_entry(
    locked: Tool, target: Target, tmp_path: Path, options: str
) -> None:
    before = target.tree()
    place = tmp_path / "small"
    run = on_small_disk(locked, options, place, "--python", str(target.prefix), "--cache-dir", str(place / "cache"))
    assert run.code == 1, run.err
    assert "No space left on device" in run.err and f"left on {place}" in run.err and "Traceback" not in run.err, (
        run.err
    )
    assert target.tree() == before
    found = run.out.split()
    assert not [path for path in found if "/tmp-v1/" in path and ".part" not in path], found
    large = [path for path in found if f"wheels-v1/{LARGE.sha256[:2]}/{LARGE.sha256}" in path]
    assert options != "size=300k" or large == []


def limited(tool: Tool, target: Target, kind: int, limit: int, *options: str) -> Result:
    """Runs a sync under a resource limit."""
    command = tool.command(tool.folder / "lock.txt", [target], *options)
    run = subprocess.run(
        command,
        cwd=tool.folder,
        env=clean_environ(tool.folder, {"PYTHONDONTWRITEBYTECODE": "1"}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(kind, (limit, limit)),
    )
    return Result(run.returncode, run.stdout, run.stderr)


@pytest.mark.parametrize(
    "options", [(), ("--compile-bytecode",), ("--link-mode", "copy")], ids=["plain", "compile", "copy"]
)
def test_files_that_may_not_be_written_spoil_nothing(locked: Tool, target: Target, options: tuple[str, ...]) -> None:
    """The limit on the size of a file refuses writes in the middle, as a full disk does."""
    before = target.tree()
    for limit in (0, 10, 4_000, 300_000):
        run = limited(locked, target, resource.RLIMIT_FSIZE, limit, *options)
        assert run.code == 1 and "error: " in run.err, (limit, run.err)
        assert "File too large" in run.err and "Traceback" not in run.err, (limit, run.err)
        assert target.tree() == before, limit
        assert LARGE.sha256 not in published(locked.cache)
        check_cache(locked.cache)
    run = locked.sync(locked.folder / "lock.txt", target, options=options)
    assert run.code == 0, run.err
    assert target.installed() == {"large-1.0", "many-1.0"}


def test_too_few_descriptors_spoil_nothing(locked: Tool, target: Target) -> None:
    before = target.tree()
    codes = []
    for limit in (12, 16, 32, 47, 256):
        run = limited(locked, target, resource.RLIMIT_NOFILE, limit)
        codes.append(run.code)
        if run.code == 0:
            break
        assert run.code == 1 and "Too many open files" in run.err and "Traceback" not in run.err, (limit, run.err)
        assert target.tree() == before, limit
        check_cache(locked.cache)
    assert codes[0] == 1 and codes[-1] == 0
    assert target.installed() == {"large-1.0", "many-1.0"}


def test_a_run_that_is_killed_while_it_compiles_leaves_no_compiler(locked: Tool, tmp_path: Path) -> None:
    """The interpreter's compiler says that it has begun, and goes on for ever."""
    system = standalone_interpreter(tmp_path / "system")
    begun = tmp_path / "begun"
    os.mkfifo(begun)
    library = system.site.parent / "py_compile.py"
    library.unlink()
    library.write_text(
        "import os\n"
        "class PyCompileError(Exception): ...\n"
        "class PycInvalidationMode: TIMESTAMP = UNCHECKED_HASH = 0\n"
        "def compile(*words, **options):\n"
        f"    with open({str(begun)!r}, 'w') as file:\n"
        "        print(os.getpid(), file=file)\n"
        "    while True: pass\n"
    )
    locked.write_lock(MANY.pin)
    command = locked.command(locked.folder / "lock.txt", [system], "--compile-bytecode")
    run = subprocess.Popen(
        command, cwd=locked.folder, env=clean_environ(locked.folder), stdin=subprocess.DEVNULL, start_new_session=True
    )
    with open(begun) as file:
        compiler = os.pidfd_open(int(file.readline()))
    run.send_signal(signal.SIGKILL)
    run.wait(60)
    assert select.select([compiler], [], [], 30)[0], "the compiler lives on"
    os.close(compiler)
    library.unlink()
    library.write_bytes(Path(os.__file__).with_name("py_compile.py").read_bytes())
    again = locked.sync(locked.folder / "lock.txt", system, options=["--compile-bytecode"])
    assert again.code == 0, again.err
    assert len(list(system.site.glob("many/__pycache__/*.pyc"))) == 200
    check_cache(locked.cache)
    assert leftovers(locked.cache) == []


#: A wheel is larger than what a run may take for it.
HUGE_BYTES = 160 << 20
PEAK_BYTES = 120 << 20


@pytest.mark.parametrize("compress", [False, True], ids=["stored", "deflated"])
def test_a_wheel_needs_no_memory_of_its_size(index: Index, tool: Tool, target: Target, compress: bool) -> None:
    """Half of a deflated one is noise: what is as good as empty would be refused as a bomb."""
    noise = os.urandom(1 << 20)
    content = (noise + bytes(1 << 20)) * (HUGE_BYTES >> 21) if compress else noise * (HUGE_BYTES >> 20)
    huge = make_wheel("huge", "1.0", {"huge/data.bin": content}, compress=compress)
    index.add(huge)
    command = tool.command(tool.write_lock(huge.pin), [target])
    measured = (
        "import resource, subprocess, sys; run = subprocess.run(sys.argv[1:]); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024); sys.exit(run.returncode)"
    )
    run = tool.run(sys.executable, "-c", measured, *command)
    assert run.code == 0, run.err
    assert (target.site / "huge" / "data.bin").stat().st_size == len(content)
    assert 10 << 20 < int(run.out) < PEAK_BYTES
