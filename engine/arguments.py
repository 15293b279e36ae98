"""The words of the command line: which commands and options there are, and how they are read.

Owns the one table that the scanner, the full parser and the settings share.
Does not act and does not print.  The scanner understands the usual spellings;
whatever it does not understand, help and mistakes included, goes to argparse,
built from the same table (argparse costs 9 ms, half a no-op).

On the warm path: imports nothing but what is there anyway.
"""

from engine.locations import INDEX_STRATEGIES
from engine.options import KEYRING_PROVIDERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    Value = str | int | list[str] | None

#: (flags, name, kind, metavar, help).  Kinds: value, list, flag (counted), switch (each long spelling has a `--no-…`;
#: True, False, or None where neither is given), off (takes the flag of that name back), or the choices as a tuple.
#: A row is a setting too, but for off: docs/settings.md.
Option = tuple[tuple[str, ...], str, "str | tuple[str, ...]", "str | None", str]

#: (name, metavar, how many: "1" or "+" or "*").  More than one makes a list; only the last may be one.
Positional = tuple[str, str, str]

#: Options that say more each time they are given.
COUNTED = ("quiet", "verbose")

GLOBAL_OPTIONS: tuple[Option, ...] = (
    (("--cache-dir",), "cache_dir", "value", "PATH", "folder of the cache (default: ENGINE_CACHE_DIR or the user's)"),
    (("-n", "--no-cache", "--no-cache-dir"), "no_cache", "flag", None, "keep nothing: use a cache for this run only"),
    (("--offline",), "offline", "switch", None, "never use the network"),
    (("-q", "--quiet"), "quiet", "flag", None, "print errors and warnings only; twice: errors only"),
    (("-v", "--verbose"), "verbose", "flag", None, "print more; twice: what became of each wheel"),
    (("--color",), "color", ("auto", "always", "never"), None, "use color (default: auto, on a terminal)"),
    (("--config-file",), "config_file", "value", "PATH", "read settings from this file, and from no other of ours"),
    (("--no-config",), "no_config", "flag", None, "read no settings from files"),
    (("--no-progress",), "no_progress", "flag", None, "draw no progress line"),
)

TARGET_OPTIONS: tuple[Option, ...] = (
    (
        ("-p", "--python"),
        "python",
        "list",
        "PATH",
        "an interpreter, an environment, or a version such as 3.12; several times to sync several in one run "
        "(default: the active environment, else .venv here or above, else a new .venv here)",
    ),
    (("-t", "--target"), "target", "value", "DIR", "install straight into a folder"),
    (("--prefix",), "prefix", "value", "DIR", "install into lib, bin and so on below a folder"),
    (("--system",), "system", "switch", None, "the first interpreter on PATH that is in no virtual environment"),
    (
        ("--break-system-packages",),
        "break_system_packages",
        "switch",
        None,
        "change an interpreter's own environment although another tool manages it",
    ),
)

LOCK_OPTIONS: tuple[Option, ...] = (
    (("-c", "--constraint", "--constraints"), "constraint", "list", "FILE", "what pins must agree with; several times"),
    (("--require-hashes",), "require_hashes", "flag", None, "every line must have a hash (default: if one has)"),
    (("--no-require-hashes",), "no_require_hashes", "flag", None, "a line needs no hash, even if others have one"),
    (("--no-verify-hashes",), "no_verify_hashes", "flag", None, "do not look at the hashes of requirements files"),
    (("--verify-hashes",), "no_verify_hashes", "off", None, "do (default)"),
    (
        ("--allow-empty-requirements",),
        "allow_empty_requirements",
        "switch",
        None,
        "requirements files without requirements may empty an environment",
    ),
    (("--extra",), "extra", "list", "NAME", "an extra of a pylock.toml; several times"),
    (("--all-extras",), "all_extras", "flag", None, "all extras of a pylock.toml"),
    (("--group",), "group", "list", "NAME", "a dependency group of a pylock.toml, beside its default ones"),
    (("--all-groups",), "all_groups", "flag", None, "all dependency groups of a pylock.toml"),
    (("--no-default-groups",), "no_default_groups", "flag", None, "not the default groups of a pylock.toml"),
)

