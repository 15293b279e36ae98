"""What is in a folder, as a value that two moments can be compared by; and whether a cache is whole."""

import base64
import hashlib
import os
import stat
from pathlib import Path
from typing import NamedTuple

from cache.entries import EntryStore
from cache.layout import Layout


class Node(NamedTuple):
    """One thing in a folder: its kind, its mode, and its content or where it points."""

    kind: str
    mode: int
    content: str


Tree = dict[str, Node]


def snapshot(root: Path) -> Tree:
    """Returns everything below `root`, by relative path.  Bytecode is left out: running Python makes it."""
    found: Tree = {}
    for folder, folders, files in os.walk(root):
        if "__pycache__" in folders:
            folders.remove("__pycache__")
        for name in [*folders, *files]:
            path = Path(folder, name)
            found[path.relative_to(root).as_posix()] = _node(path)
    return found


def _node(path: Path) -> Node:
    status = path.lstat()
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        return Node("link", 0, os.readlink(path))
    if stat.S_ISDIR(status.st_mode):
        return Node("folder", mode, "")
    return Node("file", mode, hashlib.sha256(path.read_bytes()).hexdigest())


def published(cache: Path) -> set[str]:
    """Returns the keys of all entries that the cache has published."""
    return {path.parent.name for path in (cache / "wheels-v1").glob("*/*/manifest")}


def check_cache(cache: Path) -> None:
    """Asserts that every published entry holds exactly the files of its manifest, and that nothing unfinished is left.

    Raises:
        AssertionError: when the cache is not whole.
    """
    store = EntryStore(Layout(str(cache)))
    for key in published(cache):
        loaded = store.load(key)
        assert loaded is not None
        manifest, _ = loaded
        tree = Path(store.layout.tree(key))
        on_disk = {path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()}
        assert on_disk == {file.path for file in manifest.files} | {f"{manifest.dist_info}/RECORD"}, key
        for file in manifest.files:
            status = (tree / file.path).stat()
            digest = hashlib.sha256((tree / file.path).read_bytes()).digest()
            said = (file.size_bytes, file.mtime_ns, file.sha256)
            text = base64.urlsafe_b64encode(digest).decode().rstrip("=")
            assert said == (status.st_size, status.st_mtime_ns, text), file.path


def leftovers(cache: Path) -> list[str]:
    """Returns what runs have left in the cache's temporary folder."""
    temporary = cache / "tmp-v1"
    return sorted(path.name for path in temporary.iterdir()) if temporary.exists() else []
