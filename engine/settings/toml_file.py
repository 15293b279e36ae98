"""Reads a settings file: an engine.toml, or the table `[tool.engine]` of a pyproject.toml.

Does not say what the table may hold: that is for `engine.settings.checking`,
which loads pydantic and is only met where there is a table.

Source: TOML 1.0; "Declaring project metadata", "Arbitrary tool configuration".
"""

import re
import tomllib
from typing import Any, cast

from engine.credentials import without_credentials
from engine.errors import ConfigurationError, InvalidSettings
from engine.settings.memory import Layer

_POSITION = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")

#: Lines that a table of ours begins with, or one that could hold it.
_TABLE = re.compile(rb"""^\s*\[*\s*["']?tool["']?\s*(?:\.\s*["']?engine\b|\]|=)""", re.MULTILINE)


def read_toml(path: str, data: bytes, *, in_pyproject: bool) -> Layer | None:
    """Returns what a settings file says, or None where a pyproject.toml has no `[tool.engine]`.

    Args:
        path: absolute path; relative paths in the file start from its folder.
        data: the content.
        in_pyproject: whether the settings are a table among others.

    Raises:
        ConfigurationError: when the file is not TOML.
        InvalidSettings: with all that is wrong in it.
    """
    table = _parse(path, data, in_pyproject=in_pyproject)
    if table is None:
        return None
    from engine.settings.checking import check

    return check(path, data.decode("utf-8-sig"), table, ("tool", "engine") if in_pyproject else ())


def _parse(path: str, data: bytes, *, in_pyproject: bool) -> dict[str, Any] | None:
    try:
        document: Any = tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as exc:
        if in_pyproject and not _TABLE.search(data):
            return None
        raise _unreadable(path, exc) from exc
    if not in_pyproject:
        return cast(dict[str, Any], document)
    tools = document.get("tool")
    if not isinstance(tools, dict) or "engine" not in tools:
        return None
    if not isinstance(tools["engine"], dict):
        raise InvalidSettings([f"{path}: tool.engine must be a table"])
    return cast(dict[str, Any], tools["engine"])


def _unreadable(path: str, error: Exception) -> ConfigurationError:
    hint = "mend it, or use --no-config to do without settings files"
    if isinstance(error, RecursionError):
        return ConfigurationError(f"{path} is nested too deeply", hint=hint)
    if isinstance(error, UnicodeDecodeError):
        return ConfigurationError(f"{path} is not UTF-8 text", hint=hint)
    text = str(error)
    found = _POSITION.search(text)
    where = f":{found[1]}" if found and found[1] else ""
    reason = _POSITION.sub("", text) if isinstance(error, tomllib.TOMLDecodeError) else "a number is too large"
    return ConfigurationError(f"{path}{where}: not TOML: {without_credentials(reason)}", hint=hint)
