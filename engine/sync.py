"""`sync`: makes environments match a lock.  The door: finds targets and plans, goes the warm way or the cold one.

A lock that was synced before into the same kind of environment has a plan: what
is to be there, ready to link.  Then nothing is parsed and nothing heavy is
imported (`engine.warm`).  Whatever a plan cannot answer goes to `engine.cold`.
"""

import os
import sys

from cache import plans
from cache.layout import Layout
from engine import __version__
from engine.environment.target import Environment, find_environment, planned_environment
from engine.errors import ConfigurationError, EngineError, Offline
from engine.inputs import conditions_hold, read_inputs
from engine.light_sha256 import sha256
from engine.options import SyncOptions
from engine.reporting import Outcome, View
from engine.storage import check_place
from engine.work import Work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from engine.environment.interpreter import Interpreter
    from engine.recording import Recorder

#: Raised whenever a plan of an earlier engine would create something else than one of this engine.
PLAN_VERSION = 2


class Target:
    """An environment that was asked for, before its facts are known.

    Attributes:
        created: this run has made it.
        topmost: the topmost folder that this run has made for it, where it is not an environment.
        error: why nothing can be done with it, where that is known before there is any work.
        known: what earlier plans know of some lines of the lock, by the line's number.
    """

    __slots__ = ("created", "environment", "error", "interpreter", "key", "known", "plan", "topmost", "work")

    def __init__(self, environment: Environment, *, created: bool = False) -> None:
        self.environment = environment
        self.created = created
        self.topmost = ""
        self.error: EngineError | None = None
        self.key = ""
        self.plan: plans.Plan | None = None
        self.known: dict[int, plans.PlannedEntry] = {}
        self.interpreter: Interpreter | None = None
        self.work: Work | None = None


class Run:
    """One run of `sync`: what was asked, where things are, and who records, if anybody does."""

    def __init__(
        self,
        options: SyncOptions,
        environ: "Mapping[str, str]",
        cwd: str,
        view: View,
        recorder: "Recorder | None" = None,
    ) -> None:
        self.recorder = recorder
        self.options = options
        self.environ = environ
        self.cwd = cwd
        self.view = view
        self.layout = Layout(options.cache_dir)
        self.inputs = read_inputs(options.locks.files, options.locks.constraints, cwd, self.fetch)

    def fetch(self, url: str) -> tuple[str, bytes]:
        """Fetches a file of the lock; returns where it came from after redirects, and its bytes.

        Raises:
            Offline: when that is forbidden.
            EngineError: when it cannot be had.
        """
        from engine.credentials import without_credentials

        if self.options.offline:
            raise Offline(f"{without_credentials(url)} cannot be fetched", hint="run without --offline")
        from engine.loop import fetch

        return fetch(self, url)

    @property
    def bytecode(self) -> str:
        """What compiled files are checked against: `time`, `hash` (and that by nobody), or "" where none are wanted.

        Source: py_compile, "PycInvalidationMode", for SOURCE_DATE_EPOCH.
        """
        if not self.options.install.compile_bytecode:
            return ""
        return "hash" if self.environ.get("SOURCE_DATE_EPOCH") else "time"

    @property
    def refreshes(self) -> bool:
        """Whether indexes are to be asked although a plan has the answer."""
        network = self.options.network
        return not self.options.offline and (network.refresh or bool(network.refresh_packages))

    def plan_key(self, interpreter_key: str, layout: str = "") -> str:
        """Returns the key of the plan for an interpreter and a layout, or "" when there can be none."""
        parts: list[bytes] = []
        for one in self.inputs:
            parts += (f"{one.is_pylock:d}{one.constrains:d}{len(one.body)}\0".encode(), one.body)
        return self.answer_key(interpreter_key, layout, parts)

    def answer_key(self, interpreter_key: str, layout: str, parts: "Iterable[bytes]") -> str:
        """Returns a key for what options, an interpreter, a layout and something else lead to, or ""."""
        if not interpreter_key:
            return ""
        digest = sha256()
        # What an earlier run without the option has settled does not answer a strict one.
        strict = " strict" if self.options.strict_record else ""
        for part in (
            f"{PLAN_VERSION} {__version__} {sys.implementation.cache_tag}{strict}",
            self.options.indexes.identity,
            f"{interpreter_key} {layout} {self.bytecode}",
        ):
            digest.update(part.encode("utf-8", "surrogateescape") + b"\0")
        if identity := self.options.locks.identity:
            digest.update(identity.encode("utf-8", "surrogateescape") + b"\0")
        for body in parts:
            digest.update(body)
        key: str = digest.hexdigest()
        return key

    def load_plan(self, key: str) -> "plans.Plan | None":
        """Returns the stored plan of a key, as long as what it depended on is still so."""
        plan = plans.load(self.layout.plan(key))
        if plan is None or not plan.conditions:
            return plan
        return plan if conditions_hold(plan.conditions, self.inputs, self.cwd, self.environ) else None


