"""Finds the environment to change and describes it without starting its interpreter.

Owns the order in which environments are looked for, reading `pyvenv.cfg`, and
the key under which the facts of an interpreter are cached.  Does not run
anything and does not create anything.  Rules:

* A path that the user gave is made absolute, but its symbolic links stay: they
  are what goes into the first line of scripts.
* An environment that was asked for and is broken is an error, never a reason to
  look further: the next one up belongs to somebody else.

On the warm path: imports nothing beyond `os` and `sys`.
Source: PEP 405; "Python Virtual Environments" and "conda-meta" as conda writes it.
"""

import os
import sys

from engine.errors import InvalidEnvironment
from engine.light_sha256 import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_WINDOWS = os.name == "nt"
_SCRIPTS = "Scripts" if _WINDOWS else "bin"
_PYTHON_NAMES = ("python.exe",) if _WINDOWS else ("python", "python3")
_KEY_LENGTH = 32

#: Lies in an environment while it is being made: what has it is not one yet.
CREATING = ".engine-creating"

_HINT_AGAIN = "create the environment again, for example with `python3 -m venv --clear`"
_HINT_PYTHON = "pass the path of an interpreter or of an environment folder to --python"


class Environment:
    """An environment, or an interpreter outside of any, as far as the file system tells.

    Attributes:
        prefix: absolute path of the environment's folder.  "" where only the
            interpreter can say it (neither virtual nor conda): the caller fills
            it from the interpreter's facts.
        python: absolute path for the first line of scripts, links unresolved.
            Where `interpreter_key` is "" this is a shim; take the executable
            from the interpreter's facts.
        base_executable: real path of the interpreter's binary.
        is_virtual: there is a `pyvenv.cfg`, or the paths are as relative as there.
        interpreter_key: 32 hex digits that change when the interpreter's facts
            may have changed; "" when these must not be cached.
        layout: "" for an environment; how another folder is laid out (`engine.environment.layouts`).
    """

    __slots__ = ("base_executable", "interpreter_key", "is_virtual", "layout", "prefix", "python")

    def __init__(
        self,
        *,
        prefix: str,
        python: str,
        base_executable: str,
        is_virtual: bool,
        interpreter_key: str,
        layout: str = "",
    ) -> None:
        self.prefix = prefix
        self.python = python
        self.base_executable = base_executable
        self.is_virtual = is_virtual
        self.interpreter_key = interpreter_key
        self.layout = layout


def find_environment(python: str | None, environ: "Mapping[str, str]", cwd: str) -> Environment | None:
    """Returns the environment to change, or None where there is none yet.

    In this order: `python`; `VIRTUAL_ENV`; `CONDA_PREFIX`, unless it is conda's
    base environment, which is active without anybody having chosen it; `.venv`
    in `cwd` or the nearest folder above.

    Args:
        python: what the user asked for: the path of an interpreter or of an
            environment folder, or the name of a command; None if nothing.
        environ: the environment variables.
        cwd: absolute path that relative paths and the search for `.venv` start from.

    Raises:
        InvalidEnvironment: when the one that was asked for, or that was found
            first, is missing or broken.
    """
    if python is not None:
        return _from_request(python, environ, cwd)
    virtual = environ.get("VIRTUAL_ENV")
    if virtual:
        return _virtual(os.path.abspath(os.path.join(cwd, virtual)), "VIRTUAL_ENV")
    conda = environ.get("CONDA_PREFIX")
    if conda and environ.get("CONDA_DEFAULT_ENV") not in ("base", "root"):
        return _conda(os.path.abspath(os.path.join(cwd, conda)), "CONDA_PREFIX")
    return _above(os.path.abspath(cwd))


def planned_environment(prefix: str, base_executable: str) -> Environment:
    """Returns what a virtual environment that is not there yet will be.

    Raises:
        InvalidEnvironment: when the base interpreter cannot be read.
    """
    base = os.path.realpath(base_executable)
    python = os.path.join(prefix, _SCRIPTS, _PYTHON_NAMES[0])
    key = interpreter_key(base, None)
    return Environment(prefix=prefix, python=python, base_executable=base, is_virtual=True, interpreter_key=key)


