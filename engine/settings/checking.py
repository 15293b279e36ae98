"""Checks the table of a settings file and returns what it says.

Owns the messages: all that is wrong is said at once, each with its line, its key
and what is allowed.  A value is only repeated where it is one of few words, so
that no secret is.
"""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, cast

from packaging.utils import canonicalize_name
from pydantic import ValidationError

from engine.arguments import COUNTED, Option
from engine.credentials import without_credentials
from engine.errors import InvalidSettings
from engine.locations import index_key
from engine.settings import model
from engine.settings.memory import Layer
from engine.settings.variables import COMMAND_LINE_ONLY

#: More faults than this help nobody.
_FAULTS = 20

_WORDS = {
    "bool_type": "must be true or false",
    "string_type": "must be text in quotes",
    "list_type": 'must be a list, such as ["one", "two"]',
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "missing": "is missing",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "dict_type": "must be a table",
    "string_pattern_mismatch": "may have letters, digits, hyphens, underscores and dots only",
}


def check(path: str, text: str, table: dict[str, Any], prefix: tuple[str, ...]) -> Layer:
    """Returns what a table of settings says.

    Args:
        path: absolute path of the file; relative paths in it start from its folder.
        text: the file, to find lines in.
        table: its settings.
        prefix: the keys that lead to the table.

    Raises:
        InvalidSettings: with all that is wrong in it.
    """
    faults = _Faults(path, text, prefix)
    spelled: dict[str, str] = {}
    chosen = _by_option(table, spelled, faults)
    settings = _validate(chosen, spelled, faults)
    if settings is not None:
        _check_indexes(settings, faults)
    faults.raise_if_any()
    assert settings is not None
    return _layer(path, settings)


class _Faults:
    """Collects what is wrong in one file."""

    def __init__(self, path: str, text: str, prefix: tuple[str, ...]) -> None:
        self.path = path
        self.text = text
        self.prefix = prefix
        self.found: list[tuple[int, str]] = []
        self.more = 0

    def add(self, location: Sequence[str | int], words: str) -> None:
        """Adds a fault of the value at `location`."""
        if len(self.found) >= _FAULTS:
            self.more += 1
            return
        line = find_line(self.text, (*self.prefix, *location))
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part[:80]}" for part in location).lstrip(".")
        self.found.append((line, f"{self.path}{f':{line}' if line else ''}: {key} {words}"))

    def raise_if_any(self) -> None:
        """Raises `InvalidSettings`, its problems in the order of lines."""
        if self.found:
            hint = "engine sync --help lists the options; each is a setting under its long name"
            problems = [text for _, text in sorted(self.found, key=lambda one: one[0])]
            raise InvalidSettings([*problems, *([f"and {self.more} more"] if self.more else [])], hint=hint)


def _by_option(table: dict[str, Any], spelled: dict[str, str], faults: _Faults) -> dict[str, Any]:
    """Returns the values by the names of options, and tells in `spelled` which key said each."""
    known = {key: name for name, option in model.settable_options().items() for key in model.keys(option)}
    known.update((name, name) for name in model.Settings.model_fields)
    chosen: dict[str, Any] = {}
    for key, value in table.items():
        if key == "tool" and not faults.prefix and isinstance(value, dict) and "engine" in value:
            faults.add((key, "engine"), "is for a pyproject.toml; here the settings stand without this header")
        elif (name := known.get(key)) is None:
            faults.add((key,), _unknown(key, list(known)))
        elif name in spelled:
            faults.add((key,), f"says the same as {spelled[name]}; one of them is enough")
        else:
            spelled[name] = key
            chosen[name] = value
    return chosen


def _unknown(key: str, known: list[str]) -> str:
    if key.replace("-", "_") in COMMAND_LINE_ONLY | model.ABOUT_FILES:
        return "can only be given on the command line"
    close = get_close_matches(key.replace("_", "-").lower(), known, 1)
    return f"is no setting{f'; {close[0]} is one' if close else ''}"


def _validate(chosen: dict[str, Any], spelled: dict[str, str], faults: _Faults) -> model.Settings | None:
    try:
        return model.build_model().model_validate(chosen, by_name=True, by_alias=True)
    except ValidationError as exc:
        for error in exc.errors(include_url=False):
            first, *rest = error["loc"]
            location = (spelled.get(str(first), first), *(part for part in rest if part != "[key]"))
            faults.add(location, _words(cast(dict[str, Any], error), location))
        return None