INDEX_OPTIONS: tuple[Option, ...] = (
    (
        ("-i", "--index-url", "--default-index"),
        "index_url",
        "value",
        "URL",
        "index to ask after all others (default: the lock's, the environment's or pip's settings)",
    ),
    (("--index",), "index", "list", "[NAME=]URL", "another index, asked before the default; several in this order"),
    (("--extra-index-url",), "extra_index_url", "list", "URL", "the same as --index, asked after these"),
    (("-f", "--find-links"), "find_links", "list", "PLACE", "a folder or page that lists files, beside the indexes"),
    (("--no-index",), "no_index", "flag", None, "ask no index; find files through --find-links only"),
    (
        ("--index-strategy",),
        "index_strategy",
        INDEX_STRATEGIES,
        None,
        "which index decides about a project that several have (default: first-index)",
    ),
    (("--no-binary",), "no_binary", "list", "PROJECT", "do not install wheels of this project; :all:, :none:"),
    (("--only-binary",), "only_binary", "list", "PROJECT", "install wheels of this project only; :all:, :none:"),
    (("--pre",), "pre", "flag", None, "accepted: a pin to a pre-release is always obeyed"),
)

NETWORK_OPTIONS: tuple[Option, ...] = (
    (("--refresh",), "refresh", "flag", None, "ask indexes whether their pages have changed, however fresh they are"),
    (("--refresh-package",), "refresh_package", "list", "PROJECT", "the same for the page of this project"),
    (
        ("--no-foresight",),
        "no_foresight",
        "flag",
        None,
        "with an empty cache, ask for no page before it is known to be needed; for compile, install and lock",
    ),
    (("--retries",), "retries", "value", "N", "how often a request that fails is repeated (default: 3)"),
    (("--timeout",), "timeout", "value", "SECONDS", "longest silence of a server (default: 30)"),
    (("--connect-timeout",), "connect_timeout", "value", "SECONDS", "longest wait for a connection (default: 15)"),
    (
        ("--concurrent-downloads",),
        "concurrent_downloads",
        "value",
        "N",
        "how many downloads may be under way at once (default: 16)",
    ),
    (("--proxy",), "proxy", "value", "URL", "proxy for all requests, instead of those that the variables name"),
    (("--cert",), "cert", "value", "PATH", "file or folder of the authorities to trust, and no others"),
    (("--client-cert",), "client_cert", "value", "PATH", "PEM file that says to servers who you are"),
    (("--client-key",), "client_key", "value", "PATH", "its key, where that is in a file of its own"),
    (
        ("--trusted-host", "--allow-insecure-host"),
        "trusted_host",
        "list",
        "HOST",
        "do not check the certificate of this host",
    ),
    (
        ("--keyring-provider",),
        "keyring_provider",
        KEYRING_PROVIDERS,
        None,
        "ask the command keyring for passwords when a server refuses (default: auto, where it is there)",
    ),
)

INSTALL_OPTIONS: tuple[Option, ...] = (
    (
        ("--concurrent-installs",),
        "concurrent_installs",
        "value",
        "N",
        "how many processes unpack and link (default: as many as there are cores)",
    ),
    (
        ("--link-mode",),
        "link_mode",
        ("hardlink", "clone", "copy"),
        None,
        "how files come from the cache; each file falls back on its own (default: hardlink)",
    ),
    (
        ("--compile-bytecode", "--compile"),
        "compile_bytecode",
        "switch",
        None,
        "bring compiled files along with modules (default: no)",
    ),
    (("--reinstall", "--force-reinstall"), "reinstall", "flag", None, "install everything again, from the cache"),
    (("--reinstall-package",), "reinstall_package", "list", "NAME", "install one project again; may be repeated"),
    (("--no-deps",), "no_deps", "flag", None, "accepted and without effect: a lock names all there is to install"),
    (("--dry-run",), "dry_run", "flag", None, "say what would change, and change nothing"),
    (
        ("--check",),
        "check",
        "flag",
        None,
        "like --dry-run, asks no index, and exits with 1 where anything would change",
    ),
    (("--durable",), "durable", "switch", None, "survive a power cut too: flush the disk around the commit"),
    (("--strict-record",), "strict_record", "switch", None, "refuse a wheel whose RECORD is wrong, instead of warning"),
)

REPORT_OPTIONS: tuple[Option, ...] = (
    (("--report",), "report", "value", "FILE", "write what was installed as JSON, as pip does and more; - prints it"),
    (
        ("--trace",),
        "trace",
        "value",
        "FILE",
        "write what was done when, for chrome://tracing and Perfetto; - prints it",
    ),
)

