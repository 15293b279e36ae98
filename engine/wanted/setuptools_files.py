"""setup.cfg, and what setup.py leaves to it.  PURE.

Source: setuptools, "Configuring setuptools using setup.cfg files".
"""

from __future__ import annotations

import ast
import configparser
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from engine.lock.text import decode
from engine.wanted.project import HINT, UNBUILT, ProjectFile, StaticProject

if TYPE_CHECKING:
    from engine.lock.direct import Place
    from engine.wanted.model import Wanted


_SETUP_DEPENDENCIES = frozenset({"install_requires", "extras_require", "python_requires", "requires"})


def read_setup_cfg(body: bytes, *, source: str, shown: str, place: Place, extras: bool) -> StaticProject:
    """Returns what the [options] section says.

    Args:
        body: the file.
        source, shown, place, extras: as for `read_pyproject`.

    Source: setuptools, "Configuring setuptools using setup.cfg files".
    """
    parser = configparser.RawConfigParser()
    try:
        text = decode(body)
        parser.read_string(text, source)
    except (ValueError, configparser.Error) as exc:
        file = ProjectFile("", source, shown, place)
        file.report(" ".join(str(exc).split()))
        return file.project
    file = ProjectFile(text, source, shown, place)
    if name := parser.get("metadata", "name", fallback=""):
        file.project.name = canonicalize_name(name)
    if not parser.has_section("options"):
        file.report(f"it has no [options] section, so its requirements are {UNBUILT}")
        file.project.hint = HINT
        return file.project
    if bound := parser.get("options", "python_requires", fallback=""):
        file.set_python(bound, "options", "python_requires")
    file.project.dependencies = _cfg_list(file, "options", "install_requires", parser)
    if extras and (value := parser.get("options", "extras_require", fallback="")):
        file.report_unbuilt(f"extras_require = {value}:", "options", "extras_require")
    section = "options.extras_require"
    for extra in parser.options(section) if parser.has_section(section) else ():
        file.project.optional.setdefault(canonicalize_name(extra), []).extend(_cfg_list(file, section, extra, parser))
    return file.project


def _cfg_list(file: ProjectFile, section: str, key: str, parser: configparser.RawConfigParser) -> list[Wanted]:
    value = parser.get(section, key, fallback="").strip()
    if value.startswith(("file:", "attr:")):
        file.report_unbuilt(f"{key} = {value}:", section, key)
        return []
    texts = value.splitlines() if "\n" in value else value.split(";")
    lines = [line.strip() for line in texts]
    return file.wanted([line for line in lines if line], section, key, file.origin(), quoted=False)


def setup_py_says_nothing(body: bytes) -> bool:
    """Tells whether a setup.py leaves all requirements to setup.cfg: one plain call of `setup`, without them."""
    try:
        tree = ast.parse(body)
    except (SyntaxError, ValueError, RecursionError):
        return False
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    setups = [call for call in calls if ast.unparse(call.func).rpartition(".")[2] == "setup"]
    if len(setups) != 1 or setups[0].args:
        return False
    names = {keyword.arg for keyword in setups[0].keywords}
    return None not in names and not names & _SETUP_DEPENDENCIES
