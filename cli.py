"""The command line: arguments, exit codes, printing.

Starts fast and imports late: a warm sync pays for every module it meets here.
Which commands and options there are is in `engine.arguments`.

Expected errors are one `error:` line and a `hint:` on standard error; only bugs
show a traceback.
"""

import _signal  # type: ignore[import-not-found]  # `signal` without its enums, which cost 2 ms
import gc
import os
import sys

from engine.arguments import parse_arguments, scan_arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.arguments import Value
    from engine.errors import EngineError
    from engine.reporting import Outcome, View

#: Exit codes; the table in README.md says the same.
OK = 0
FAILED = 1
USAGE = 2
INTERRUPTED = 130
TERMINATED = 143


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
            values = parse_arguments(arguments)
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
        strict_record=bool(values["strict_record"]),
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
    if values["command"] == "cache dir":
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
