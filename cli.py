"""The command line: arguments, exit codes, printing.

Starts fast and imports late: a warm sync pays for every module it meets here.
The table of options is read by a small scanner, which understands the usual
spellings; whatever it does not understand, help and mistakes included, goes to
argparse, built from the same table (argparse costs 9 ms, half a no-op).

Expected errors are one `error:` line and a `hint:` on standard error; only bugs
show a traceback.
"""

import _signal  # type: ignore[import-not-found]  # `signal` without its enums, which cost 2 ms
import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from engine.errors import EngineError
    from engine.reporting import Outcome, View

    Value = str | int | list[str] | None

#: Exit codes; the table in README.md says the same.
OK = 0
FAILED = 1
USAGE = 2
INTERRUPTED = 130
TERMINATED = 143

#: (flags, name, kind, metavar, help).  Kinds: value, list, flag (counted), or the choices as a tuple.
Option = tuple[tuple[str, ...], str, "str | tuple[str, ...]", "str | None", str]

GLOBAL_OPTIONS: tuple[Option, ...] = (
    (("--cache-dir",), "cache_dir", "value", "PATH", "folder of the cache (default: ENGINE_CACHE_DIR or the user's)"),
    (("--offline",), "offline", "flag", None, "never use the network"),
    (("-q", "--quiet"), "quiet", "flag", None, "print errors and warnings only; twice: errors only"),
    (("-v", "--verbose"), "verbose", "flag", None, "print more"),
)

SYNC_OPTIONS: tuple[Option, ...] = (
    (
        ("-p", "--python"),
        "python",
        "list",
        "PATH",
        "an interpreter or an environment; several times to sync several in one run (default: the active "
        "environment, else .venv here or above, else a new .venv here)",
    ),
    (
        ("-i", "--index-url", "--default-index"),
        "index_url",
        "value",
        "URL",
        "index to ask (default: the lock's, the environment's or pip's settings)",
    ),
    (
        ("--link-mode",),
        "link_mode",
        ("hardlink", "clone", "copy"),
        None,
        "how files come from the cache; each file falls back on its own (default: hardlink)",
    ),
    (("--dry-run",), "dry_run", "flag", None, "say what would change, and change nothing"),
    (("--durable",), "durable", "flag", None, "survive a power cut too: flush the disk around the commit"),
)

#: command -> (positional arguments, options, help)
COMMANDS: dict[str, tuple[tuple[str, ...], tuple[Option, ...], str]] = {
    "sync": (("lock",), SYNC_OPTIONS, "make environments match a lock"),
    "cache": (("action",), (), "`cache dir` prints the folder of the cache, `cache clean` deletes it"),
}

CACHE_ACTIONS = ("dir", "clean")


def scan_arguments(argv: "Sequence[str]") -> "dict[str, Value] | None":
    """Reads a plainly spelled command line; returns None when argparse has to look at it.

    Args:
        argv: the arguments without the program's name.
    """
    if not argv or argv[0] not in COMMANDS:
        return None
    positional, options, _ = COMMANDS[argv[0]]
    known = {flag: option for option in (*options, *GLOBAL_OPTIONS) for flag in option[0]}
    values: dict[str, Value] = {"command": argv[0], **{name: None for name in positional}}
    values.update((name, _default(kind)) for _, name, kind, _, _ in known.values())
    words = iter(argv[1:])
    free = iter(positional)
    for word in words:
        if not word.startswith("-"):
            if (name := next(free, "")) == "":
                return None
            values[name] = word
            continue
        flag, equals, text = word.partition("=")
        if (option := known.get(flag if word.startswith("--") else word)) is None:
            return None
        _, name, kind, _, _ = option
        if kind == "flag":
            if equals:
                return None
            values[name] += 1  # type: ignore[operator]
            continue
        argument = text if equals else next(words, None)
        if not argument or (not equals and argument.startswith("-")):
            return None
        if kind == "list":
            values[name].append(argument)  # type: ignore[union-attr]
        elif kind != "value" and argument not in kind:
            return None
        else:
            values[name] = argument
    complete = next(free, None) is None and values.get("action", "dir") in CACHE_ACTIONS
    return values if complete else None


