"""A disk that fails and a quota that is used up, at each kind of call that a sync makes: told, and nothing is spoilt.

A small library that is preloaded refuses the calls; it is compiled by the test, where there is a compiler.
"""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.index import Index
from tests.support.tool import ROOT, Result, Target, Tool
from tests.support.trees import check_cache, leftovers, published
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="preloads a library of Linux")

WHEELS = [
    make_wheel("large", "1.0", {"large/data.bin": os.urandom(300_000)}, compress=False),
    make_wheel("many", "1.0", {f"many/m{number}.py": "x = 1\n" for number in range(20)}),
]
EVERY = {"large-1.0", "many-1.0"}


class Place(NamedTuple):
    """What is refused: calls of one kind on paths that have a part."""

    kind: str
    part: str
    options: tuple[str, ...] = ()


PLACES = {
    "download": Place("write", ".part"),
    "unpack": Place("write", "/tree/"),
    "manifest": Place("write", "/manifest"),
    "folder": Place("mkdir", "/tree/"),
    "publish": Place("rename-to", "/wheels-v1/"),
    "link": Place("link", "/stage/"),
    "copy": Place("write", "/stage/", ("--link-mode", "copy")),
    "record": Place("write", "/RECORD"),
    "journal": Place("write", "/journal"),
    "decision": Place("rename", "/journal.tmp"),
    "commit": Place("rename", "/stage/"),
}


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that refuses."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    made = tmp_path_factory.mktemp("faults") / "faults.so"
    source = ROOT / "tests" / "support" / "faults.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", made, source, "-ldl"], check=True, timeout=60)
    return made


@pytest.fixture
def locked(index: Index, tool: Tool) -> Tool:
    """The tool with a lock of two wheels."""
    index.add(*WHEELS)
    tool.write_lock(*(wheel.pin for wheel in WHEELS))
    return tool


def sync_refused(tool: Tool, target: Target, library: Path, place: Place, number: int, last: int | None) -> Result:
    """Runs a sync in which calls are refused: all, or in each process those up to the `last`."""
    refusal = {
        "LD_PRELOAD": str(library),
        "FAULT_KIND": place.kind,
        "FAULT_PATH": place.part,
        "FAULT_FIRST": "1",
        "FAULT_ERRNO": str(number),
        "FAULT_LOG": str(tool.folder / "refused"),
        **({"FAULT_LAST": str(last)} if last is not None else {}),
    }
    command = tool.command(tool.folder / "lock.txt", [target], "--retries", "0", *place.options)
    return tool.run(*command, environ=refusal)


@pytest.mark.parametrize("number", [errno.EIO, errno.EDQUOT], ids=["EIO", "EDQUOT"])
@pytest.mark.parametrize("last", [1, None], ids=["once", "always"])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_what_the_system_refuses_is_told_and_spoils_nothing(
    place: Place, last: int | None, number: int, library: Path, locked: Tool, target: Target
) -> None:
    before = target.tree()
    run = sync_refused(locked, target, library, place, number, last)
    assert (locked.folder / "refused").exists(), "nothing was refused"
    assert run.code == 1 and "Traceback" not in run.err, run.err
    said = run.err.replace(str(locked.folder / "lock.txt"), "")
    assert os.strerror(number) in said and str(locked.folder.parent) in said, run.err
    assert "hint: " in run.err, run.err
    assert target.tree() == before
    check_cache(locked.cache)
    assert leftovers(locked.cache) == []
    again = locked.sync(locked.folder / "lock.txt", target)
    assert again.code == 0 and target.installed() == EVERY, again.err
    assert published(locked.cache) == {wheel.sha256 for wheel in WHEELS}
    assert not (target.prefix / ".engine").exists()
    check_cache(locked.cache)
