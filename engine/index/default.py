"""Which index is meant when neither the command line nor the lock names one.

Owns the order of variables, pip's configuration files and the last resort.  The
caller goes through the three in turn and remembers the answer.

On the warm path: nothing but `os` and `sys` is imported before a function needs it.
Source: pip's "Configuration", "Configuration Files".
"""

from __future__ import annotations

import os
import sys

from engine.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_VARIABLES = ("ENGINE_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")


def configured_index_url(environ: Mapping[str, str]) -> str | None:
    """Returns the index that an environment variable names, or None.

    The first of ENGINE_INDEX_URL, UV_DEFAULT_INDEX, UV_INDEX_URL and PIP_INDEX_URL
    that is not blank counts.  UV_DEFAULT_INDEX may give the index a name in front
    (`name=URL`), which is dropped.
    """
    for variable in _VARIABLES:
        value = environ.get(variable, "").strip()
        if value:
            name, separator, url = value.partition("=")
            if separator and variable == "UV_DEFAULT_INDEX" and not set(name) & set(":/?#"):
                return url
            return value
    return None


def pip_configuration_files(environ: Mapping[str, str], *, platform: str = sys.platform) -> list[str]:
    """Returns the paths that pip would read, the weakest first; they need not exist.

    PIP_CONFIG_FILE takes the place of the user's files, and where it is the null
    device there are none at all.  The file inside a virtual environment is not
    among them: it speaks for the pip in that environment.

    Args:
        environ: the process's environment.
        platform: as `sys.platform` has it.
    """
    named = environ.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return []
    paths = _global_files(environ, platform)
    if named and os.path.exists(named):
        return [*paths, named]
    return paths + _user_files(environ, platform)


def _global_files(environ: Mapping[str, str], platform: str) -> list[str]:
    if platform == "win32":
        return [os.path.join(environ.get("PROGRAMDATA") or "C:\\ProgramData", "pip", "pip.ini")]
    if platform == "darwin":
        return ["/Library/Application Support/pip/pip.conf"]
    folders = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)
    return [*(os.path.join(folder, "pip", "pip.conf") for folder in folders if folder), "/etc/pip.conf"]


def _user_files(environ: Mapping[str, str], platform: str) -> list[str]:
    home = environ.get("USERPROFILE" if platform == "win32" else "HOME") or os.path.expanduser("~")
    if platform == "win32":
        roaming = environ.get("APPDATA") or os.path.join(home, "AppData", "Roaming")
        return [os.path.join(home, "pip", "pip.ini"), os.path.join(roaming, "pip", "pip.ini")]
    folder = os.path.join(home, "Library", "Application Support", "pip")
    if platform != "darwin" or not os.path.isdir(folder):
        folder = os.path.join(environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "pip")
    return [os.path.join(home, ".pip", "pip.conf"), os.path.join(folder, "pip.conf")]


def pip_index_url(paths: Iterable[str]) -> str | None:
    """Returns the `index-url` that pip's configuration files set, or None.

    A later file overrides an earlier one, and `[install]` overrides `[global]`.

    Args:
        paths: as from `pip_configuration_files`; a missing file is skipped.

    Raises:
        ConfigurationError: when a file is there but cannot be read.
    """
    found: dict[str, str] = {}
    for path in paths:
        if os.path.isfile(path):
            found.update(_read_index_url(path))
    return found.get("install") or found.get("global")


def _read_index_url(path: str) -> dict[str, str]:
    """Returns the index of every section that sets one."""
    import configparser

    parser = configparser.RawConfigParser()
    try:
        with open(path, encoding="utf-8-sig") as file:
            parser.read_file(file)
    except (OSError, UnicodeError, configparser.Error) as exc:
        reason = (str(exc).splitlines() or [type(exc).__name__])[0]
        raise ConfigurationError(
            f"{path} cannot be read: {reason}", hint="mend it, or name the index with --index-url"
        ) from exc
    found = {}
    for section in ("global", "install"):
        if parser.has_section(section):
            for key, value in parser.items(section):
                if key.replace("_", "-") == "index-url" and value and value.strip():
                    found[section] = value.strip()
    return found


def distlib_index_url() -> str:
    """Returns the Simple API's URL of the index that `distlib` has as its default."""
    from urllib.parse import urljoin

    from distlib.index import DEFAULT_INDEX

    default: str = DEFAULT_INDEX
    return urljoin(default, "/simple/")