def interpreter_key(base_executable: str, given: str | None) -> str:
    """Returns the key of an interpreter's facts, or "" for one that must be asked each time.

    Besides the file itself, the facts depend on the kernel (markers) and on the C
    library (tags): one cache may be mounted into several container images.

    Args:
        base_executable: real path of the binary.
        given: None in a virtual environment, whose facts do not depend on its
            place; else the path by which the interpreter is called.

    Raises:
        InvalidEnvironment: when the file cannot be read.
    """
    try:
        with open(base_executable, "rb", buffering=0) as file:
            if file.read(2) == b"#!":
                return ""
            status = os.fstat(file.fileno())
    except OSError as exc:
        raise _unusable(base_executable, exc.strerror or str(exc), _HINT_PYTHON) from exc
    identity = (base_executable, str(status.st_size), str(status.st_mtime_ns))
    use = ("virtual", "") if given is None else ("plain", given)
    text = "\0".join((*identity, *use, *_machine()))
    digest: str = sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return digest[:_KEY_LENGTH]


def is_executable(path: str) -> bool:
    """Returns whether `path` is a file that this user may run."""
    return os.path.isfile(path) and os.access(path, os.X_OK)


def find_command(name: str, environ: "Mapping[str, str]") -> str | None:
    """Returns the absolute path of the first `name` on PATH, or None."""
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        for suffix in ("", ".exe") if _WINDOWS else ("",):
            path = os.path.join(folder, name + suffix)
            if folder and is_executable(path):
                return os.path.abspath(path)
    return None


def read_configuration(prefix: str) -> dict[str, str]:
    """Returns the settings in `<prefix>/pyvenv.cfg`, keys in lower case.

    Raises:
        InvalidEnvironment: when it cannot be read or says nothing about `home`.
    """
    path = os.path.join(prefix, "pyvenv.cfg")
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().split("\n")
    except OSError as exc:
        raise _unusable(path, exc.strerror or str(exc), _HINT_AGAIN) from exc
    settings = {}
    for line in lines:
        key, equals, value = line.partition("=")
        if equals:
            settings[key.strip().lower()] = value.strip()
    if not settings.get("home"):
        raise _unusable(path, "it has no `home`", _HINT_AGAIN)
    return settings


def _from_request(python: str, environ: "Mapping[str, str]", cwd: str) -> Environment:
    path = os.path.abspath(os.path.join(cwd, python))
    is_name = os.path.basename(python) == python
    if is_name and python and not os.path.lexists(path):
        found = find_command(python, environ)
        if found is None:
            raise InvalidEnvironment(f"no interpreter named {python!r} on PATH", hint=_HINT_PYTHON)
        path = found
    if python and os.path.isdir(path):
        return _from_folder(path)
    if not python or not os.path.lexists(path):
        raise InvalidEnvironment(f"there is no interpreter at {python!r}", hint=_HINT_PYTHON)
    _require_executable(path, _HINT_PYTHON)
    # The interpreter itself looks for pyvenv.cfg beside the path it was called by and one folder up.
    folder = os.path.dirname(path)
    for prefix in (os.path.dirname(folder), folder):
        if os.path.lexists(os.path.join(prefix, "pyvenv.cfg")):
            return _virtual(prefix, None, python=path)
        if os.path.isdir(os.path.join(prefix, "conda-meta")):
            return plain_environment(path, prefix)
    return plain_environment(path)


def _from_folder(folder: str) -> Environment:
    if os.path.lexists(os.path.join(folder, "pyvenv.cfg")):
        return _virtual(folder, None)
    if os.path.isdir(os.path.join(folder, "conda-meta")):
        return _conda(folder, None)
    return plain_environment(_python_in(folder, _SCRIPTS, "it is not an environment", _HINT_PYTHON))