def sync(
    options: SyncOptions, environ: "Mapping[str, str]", cwd: str, view: View, recorder: "Recorder | None" = None
) -> list[Outcome]:
    """Makes every environment that `options` names match the lock.

    Args:
        options: what was asked.
        environ: the environment variables.
        cwd: absolute path that relative paths start from.
        view: where progress is shown.
        recorder: learns what is done and when, or None.

    Returns:
        One outcome per environment, in the order of `--python`.  An environment with an error is as it was before.

    Raises:
        EngineError: when the run cannot start at all.
    """
    return carry_out(Run(options, environ, cwd, view, recorder), _sync_targets)


def carry_out(run: Run, change: "Callable[[Run, list[Target]], None]") -> list[Outcome]:
    """Finds or makes the environments of a run, has them changed, and tells how that went.

    Args:
        run: what was asked.
        change: changes the targets; what fails for one alone is left as the error of the target, or of its work.

    Returns:
        As `sync` does.

    Raises:
        EngineError: when the run cannot start at all.
    """
    options, recorder = run.options, run.recorder
    _check_options(options)
    check_place(options.cache_dir, [run.cwd])
    targets, outcomes = _find_targets(run)
    check_place(options.cache_dir, [target.environment.prefix for target in targets if target.environment.prefix])
    if recorder is not None:
        recorder.add("find", "environments", recorder.started_ns)
        recorder.run, recorder.targets = run, targets
    finished = False
    try:
        _make_folders(run, targets)
        change(run, targets)
        finished = True
    finally:
        for target in targets:
            failed = target.error is not None or (target.work is not None and target.work.error is not None)
            if (target.created or target.topmost) and not run.options.dry_run and (failed or not finished):
                _remove_if_useless(target)
        found = {id(target): _outcome(target) for target in targets}
        done = [outcome if isinstance(outcome, Outcome) else found[id(outcome)] for outcome in outcomes]
        if recorder is not None:
            recorder.outcomes = done
    return done


def _check_options(options: SyncOptions) -> None:
    """Checks that the options do not contradict each other.

    Raises:
        ConfigurationError: when they do.
    """
    install = options.install
    if install.target and install.prefix:
        raise ConfigurationError("--target and --prefix cannot be used together", hint="each says where to install")
    folder = "--target" if install.target else "--prefix" if install.prefix else "--system" if install.system else ""
    if folder and len(options.pythons) > 1:
        raise ConfigurationError(f"{folder} and several --python cannot be used together", hint="run once for each")


def _make_folders(run: Run, targets: list[Target]) -> None:
    for target in targets:
        if target.environment.layout and not run.options.dry_run:
            from engine.environment.layouts import make_folder

            target.topmost = make_folder(target.environment.prefix)


