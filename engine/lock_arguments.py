"""The options of `lock`, and how they are read.

Off the warm path, beside `engine.arguments`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from engine import compile_arguments
from engine.arguments import Option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.arguments import Value
    from engine.compiling import CompileOptions
    from engine.options import SyncOptions

#: What is not said of a lock: there is one project, with all that it has, for every platform, and one form.
_NOT_HERE = frozenset(
    (
        *(
            "output_file",
            "output_format",
            "python",
            "constraint",
            "extra",
            "all_extras",
            "group",
            "override",
            "exclude",
        ),
        *("python_version", "python_platform", "universal", "generate_hashes", "no_annotate", "annotation_style"),
        *("no_header", "custom_compile_command", "no_strip_extras", "no_strip_markers", "no_emit_package"),
        *("emit_index_url", "emit_find_links", "emit_build_options", "emit_index_annotation", "upgrade"),
        *("upgrade_package", "fork_strategy", "check", "no_deps", "pip_tools"),
    )
)

OPTIONS: tuple[Option, ...] = (
    (("-U", "--upgrade"), "upgrade", "flag", None, "forget what the lock pins; asks as --refresh does"),
    (
        ("-P", "--upgrade-package"),
        "upgrade_package",
        "list",
        "PROJECT",
        "the same for this project; flask<4 bounds it too",
    ),
    (("--check",), "check", "flag", None, "write nothing, and exit with 1 where the lock would change"),
    (
        ("--default-group",),
        "default_group",
        "list",
        "NAME",
        "a dependency group that a sync installs unless it is told otherwise (default: dev)",
    ),
    (
        ("--fork-strategy",),
        "fork_strategy",
        compile_arguments.FORK_STRATEGIES,
        None,
        "the newest versions for each Python, or the fewest versions (default: requires-python)",
    ),
    *(row for row in compile_arguments.OPTIONS if row[1] not in _NOT_HERE),
)


def lock_options(values: Mapping[str, Value], places: SyncOptions, cwd: str) -> CompileOptions:
    """Reads what the command line and the settings say.

    Args:
        values: by the name of an option.
        places: cache, indexes and network.
        cwd: absolute path of the project's folder.

    Raises:
        ConfigurationError: when there is no project here.
    """
    from engine.errors import ConfigurationError
    from engine.locking import LOCK

    if not os.path.isfile(os.path.join(cwd, "pyproject.toml")):
        raise ConfigurationError(
            "nothing to lock: there is no pyproject.toml here",
            hint="engine compile --universal -o pylock.toml FILE takes other files",
        )
    missing: dict[str, Value] = {
        row[1]: 0 if row[2] == "flag" else [] if row[2] == "list" else None for row in compile_arguments.OPTIONS
    }
    said: dict[str, Value] = {**missing, **values, "sources": ["pyproject.toml"], "output_file": LOCK, "universal": 1}
    options = compile_arguments.compile_options(said, places, cwd, ("lock",), {})
    groups = values["default_group"]
    assert isinstance(groups, list)
    return options._replace(asked=options.asked._replace(parts=True), default_groups=tuple(groups) or None)