def _above(folder: str) -> Environment | None:
    while True:
        candidate = os.path.join(folder, ".venv")
        if os.path.lexists(os.path.join(candidate, CREATING)):
            return None  # whoever was making it was killed, or is still at it
        if os.path.lexists(candidate):
            return _virtual(candidate, None)
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def _virtual(prefix: str, variable: str | None, python: str | None = None) -> Environment:
    hint = f"unset {variable}, or {_HINT_AGAIN}" if variable else f"remove it, or {_HINT_AGAIN}"
    if not os.path.isdir(prefix):
        reason = "it is a link to nothing" if os.path.islink(prefix) else "it is not a folder"
        raise _unusable(prefix, reason, hint)
    if not os.path.isfile(os.path.join(prefix, "pyvenv.cfg")):
        raise _unusable(prefix, "it has no pyvenv.cfg", hint)
    settings = read_configuration(prefix)
    named = os.path.join(prefix, _SCRIPTS, _PYTHON_NAMES[0])
    if python is None or is_executable(named):
        python = _python_in(prefix, _SCRIPTS, "it has no interpreter", hint)
    base = _base_of(prefix, python, settings)
    return Environment(
        prefix=prefix,
        python=python,
        base_executable=base,
        is_virtual=True,
        interpreter_key=interpreter_key(base, None),
    )


def _conda(prefix: str, variable: str | None) -> Environment:
    hint = f"unset {variable}, or install Python into that environment" if variable else _HINT_PYTHON
    if not os.path.isdir(os.path.join(prefix, "conda-meta")):
        raise _unusable(prefix, "it is not a conda environment", hint)
    return plain_environment(_python_in(prefix, "" if _WINDOWS else _SCRIPTS, "it has no interpreter", hint), prefix)


def plain_environment(python: str, prefix: str = "") -> Environment:
    """Returns an interpreter outside of any virtual environment.

    Args:
        python: its absolute path.
        prefix: of a conda environment; "" where only the interpreter can say it.

    Raises:
        InvalidEnvironment: when it cannot be read.
    """
    base = os.path.realpath(python)
    key = interpreter_key(base, python)
    return Environment(prefix=prefix, python=python, base_executable=base, is_virtual=False, interpreter_key=key)


def _python_in(prefix: str, scripts: str, reason: str, hint: str) -> str:
    for name in _PYTHON_NAMES:
        path = os.path.join(prefix, scripts, name)
        if os.path.lexists(path):
            _require_executable(path, hint)
            return path
    raise _unusable(prefix, reason, hint)


def _require_executable(path: str, hint: str) -> None:
    if is_executable(path):
        return
    if not os.path.exists(path):
        raise _unusable(path, f"it is a link to {os.path.realpath(path)}, which is gone", hint)
    raise _unusable(path, "it is not an executable file", hint)


def _base_of(prefix: str, python: str, settings: dict[str, str]) -> str:
    """Returns the real path of the interpreter that the virtual environment was made from."""
    real = os.path.realpath(python)
    if not real.startswith(os.path.realpath(prefix) + os.sep):
        return real
    home = settings["home"]
    recorded = (settings.get("base-executable"), settings.get("executable"))
    names = (os.path.basename(python), *_PYTHON_NAMES)
    for path in (*recorded, *(os.path.join(home, name) for name in names)):
        if path and is_executable(path):
            return os.path.realpath(path)
    raise _unusable(prefix, f"its base interpreter in {home} is gone", _HINT_AGAIN)


def _machine() -> tuple[str, ...]:
    if sys.platform == "win32":
        return tuple(str(part) for part in sys.getwindowsversion()[:3])
    system = os.uname()
    try:
        library = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        library = ""
    return system.sysname, system.release, system.version, system.machine, library


def _unusable(path: str, reason: str, hint: str) -> InvalidEnvironment:
    return InvalidEnvironment(f"{path} cannot be used: {reason}", hint=hint)
