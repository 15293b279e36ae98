"""`__main__.py` of `engine.pyz`: finds the unpacked modules, puts them first, and runs the command line.

Every start pays for what is here: it imports nothing, and what only the first
start needs is in `shipping.unpacking`.  Any Python must be able to parse this file
and `shipping.other_python`, back to those that can read a zip, as they say in words
what is wrong with it.

The modules are unpacked into ENGINE_PYZ_DIR, or else beside the usual cache of
engine, in a folder that is named by what is in it.  What another user could
have put there, or could change, is not run.

Source: PEP 441 (zip applications).
"""

import os
import sys

#: By the suffix of compiled modules, which says version, kind of build and platform: the folder, and the payloads that
#: go into it.  `shipping.zipapp` fills it in.
CONTENTS = {}  # type: dict[str, tuple[str, list[str]]]
#: Names the files of a folder; its time is that of the last check that they are all there.
WHOLE = ".whole"
#: How often that is checked, besides once after the machine was started: it takes some milliseconds.
CHECK_SECONDS = 24 * 3600
#: What else the platform must have.
NEEDS = {}  # type: dict[str, str]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping  # noqa: F401


def root_of(environ):
    # type: (Mapping[str, str]) -> str
    """Returns the folder that gets what is unpacked; `cache.layout` finds the one for the cache in the same way.

    Source: XDG Base Directory Specification, "XDG_CACHE_HOME".
    """
    chosen = environ.get("ENGINE_PYZ_DIR")
    if chosen:
        return os.path.abspath(chosen)
    if os.name == "nt" and environ.get("LOCALAPPDATA"):
        return os.path.join(environ["LOCALAPPDATA"], "engine", "pyz")
    xdg = environ.get("XDG_CACHE_HOME")
    if xdg and os.path.isabs(xdg):
        return os.path.join(xdg, "engine-pyz")
    home = environ.get("HOME") or os.path.expanduser("~")
    if os.name == "posix" and not os.path.isabs(home):  # a user id without a name, as in containers
        return os.path.join(os.path.abspath(environ.get("TMPDIR") or "/tmp"), "engine-pyz-%d" % os.geteuid())
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Caches", "engine-pyz")
    return os.path.join(home, ".cache", "engine-pyz")


def is_trusted(root, folder):
    # type: (str, str) -> bool
    """Tells whether a folder is there, and nobody but this user and root can have made it or can change it.

    Neither can they put another one in its place: that goes for all folders above.  One that others may write into is
    fine there if only owners may rename in it (the sticky bit), or if the others are a group that is this user's alone.
    `root` has no links in it: who may change a link need not be who may change the folders that it leads through now.
    """
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    if found.st_mode & 0o170000 != 0o040000:
        return False
    if os.name != "posix":
        return True
    own = os.geteuid()
    if found.st_uid not in (0, own) or found.st_mode & 0o022:
        return False
    path = root
    while True:
        try:
            found = os.lstat(path)
        except OSError:
            return False
        if found.st_uid not in (0, own):
            return False
        # A group of the user's own has the user's number, where users have one.
        is_private = path != root and own == os.getegid() == found.st_gid != 0
        if found.st_mode & (0o002 if is_private else 0o022) and not found.st_mode & 0o1000:
            return False
        if path == os.path.dirname(path):
            return True
        path = os.path.dirname(path)


def is_checked(folder):
    # type: (str) -> bool
    """Tells whether nothing was missing in a folder not long ago, or nobody here could mend it.

    Not long ago is after the machine was started, too: what it had not yet written when it lost its power is gone.
    """
    import time

    try:
        age = time.time() - os.stat(os.path.join(folder, WHOLE)).st_mtime
    except OSError:
        age = CHECK_SECONDS
    # This clock begins when the machine starts; where it stands still while that sleeps there is one look more.
    return abs(age) < min(CHECK_SECONDS, time.monotonic()) or not os.access(folder, os.W_OK)


def forget_check(folder):
    # type: (str) -> None
    """Lets the next start look whether something is missing."""
    try:
        os.utime(os.path.join(folder, WHOLE), (0, 0))
    except OSError:  # nobody here can mend it
        pass


def put_first(folder):
    # type: (str) -> None
    """Lets modules come from the folder and the standard library only: what else is installed here is none of ours."""
    library = os.path.dirname(os.__file__)
    own = ("lib-dynload", "DLLs", "python%d%d.zip" % sys.version_info[:2])
    sys.path[:] = [folder] + [path for path in sys.path if path == library or os.path.basename(path) in own]
    # What a .pth file or sitecustomize has imported already was found elsewhere.
    ours = set(name.partition(".")[0] for name in os.listdir(folder))
    for module in [name for name in sys.modules if name.partition(".")[0] in ours]:
        del sys.modules[module]


def suffix_of_compiled_modules():
    # type: () -> str
    """Returns the suffix of those that are for this very kind of Python, or nothing where that is too old."""
    if sys.version_info < (3, 11):
        return ""
    import _imp

    return str(_imp.extension_suffixes()[0]) if _imp.extension_suffixes() else ""


def main():
    # type: () -> None
    """Becomes engine's command line."""
    suffix = suffix_of_compiled_modules()
    if suffix not in CONTENTS:
        from shipping.other_python import start_another

        start_another(CONTENTS)
    name, payloads = CONTENTS[suffix]
    root = os.path.realpath(root_of(os.environ))
    folder, remove = os.path.join(root, name), None
    if not is_trusted(root, folder) or not is_checked(folder):
        from shipping.unpacking import first_start

        folder, remove = first_start(root, name, payloads, NEEDS, is_trusted)
    try:
        put_first(folder)
        from cli import run

        run(remove)
    except Exception:
        # Nothing that is expected comes here; the cause may be a file that was lost since the last look.
        forget_check(folder)
        raise


if __name__ == "__main__":
    main()
