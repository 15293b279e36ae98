"""What must hold whenever something hostile was refused, or installed with a warning.

The same checks for wheels, indexes, locks and faults: the ground around an environment is as it was, times and modes
included; the environment works; the cache has published nothing bad and keeps nothing unfinished; what was said is one
clear message without a secret, a traceback or anything that a terminal would obey.
"""

import hashlib
import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.index import Index
from tests.support.tool import Result, Target, Tool
from tests.support.trees import check_cache, leftovers, published
from tests.support.wheels import make_wheel

#: What an environment has before, and what the lock that fails would replace it with.
OLD, NEW = make_wheel("good", "1.0"), make_wheel("good", "2.0")
#: Stands in the URL of the index; nobody may say or store it.
SECRET = "secret-word"


class Trace(NamedTuple):
    """One thing on the ground, as it was at one moment; of a folder, `content` is empty."""

    mode: int
    mtime_ns: int
    content: str


def watch(root: Path, leave_out: Collection[Path] = ()) -> dict[str, Trace]:
    """Returns everything below `root`, and `root` itself, but for some folders and all that is in them."""
    return {path.relative_to(root).as_posix(): _trace(path) for path in _walk(root, set(leave_out))}


def _walk(root: Path, leave_out: set[Path]) -> Iterator[Path]:
    yield root
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if Path(folder, name) not in leave_out]
        yield from (Path(folder, name) for name in [*folders, *files])


def _trace(path: Path) -> Trace:
    status = path.lstat()
    content = ""
    if stat.S_ISLNK(status.st_mode):
        content = os.readlink(path)
    elif stat.S_ISREG(status.st_mode):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    return Trace(status.st_mode, status.st_mtime_ns, content)


class Ground:
    """An environment with one distribution, between decoys that nothing may touch.

    Args:
        folder: an empty folder; it is the decoy, and so is everything in it but the environment.
        target: the environment to copy.
    """

    def __init__(self, folder: Path, target: Target) -> None:
        self.folder = folder
        for name in ("site-packages-evil", "etc", "bin"):
            decoy = folder / name
            decoy.mkdir()
            (decoy / "x.py").write_text("decoy\n")
            (decoy / "x.py").chmod(0o640)
        self.target = target.copy_to(folder / "env")

    def before(self) -> tuple[dict[str, Trace], dict[str, Trace]]:
        """Returns what is around the environment, and what is in it but the times of its own folder."""
        inside = watch(self.target.prefix)
        del inside["."]
        return watch(self.folder, [self.target.prefix]), inside


class Oracle:
    """Runs the tool on one ground and judges what came of it.

    Args:
        tool: with a cache of its own.
        index: what the tool asks; it has `OLD` and `NEW`.
        ground: where it installs.
    """

    def __init__(self, tool: Tool, index: Index, ground: Ground) -> None:
        self.tool = tool
        self.index = index
        self.ground = ground
        tool.index_url = index.url.replace("http://", f"http://someone:{SECRET}@")
        tool.cache.mkdir()
        self.temporary = tool.folder / "tmp"
        self.temporary.mkdir()

    def sync(self, lock: Path, *options: str) -> Result:
        """Runs a sync, and checks what holds however it ends."""
        around = watch(self.tool.folder, [self.tool.cache])
        result = self.tool.sync(
            lock, self.ground.target, options=options, environ={"TMPDIR": str(self.temporary), "LC_ALL": "C.UTF-8"}
        )
        assert "Traceback" not in result.err and result.out == ""
        assert all(line.isprintable() for line in result.err.split("\n")), ascii(result.err)
        assert watch(self.tool.folder, [self.tool.cache]) == around
        assert leftovers(self.tool.cache) == []
        check_cache(self.tool.cache)
        self._check_secret(result)
        return result

    def _check_secret(self, result: Result) -> None:
        assert SECRET not in result.err
        for path in self.tool.cache.rglob("*"):
            if path.is_file():
                assert SECRET.encode() not in path.read_bytes() and SECRET not in str(path)

    def refused(self, *lines: str, options: tuple[str, ...] = (), code: int = 1, allowed: Collection[str] = ()) -> str:
        """Syncs lines that must fail beside one that would succeed; returns what was said.

        Args:
            lines: of the lock, after the first.
            options: of the command line.
            code: what the run must exit with.
            allowed: keys of what else the cache may publish.
        """
        return self.refused_lock(self.tool.write_lock(NEW.pin, *lines), options=options, code=code, allowed=allowed)

    def refused_lock(
        self, lock: Path, *, options: tuple[str, ...] = (), code: int = 2, allowed: Collection[str] = ()
    ) -> str:
        """Syncs a lock that must fail; returns what was said.

        Args:
            lock: the file.
            options: of the command line.
            code: what the run must exit with.
            allowed: keys of what else the cache may publish.
        """
        before = self.ground.before()
        result = self.sync(lock, *options)
        assert result.code == code, result.err
        assert result.err.count("error: ") == 1 and result.err.startswith("error: "), result.err
        assert self.ground.before() == before
        assert self.ground.target.run("import good; print(good.version)") == OLD.version
        assert published(self.tool.cache) <= {OLD.sha256, NEW.sha256, *allowed}
        return result.err

    def accepted(self, *lines: str, options: tuple[str, ...] = ()) -> str:
        """Syncs lines that must succeed; returns what was said."""
        around, _ = self.ground.before()
        result = self.sync(self.tool.write_lock(*lines), *options)
        assert result.code == 0, result.err
        assert self.ground.before()[0] == around
        return result.err
