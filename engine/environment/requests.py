"""Finds the interpreter for `--python 3.12`, `--system`, `--target` and `--prefix`.

Owns the grammar of version requests and the search on PATH.  Rules:

* A version asks for an environment of that version, never for an interpreter's
  own: only `--system` and the path or name of an interpreter do that.
* On PATH the first that fits is taken, and what belongs to a virtual
  environment is passed over.
* A binary named `python3.12` is taken at its name, as asking costs as much as a
  small job; scripts (the shims of version switchers) are asked what they start.
"""

import os
import sys

from engine.environment.layouts import PREFIX, TARGET, folder_environment
from engine.environment.target import (
    Environment,
    find_environment,
    is_executable,
    plain_environment,
    read_configuration,
)
from engine.errors import ConfigurationError, InvalidEnvironment
from engine.options import InstallOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_IMPLEMENTATIONS = ("cpython", "pypy", "graalpy")
_SUFFIX = ".exe" if os.name == "nt" else ""
_HINT = "install it, or pass the path of an interpreter or of an environment to --python"


class Request:
    """Which interpreters will do.

    Attributes:
        release: the first numbers of the version, as texts; () for any version.
        implementation: such as `cpython`; "" for any.
    """

    __slots__ = ("implementation", "release")

    def __init__(self, release: tuple[str, ...] = (), implementation: str = "") -> None:
        self.release = release
        self.implementation = implementation

    def __str__(self) -> str:
        return " ".join(part for part in (self.implementation or "Python", ".".join(self.release)) if part)

    def fits(self, implementation: str, version: str) -> bool:
        """Tells whether an interpreter of this version will do."""
        return self.implementation in ("", implementation) and _begins(version, self.release)


def _begins(version: str, release: tuple[str, ...]) -> bool:
    return tuple(version.split(".")[: len(release)]) == release


def parse_request(text: str) -> Request | None:
    """Reads `3.12`, `3.12.1`, `cpython@3.12`, `pypy3.10` and the like; None for anything else, such as a path."""
    implementation = next((name for name in _IMPLEMENTATIONS if text.startswith(name)), "")
    version = text[len(implementation) :]
    if implementation and version[:1] in ("@", "-"):
        version = version[1:]
    parts = tuple(version.split("."))
    if len(parts) > 3 or not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        return None
    return Request(tuple(str(int(part)) for part in parts), implementation)


def requested_environment(
    python: str | None, options: InstallOptions, environ: "Mapping[str, str]", cwd: str
) -> Environment | None:
    """Returns what to install into, or None where an environment has to be made first.

    Args:
        python: one value of `--python`, or None.
        options: target, prefix and system are looked at.
        environ: the environment variables.
        cwd: absolute path that relative paths and the search for `.venv` start from.

    Raises:
        InvalidEnvironment: when there is no interpreter that fits.
        ConfigurationError: when the options contradict each other.
    """
    request = parse_request(python) if python is not None else Request()
    if folder := options.target or options.prefix:
        interpreter = _interpreter(python, request, options, environ, cwd)
        return folder_environment(interpreter, TARGET if options.target else PREFIX, folder)
    if request is None:
        environment = find_environment(python, environ, cwd)
        if options.system and environment is not None and environment.is_virtual:
            raise ConfigurationError(
                f"--system wants an interpreter's own packages, --python the environment {environment.prefix}",
                hint="leave out one of them",
            )
        return environment
    if options.system:
        return plain_environment(find_interpreter(request, environ))
    environment = find_environment(None, environ, cwd)
    if environment is not None and (reason := _unfit(environment, request)):
        raise InvalidEnvironment(
            f"{environment.prefix} is not an environment of {request}: {reason}",
            hint="make one for that version and pass its path to --python; --system takes an interpreter on PATH",
        )
    return environment


def _interpreter(
    python: str | None, request: Request | None, options: InstallOptions, environ: "Mapping[str, str]", cwd: str
) -> Environment:
    """Returns an environment or an interpreter; which of the two does not matter where neither is changed."""
    if request is not None and options.system:
        return plain_environment(find_interpreter(request, environ))
    environment = find_environment(python if request is None else None, environ, cwd)
    if environment is None or (request is not None and _unfit(environment, request)):
        return plain_environment(find_interpreter(request or Request(), environ))
    return environment


def _unfit(environment: Environment, request: Request) -> str:
    """Returns what an environment has instead of what is asked for, or "" when it fits."""
    if not request.release and not request.implementation:
        return ""
    if environment.layout == "" and os.path.isfile(os.path.join(environment.prefix, "pyvenv.cfg")):
        settings = read_configuration(environment.prefix)
        version = settings.get("version") or settings.get("version_info") or ""
        implementation = settings.get("implementation", "").lower()
        # Its patch release changes with the base's; and the standard library's venv does not say the implementation.
        if version and len(request.release) < 3 and (implementation or not request.implementation):
            return "" if request.fits(implementation, version) else f"it has {version}"
    from engine.environment.interpreter import ask_identity

    answer = ask_identity(environment.python)
    if answer is None:
        return "its interpreter does not answer"
    return "" if request.fits(*answer[1:]) else f"it has {answer[1]} {answer[2]}"


def find_interpreter(request: Request, environ: "Mapping[str, str]") -> str:
    """Returns the absolute path of the first interpreter on PATH that fits and is in no virtual environment.

    Raises:
        InvalidEnvironment: when there is none.
    """
    for path in _candidates(request, environ):
        if _says_it_all(path, request):
            return path
        from engine.environment.interpreter import ask_identity

        answer = ask_identity(path)
        if answer is not None and request.fits(*answer[1:]):
            return answer[0] if _is_script(path) else path
    raise InvalidEnvironment(f"there is no {request} on PATH outside virtual environments", hint=_HINT)


def _candidates(request: Request, environ: "Mapping[str, str]") -> "Iterator[str]":
    stem = "python" if request.implementation in ("", "cpython") else request.implementation
    exact = ".".join(request.release[:2])
    names = [f"{stem}{exact}", f"{stem}3", stem] if exact else [f"{stem}3", stem]
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        for name in dict.fromkeys(names) if folder else ():
            path = os.path.abspath(os.path.join(folder, name + _SUFFIX))
            if is_executable(path) and not _in_virtual_environment(path):
                yield path


def _in_virtual_environment(path: str) -> bool:
    folder = os.path.dirname(path)
    return any(os.path.lexists(os.path.join(place, "pyvenv.cfg")) for place in (folder, os.path.dirname(folder)))


def _says_it_all(path: str, request: Request) -> bool:
    name = os.path.basename(path).removesuffix(_SUFFIX)
    known = name == "python3" if not request.release else name == f"python{'.'.join(request.release)}"
    return known and len(request.release) != 3 and not _is_script(path) and sys.platform != "win32"


def _is_script(path: str) -> bool:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(2) == b"#!"
    except OSError:
        return False