SYNC_OPTIONS: tuple[Option, ...] = (
    *TARGET_OPTIONS,
    *LOCK_OPTIONS,
    *INDEX_OPTIONS,
    *NETWORK_OPTIONS,
    *INSTALL_OPTIONS,
    *REPORT_OPTIONS,
)

#: Which projects; those who give none mean all.
NAMES: tuple[Positional, ...] = (("names", "NAME", "*"),)

PRUNE_OPTIONS: tuple[Option, ...] = (
    (("--older-than",), "older_than", "value", "AGE", "remove what was not used for that long, such as 30d"),
    (("--max-size",), "max_size", "value", "SIZE", "remove the least recently used wheels down to this, such as 5G"),
    (("--ci",), "ci", "flag", None, "remove all wheels that can be downloaded again; keep what is small"),
    (("--dry-run",), "dry_run", "flag", None, "say what would go, and remove nothing"),
)


class Command:
    """One command: its words, what follows them, and what it does in a few words."""

    __slots__ = ("_options", "positionals", "text")

    def __init__(
        self, text: str, positionals: tuple[Positional, ...] = (), options: tuple[Option, ...] | str = ()
    ) -> None:
        self.text = text
        self.positionals = positionals
        self._options = options

    @property
    def options(self) -> tuple[Option, ...]:
        """What may be said; of a command that is not on the warm path from a module of its own, which has OPTIONS."""
        found = self._options
        if isinstance(found, str):
            loaded: tuple[Option, ...] = __import__(found, fromlist=["OPTIONS"]).OPTIONS
            found = self._options = loaded
        return found


#: By the words of the command; the text of a group of commands stands under its first word.
COMMANDS: dict[str, Command] = {
    "sync": Command(
        "make environments match a lock (default: pylock.toml here)", (("lock", "LOCK", "*"),), SYNC_OPTIONS
    ),
    "install": Command(
        "install requirements and what they need", (("words", "REQUIREMENT", "*"),), "engine.install_arguments"
    ),
    "compile": Command(
        "find versions for all that is wanted and write a lock", (("sources", "FILE", "*"),), "engine.compile_arguments"
    ),
    "lock": Command(
        "find versions for the project here on every platform and write them to pylock.toml",
        (),
        "engine.lock_arguments",
    ),
    "cache": Command("look at the cache and tidy it"),
    "cache dir": Command("print the folder of the cache"),
    "cache info": Command("print where the cache is, its size and how many wheels it has"),
    "cache size": Command(
        "print what the cache takes on disk, in bytes",
        (),
        ((("-H", "--human"), "human", "flag", None, "print it for people, such as 1.2GiB"),),
    ),
    "cache list": Command(
        "list the wheels in the cache",
        NAMES,
        ((("--format",), "format", ("columns", "json"), None, "how (default: columns)"),),
    ),
    "cache clean": Command("delete the cache, or what it has of some projects", NAMES),
    "cache remove": Command("delete what the cache has of some projects", (("names", "NAME", "+"),)),
    "cache purge": Command("delete the cache"),
    "cache prune": Command("remove what serves nobody, and more where it is asked for", (), PRUNE_OPTIONS),
    "cache verify": Command(
        "look for damage in the cache and remove what is damaged",
        (),
        (
            (("--full",), "full", "flag", None, "look at the content of all files too"),
            (("--dry-run",), "dry_run", "flag", None, "say what is damaged, and remove nothing"),
        ),
    ),
}


def scan_arguments(argv: "Sequence[str]") -> "dict[str, Value] | None":
    """Reads a plainly spelled command line; returns None when argparse has to look at it.

    Args:
        argv: the arguments without the program's name.
    """
    words = iter(argv)
    name = next(words, "")
    if " " in name:
        return None
    if any(other.startswith(f"{name} ") for other in COMMANDS):
        name = f"{name} {next(words, '')}"
    command = COMMANDS.get(name)
    if command is None:
        return None
    known = {flag: option for option in (*command.options, *GLOBAL_OPTIONS) for flag in option[0]}
    values: dict[str, Value] = {"command": name}
    values.update((option[1], _default(option[2])) for option in known.values())
    opposites = {flag: option[1] for option in known.values() if option[2] == "switch" for flag in opposites_of(option)}
    free: list[str] = []
    ended = False  # argparse takes the words of several positionals in one piece only
    for word in words:
        if not word.startswith("-") or word == "-":
            if ended:
                return None
            free.append(word)
            continue
        ended = bool(free)
        flag, equals, text = word.partition("=")
        if word in opposites:
            values[opposites[word]] = False
            continue
        if (option := known.get(flag if word.startswith("--") else word)) is None:
            return None
        _, name, kind, _, _ = option
        if kind in ("flag", "switch", "off"):
            if equals:
                return None
            values[name] = kind == "switch" if kind != "flag" else values[name] + 1  # type: ignore[operator]
            continue
        argument = text if equals else next(words, None)
        if not argument or (not equals and argument.startswith("-") and argument != "-"):
            return None
        if kind == "list":
            values[name].append(argument)  # type: ignore[union-attr]
        elif kind != "value" and argument not in kind:
            return None
        else:
            values[name] = argument
    return values if _place(free, command.positionals, values) else None


