"""Makes `engine.pyz`: one file with engine and all that it needs, for some minor versions of CPython and one platform.

    python -m shipping.zipapp fetch LOCK WHEELS [3.12 ...]
    python -m shipping.zipapp build WHEEL WHEELS OUTPUT [3.12 ...]

pip fetches the wheels that the lock names, by hash.  The file is a zip of few
members, so that Python has read its directory at once: what starts, a payload
that all versions share, and one for each of them.  Owns which wheels, files and
versions are in it; what happens when it is started is `shipping.start`'s.

The same wheels and the same interpreters give the same bytes, whoever builds.

Source: PEP 441 (zip applications), PEP 425 (tags).
"""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from packaging.tags import platform_tags
from packaging.utils import parse_wheel_filename

from shipping.bytecode import Interpreter, compile_modules, find_interpreter
from shipping.payload import File, pack

HERE = Path(__file__).resolve().parent
#: The minor versions of Python 3 that a file is for where none are named, as pyproject.toml says.
MINORS = (11, 12, 13, 14)
#: Wheels that need a newer glibc than this are not taken: the file runs where it was not built.
NEWEST_GLIBC = (2, 28)
#: What only rich's highlighting and Markdown need, which nothing of ours shows: a quarter of all files.
LEFT_OUT = frozenset(("markdown-it-py", "mdurl", "pygments"))
#: What compilers and editors read, and RECORD, which would be wrong without it.
UNREAD = (".c", ".h", ".pxd", ".pxi", ".pyi", ".pyx", ".dist-info/RECORD")
#: The members that are not payloads; `start.py` is `__main__.py`.
PARTS = ("unpacking.py", "other_python.py")
#: Zip knows no earlier date; nobody sees it.
DATE = (1980, 1, 1, 0, 0, 0)

Tree = dict[str, File]


def platforms(tags: Iterator[str]) -> list[str]:
    """Returns the platforms whose wheels are taken, best first.

    Args:
        tags: the platform tags of the machine that builds.
    """
    return [tag for tag in tags if not _is_too_new(tag)]


def _is_too_new(tag: str) -> bool:
    words = tag.split("_")
    return words[0] == "manylinux" and (int(words[1]), int(words[2])) > NEWEST_GLIBC


def suffix_for(minor: int, own: str = EXTENSION_SUFFIXES[0]) -> str:
    """Returns the suffix of compiled modules for another minor version on this platform.

    Args:
        minor: of Python 3.
        own: the suffix under the Python that runs this.
    """
    return own.replace(f"3{sys.version_info[1]}", f"3{minor}", 1)


def needs(machine: Sequence[str]) -> dict[str, str]:
    """Returns what the suffix of compiled modules does not say of a platform, for `shipping.unpacking.unfit`.

    Args:
        machine: as `platforms` returns them.
    """
    if any(tag.startswith("manylinux") for tag in machine):
        return {"glibc": f"{NEWEST_GLIBC[0]}.{NEWEST_GLIBC[1]}"}
    if any(tag.startswith("macosx") for tag in machine):
        return {"machine": machine[0].split("_", 3)[3]}
    return {}


def fetch(lock: Path, wheels: Path, minor: int, machine: Sequence[str]) -> None:
    """Brings the wheels of a lock for one Python into a folder, which has nothing else afterwards.

    Raises:
        subprocess.CalledProcessError: when one cannot be had, or is not the one of the lock.
    """
    shutil.rmtree(wheels, ignore_errors=True)
    options = [word for tag in machine for word in ("--platform", tag)]
    command = (
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"),
        *("--only-binary", ":all:", "--implementation", "cp", "--python-version", f"3.{minor}", *options),
        *("--dest", str(wheels), "--requirement", str(lock)),
    )
    subprocess.run(command, check=True)


