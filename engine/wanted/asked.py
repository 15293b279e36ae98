"""What a command line asks for; light, because it is made before the first question to an index."""

from typing import NamedTuple


class Asked(NamedTuple):
    """What a command line asks for.

    Attributes:
        words: requirements, as `install` takes them.
        files: requirements files and projects: paths, web addresses, or `-`.
        constraints, overrides, excludes: files of these.
        extras: of the projects among the files; all_extras: every one.
        groups: dependency groups, each `name` or `path/of/pyproject.toml:name`.
        sources: what `[tool.uv.sources]` says counts (it cannot be followed so far, and is a fault).
        parts: all extras and groups of the projects, each under a marker that asks for it.
    """

    words: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    all_extras: bool = False
    groups: tuple[str, ...] = ()
    sources: bool = True
    parts: bool = False
