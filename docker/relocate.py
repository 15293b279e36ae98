"""Completes the folder that the image is about: its own copy of Python, bytecode, and the command that starts it.

    python3 -I relocate.py FOLDER LAUNCHER

Runs while an image is built, under the Python that is copied.  Owns which parts of it are
copied: the interpreter, the standard library without what no installer needs, and the
shared libraries that these and the modules are linked to, but for those of glibc.  An RPATH leads to
them, so that no variable has to, which other programs that engine starts would inherit; it names the
folder itself, as `$ORIGIN` is found through /proc, which a chroot may lack.

The same Python and the same modules give the same bytes.
"""

import compileall
import os
import platform
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

#: What of the standard library stays behind.
LEFT_OUT = (
    *("__pycache__", "distutils", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "test", "tests", "tkinter"),
    *("turtle.py", "turtledemo", "unittest", "wsgiref", "xmlrpc"),
)
LEFT_OUT_PATTERNS = (
    *("config-*", "*-packages", "EXTERNALLY-*", "sqlite3", "_sqlite3.*", "_tkinter.*", "_curses*", "_dbm.*", "_gdbm.*"),
    *("_crypt.*", "crypt.py", "nis.*", "readline.*", "_test*", "xx*"),
)
#: What only compilers and editors read of modules, and what only highlighting and Markdown need, which nothing shows.
UNREAD = ("*.c", "*.h", "*.pxd", "*.pxi", "*.pyi", "*.pyx", "pygments", "pygments-*", "markdown_it*", "mdurl*", "bin")
#: Tells engine that nothing is installed for this Python; as in engine/environment/create.py.
OWN_PYTHON = "ENGINE-ONLY"
#: Parts of glibc: they belong to the system that engine is copied to.
GLIBC = re.compile(r"(ld-linux.*|lib(c|m|dl|rt|pthread|util|resolv|nsl|anl|mvec))\.so\.\d+")
START = """import sys

sys.path.insert(0, "{modules}")
from cli import run

run()
"""


def main(folder: Path, launcher: Path) -> None:
    """Does all of it."""
    python = folder / "python"
    library = python / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    shutil.copytree(sysconfig.get_path("stdlib"), library, ignore=shutil.ignore_patterns(*LEFT_OUT, *LEFT_OUT_PATTERNS))
    executable = python / "bin" / "python3"
    executable.parent.mkdir()
    shutil.copy(os.path.realpath(sys.executable), executable)
    modules = folder / "modules"
    for path in sorted(libraries([executable, *(library / "lib-dynload").glob("*.so"), *modules.rglob("*.so")])):
        if not path.is_relative_to(folder):
            shutil.copy(os.path.realpath(path), python / "lib" / path.name)
    subprocess.run(["patchelf", "--force-rpath", "--set-rpath", str(python / "lib"), str(executable)], check=True)
    # What debuggers read is half of what compiled modules take.
    for path in sorted(modules.rglob("*.so")):
        subprocess.run(["strip", "--strip-unneeded", str(path)], check=True)
    for path in sorted(path for pattern in UNREAD for path in modules.rglob(pattern)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    (python / OWN_PYTHON).touch()
    (folder / "start.py").write_text(START.format(modules=modules), encoding="utf-8")
    for path in (library, modules):
        compileall.compile_dir(path, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    words = launcher.read_text(encoding="utf-8")
    values = {"FOLDER": str(folder), "LOADER": loader(executable), "GLIBC": platform.libc_ver()[1]}
    for name, value in {**values, "MACHINE": platform.machine()}.items():
        words = words.replace(f"@{name}@", value)
    command = folder / "bin" / "engine"
    command.parent.mkdir()
    command.write_text(words, encoding="utf-8")
    command.chmod(0o755)
    settle(folder)


def libraries(files: list[Path]) -> set[Path]:
    """Returns the shared libraries that files need, but for glibc's."""
    found: set[Path] = set()
    for file in files:
        said = subprocess.run(["ldd", str(file)], check=True, capture_output=True, text=True).stdout
        found.update(Path(path) for path in re.findall(r"=> (/\S+)", said) if not GLIBC.fullmatch(Path(path).name))
    return found


def loader(executable: Path) -> str:
    """Returns what the kernel starts the interpreter with, which is a part of glibc."""
    said = subprocess.run(
        ["patchelf", "--print-interpreter", str(executable)], check=True, capture_output=True, text=True
    )
    return said.stdout.strip()


def settle(folder: Path) -> None:
    """Gives everything one date, and modes that do not depend on the umask: rebuilt layers are the same bytes."""
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "1577836800"))
    for root, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = os.path.join(root, name)
            os.chmod(path, 0o755 if os.stat(path).st_mode & 0o100 else 0o644)
            os.utime(path, (epoch, epoch))
        os.chmod(root, 0o755)
        os.utime(root, (epoch, epoch))


if __name__ == "__main__":
    if platform.libc_ver()[0] != "glibc":
        sys.exit("error: this image is for glibc; its base has another C library")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
