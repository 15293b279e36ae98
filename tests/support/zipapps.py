"""A tiny `engine.pyz`: the code that ships, around a command line that says where it runs."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from shipping.payload import File
from shipping.zipapp import Tree, members, write
from tests.support.tool import clean_environ

MINOR = sys.version_info[1]
CLI = b"""
import sys

def run(at_end=None):
    import part
    print(part.NAME, __file__, *sys.argv[1:])
    if at_end is not None:
        at_end()
"""
TREE: Tree = {
    "cli.py": File(CLI),
    "part/__init__.py": File(b"NAME = 'tiny'\n"),
    "part/compiled.so": File(b"\x7fELF", executable=True),
}


class Zipapp(NamedTuple):
    """A file on disk, and somebody who has never started it."""

    path: Path
    environ: dict[str, str]

    @property
    def root(self) -> Path:
        """What it unpacks to."""
        return Path(self.environ["HOME"], ".cache", "engine-pyz")

    @property
    def temporary(self) -> Path:
        """The folder for temporary files."""
        return Path(self.environ["TMPDIR"])

    def start(
        self, *words: str, python: tuple[str, ...] = (sys.executable,), environ: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Runs it, with further variables, and returns how that ended."""
        return subprocess.run(
            [*python, self.path, *words],
            cwd=self.temporary,
            env={**self.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def unpacked(self) -> list[Path]:
        """Returns the folders with modules, and whatever else there is beside them."""
        return sorted(self.root.iterdir()) if self.root.exists() else []


def make_zipapp(
    folder: Path,
    trees: Mapping[int, Tree] | None = None,
    *,
    needed: Mapping[str, str] | None = None,
    replaced: Mapping[str, bytes] | None = None,
) -> Zipapp:
    """Writes one.

    Args:
        folder: gets the file and the folders of somebody's own.
        trees: files, by minor version; those of the tiny one for this Python where none are given.
        needed: of the platform.
        replaced: members of the zip that are not what they should be.
    """
    for name in ("home", "temporary"):
        (folder / name).mkdir(exist_ok=True)
    path = folder / "engine.pyz"
    write(path, {**members({MINOR: TREE} if trees is None else trees, needed or {}), **(replaced or {})})
    places = {"PYTHONPATH": "", "TMPDIR": str(folder / "temporary"), "PATH": os.defpath}
    return Zipapp(path, clean_environ(folder / "home", places))