def _sync_targets(run: Run, targets: list[Target]) -> None:
    cold = []
    for target in targets:
        # A plain interpreter has no plan: whether it may be changed is asked each time.
        if (environment := target.environment).prefix:
            target.key = run.plan_key(environment.interpreter_key, environment.layout)
        started = run.recorder.now() if run.recorder is not None else 0
        target.plan = run.load_plan(target.key) if target.key and not run.refreshes else None
        if target.plan is not None:
            plans.note_use(run.layout.plan(target.key))
        elif target.key and not run.refreshes:
            from engine.known_lines import recall

            recall(run, target)
        if run.recorder is not None:
            run.recorder.add("plan", target.environment.prefix, started, details={"found": target.plan is not None})
        if target.plan is None:
            cold.append(target)
        else:
            target.work = Work(target.environment, target.plan.schemes, run.options.install)
    warm = [target for target in targets if target.plan is not None]
    if warm:
        from engine.warm import sync_warm

        cold.extend(sync_warm(run, warm))
    if cold:
        try:
            _sync_cold(run, cold)
        except EngineError as exc:
            if len(cold) == len(targets):
                raise
            for target in cold:
                target.error = exc


def _sync_cold(run: Run, cold: list[Target]) -> None:
    from engine.cold import sync_cold
    from engine.space import enough

    with enough():
        sync_cold(run, cold)


def _find_targets(run: Run) -> tuple[list[Target], list[Target | Outcome]]:
    """Returns the targets, and for every `--python` its target, or the outcome where it names none.

    Raises:
        EngineError: when it is the only one.
    """
    targets: list[Target] = []
    outcomes: list[Target | Outcome] = []
    for python in run.options.pythons or (None,):
        try:
            environment = _environment(run, python)
            created = environment is None
            if environment is None:
                environment = _create(run, python)
            target = Target(environment, created=created)
        except EngineError as exc:
            if len(run.options.pythons) < 2:
                raise
            outcomes.append(Outcome(python or "", error=exc))
            continue
        if any(same(environment, other.environment) for other in targets):
            continue
        targets.append(target)
        outcomes.append(target)
    return targets, outcomes


def _environment(run: Run, python: str | None) -> Environment | None:
    """Returns what to install into, or None where an environment has to be made first."""
    install = run.options.install
    # What may be a version, and is judged by whoever knows their grammar.
    version = python is not None and (python[:1].isdigit() or python.startswith(("cpython", "pypy", "graalpy")))
    if version or install.target or install.prefix or install.system:
        from engine.environment.requests import requested_environment

        return requested_environment(python, install, run.environ, run.cwd)
    return find_environment(python, run.environ, run.cwd)


def same(one: Environment, other: Environment) -> bool:
    """Tells whether two ways of asking name one environment."""
    return _place(one) == _place(other)


def _place(environment: Environment) -> str:
    return os.path.realpath(environment.prefix) if environment.prefix else environment.python


def _remove_if_useless(target: Target) -> None:
    """Takes back a `.venv` that this run has made when it then failed, unless somebody has used it meanwhile."""
    prefix = target.environment.prefix
    if target.topmost:
        from engine.environment.layouts import take_back

        take_back(prefix, target.topmost)
        return
    if os.path.exists(os.path.join(prefix, ".engine")) or not os.path.isfile(os.path.join(prefix, "pyvenv.cfg")):
        return
    for folder, folders, _ in os.walk(prefix):
        if any(name.endswith((".dist-info", ".egg-info")) for name in folders):
            return
        if folder.endswith("site-packages"):
            folders.clear()
    import shutil

    shutil.rmtree(prefix, ignore_errors=True)
    target.created = False


def _create(run: Run, python: str | None) -> Environment:
    """Makes `.venv`; a dry run only says what it would be."""
    from engine.environment.create import create_environment, default_base_executable

    path = os.path.join(run.cwd, ".venv")
    base = None
    if python is not None:
        from engine.environment.requests import find_interpreter, parse_request

        if (request := parse_request(python)) is not None:
            base = find_interpreter(request, run.environ)
    base = base or default_base_executable(run.environ)
    if run.options.dry_run:
        return planned_environment(path, base)
    create_environment(path, base)
    environment = find_environment(path, run.environ, run.cwd)
    assert environment is not None, "it was just made"
    return environment


def _outcome(target: Target) -> Outcome:
    work = target.work
    if work is None:
        return Outcome(target.environment.prefix or target.environment.python, error=target.error)
    return Outcome(
        work.environment.prefix,
        created=target.created,
        added=work.added,
        removed=work.removed,
        kept=work.kept,
        warnings=work.warnings,
        details=work.details,
        recovered=work.recovered,
        error=target.error or work.error,
    )
