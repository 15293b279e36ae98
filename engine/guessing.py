"""Guesses which pages a sync will ask for, from the lock's bytes and folder names alone.

A guess costs bytes when it is wrong and is never relied on.
"""

import os

from engine.environment.installed import installed_distributions, normalize_name
from engine.environment.target import Environment
from engine.errors import InvalidEnvironment
from engine.sync import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

#: UTF-16 and UTF-32 begin with these.
_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")

#: What the name of a project consists of.
_NAME = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")

#: What may follow the name of a project that an index is asked for.
_AFTER_NAME = (b"", b"[", b"=", b"<", b">", b"!", b"~", b"(")

#: What ends like these is a path, as in pip.
_ARCHIVES = (b".whl", b".zip", b".tar.gz", b".tgz", b".tar", b".tar.bz2", b".tar.xz")


def guess_projects(run: Run, environments: "Iterable[Environment]") -> list[str]:
    """Returns normalised names that the lock pins without a marker and that no environment has yet.

    Args:
        run: the lock, and where it will be asked.
        environments: the targets; one that is not virtual is taken to be empty.
    """
    names: dict[str, None] = {}
    if any(one.is_pylock for one in run.inputs):
        return []  # it names the files, and a pin beside it may mean one of them
    for one in run.inputs:
        found = pinned_names(one.body)
        if found is None:
            return []  # the lock says where to ask, and is not parsed yet
        names.update(dict.fromkeys(found))
    installed: set[str] = set()
    for environment in environments:
        installed.update(installed_names(environment))
    return [name for name in names if name not in installed]


def pinned_names(lock: bytes) -> list[str] | None:
    """Returns the normalised names of unconditional pins in a requirements file.

    None when an index could be named, in it or in what it includes: a name is not told to the wrong one.  That is
    any option but a hash, and any text that is not read as it stands here.
    """
    if lock.startswith(_MARKS) or any(b"coding" in line for line in lock.split(b"\n", 2)[:2]):
        return None
    names: dict[str, None] = {}
    for line in lock.splitlines():
        line = line.lstrip(b" \t\f\xef\xbb\xbf")
        if line.startswith(b"-") and not line.startswith(b"--hash"):
            return None
        name, equals, rest = line.partition(b"==")
        name = name.partition(b"[")[0].strip()
        if equals and name and b";" not in rest and _NAME.issuperset(name):
            names[normalize_name(name.decode("ascii"))] = None
    return list(names)


def wanted_names(requirements: bytes) -> list[str] | None:
    """Returns what a file of requirements wants without a condition, from any index.

    That is normalised names, and beside them `name[extra]` for each extra.  None when the file has to be read before
    anything is asked, for the reasons of `pinned_names`.
    """
    if requirements.startswith(_MARKS) or any(b"coding" in line for line in requirements.split(b"\n", 2)[:2]):
        return None
    names: dict[str, None] = {}
    for line in requirements.splitlines():
        line = line.lstrip(b" \t\f\xef\xbb\xbf").partition(b" #")[0]
        if line.startswith(b"-") and not line.startswith(b"--hash"):
            return None
        end = next((at for at, character in enumerate(line) if character not in _NAME), len(line))
        name, rest = line[:end], line[end:].lstrip()
        is_name = rest[:1] in _AFTER_NAME and not name.endswith(_ARCHIVES)
        if name and is_name and b";" not in rest and b"@" not in rest:
            project = normalize_name(name.decode("ascii"))
            names[project] = None
            extras = rest[1:].partition(b"]")[0] if rest.startswith(b"[") else b""
            for extra in map(bytes.strip, extras.split(b",")):
                if extra and _NAME.issuperset(extra):
                    names[f"{project}[{normalize_name(extra.decode('ascii'))}]"] = None
    return list(names)


def installed_names(environment: Environment) -> "Iterable[str]":
    """Returns the normalised names of what an environment seems to have; nothing for one that is not virtual."""
    if not environment.is_virtual:
        return ()
    library = os.path.join(environment.prefix, "Lib" if os.name == "nt" else "lib")
    try:
        folders = [library] if os.name == "nt" else [os.path.join(library, name) for name in os.listdir(library)]
        return installed_distributions(os.path.join(folder, "site-packages") for folder in folders)
    except (OSError, InvalidEnvironment):
        return ()
