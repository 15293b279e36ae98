"""Folders that are no environments and are installed into all the same: `--target` and `--prefix`.

Owns which paths such a folder has, and making it.  Does not choose the
interpreter that it is for.  Rules:

* All paths are below the folder, whoever manages the interpreter: its own
  environment is not touched, so PEP 668 has nothing to say here.
* An interpreter has the same facts for such a folder as for its virtual
  environments; only the schemes of a target differ.

Light: a warm sync into such a folder loads it.
"""

import os

from engine.environment.target import Environment, interpreter_key
from engine.errors import InvalidEnvironment

TARGET = "target"
PREFIX = "prefix"

#: Modules at the top, programs in `bin`, as pip and uv lay it out.
_TARGET_SCHEMES = {"purelib": "", "platlib": "", "scripts": "bin", "headers": "include", "data": ""}


def folder_environment(interpreter: Environment, layout: str, folder: str) -> Environment:
    """Returns a folder as something to install into.

    Args:
        interpreter: whose distributions it will have; scripts start with its `python`.
        layout: `TARGET` or `PREFIX`.
        folder: absolute path.
    """
    key = interpreter.interpreter_key
    if key and not interpreter.is_virtual:
        key = interpreter_key(interpreter.base_executable, None)
    return Environment(
        prefix=folder,
        python=interpreter.python,
        base_executable=interpreter.base_executable,
        is_virtual=True,
        interpreter_key=key,
        layout=layout,
    )


def schemes_of(environment: Environment, schemes: dict[str, str]) -> dict[str, str]:
    """Returns scheme to folder for an environment whose interpreter has `schemes`."""
    return dict(_TARGET_SCHEMES) if environment.layout == TARGET else schemes


def make_folder(path: str) -> str:
    """Makes a folder to install into, unless it is there.

    Returns:
        The topmost folder that had to be made, or "" if none had to.

    Raises:
        InvalidEnvironment: when something else is in its place, or the system refuses.
    """
    if os.path.isdir(path):
        return ""
    if os.path.lexists(path):
        reason = "it is a link to nothing" if os.path.islink(path) else "it is not a folder"
        raise InvalidEnvironment(f"cannot install into {path}: {reason}", hint="name a folder, or one to be made")
    topmost = path
    while not os.path.lexists(parent := os.path.dirname(topmost)):
        topmost = parent
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as exc:
        raise InvalidEnvironment(f"cannot make the folder {path}: {exc.strerror}") from exc
    return topmost


def take_back(path: str, topmost: str) -> None:
    """Removes the folders that `make_folder` made, as far as they are empty."""
    try:
        while True:
            os.rmdir(path)
            if path == topmost:
                return
            path = os.path.dirname(path)
    except OSError:
        return
