"""Scripts of a distribution: shebang lines, launchers for entry points, `#!python` rewriting.

Pure, and on the warm path.  It trusts its arguments: `engine.wheel.metadata` has
checked names, modules and attributes, and only the interpreter's path may hold
any character.  Launchers for Windows are the executables that `distlib` ships;
it is loaded only when one is asked for.

Source: PEP 427, "Recommended installer features"; "Entry points specification".
"""

PLACEHOLDER = b"#!python"
# Linux reads this much of a script to find its interpreter, and cuts longer lines silently before 5.1.
_SHEBANG_MAX_BYTES = 127

_LAUNCHER = """\
import sys
from {module} import {first}

if __name__ == "__main__":
    for suffix in ("-script.pyw", ".exe"):
        if sys.argv[0].endswith(suffix):
            sys.argv[0] = sys.argv[0][: -len(suffix)]
    sys.exit({attribute}())
"""


def shebang(interpreter: str, *, gui: bool = False) -> bytes:
    """Returns the first line or lines of a script that `interpreter` runs.

    A path with blanks, or one too long for the kernel, is started by `/bin/sh`;
    Python reads those two lines as a string.

    Args:
        interpreter: absolute path.
        gui: whether `pythonw.exe` shall run it, where the interpreter is a `python.exe`.
    """
    if gui and interpreter.endswith("python.exe"):
        interpreter = interpreter[: -len("python.exe")] + "pythonw.exe"
    path = interpreter.encode("utf-8", "surrogateescape")
    line = b"#!" + path + b"\n"
    if len(line) <= _SHEBANG_MAX_BYTES and path.split() == [path]:
        return line
    return b"#!/bin/sh\n'''exec' " + _quote(path) + b' "$0" "$@"\n' + b"' '''\n"


def _quote(path: bytes) -> bytes:
    """Quotes for sh inside a Python string in triple apostrophes: no three of them in a row, no odd backslash."""
    quoted = path.replace(b"\\", b"\\\\").replace(b'"', b"\0")
    quoted = quoted.replace(b"'", b'\'""')
    for special in (b"$", b"`"):
        quoted = quoted.replace(special, b"\"'" + special + b"'\"")
    return b'"' + quoted.replace(b"\0", b'"\'"\'"') + b'"'


def needs_rewriting(head: bytes) -> bool:
    """Tells from the first eight bytes or more whether a script asks for the environment's interpreter."""
    return head.startswith(PLACEHOLDER)


def rewrite_shebang(content: bytes, interpreter: str) -> bytes:
    """Returns a script of `.data/scripts` with its placeholder line replaced; other content is returned as it is.

    Source: PEP 427: "If the first line of a file in scripts/ starts with exactly b'#!python', rewrite".
    """
    if not needs_rewriting(content):
        return content
    first, newline, rest = content.partition(b"\n")
    return shebang(interpreter, gui=first.startswith(PLACEHOLDER + b"w")) + (rest if newline else b"")


def launcher(module: str, attribute: str, interpreter: str, *, gui: bool = False) -> bytes:
    """Returns the script that calls an entry point and exits with what it returns.

    Args:
        module: dotted name of the module.
        attribute: name of the callable, dotted where it is an attribute of a class.
        interpreter: absolute path.
        gui: see `shebang`.
    """
    return shebang(interpreter, gui=gui) + _launcher_body(module, attribute)


def launcher_files(
    name: str, module: str, attribute: str, interpreter: str, *, gui: bool, windows: bool
) -> list[tuple[str, bytes, bool]]:
    """Returns file name, content and whether it is executable, of every file that starts an entry point.

    Args:
        name: of the script.
        module: see `launcher`.
        attribute: see `launcher`.
        interpreter: absolute path, of the target's kind.
        gui: whether it opens windows and wants no console.
        windows: whether the target is Windows, where a script is an executable.
    """
    if windows:
        return [(name + ".exe", _windows_launcher(module, attribute, interpreter, gui), True)]
    return [(name, launcher(module, attribute, interpreter, gui=gui), True)]


def _launcher_body(module: str, attribute: str) -> bytes:
    first = attribute.partition(".")[0]
    return _LAUNCHER.format(module=module, first=first, attribute=attribute).encode()


def _windows_launcher(module: str, attribute: str, interpreter: str, gui: bool) -> bytes:
    """An executable stub, the line that names the interpreter, and an archive with the script."""
    import importlib.resources
    import io
    import struct
    import sysconfig
    import zipfile

    bits = struct.calcsize("P") * 8
    machine = "-arm" if sysconfig.get_platform() == "win-arm64" else ""
    stub = importlib.resources.files("distlib").joinpath(f"{'w' if gui else 't'}{bits}{machine}.exe").read_bytes()
    if gui and interpreter.endswith("python.exe"):
        interpreter = interpreter[: -len("python.exe")] + "pythonw.exe"
    quoted = f'"{interpreter}"' if " " in interpreter else interpreter
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as script:
        # The date is fixed, so that the same entry point gives the same file.
        script.writestr(zipfile.ZipInfo("__main__.py"), _launcher_body(module, attribute))
    return stub + f"#!{quoted}\r\n".encode() + archive.getvalue()
