"""Runs the tool as a user does: another process, its own cache, and environments to change."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support.trees import Tree, snapshot

ROOT = Path(__file__).resolve().parents[2]
#: Settings of the machine that would change what a run does.
_FOREIGN = ("PIP_", "UV_", "ENGINE_", "CONDA", "VIRTUAL_ENV", "XDG_", "SSL_CERT", "PYTHON", "COV_")
TIMEOUT_SECONDS = 60


class Result(NamedTuple):
    """How a run ended."""

    code: int
    out: str
    err: str


class Target:
    """An environment that runs may change."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        self.python = prefix / "bin" / "python"

    @property
    def site(self) -> Path:
        """Where its modules are."""
        (site,) = self.prefix.glob("lib/python3*/site-packages")
        return site

    def installed(self) -> set[str]:
        """Returns `name-version` of every distribution."""
        return {path.name.removesuffix(".dist-info") for path in self.site.glob("*.dist-info")}

    def tree(self) -> Tree:
        """Returns all of it as a value."""
        return snapshot(self.prefix)

    def run(self, code: str) -> str:
        """Returns what its interpreter prints."""
        run = subprocess.run(
            [self.python, "-I", "-B", "-c", code], capture_output=True, text=True, check=True, timeout=TIMEOUT_SECONDS
        )
        return run.stdout.strip()

    def copy_to(self, prefix: Path) -> "Target":
        """Returns a copy that shares no file with it."""
        shutil.copytree(self.prefix, prefix, symlinks=True)
        return Target(prefix)


def standalone_interpreter(prefix: Path) -> Target:
    """Makes an interpreter with a site-packages folder of its own: the binary is a copy, the standard library links.

    Stands for an interpreter of the system, which a test must not change.
    """
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    library = prefix / "lib" / version
    (library / "site-packages").mkdir(parents=True)
    for entry in Path(os.__file__).parent.iterdir():
        if entry.name not in ("site-packages", "dist-packages", "EXTERNALLY-MANAGED"):
            (library / entry.name).symlink_to(entry)
    target = Target(prefix)
    target.python.parent.mkdir()
    shutil.copy(os.path.realpath(sys.executable), target.python)
    (prefix / "bin" / "python3").symlink_to("python")
    (prefix / "bin" / version).symlink_to("python")
    found = target.run("import sys, sysconfig; print(sys.prefix, sysconfig.get_path('purelib'))")
    assert found == f"{prefix} {library / 'site-packages'}", found
    return target


def clean_environ(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Returns this process's variables without settings of the tools under test, with `home` as HOME."""
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FOREIGN) and not name.lower().endswith("_proxy")
    }
    environ.update(
        HOME=str(home), PYTHONPATH=str(ROOT), PYTHONUTF8="1", PIP_CONFIG_FILE=os.devnull, PYTHONWARNINGS="default"
    )
    environ.update(extra or {})
    return environ


class Tool:
    """The tool with one cache and one index.

    Args:
        folder: an existing folder for locks, the cache and HOME.
        index_url: what runs ask.
    """

    def __init__(self, folder: Path, index_url: str) -> None:
        self.folder = folder
        self.cache = folder / "cache"
        self.index_url = index_url

    def write_lock(self, *lines: str, name: str = "lock.txt") -> Path:
        """Returns a lock file with these lines."""
        path = self.folder / name
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    def command(self, lock: Path, targets: Sequence[Target], *options: str) -> list[str]:
        """Returns the command line of a sync."""
        pythons = [word for target in targets for word in ("--python", str(target.prefix))]
        return [
            *(sys.executable, "-m", "cli", "sync", str(lock), *pythons),
            *("--cache-dir", str(self.cache), "--index-url", self.index_url, *options),
        ]

    def sync(
        self, lock: Path, *targets: Target, options: Sequence[str] = (), environ: Mapping[str, str] | None = None
    ) -> Result:
        """Runs a sync to its end."""
        return self.run(*self.command(lock, targets, *options), environ=environ)

    def install(self, target: Target, *words: str) -> Result:
        """Runs an install to its end."""
        places = ("--python", str(target.prefix), "--cache-dir", str(self.cache), "--index-url", self.index_url)
        return self.run(sys.executable, "-m", "cli", "install", *words, *places)

    def compile(self, *words: str) -> Result:
        """Runs a compile to its end."""
        cache = ("--cache-dir", str(self.cache), "--index-url", self.index_url)
        return self.run(sys.executable, "-m", "cli", "compile", *words, *cache)

    def start(self, lock: Path, *targets: Target, options: Sequence[str] = ()) -> "subprocess.Popen[str]":
        """Starts a sync in a session of its own, so that a signal reaches it alone."""
        return subprocess.Popen(
            self.command(lock, targets, *options),
            cwd=self.folder,
            env=clean_environ(self.folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str, cwd: Path | None = None, environ: Mapping[str, str] | None = None) -> Result:
        """Runs any command in the tool's surroundings."""
        run = subprocess.run(
            command,
            cwd=cwd or self.folder,
            env=clean_environ(self.folder, environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
        return Result(run.returncode, run.stdout, run.stderr)