def _default(kind: "str | tuple[str, ...]") -> "Value":
    return [] if kind == "list" else 0 if kind == "flag" else None


def build_parser() -> "argparse.ArgumentParser":
    """Returns the full parser, for help and for mistakes."""
    import argparse

    from engine import __version__

    shared = argparse.ArgumentParser(add_help=False)
    for option in GLOBAL_OPTIONS:
        _add_option(shared, option)
    parser = argparse.ArgumentParser(prog="engine", description="Installs Python distributions, fast and all at once.")
    parser.add_argument("-V", "--version", action="version", version=f"engine {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command, (positional, options, text) in COMMANDS.items():
        one = commands.add_parser(command, parents=[shared], help=text, description=text)
        for name in positional:
            if command == "cache":
                one.add_argument(name, choices=CACHE_ACTIONS)
            else:
                one.add_argument(name, metavar=name.upper())
        for option in options:
            _add_option(one, option)
    return parser


def _add_option(parser: "argparse.ArgumentParser", option: Option) -> None:
    flags, name, kind, metavar, text = option
    if kind == "flag":
        parser.add_argument(*flags, dest=name, action="count", default=0, help=text)
    elif kind == "list":
        parser.add_argument(*flags, dest=name, action="append", default=[], metavar=metavar, help=text)
    elif kind == "value":
        parser.add_argument(*flags, dest=name, metavar=metavar, help=text)
    else:
        parser.add_argument(*flags, dest=name, choices=kind, help=text)


def main(argv: "Sequence[str] | None" = None) -> int:
    """Runs the command line.

    Args:
        argv: the arguments without the program's name; None for those of the process.

    Returns:
        The exit code.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    values = scan_arguments(arguments)
    if values is None:
        try:
            values = vars(build_parser().parse_args(arguments))
        except SystemExit as exc:
            return exc.code if isinstance(exc.code, int) else USAGE
    from engine.errors import ConfigurationError, EngineError, InvalidLock

    # A run lives for a second: collecting cycles costs more than it frees (a tenth of all imports).
    gc.set_threshold(100_000, 50, 100)
    _signal.signal(_signal.SIGTERM, _terminate)
    try:
        return _sync(values) if values["command"] == "sync" else _cache(values)
    except (ConfigurationError, InvalidLock) as exc:
        _print_error(exc)
        return USAGE
    except EngineError as exc:
        _print_error(exc)
        return FAILED
    except KeyboardInterrupt:
        _say("interrupted; every environment is as it was, or as it should be")
        return INTERRUPTED


def _terminate(number: int, frame: object) -> None:
    raise SystemExit(TERMINATED)


def _cache_dir(values: "dict[str, Value]") -> str:
    from engine.storage import cache_root

    chosen = values["cache_dir"]
    return cache_root(str(chosen) if chosen else None, os.environ)


def _sync(values: "dict[str, Value]") -> int:
    from time import perf_counter

    from engine.errors import ConfigurationError, InvalidLock
    from engine.options import SyncOptions
    from engine.sync import sync

    start = perf_counter()
    pythons = values["python"]
    assert isinstance(pythons, list)
    options = SyncOptions(
        lock=str(values["lock"]),
        pythons=tuple(pythons),
        cache_dir=_cache_dir(values),
        index_url=str(values["index_url"]) if values["index_url"] else None,
        offline=bool(values["offline"]),
        dry_run=bool(values["dry_run"]),
        durable=bool(values["durable"]),
        link_mode=str(values["link_mode"] or "hardlink"),
    )
    quiet = int(values["quiet"])  # type: ignore[arg-type]
    outcomes = sync(options, os.environ, os.getcwd(), _view(quiet))
    for outcome in outcomes:
        _print_outcome(outcome, len(outcomes) > 1, options.dry_run, quiet, perf_counter() - start)
    if values["verbose"] and not quiet:
        for line in dict.fromkeys(line for outcome in outcomes for line in outcome.details):
            _say(f"   {escape(line)}")
    if any(isinstance(outcome.error, ConfigurationError | InvalidLock) for outcome in outcomes):
        return USAGE
    return FAILED if any(outcome.error is not None for outcome in outcomes) else OK


def _view(quiet: int) -> "View":
    from engine.reporting import View

    if quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        return View()
    from engine.terminal import TerminalView

    return TerminalView(sys.stderr, color=_colored())


def _colored() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _print_outcome(outcome: "Outcome", several: bool, dry_run: bool, quiet: int, seconds: float) -> None:
    if quiet < 2:
        for warning in dict.fromkeys(outcome.warnings):
            _say(f"{_paint('warning', '33')}: {escape(warning)}")
    where = f" in {escape(outcome.prefix)}" if several else ""
    if outcome.error is not None:
        if several:
            _say(f"{escape(outcome.prefix)} was left as it was:")
        _print_error(outcome.error)
        return
    if quiet:
        return
    if outcome.created and not dry_run:
        _say(f"Created an environment at {escape(outcome.prefix)}")
    if outcome.recovered:
        _say(f"Finished what an interrupted run had left{where}")
    took = f" in {seconds * 1000:.0f} ms" if seconds < 1 else f" in {seconds:.2f} s"
    if dry_run:
        took = ""
    would = "Would " if dry_run else ""
    if not (outcome.added or outcome.removed):
        _say(f"Nothing to do{where}: {_count(outcome.kept)} in place, checked{took}")
        return
    if outcome.removed:
        verb = f"{would}remove" if dry_run else "Removed"
        _say(f"{verb} {_count(len(outcome.removed))}{where}{'' if outcome.added else took}")
    if outcome.added:
        verb = f"{would}install" if dry_run else "Installed"
        _say(f"{verb} {_count(len(outcome.added))}{where}{took}")
    lines = [(name, 0, version) for name, version in outcome.removed]
    lines += [(name, 1, version) for name, version in outcome.added]
    for name, sign, version in sorted(lines):
        mark = _paint("+", "32") if sign else _paint("-", "31")
        _say(f" {mark} {escape(name)}=={escape(version)}")


def _count(number: int) -> str:
    return f"{number} distribution{'' if number == 1 else 's'}"


def _cache(values: "dict[str, Value]") -> int:
    root = _cache_dir(values)
    if values["action"] == "dir":
        print(root)
        return OK
    from engine.storage import clean_cache

    removed = clean_cache(root)
    if values["quiet"]:
        return OK
    if removed is None:
        _say(f"No cache at {escape(root)}")
    else:
        _say(f"Removed {removed[0]} files, {removed[1] / 1e6:.1f} MB from {escape(root)}")
    return OK


def _print_error(error: "EngineError") -> None:
    for problem in getattr(error, "problems", None) or [str(error)]:
        first, *rest = problem.splitlines() or [""]
        _say(f"{_paint('error', '31')}: {escape(first)}")
        for line in rest:
            _say(f"  {escape(line)}")
    if error.hint:
        _say(f"{_paint('hint', '36')}: {escape(error.hint)}")


def _paint(text: str, color: str) -> str:
    return f"\x1b[{color}m{text}\x1b[0m" if _colored() else text


def _say(text: str) -> None:
    try:
        print(text, file=sys.stderr)
    except OSError:  # nobody reads, or the disk is full: the work counts, not the words
        return


def escape(text: str) -> str:
    """Returns `text` with everything that a terminal could obey, or that hides, made visible."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def run() -> None:
    """The console script: `main`, and an end without taking the interpreter apart, which costs 15 ms.

    Everything is closed, committed and waited for by then.
    """
    for descriptor in (0, 1, 2):
        # A daemon may have closed them; files that we open must not take their place.
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    code = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # nobody reads
        code = code or FAILED
    os._exit(code)


if __name__ == "__main__":
    run()
