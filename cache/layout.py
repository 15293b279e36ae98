"""Where everything in the cache is.  On the warm path: imports nothing but os.

The tree is drawn in ARCHITECTURE.md.  Each bucket carries its format version in
its name, so that two versions of the engine can share one cache folder.
"""

import os

TAG = (
    b"Signature: 8a477f597d28d172789f06886806bc55\n"
    b"# This file marks a cache of engine. It can be deleted at any time.\n"
    b"# See https://bford.info/cachedir/\n"
)


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def default_root(environ: "Mapping[str, str]") -> str:
    """Returns the cache folder that `environ` asks for, or the platform's usual place.

    Source: XDG Base Directory Specification, "XDG_CACHE_HOME".
    """
    if chosen := environ.get("ENGINE_CACHE_DIR"):
        return os.path.abspath(chosen)
    if os.name == "nt" and (local := environ.get("LOCALAPPDATA")):
        return os.path.join(local, "engine", "cache")
    home = environ.get("HOME") or os.path.expanduser("~")
    if not os.path.isabs(home):  # a user id without a name, as in containers, where no folder `~` is meant
        home = os.path.abspath(os.sep)
    if (xdg := environ.get("XDG_CACHE_HOME")) and os.path.isabs(xdg):
        return os.path.join(xdg, "engine")
    if os.uname().sysname == "Darwin":
        return os.path.join(home, "Library", "Caches", "engine")
    return os.path.join(home, ".cache", "engine")


class Layout:
    """The paths below one cache folder.

    Args:
        root: absolute path of the cache; it need not exist.
    """

    __slots__ = ("root",)

    def __init__(self, root: str) -> None:
        self.root = root

    def create(self) -> None:
        """Makes the cache folder and its tag.

        Raises:
            OSError: when the folder cannot be made.
        """
        os.makedirs(self.root, exist_ok=True)
        path = os.path.join(self.root, "CACHEDIR.TAG")
        if os.path.lexists(path):
            return
        try:
            with open(path, "xb") as file:
                file.write(TAG)
        except (FileExistsError, PermissionError):  # another run was faster; or only the buckets may be written
            return

    def entry(self, sha256: str) -> str:
        """Returns the folder of the wheel whose archive hashes to `sha256` (hex)."""
        return f"{self.root}/wheels-v1/{sha256[:2]}/{sha256}"

    def tree(self, sha256: str) -> str:
        """Returns the unpacked files of an entry."""
        return f"{self.root}/wheels-v1/{sha256[:2]}/{sha256}/tree"

    def manifest(self, sha256: str) -> str:
        """Returns the manifest of an entry."""
        return f"{self.root}/wheels-v1/{sha256[:2]}/{sha256}/manifest"

    def plan(self, key: str) -> str:
        """Returns the plan stored under `key` (hex)."""
        return f"{self.root}/plans-v1/{key[:2]}/{key}"

    def bucket(self, name: str) -> str:
        """Returns the folder of one kind of record, such as `index-v3`."""
        return f"{self.root}/{name}"

    @property
    def temporary(self) -> str:
        """The folder in which runs keep what is not published yet, one sub-folder each."""
        return f"{self.root}/tmp-v1"
