"""Which settings files there are.

Owns where files are looked for and what is refused unread.  Does not parse
(`engine.settings.memory` sees to that) and does not decide whose word counts
(`engine.settings.complete` does).

On the warm path: imports nothing heavy.
Source: XDG Base Directory Specification; pip's "Configuration", "Configuration Files".
"""

import os
import stat
import sys

from engine.errors import ConfigurationError
from engine.settings.memory import Layer, Memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: A file of settings is a page or two; this is a hundred times that.
LIMIT_BYTES = 1 << 20

_SKIP = "use --no-config to do without settings files"


def project_layer(cwd: str, memory: Memory, warnings: list[str]) -> Layer | None:
    """Returns the settings of the project: those of the nearest folder that has any.

    Args:
        cwd: absolute path of the folder to begin in.
        memory: what was read before.
        warnings: gets a line about each file that is passed over.

    Raises:
        ConfigurationError: when a file cannot be read or says something wrong.
    """
    folder = cwd
    while True:
        own, project = os.path.join(folder, "engine.toml"), os.path.join(folder, "pyproject.toml")
        settings, shared = _text(folder, own, warnings), _text(folder, project, warnings, word=b"engine")
        if settings is not None:
            if shared is not None and _holds_table(project, shared, memory):
                warnings.append(f"{own} counts; [tool.engine] of the pyproject.toml beside it does not")
            return memory.read(own, settings, "engine")
        if shared is not None and (layer := memory.read(project, shared, "pyproject")) is not None:
            return layer
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def _text(folder: str, path: str, warnings: list[str], *, word: bytes = b"") -> bytes | None:
    """Returns the content of a file that may hold settings, or None where none does.

    Args:
        folder: where it is.
        path: the file.
        warnings: gets a line where it is passed over.
        word: what it has if it holds settings.
    """
    try:
        if _is_planted(folder, path):
            if not word or _has(path, word):
                warnings.append(
                    f"{path} is passed over: it belongs to another user, in a folder that everybody may write to; "
                    "--config-file takes it"
                )
            return None
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    if (found := _look(path)) is None:
        return None
    data = _read(path, found)
    return data if word in data else None


def _has(path: str, word: bytes) -> bool:
    try:
        return (found := _look(path)) is not None and word in _read(path, found)
    except ConfigurationError:
        return False


def _is_planted(folder: str, path: str) -> bool:
    """Tells whether a stranger may have put a file, or a link, there for us to find.

    Whoever may write into a folder above, such as a shared temporary one, would
    else decide where our distributions come from.

    Raises:
        OSError: when there is no such file that we could see.
    """
    found = os.lstat(path)
    if os.name == "nt" or not os.stat(folder).st_mode & stat.S_IWOTH:
        return False
    trusted = (0, os.geteuid())
    return found.st_uid not in trusted or (stat.S_ISLNK(found.st_mode) and os.stat(path).st_uid not in trusted)


def _holds_table(path: str, data: bytes, memory: Memory) -> bool:
    try:
        return memory.read(path, data, "pyproject") is not None
    except ConfigurationError:
        return True


def _look(path: str) -> os.stat_result | None:
    """Returns the state of a file, or None where there is none that we could see."""
    try:
        return os.stat(path)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except OSError as exc:
        raise ConfigurationError(f"{path} cannot be read: {exc.strerror}", hint=_SKIP) from exc


def _read(path: str, found: os.stat_result) -> bytes:
    try:
        if not stat.S_ISREG(found.st_mode):
            raise ConfigurationError(f"{path} is not a file", hint=_SKIP)
        with open(path, "rb", buffering=0) as file:
            data = file.read(LIMIT_BYTES + 1) or b""
    except OSError as exc:
        raise ConfigurationError(f"{path} cannot be read: {exc.strerror}", hint=_SKIP) from exc
    if len(data) > LIMIT_BYTES:
        raise ConfigurationError(f"{path} is too large for settings: more than {LIMIT_BYTES} bytes", hint=_SKIP)
    return data


def named_layer(path: str, memory: Memory) -> Layer:
    """Returns what a file says that was named: an engine.toml, or a pyproject.toml with our table.

    Args:
        path: absolute path.
        memory: what was read before.

    Raises:
        ConfigurationError: when it is not there, cannot be read, has no settings, or says something wrong.
    """
    if (found := _look(path)) is None:
        raise ConfigurationError(f"there is no settings file {path}")
    kind = "pyproject" if os.path.basename(path) == "pyproject.toml" else "engine"
    if (layer := memory.read(path, _read(path, found), kind)) is None:
        raise ConfigurationError(f"{path} has no table [tool.engine]")
    return layer


