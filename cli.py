"""The command line: arguments, exit codes, printing.

Starts fast and imports late: a warm sync pays for every module it meets here.
Which commands and options there are is in `engine.arguments`, the words of what
happened in `engine.printing`.

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
    from collections.abc import Callable, Sequence

    from engine.arguments import Value
    from engine.documents import Documents
    from engine.options import SyncOptions
    from engine.printing import Style
    from engine.recording import Recorder
    from engine.reporting import Outcome, View
    from engine.settings.complete import Completed

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
    from engine.printing import choose_style, error_lines

    # A run lives for a second: collecting cycles costs more than it frees (a tenth of all imports).
    gc.set_threshold(100_000, 50, 100)
    _signal.signal(_signal.SIGTERM, _terminate)
    is_terminal = sys.stderr.isatty()
    style = choose_style(str(values["color"] or "auto"), os.environ, os.getcwd(), is_terminal=is_terminal)
    try:
        from engine.settings.complete import complete

        wanted = complete(values, os.environ, os.getcwd())
        if wanted.values["color"] != values["color"]:
            style = choose_style(str(wanted.values["color"]), os.environ, os.getcwd(), is_terminal=is_terminal)
        _tell(wanted, style)
        return _obey(wanted, style, arguments)
    except (ConfigurationError, InvalidLock) as exc:
        _say(*error_lines(exc, style))
        return USAGE
    except EngineError as exc:
        _say(*error_lines(exc, style))
        return FAILED
    except KeyboardInterrupt:
        _say("interrupted; every environment is as it was, or as it should be")
        return INTERRUPTED


def _obey(wanted: "Completed", style: "Style", arguments: "list[str]") -> int:
    values = wanted.values
    if str(values["command"]).startswith("cache"):
        return _cache(values, style)
    if values["no_cache"]:
        from engine.storage import TemporaryCache

        with TemporaryCache() as folder:
            values["cache_dir"] = folder
            return _run(wanted, style, arguments)
    code = _run(wanted, style, arguments)
    if code == OK and not values.get("check"):
        wanted.memory.keep()
    return code


def _run(wanted: "Completed", style: "Style", arguments: "list[str]") -> int:
    if wanted.values["command"] == "compile":
        return _compile(wanted, style, arguments)
    if wanted.values["command"] == "lock":
        return _lock(wanted, style)
    return _change(wanted, style)


def _terminate(number: int, frame: object) -> None:
    raise SystemExit(TERMINATED)


def _tell(wanted: "Completed", style: "Style") -> None:
    """Says which settings do not count, and to those who asked for more, where settings came from."""
    from engine.printing import detail, warning_lines

    if int(wanted.values["quiet"] or 0) < 2:  # type: ignore[arg-type]
        _say(*warning_lines(wanted.warnings, style))
    if wanted.values["verbose"] and not wanted.values["quiet"]:
        _say(*style.sealed(detail(line) for line in wanted.details))


def _cache_dir(values: "dict[str, Value]") -> str:
    from engine.storage import cache_root

    chosen = values["cache_dir"]
    return cache_root(str(chosen) if chosen else None, os.environ)


def _change(wanted: "Completed", style: "Style") -> int:
    """Runs a command that changes environments: `sync` or `install`."""
    from time import perf_counter

    start = perf_counter()
    values = wanted.values
    options = _options(wanted)
    quiet = int(values["quiet"])  # type: ignore[arg-type]
    view = _view(style, hidden=bool(quiet or values["no_progress"]))
    documents = _documents(values)
    try:
        outcomes = _outcomes(values, options, view, documents.recorder if documents is not None else None)
    except BaseException as exc:
        if documents is not None:
            _write(documents, style, exc)
        raise
    written = documents is None or _write(documents, style)
    _tell_outcomes(outcomes, options, style, quiet=quiet, seconds=perf_counter() - start)
    if values["verbose"] and not quiet:
        _tell_details(outcomes, documents, values, style)
    code = _code(outcomes, check=options.check)
    return code if written else code or FAILED


def _outcomes(
    values: "dict[str, Value]", options: "SyncOptions", view: "View", recorder: "Recorder | None"
) -> "list[Outcome]":
    if values["command"] == "install":
        from engine.install_arguments import install_request
        from engine.installing import install

        return install(install_request(values, options), os.environ, os.getcwd(), view, recorder)
    from engine.sync import sync

    return sync(options, os.environ, os.getcwd(), view, recorder)


def _places(wanted: "Completed") -> "SyncOptions":
    """Returns what a resolution has of the options of a sync: cache, indexes and network."""
    from engine.compile_arguments import project_of
    from engine.locations import IndexOptions
    from engine.options import LockOptions, NetworkOptions, SyncOptions

    values = wanted.values

    def words(name: str) -> list[str]:
        found = values[name]
        return found if isinstance(found, list) else []

    # Who wants the newest versions wants to hear of them, as with uv.
    upgraded = {
        "refresh": values["refresh"] or values["upgrade"],
        "refresh_package": [*words("refresh_package"), *(project_of(word) for word in words("upgrade_package"))],
    }
    return SyncOptions(
        locks=LockOptions(files=()),
        pythons=(),
        cache_dir=_cache_dir(values),
        indexes=IndexOptions.from_words(
            values, os.getcwd(), further=wanted.indexes, fallback=wanted.default_index, pins=wanted.sources
        ),
        network=NetworkOptions.from_words({**values, **upgraded}, os.getcwd()),
        offline=bool(values["offline"]),
    )


def _compile(wanted: "Completed", style: "Style", arguments: "list[str]") -> int:
    from engine.compile_arguments import compile_options
    from engine.compiling import compile_lock
    from engine.printing import detail, warning_lines

    values = wanted.values
    options = compile_options(values, _places(wanted), os.getcwd(), arguments, os.environ)
    quiet, check = int(values["quiet"]), bool(values["check"])  # type: ignore[arg-type]
    view = _view(style, hidden=bool(quiet or values["no_progress"]))
    compiled = compile_lock(options, os.environ, os.getcwd(), view, write=not (check or values["dry_run"]))
    if quiet < 2:
        _say(*warning_lines(compiled.warnings, style))
    if values["verbose"] and not quiet:
        _say(*style.sealed(detail(line) for line in compiled.details))
    if not check and (options.output is None or not quiet):
        sys.stdout.write(compiled.text)
    return FAILED if check and compiled.changed else OK


def _lock(wanted: "Completed", style: "Style") -> int:
    from engine.lock_arguments import lock_options
    from engine.locking import differs, lock_lines, lock_project
    from engine.printing import detail, error_lines, warning_lines

    values = wanted.values
    options = lock_options(values, _places(wanted), os.getcwd())
    quiet, check = int(values["quiet"]), bool(values["check"])  # type: ignore[arg-type]
    view = _view(style, hidden=bool(quiet or values["no_progress"]))
    written = not (check or values["dry_run"])
    locked = lock_project(options, os.environ, os.getcwd(), view, write=written)
    if quiet < 2:
        _say(*warning_lines(locked.warnings, style))
    if not quiet:
        _say(*style.sealed(detail(line) for line in locked.details if values["verbose"]))
        _say(*style.sealed(lock_lines(locked, style, written=written)))
    if check and locked.changed:
        _say(*error_lines(differs(options), style))
        return FAILED
    return OK


def _options(wanted: "Completed") -> "SyncOptions":
    from engine.locations import IndexOptions
    from engine.options import InstallOptions, LockOptions, NetworkOptions, SyncOptions, lock_here, whole_number

    values = wanted.values
    if values["command"] == "sync" and not values["lock"]:
        values["lock"] = [lock_here(os.getcwd())]
    pythons = values["python"]
    assert isinstance(pythons, list)
    return SyncOptions(
        locks=LockOptions.from_words(values),
        pythons=tuple(pythons),
        cache_dir=_cache_dir(values),
        indexes=IndexOptions.from_words(
            values, os.getcwd(), further=wanted.indexes, fallback=wanted.default_index, pins=wanted.sources
        ),
        network=NetworkOptions.from_words(values, os.getcwd()),
        offline=bool(values["offline"]),
        dry_run=bool(values["dry_run"]),
        check=bool(values.get("check")),
        durable=bool(values["durable"]),
        strict_record=bool(values["strict_record"]),
        link_mode=str(values["link_mode"] or "hardlink"),
        concurrent_installs=whole_number(values, "concurrent_installs"),
        install=InstallOptions.from_words(values, os.getcwd()),
    )


def _tell_outcomes(
    outcomes: "Sequence[Outcome]", options: "SyncOptions", style: "Style", *, quiet: int, seconds: float
) -> None:
    from engine.printing import outcome_lines

    for outcome in outcomes:
        lines = outcome_lines(
            *(outcome, style),
            several=len(outcomes) > 1,
            dry_run=options.dry_run,
            quiet=quiet,
            seconds=seconds,
            check=options.check,
        )
        _say(*lines)


def _tell_details(
    outcomes: "Sequence[Outcome]", documents: "Documents | None", values: "dict[str, Value]", style: "Style"
) -> None:
    from engine.printing import detail_lines, wheel_lines

    _say(*detail_lines(outcomes, style))
    if documents is not None and int(values["verbose"]) > 1:  # type: ignore[arg-type]
        _say(*wheel_lines(documents.recorder.artifacts.values(), style))


def _code(outcomes: "Sequence[Outcome]", *, check: bool) -> int:
    from engine.errors import ConfigurationError, InvalidLock

    if any(isinstance(outcome.error, ConfigurationError | InvalidLock) for outcome in outcomes):
        return USAGE
    if any(outcome.error is not None for outcome in outcomes):
        return FAILED
    return FAILED if check and any(outcome.added or outcome.removed for outcome in outcomes) else OK


def _documents(values: "dict[str, Value]") -> "Documents | None":
    report, trace = values["report"], values["trace"]
    if report is None and trace is None and int(values["verbose"]) < 2:  # type: ignore[arg-type]
        return None
    from engine.documents import Documents

    return Documents(report=None if report is None else str(report), trace=None if trace is None else str(trace))


def _write(documents: "Documents", style: "Style", error: BaseException | None = None) -> bool:
    """Writes documents, and returns whether that went well; what else went wrong is told by the caller."""
    from engine.errors import ReportFailed
    from engine.printing import error_lines

    try:
        sys.stdout.write(documents.write(error))
    except ReportFailed as exc:
        _say(*error_lines(exc, style))
        return False
    except OSError:  # nobody reads
        return False
    return True


def _view(style: "Style", *, hidden: bool) -> "View":
    from engine.reporting import View

    if hidden or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        return View()
    from engine.terminal import TerminalView

    return TerminalView(sys.stderr, color=style.color)


def _cache(values: "dict[str, Value]", style: "Style") -> int:
    root = _cache_dir(values)
    if values["command"] == "cache dir":
        print(root)
        return OK
    from engine.housekeeping import run_command
    from engine.printing import escape, warning_lines

    report = run_command(values, root, os.getcwd())
    quiet = int(values["quiet"])  # type: ignore[arg-type]
    for line in report.out:
        print(escape(line))
    if not quiet:
        _say(*style.sealed(escape(line) for line in report.said))
    if quiet < 2:
        _say(*warning_lines(report.warned, style))
    return OK if report.sound else FAILED


def _say(*lines: str) -> None:
    try:
        for line in lines:
            print(line, file=sys.stderr)
    except OSError:  # nobody reads, or the disk is full: the work counts, not the words
        return


def run(at_end: "Callable[[], None] | None" = None) -> None:
    """The console script: `main`, and an end without taking the interpreter apart, which costs 15 ms.

    Everything is closed, committed and waited for by then.

    Args:
        at_end: called when the work is over, however it ended.
    """
    for descriptor in (0, 1, 2):
        # A daemon may have closed them; files that we open must not take their place.
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    try:
        code = main()
    finally:
        if at_end is not None:
            at_end()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # nobody reads
        code = code or FAILED
    os._exit(code)


if __name__ == "__main__":
    run()