def _place(free: list[str], positionals: tuple[Positional, ...], values: "dict[str, Value]") -> bool:
    """Gives every positional its words; returns whether that came out even."""
    at = 0
    for name, _, count in positionals:
        if count == "1":
            if at == len(free):
                return False
            values[name] = free[at]
            at += 1
        else:
            values[name] = free[at:]
            if count == "+" and at == len(free):
                return False
            at = len(free)
    return at == len(free)


def _default(kind: "str | tuple[str, ...]") -> "Value":
    return [] if kind == "list" else 0 if kind in ("flag", "off") else None


def opposites_of(option: Option) -> list[str]:
    """Returns the spellings that turn a switch off."""
    return [f"--no-{flag[2:]}" for flag in option[0] if flag.startswith("--")]


def options_of(command: str) -> tuple[Option, ...]:
    """Returns all options of a command, given by its words, but for those that only take another back."""
    return tuple(option for option in (*COMMANDS[command].options, *GLOBAL_OPTIONS) if option[2] != "off")


def parse_arguments(argv: "Sequence[str]") -> "dict[str, Value]":
    """Reads any command line, with argparse.

    Args:
        argv: the arguments without the program's name.

    Raises:
        SystemExit: after help was printed, or an error about a mistake.
    """
    values: dict[str, Value] = vars(build_parser().parse_args(argv))
    if action := values.pop("action", None):
        values["command"] = f"{values['command']} {action}"
    return values


def build_parser() -> "argparse.ArgumentParser":
    """Returns the full parser, for help and for mistakes."""
    import argparse

    from engine import __version__

    shared = argparse.ArgumentParser(add_help=False)
    for option in GLOBAL_OPTIONS:
        _add_option(shared, option)
    parser = argparse.ArgumentParser(prog="engine", description="Installs Python distributions, fast and all at once.")
    parser.add_argument("-V", "--version", action="version", version=f"engine {__version__}")
    groups = {"": parser.add_subparsers(dest="command", required=True, metavar="COMMAND")}
    for words, command in COMMANDS.items():
        group, _, name = words.rpartition(" ")
        leads = any(other.startswith(f"{words} ") for other in COMMANDS)
        parents = [] if leads else [shared]
        one = groups[group].add_parser(name, parents=parents, help=command.text, description=command.text)
        if leads:
            groups[words] = one.add_subparsers(dest="action", required=True, metavar="ACTION")
        for name, metavar, count in command.positionals:
            if count == "1":
                one.add_argument(name, metavar=metavar)
            else:
                one.add_argument(name, metavar=metavar, nargs=count)
        for option in command.options:
            _add_option(one, option)
    return parser


def _add_option(parser: "argparse.ArgumentParser", option: Option) -> None:
    import argparse

    flags, name, kind, metavar, text = option
    if kind == "switch":
        parser.add_argument(*flags, dest=name, action="store_const", const=True, help=text)
        parser.add_argument(*opposites_of(option), dest=name, action="store_const", const=False, help=argparse.SUPPRESS)
    elif kind == "flag":
        parser.add_argument(*flags, dest=name, action="count", default=0, help=text)
    elif kind == "off":
        parser.add_argument(*flags, dest=name, action="store_const", const=False, default=0, help=text)
    elif kind == "list":
        parser.add_argument(*flags, dest=name, action="append", default=[], metavar=metavar, help=text)
    elif kind == "value":
        parser.add_argument(*flags, dest=name, metavar=metavar, help=text)
    else:
        parser.add_argument(*flags, dest=name, choices=kind, help=text)