def standing_layers(environ: "Mapping[str, str]", memory: Memory) -> "Iterator[Layer]":
    """Yields what the user's settings say, then the system's.

    Args:
        environ: the environment variables.
        memory: what was read before.

    Raises:
        ConfigurationError: when a file cannot be read or says something wrong.
    """
    for paths in ([user_file(environ)], system_files(environ)):
        for path in paths:
            if (found := _look(path)) is not None:
                if (layer := memory.read(path, _read(path, found), "engine")) is not None:
                    yield layer
                break


def user_file(environ: "Mapping[str, str]", *, platform: str = sys.platform) -> str:
    """Returns the path of the user's settings; it need not exist.

    Args:
        environ: the environment variables.
        platform: as `sys.platform` has it.
    """
    home = environ.get("USERPROFILE" if platform == "win32" else "HOME") or os.path.expanduser("~")
    if platform == "win32":
        folder = environ.get("APPDATA") or os.path.join(home, "AppData", "Roaming")
    else:
        folder = environ.get("XDG_CONFIG_HOME", "")
        if not os.path.isabs(folder):  # "All paths set in these environment variables must be absolute."
            folder = os.path.join(home, ".config")
    return os.path.join(folder, "engine", "engine.toml")


def system_files(environ: "Mapping[str, str]", *, platform: str = sys.platform) -> list[str]:
    """Returns the paths that may hold settings for all users; the first that exists counts.

    Args:
        environ: the environment variables.
        platform: as `sys.platform` has it.
    """
    if platform == "win32":
        folders = [environ.get("PROGRAMDATA") or "C:\\ProgramData"]
    else:
        listed = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)
        folders = [*(folder for folder in listed if os.path.isabs(folder)), "/etc"]
    return [os.path.join(folder, "engine", "engine.toml") for folder in folders]


def pip_layer(environ: "Mapping[str, str]", memory: Memory) -> Layer | None:
    """Returns what pip's files say.

    A later file overrides an earlier one, and `[install]` in any overrides `[global]`.

    Args:
        environ: the environment variables.
        memory: what was read before.

    Raises:
        ConfigurationError: when a file is there but cannot be read.
    """
    texts = {}
    for path in pip_files(environ):
        if (found := _look(path)) is not None and stat.S_ISREG(found.st_mode):
            texts[path] = _read(path, found)
    values = {}
    said: dict[str, None] = {}
    for section in ("global", "install"):
        for path, data in texts.items():
            if (layer := memory.read(path, data, section)) is not None:
                values.update(layer.values)
                said[path] = None
    return Layer(" and ".join(said), values) if said else None


def pip_files(environ: "Mapping[str, str]", *, platform: str = sys.platform) -> list[str]:
    """Returns the paths that pip would read, the weakest first; they need not exist.

    PIP_CONFIG_FILE takes the place of the user's files, and where it is the null
    device there are none at all.  The file inside a virtual environment is not
    among them: it speaks for the pip in that environment.

    Args:
        environ: the environment variables.
        platform: as `sys.platform` has it.
    """
    named = environ.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return []
    paths = _pip_global_files(environ, platform)
    if named and os.path.exists(named):
        return [*paths, named]
    return paths + _pip_user_files(environ, platform)


def _pip_global_files(environ: "Mapping[str, str]", platform: str) -> list[str]:
    if platform == "win32":
        return [os.path.join(environ.get("PROGRAMDATA") or "C:\\ProgramData", "pip", "pip.ini")]
    if platform == "darwin":
        return ["/Library/Application Support/pip/pip.conf"]
    folders = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)
    return [*(os.path.join(folder, "pip", "pip.conf") for folder in folders if folder), "/etc/pip.conf"]


def _pip_user_files(environ: "Mapping[str, str]", platform: str) -> list[str]:
    home = environ.get("USERPROFILE" if platform == "win32" else "HOME") or os.path.expanduser("~")
    if platform == "win32":
        roaming = environ.get("APPDATA") or os.path.join(home, "AppData", "Roaming")
        return [os.path.join(home, "pip", "pip.ini"), os.path.join(roaming, "pip", "pip.ini")]
    folder = os.path.join(home, "Library", "Application Support", "pip")
    if platform != "darwin" or not os.path.isdir(folder):
        folder = os.path.join(environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "pip")
    return [os.path.join(home, ".pip", "pip.conf"), os.path.join(folder, "pip.conf")]
