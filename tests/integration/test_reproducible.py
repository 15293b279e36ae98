"""The same lock and interpreter give the same bytes, whatever else is different."""

import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.conftest import NewTarget
from tests.support.index import Index
from tests.support.tool import Tool
from tests.support.wheels import make_wheel

EPOCH = {"SOURCE_DATE_EPOCH": "1700000000"}
#: Enough modules for several turns of a compiler, and files of all kinds that runs write themselves.
MANY = make_wheel(
    "many",
    "1.0",
    {f"many/part{n // 10}/module{n}.py": f"def main(a):\n    return a in {{'a', {n}, 'module'}}\n" for n in range(120)},
    console_scripts=["many = many:main", "another = many:main"],
    data={"scripts/tool.py": "#!python\nprint(1)\n", "data/share/many.txt": "text\n", "headers/many.h": "\n"},
)
SHARED = [make_wheel(name, "1.0", {"shared/__init__.py": f"who = {name!r}\n", f"{name}.py": ""}) for name in ("x", "y")]
WHEELS = [MANY, *SHARED, *(make_wheel(f"small{n}", "1.0", {f"small{n}/__init__.py": ""}) for n in range(12))]


def tar_sha256(root: Path, *, with_modes: bool = True) -> str:
    """Returns the hash of a tar as reproducible builds make it: sorted names, no owners, one date for all.

    Args:
        root: what is in the tar.
        with_modes: as they are; else as `tar --mode=u=rwX,go=rX` has them.
    """
    body = io.BytesIO()

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        if not with_modes:
            member.mode = 0o755 if member.mode & 0o100 else 0o644
        member.mtime = int(EPOCH["SOURCE_DATE_EPOCH"])
        return member

    with tarfile.open(fileobj=body, mode="w") as archive:
        for path in sorted(root.rglob("*")):
            archive.add(path, path.relative_to(root).as_posix(), recursive=False, filter=plain)
    return hashlib.sha256(body.getvalue()).hexdigest()


@pytest.fixture
def make(index: Index, tool: Tool, new_target: NewTarget) -> Callable[..., str]:
    """Syncs a new environment, always at the same place, and returns its hash."""
    index.add(*WHEELS)

    def sync(*options: str, lock: list[str] | None = None, umask: int = 0o022, environ: dict[str, str] = EPOCH) -> str:
        lines = [wheel.pin for wheel in WHEELS] if lock is None else lock
        shutil.rmtree(target_folder := tool.folder.parent / "targets" / "env", ignore_errors=True)
        before = os.umask(0o022)
        try:
            target = new_target("env")
            os.umask(umask)
            run = tool.sync(tool.write_lock(*lines), target, options=options, environ=environ)
        finally:
            os.umask(before)
        assert run.code == 0 and target.prefix == target_folder, run.err
        return tar_sha256(target.prefix)

    return sync


@pytest.mark.parametrize("compiling", [(), ("--compile-bytecode",)])
def test_cold_and_warm_with_any_concurrency_and_link_mode(
    make: Callable[..., str], tool: Tool, compiling: tuple[str, ...]
) -> None:
    found = {"cold": make(*compiling), "warm": make(*compiling)}
    found["copy"] = make(*compiling, "--link-mode", "copy")
    shutil.rmtree(tool.cache)
    found["one at a time"] = make(*compiling, "--concurrent-downloads", "1", "--concurrent-installs", "1")
    shutil.rmtree(tool.cache / "plans-v1")
    found["without a plan"] = make(*compiling)
    assert len(set(found.values())) == 1, found


@pytest.mark.parametrize("compiling", [(), ("--compile-bytecode",)])
def test_the_order_of_the_lock_does_not_count(make: Callable[..., str], tool: Tool, compiling: tuple[str, ...]) -> None:
    """Where no file is brought twice: there the order of the lock decides, and is told."""
    pins = [wheel.pin for wheel in WHEELS if wheel is not SHARED[0]]
    first = make(*compiling, lock=pins)
    assert make(*compiling, lock=pins[::-1]) == first
    shutil.rmtree(tool.cache)
    assert make(*compiling, lock=pins[3:] + pins[:3]) == first


@pytest.mark.parametrize("compiling", [(), ("--compile-bytecode",)])
def test_the_umask_of_who_filled_the_cache_does_not_count(
    make: Callable[..., str], tool: Tool, compiling: tuple[str, ...]
) -> None:
    environment = tool.folder.parent / "targets" / "env"
    first = make(*compiling)
    contents = tar_sha256(environment, with_modes=False)
    for umask in (0o077, 0o000):
        shutil.rmtree(tool.cache)
        other = make(*compiling, umask=umask)
        assert other != first, "modes are a part of the tree"
        assert tar_sha256(environment, with_modes=False) == contents, "and all that the umask of the run decides"
        assert make(*compiling) == first
