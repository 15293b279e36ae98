"""The options of `compile`, and how they are read.

Off the warm path, beside `engine.arguments`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from engine.arguments import INDEX_OPTIONS, INSTALL_OPTIONS, LOCK_OPTIONS, NETWORK_OPTIONS, TARGET_OPTIONS, Option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.utils import NormalizedName

    from engine.arguments import Value
    from engine.compiling import CompileOptions
    from engine.options import SyncOptions

RESOLUTIONS = ("highest", "lowest", "lowest-direct")
PRERELEASES = ("disallow", "allow", "if-necessary", "explicit", "if-necessary-or-explicit")
FORK_STRATEGIES = ("requires-python", "fewest")
FORMATS = ("requirements.txt", "pylock.toml")

#: What takes an option of the text back; accepted for scripts that were written for another tool.
_TAKEN_BACK = {
    "--header": "no_header",
    "--annotate": "no_annotate",
    "--strip-extras": "no_strip_extras",
    "--strip-markers": "no_strip_markers",
    "--no-generate-hashes": "generate_hashes",
    "--no-emit-index-url": "emit_index_url",
    "--no-emit-find-links": "emit_find_links",
    "--no-emit-build-options": "emit_build_options",
    "--no-emit-index-annotation": "emit_index_annotation",
    "--no-all-extras": "all_extras",
    "--no-universal": "universal",
    "--no-upgrade": "upgrade",
    "--deps": "no_deps",
}


def _shared(names: Sequence[str]) -> tuple[Option, ...]:
    rows = {row[1]: row for row in (*TARGET_OPTIONS, *LOCK_OPTIONS, *INDEX_OPTIONS, *INSTALL_OPTIONS)}
    return tuple(rows[name] for name in names)


OPTIONS: tuple[Option, ...] = (
    (("--format",), "output_format", FORMATS, None, "the same as --output-format"),
    (
        ("-o", "--output-file"),
        "output_file",
        "value",
        "FILE",
        "write the lock here; what it pins stays where it fits",
    ),
    (
        ("--output-format",),
        "output_format",
        FORMATS,
        None,
        "what to write (default: by the name of the output file)",
    ),
    *_shared(("python", "constraint", "extra", "all_extras", "group")),
    (("--override", "--overrides"), "override", "list", "FILE", "replace all requirements on these projects"),
    (("--exclude", "--excludes"), "exclude", "list", "FILE", "install nothing of these projects"),
    (("--no-deps",), "no_deps", "flag", None, "nothing but what is named"),
    (("--no-sources",), "no_sources", "flag", None, "ask the index although [tool.uv.sources] names another place"),
    (("--python-version",), "python_version", "value", "VERSION", "resolve for this Python, such as 3.9"),
    (
        ("--python-platform",),
        "python_platform",
        "value",
        "PLATFORM",
        "resolve for linux, macos, windows, or such as x86_64-manylinux_2_28",
    ),
    (
        ("--universal",),
        "universal",
        "flag",
        None,
        "resolve for every platform, and all Pythons from --python-version or the project's requires-python on",
    ),
    (
        ("--fork-strategy",),
        "fork_strategy",
        FORK_STRATEGIES,
        None,
        "--universal: the newest versions for each Python, or the fewest versions (default: requires-python)",
    ),
    (("--resolution",), "resolution", RESOLUTIONS, None, "which versions are tried first (default: highest)"),
    (
        ("--prerelease",),
        "prerelease",
        PRERELEASES,
        None,
        "when a pre-release may be chosen (default: if-necessary-or-explicit)",
    ),
    (("--pre",), "pre", "flag", None, "the same as --prerelease allow"),
    (
        ("--prerelease-package",),
        "prerelease_package",
        "list",
        "NAME=MODE",
        "--prerelease for one project, in place of that",
    ),
    (
        ("--exclude-newer",),
        "exclude_newer",
        "value",
        "DATE",
        "as if nothing had been uploaded after this day, time, or duration before now, such as 3 days",
    ),
    (
        ("--exclude-newer-package",),
        "exclude_newer_package",
        "list",
        "NAME=DATE",
        "the same for one project, in place of that; NAME=false lifts it",
    ),
    (("-U", "--upgrade"), "upgrade", "flag", None, "forget what the output file pins; asks as --refresh does"),
    (
        ("-P", "--upgrade-package"),
        "upgrade_package",
        "list",
        "PROJECT",
        "the same for this project; flask<4 bounds it too",
    ),
    (("--generate-hashes",), "generate_hashes", "flag", None, "write the hashes of all files"),
    (("--no-annotate",), "no_annotate", "flag", None, "do not say why something is there"),
    (("--annotation-style",), "annotation_style", ("split", "line"), None, "how to say it (default: split)"),
    (("--no-header",), "no_header", "flag", None, "do not say how the file was made"),
    (("--custom-compile-command",), "custom_compile_command", "value", "TEXT", "say this instead of the command line"),
    (("--no-strip-extras",), "no_strip_extras", "flag", None, "write extras"),
    (("--no-strip-markers",), "no_strip_markers", "flag", None, "write markers"),
    (("--no-emit-package", "--unsafe-package"), "no_emit_package", "list", "PROJECT", "leave this project out"),
    (("--emit-index-url",), "emit_index_url", "flag", None, "write the indexes"),
    (("--emit-find-links",), "emit_find_links", "flag", None, "write the find-links"),
    (("--emit-build-options",), "emit_build_options", "flag", None, "write --no-binary and --only-binary"),
    (("--emit-index-annotation",), "emit_index_annotation", "flag", None, "say which index each comes from"),
    *(((flag,), name, "off", None, "do not (default)") for flag, name in _TAKEN_BACK.items()),
    (
        ("--allow-unsafe", "--no-reuse-hashes"),
        "pip_tools",
        "flag",
        None,
        "accepted and without effect: setuptools is pinned like any other",
    ),
    *(row for row in INDEX_OPTIONS if row[1] != "pre"),
    *NETWORK_OPTIONS,
    *_shared(("dry_run",)),
    (("--check",), "check", "flag", None, "write nothing, and exit with 1 where the output file would change"),
)


def project_of(word: str) -> str:
    """Returns the project of a word of `--upgrade-package`, without the bound behind it."""
    end = next((at for at, letter in enumerate(word) if letter in "<>=!~;[(@ "), len(word))
    return word[:end]


def compile_options(
    values: Mapping[str, Value], places: SyncOptions, cwd: str, argv: Sequence[str], environ: Mapping[str, str]
) -> CompileOptions:
    """Reads what the command line and the settings say.

    Args:
        values: by the name of an option.
        places: cache, indexes and network.
        cwd: absolute path that relative ones start from.
        argv: the command line without the program's name, for the header.
        environ: the environment variables.

    Raises:
        ConfigurationError: when options contradict each other.
    """
    from engine.compiled.command import told_command
    from engine.compiled.style import Annotations, TextStyle
    from engine.compiling import CompileOptions
    from engine.environment.installed import normalize_name
    from engine.errors import ConfigurationError
    from engine.inputs import is_pylock
    from engine.wanted.asked import Asked

    def words(name: str) -> tuple[str, ...]:
        found = values.get(name)
        return tuple(found) if isinstance(found, list) else ()

    def text(name: str) -> str | None:
        found = values.get(name)
        return str(found) if found else None

    pythons = words("python")
    if len(pythons) > 1:
        raise ConfigurationError("compile resolves for one --python", hint="run once for each")
    if values["universal"] and text("python_platform"):
        raise ConfigurationError(
            "--universal resolves for every platform", hint="leave out --universal or --python-platform"
        )
    files = words("sources")
    if not files and not words("group"):
        if not os.path.isfile(os.path.join(cwd, "pyproject.toml")):
            raise ConfigurationError(
                "nothing to compile: no file is named, and there is no pyproject.toml here",
                hint="name a file, such as requirements.in",
            )
        files = ("pyproject.toml",)
    output = text("output_file")
    written = text("output_format") or (
        "pylock.toml" if output is not None and is_pylock(os.path.basename(output)) else ""
    )
    command = text("custom_compile_command") or told_command(
        ("engine", *argv), index_urls=bool(values["emit_index_url"]), find_links=bool(values["emit_find_links"])
    )
    prerelease = "allow" if values["pre"] else text("prerelease")
    prereleases_of: Mapping[NormalizedName, str] = {}
    if values["prerelease_package"]:
        from engine.wanted.upgrades import read_prereleases

        prereleases_of = read_prereleases(words("prerelease_package"), PRERELEASES)
    upgrades = None
    if values["upgrade_package"]:
        from engine.wanted.upgrades import read_upgrades

        upgrades = read_upgrades(words("upgrade_package"))
    cutoffs = None
    if values["exclude_newer"] or values["exclude_newer_package"]:
        from engine.cutoff import read_cutoffs

        cutoffs = read_cutoffs(text("exclude_newer"), words("exclude_newer_package"))
    style = TextStyle(
        command="" if values["no_header"] else command,
        annotations=Annotations.NONE if values["no_annotate"] else Annotations(text("annotation_style") or "split"),
        hashes=bool(values["generate_hashes"]),
        extras=bool(values["no_strip_extras"]),
        markers=bool(values["no_strip_markers"] or values["universal"]),
        index_urls=bool(values["emit_index_url"]),
        find_links=bool(values["emit_find_links"]),
        formats=bool(values["emit_build_options"]),
        index_annotations=bool(values["emit_index_annotation"]),
        left_out=tuple(cast("NormalizedName", normalize_name(name)) for name in words("no_emit_package")),
    )
    return CompileOptions(
        asked=Asked(
            files=files,
            constraints=words("constraint"),
            overrides=words("override"),
            excludes=words("exclude"),
            extras=words("extra"),
            all_extras=bool(values["all_extras"]),
            groups=words("group"),
            sources=not values["no_sources"],
        ),
        places=places,
        output=None if output is None else os.path.join(cwd, os.path.expanduser(output)),
        style=style,
        pylock=written == "pylock.toml",
        python=pythons[0] if pythons else None,
        python_version=text("python_version"),
        platform=text("python_platform"),
        universal=bool(values["universal"]),
        fork_strategy=text("fork_strategy") or "requires-python",
        strategy=text("resolution") or "highest",
        prereleases=prerelease,
        prereleases_of=prereleases_of,
        dependencies=not values["no_deps"],
        cutoffs=cutoffs,
        upgrade=bool(values["upgrade"]),
        upgrades=upgrades,
    )