def read_wheels(wheels: Sequence[Path]) -> Tree:
    """Returns the files of wheels as they are below one folder.

    Raises:
        ValueError: when two bring the same file, or one has files for elsewhere (`.data`).
    """
    tree: Tree = {}
    for path in wheels:
        if parse_wheel_filename(path.name)[0] in LEFT_OUT:
            continue
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                name = member.filename
                if member.is_dir() or name.endswith(UNREAD):
                    continue
                if name in tree or name.split("/")[0].endswith(".data"):
                    raise ValueError(f"{path.name}: {name} cannot be put into one folder with the others")
                tree[name] = File(archive.read(member), name.endswith((".so", ".dylib")))
    return tree


def split(trees: Mapping[int, Tree]) -> tuple[Tree, dict[int, Tree]]:
    """Returns what all versions share, and what each of them has besides.

    Args:
        trees: all files, by minor version.
    """
    first, *others = trees.values()
    shared = {name: file for name, file in first.items() if all(tree.get(name) == file for tree in others)}
    return shared, {
        minor: {name: file for name, file in tree.items() if name not in shared} for minor, tree in trees.items()
    }


def members(trees: Mapping[int, Tree], needed: Mapping[str, str]) -> dict[str, bytes]:
    """Returns what is in the zip, by name.

    Args:
        trees: all files, by minor version.
        needed: as `needs` returns it.
    """
    shared, own = split(trees)
    payloads = {"shared": pack(shared), **{f"cp3{minor}": pack(tree) for minor, tree in own.items() if tree}}
    contents = {}
    for minor in trees:
        names = [name for name in ("shared", f"cp3{minor}") if name in payloads]
        digest = hashlib.sha256(b"".join(payloads[name] for name in names)).hexdigest()
        contents[suffix_for(minor)] = (f"{digest[:32]}-cp3{minor}", names)
    start = (HERE / "start.py").read_text(encoding="utf-8")
    for constant, value in (("CONTENTS", contents), ("NEEDS", dict(needed))):
        before, empty, after = start.partition(f"\n{constant} = {{}}")
        if not empty:
            raise ValueError(f"start.py has no place for {constant}")
        start = f"{before}\n{constant} = {value!r}{after}"
    parts = {f"shipping/{name}": (HERE / name).read_bytes() for name in PARTS}
    return {"__main__.py": start.encode(), "shipping/__init__.py": b"", **parts, **payloads}


def write(output: Path, contents: Mapping[str, bytes]) -> None:
    """Writes a zip that a system with `env` can start."""
    with output.open("wb") as file:
        file.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, body in contents.items():
                archive.writestr(zipfile.ZipInfo(name, DATE), body)
    output.chmod(0o755)


def build(wheel: Path, wheels: Path, output: Path, minors: Sequence[int], machine: Sequence[str]) -> None:
    """Puts engine and what was fetched for some versions into one file.

    Says of which versions there is no interpreter here: their bytecode is then made when modules are first imported.

    Raises:
        ValueError: when a wheel is not one that can be unpacked into a folder.
    """
    trees = {}
    for minor in minors:
        tree = read_wheels([*sorted((wheels / f"cp3{minor}").glob("*.whl")), wheel])
        interpreter: Interpreter | None = find_interpreter(minor)
        if interpreter is None:
            print(f"{output.name}: there is no python3.{minor} here, so its bytecode is left out")
        trees[minor] = tree if interpreter is None else tree | compile_modules(tree, interpreter)
    write(output, members(trees, needs(machine)))


def _minors(words: Sequence[str]) -> list[int]:
    """Returns the versions that words name, or all."""
    versions = [tuple(int(part) for part in word.split(".")) for word in words]
    if any(len(version) != 2 or version < (3, MINORS[0]) for version in versions):
        sys.exit(f"engine needs Python 3.{MINORS[0]} or newer, not {' '.join(words)}")
    return [version[1] for version in versions] or list(MINORS)


def main(arguments: list[str]) -> None:
    """Does one of the two steps."""
    machine = platforms(platform_tags())
    match arguments:
        case ["fetch", lock, wheels, *versions]:
            for minor in _minors(versions):
                fetch(Path(lock), Path(wheels) / f"cp3{minor}", minor, machine)
        case ["build", wheel, wheels, output, *versions]:
            build(Path(wheel), Path(wheels), Path(output), _minors(versions), machine)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
