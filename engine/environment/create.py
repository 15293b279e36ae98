"""Makes a virtual environment where there is none.

Owns the choice of the base interpreter and the call of the standard library's
`venv` under it.  Does not find out about the result: `target` and `interpreter`
do.  A failure leaves nothing behind that was not there before, because a half
environment would stop every later run.

Source: PEP 405.
"""

import os
import subprocess
import sys

from engine.environment.interpreter import ask_identity, child_environment, last_line
from engine.environment.target import CREATING, is_executable
from engine.errors import InvalidEnvironment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_WINDOWS = os.name == "nt"
#: In the prefix of a Python that is there for engine and nobody else, as in the folder of a container's image.
OWN_PYTHON = "ENGINE-ONLY"
_NAMES = ("python.exe",) if _WINDOWS else ("python3", "python")


def create_environment(path: str, base_executable: str) -> None:
    """Makes a virtual environment without pip.

    Args:
        path: absolute path of the folder; it may exist.
        base_executable: absolute path of the interpreter that it is for.

    Raises:
        InvalidEnvironment: when that interpreter cannot make one there.
    """
    existed = os.path.lexists(path)
    marker = os.path.join(path, CREATING)
    command = [base_executable, "-I", "-m", "venv", "--without-pip", path]
    try:
        os.makedirs(path, exist_ok=True)
        with open(marker, "wb"):
            pass
        run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=child_environment())
        reason = last_line(run.stderr) or last_line(run.stdout) or f"exit status {run.returncode}"
    except OSError as exc:
        _take_back(path, existed)
        raise _refused(path, base_executable, exc.strerror or str(exc)) from exc
    except BaseException:
        _take_back(path, existed)
        raise
    if run.returncode:
        _take_back(path, existed)
        raise _refused(path, base_executable, reason)
    os.unlink(marker)


def _take_back(path: str, existed: bool) -> None:
    if not existed:
        import shutil  # with its compressors, 3 ms before the first question to an index

        shutil.rmtree(path, ignore_errors=True)


def default_base_executable(environ: "Mapping[str, str]", *, to_ask: bool = False) -> str:
    """Returns the absolute path of the interpreter that a new environment is made from.

    The first `python3` or `python` on PATH that is not in the environment that
    engine itself lives in; where there is none, the interpreter below that one, if it is anybody else's too.

    Args:
        environ: the environment variables.
        to_ask: it is only asked what an interpreter is like, so engine's own will do.

    Raises:
        InvalidEnvironment: when there is none.
    """
    own = os.path.realpath(os.path.dirname(sys.executable)) if sys.prefix != sys.base_prefix else None
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        if not folder or os.path.realpath(folder) == own:
            continue
        for name in _NAMES:
            path = os.path.abspath(os.path.join(folder, name))
            found = _executable_behind(path) if is_executable(path) else None
            if found is not None:
                return found
    if not to_ask and os.path.exists(os.path.join(sys.base_prefix, OWN_PYTHON)):
        raise InvalidEnvironment(
            "there is no Python here to install for: the one that engine came with is for engine alone",
            hint="install a Python, or name one with --python",
        )
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


def _executable_behind(path: str) -> str | None:
    """Returns the interpreter that `path` is or starts, or None if it is none of Python 3."""
    try:
        with open(path, "rb", buffering=0) as file:
            is_script = file.read(2) == b"#!"
    except OSError:
        return None
    # A binary named python3 is taken at its name, as asking costs as much as a small job; `-I` fails under Python 2.
    if not is_script and (_WINDOWS or os.path.basename(path) == "python3"):
        return path
    answer = ask_identity(path)
    return None if answer is None else answer[0]


def _refused(path: str, base_executable: str, reason: str) -> InvalidEnvironment:
    hint = "make the environment yourself and pass its path to --python"
    return InvalidEnvironment(f"{base_executable} cannot make an environment at {path}: {reason}", hint=hint)
