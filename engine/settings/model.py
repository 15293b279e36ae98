"""The shape of a settings file, made from the table of the command line.

An option becomes a setting by standing in `engine.arguments`; what its value may
be follows from its kind and its metavar.  Does not read files and knows no
lines: that is for `engine.settings.toml_file`.

Loads pydantic, which takes a tenth of a second: only a file that was never read
before comes here.
"""

import os
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from packaging.utils import InvalidName, canonicalize_name
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, create_model

from engine.arguments import COMMANDS, COUNTED, Option, options_of
from engine.compile_arguments import PRERELEASES
from engine.cutoff import LIFTED, parse_cutoff, split_project
from engine.errors import ConfigurationError
from engine.locations import place_fault
from engine.options import LEAST
from engine.settings.variables import COMMAND_LINE_ONLY
from engine.settings.variables import PLACES as URLS
from engine.wanted.upgrades import read_prereleases

#: Statuses of failures that pass: they are asked again and never mean that something is not there.
PASSING = (408, 425, 429, 500, 502, 503, 504)

#: About which files are read, so no matter for files.
ABOUT_FILES = frozenset(("config_file", "no_config"))

#: Options that are spelled otherwise in files: as the tables `[[index]]`.
TABLES = frozenset(("index",))

#: Options whose words are paths, URLs or names; only what looks like a path is one.
PLACES = frozenset(("index_url", "extra_index_url", "find_links", "constraint", "python"))

_NAME = r"^[A-Za-z0-9._-]+$"


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("must be one line of text and not empty")
    return text


def _project(text: str) -> str:
    try:
        return canonicalize_name(text, validate=True)
    except InvalidName as exc:
        raise ValueError("is not the name of a project") from exc


def _place(text: str) -> str:
    if fault := place_fault(text, named=False):
        raise ValueError(fault)
    return text


def _named_place(text: str) -> str:
    if fault := place_fault(text, named=True):
        raise ValueError(fault)
    return text


def _cutoff(text: str) -> str:
    try:
        parse_cutoff(text, datetime.now(UTC))
    except ValueError as exc:
        raise ValueError(str(exc)) from exc
    return text


def _cutoff_of_project(text: str) -> str:
    try:
        _cutoff(split_project(text)[1])
    except ConfigurationError as exc:
        raise ValueError("must be NAME=DATE") from exc
    return text


def _mode_of_project(text: str) -> str:
    try:
        read_prereleases([text], PRERELEASES)
    except ConfigurationError as exc:
        raise ValueError("must be NAME=MODE") from exc
    return text


def _never(value: object) -> object:
    return LIFTED if value is False else value


def _lasting(status: int) -> int:
    if status in PASSING:
        raise ValueError("is a failure that passes: it is asked again, and never means that a project is not there")
    return status


def _list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _count(value: object) -> object:
    return int(value) if isinstance(value, bool) else value


Text = Annotated[str, AfterValidator(_one_line)]
Count = Annotated[int, BeforeValidator(_count), Field(ge=0, le=2)]

#: What a value may be, by its metavar; every metavar of a setting stands here.
BY_METAVAR: dict[str | None, Any] = {
    "DATE": Annotated[str, BeforeValidator(_never), AfterValidator(_cutoff)],
    "DIR": Text,
    "FILE": Text,
    "HOST": Text,
    "N": Annotated[int, Field(ge=0, le=1_000_000)],
    "NAME": Text,
    "NAME=MODE": Annotated[str, AfterValidator(_mode_of_project)],
    "NAME=DATE": Annotated[str, AfterValidator(_cutoff_of_project)],
    "PATH": Text,
    "PLACE": Text,
    "PLATFORM": Text,
    "PROJECT": Text,
    "SECONDS": Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)],
    "TEXT": Text,
    "URL": Text,
    "VERSION": Text,
}

#: Metavars of what is a path, relative to the file that names it.
PATHS = frozenset(("DIR", "FILE", "PATH"))


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        alias_generator=lambda name: name.replace("_", "-"),
        hide_input_in_errors=True,
    )


class IndexTable(_Strict):
    """One `[[index]]`."""

    url: Annotated[Text, AfterValidator(_place)]
    name: Annotated[str, Field(pattern=_NAME)] = ""
    default: bool = False
    explicit: bool = False
    format: Literal["simple", "flat"] = "simple"
    ignore_error_codes: list[Annotated[int, Field(ge=400, le=599), AfterValidator(_lasting)]] = []

    def location(self, folder: str) -> dict[str, Any]:
        """Returns the arguments of the `IndexLocation` that is meant; a relative path starts from `folder`."""
        return {
            "url": absolute_place(self.url, folder),
            "name": self.name,
            "default": self.default,
            "explicit": self.explicit,
            "flat": self.format == "flat",
            "ignored_statuses": self.ignore_error_codes,
        }


class SourceTable(_Strict):
    """Where one project comes from."""

    index: Annotated[str, Field(pattern=_NAME)]


class Settings(_Strict):
    """What every settings file may hold beside one key for each option."""

    index: list[IndexTable] = []
    sources: dict[Annotated[str, AfterValidator(_project)], SourceTable] = {}


def settable_options() -> dict[str, Option]:
    """Returns the options that are settings of one key each, by name."""
    options = {option[1]: option for command in COMMANDS for option in options_of(command)}
    excluded = COMMAND_LINE_ONLY | ABOUT_FILES | TABLES
    return {name: option for name, option in options.items() if name not in excluded}


def keys(option: Option) -> list[str]:
    """Returns the keys of an option: its long spellings."""
    return [flag[2:] for flag in option[0] if flag.startswith("--")]


def build_model() -> type[Settings]:
    """Returns the model of a settings file; its fields have the names of options."""
    fields: dict[str, Any] = {name: (_type(option) | None, None) for name, option in settable_options().items()}
    return create_model("File", __base__=Settings, **fields)


def _type(option: Option) -> Any:
    _, name, kind, metavar, _ = option
    if name in COUNTED:
        return Count
    if kind in ("flag", "switch"):
        return bool
    if isinstance(kind, tuple):
        return Literal[kind]
    single = BY_METAVAR.get(metavar, Text)
    if name in LEAST:
        single = Annotated[single, Field(ge=LEAST[name])]
    if name in URLS:
        single = Annotated[single, AfterValidator(_named_place if URLS[name] else _place)]
    return Annotated[list.__class_getitem__(single), BeforeValidator(_list)] if kind == "list" else single


def absolute_path(text: str, folder: str) -> str:
    """Returns a path that starts from `folder`, or from a home where it begins with `~`."""
    return os.path.normpath(os.path.join(folder, os.path.expanduser(text)))


def absolute_place(text: str, folder: str) -> str:
    """Returns an URL as it is, a path made absolute."""
    if "://" in text or text.startswith("file:"):
        return text
    return absolute_path(text, folder)