def _words(error: dict[str, Any], location: Sequence[str | int]) -> str:
    """Returns what is wrong, in words for a person."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        fields = model.IndexTable if location[0] == "index" else model.SourceTable
        keys = [str(field.alias) for field in fields.model_fields.values()]
        words = _unknown(str(location[-1]), keys)
        return words if ";" in words else f"{words}; allowed here: {', '.join(keys)}"
    if kind == "list_type" and location == ("index",):
        return "must be tables, each below a header [[index]]"
    if kind in ("model_type", "model_attributes_type") and location[0] == "sources":
        return 'must be a table: { index = "NAME" }'
    if kind == "literal_error":
        given = error["input"]
        shown = f', not "{without_credentials(given[:40])}"' if isinstance(given, str) else ""
        return f"must be one of {context['expected'].replace(' or ', ', ')}{shown}"
    if kind == "greater_than_equal":
        return f"must be at least {context['ge']:g}"
    if kind == "less_than_equal":
        return f"must be at most {context['le']:g}"
    if kind == "greater_than":
        return f"must be more than {context['gt']:g}"
    if kind == "value_error":
        return str(context["error"])
    return _WORDS.get(kind, "cannot be meant")


def _check_indexes(settings: model.Settings, faults: _Faults) -> None:
    """Checks what a single table does not show."""
    names: set[str] = set()
    defaults = 0
    for number, table in enumerate(settings.index):
        if table.name and index_key(table.name) in names:
            faults.add(("index", number, "name"), f"is the name of another index too: {table.name}")
        names.add(index_key(table.name))
        if table.explicit and not table.name:
            faults.add(("index", number, "explicit"), "needs a name that sources can use")
        defaults += table.default
        if table.default and (defaults > 1 or getattr(settings, "index_url", None)):
            faults.add(("index", number, "default"), "is one default index too many")


def unknown_index(sources: Mapping[str, tuple[str, str]], known: Sequence[str]) -> InvalidSettings:
    """Returns the error for sources that name an index which is nowhere.

    Args:
        sources: normalised project name to the file that names the index, and its name.
        known: the names of indexes that there are.
    """
    problems = []
    for project, (path, name) in sources.items():
        spelled, line = _find_source(path, project)
        close = get_close_matches(name, known, 1)
        meant = f'; did you mean "{close[0]}"?' if close else ""
        where = f"{path}:{line}" if line else path
        problems.append(f'{where}: sources.{spelled} names the index "{name}", and there is none of this name{meant}')
    return InvalidSettings(problems, hint="name it in an [[index]], or with --index NAME=URL")


def _find_source(path: str, project: str) -> tuple[str, int]:
    """Returns a project as the file spells it, and its line."""
    prefix = ("tool", "engine") if os.path.basename(path) == "pyproject.toml" else ()
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
        table: Any = tomllib.loads(text)
        for key in (*prefix, "sources"):
            table = table[key]
        spelled = next(key for key in table if canonicalize_name(key) == project)
    except (OSError, ValueError, LookupError, StopIteration):
        return project, 0
    return spelled, find_line(text, (*prefix, "sources", spelled))


def _layer(path: str, settings: model.Settings) -> Layer:
    folder = os.path.dirname(path)
    values = {}
    for name, option in model.settable_options().items():
        if (value := getattr(settings, name)) is not None:
            values[name] = _as_words(value, option, folder)
    tables = [table.location(folder) for table in settings.index]
    return Layer(
        path,
        values,
        next((table for table in tables if table["default"]), None),
        [table for table in tables if not table["default"]],
        {project: source.index for project, source in settings.sources.items()},
    )


def _as_words(value: Any, option: Option, folder: str) -> Any:
    """Returns a value as the command line would have it: numbers as text, paths absolute."""
    if isinstance(value, bool) or option[1] in COUNTED:
        return value
    if isinstance(value, list):
        return [_as_words(word, option, folder) for word in value]
    text = str(value)
    if option[1] in model.PLACES:
        looks_like_path = option[1] != "python" or "/" in text or os.sep in text or text.startswith(("~", "."))
        return model.absolute_place(text, folder) if looks_like_path else text
    return model.absolute_path(text, folder) if option[3] in model.PATHS else text


_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]#]+?)\s*\]")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")


def find_line(text: str, location: Sequence[str | int]) -> int:
    """Returns the number of the line that says a value, or the nearest one above it in the tree; 0 where none does.

    Args:
        text: a TOML document.
        location: keys, and positions in arrays of tables, from the top.
    """
    wanted = tuple(location)
    best, length = 0, 0
    here: tuple[str | int, ...] = ()
    seen: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            keys = tuple(part.strip("\"'") for part in _PART.findall(header[2]))
            here = keys
            if header[1] == "[[":
                seen[keys] = seen.get(keys, -1) + 1
                here = (*keys, seen[keys])
            path = here
        elif key := _KEY.match(line):
            path = (*here, *(part.strip("\"'") for part in _PART.findall(key[1])))
        else:
            continue
        if len(path) > length and path == wanted[: len(path)]:
            best, length = number, len(path)
    return best
