"""The cold half of a sync: everything that a plan could not answer.

Starts what takes time first (the worker processes, then the children that ask
unknown interpreters about themselves), imports the heavy libraries while those
run, and hands over to the pipeline.  At the end it stores the plans that make
the next run warm.
"""

import os

from cache import plans
from cache.records import RecordStore
from engine.environment.layouts import schemes_of
from engine.errors import EngineError, InvalidEnvironment
from engine.recording import timed
from engine.scratch import Scratch
from engine.sync import Run, Target
from engine.work import Work
from engine.workers import Workers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engine.bytecode.kind import BytecodeKind
    from engine.chosen import Chosen
    from engine.environment.interpreter import Interpreter, Probe
    from engine.index.compatibility import Target as Compatible
    from engine.inputs import Conditions
    from engine.lock.lock import Lock
    from engine.lock.pins import Pin
    from engine.lock.reading import LockReader
    from engine.network.trust import Trust

INTERPRETERS = "interpreters-v1"


def sync_cold(run: Run, targets: list[Target]) -> None:
    """Syncs targets through the pipeline; each target's work tells how it went.

    Raises:
        EngineError: when nothing could be started.
    """
    if run.options.check:
        _compare_only(Preparation(run, targets))
        return
    scratch = Scratch(run.layout)
    try:
        options = run.options
        with timed(run.recorder, "fork", "workers"):
            workers = Workers(
                run.layout.root,
                scratch.folder,
                options.link_mode,
                strict_record=options.strict_record,
                recorder=run.recorder,
                most=options.concurrent_installs,
            )
        try:
            _sync(run, targets, scratch.folder, workers)
            if not scratch.in_cache:
                _say_unusable(run, targets)
        finally:
            workers.close()
    finally:
        for target in targets:
            if target.work is not None:
                target.work.close()
        scratch.close()


def _say_unusable(run: Run, targets: list[Target]) -> None:
    """Tells once that nothing was kept in the cache: who can read it has use of it, who cannot will want to know."""
    work = next((target.work for target in targets if target.work is not None), None)
    if work is None:
        return
    if os.access(run.layout.root, os.R_OK | os.X_OK):
        work.details.append(f"the cache {run.layout.root} cannot be written: what it lacks is not kept")
    else:
        work.warnings.append(
            f"the cache {run.layout.root} cannot be used: permission denied; ENGINE_CACHE_DIR names another one"
        )


def _compare_only(preparation: "Preparation") -> None:
    """Compares what is installed with the lock, and asks no index."""
    try:
        for _ in preparation.steps():
            pass
    finally:
        preparation.cancel()


def _sync(run: Run, targets: list[Target], scratch: str, workers: Workers) -> None:
    preparation = Preparation(run, targets)
    answers: dict[str, dict[str, plans.PlannedEntry]] = {}
    try:
        guesses = preparation.guess_projects()
        if not guesses:
            for _ in preparation.steps():
                pass
        if guesses or preparation.work_to_do:
            if not guesses:
                workers.wake()
            trust = open_trust(run)
            first = None
            if guesses:
                from engine.index.first import ask_first
                from engine.index.source import sources

                first = ask_first(run, trust, sources(run, None), guesses)
            with timed(run.recorder, "import", "engine.loop"):
                from engine.loop import run_loop

            answers = run_loop(run, preparation, guesses, scratch, workers, trust, first)
    finally:
        preparation.cancel()
    if not run.options.dry_run and preparation.lock is not None:
        for target in targets:
            if target.work is None or target.error is not None:
                continue
            with timed(run.recorder, "store", "plan"):
                _store_plan(run, target, preparation, answers.get(_work(target).environment.prefix, {}))


def open_trust(run: Run) -> "Trust":
    """Returns the TLS settings; where they will be needed, authorities are read while the rest is imported."""
    from engine.network.trust import Trust

    trust = Trust(run.options.network, run.environ)
    default = run.options.indexes.default
    if not run.options.offline and not (default is not None and default.url.startswith("http:")):
        trust.start()
    return trust


class Preparation:
    """What has to be known before anything is chosen: the lock, the interpreters, what is installed.

    Making one starts the children that ask unknown interpreters; `steps` does the
    rest in pieces, so that an event loop can go on between them.

    Attributes:
        lock: after `steps`.
        pins: those of each target, by its `id`, after `steps`.
        conditions: what a stored answer depends on, or None when it cannot be stored, after `steps`.
        needs: what is missing where, after `steps`.
        works: the environments that have something to change, after `steps`.
    """

    def __init__(self, run: Run, targets: list[Target]) -> None:
        self._run = run
        self._targets = targets
        self._facts = Facts(run, targets)
        self._done = False
        self.lock: Lock | None = None
        self.pins: dict[int, tuple[Pin, ...]] = {}
        self.conditions: Conditions | tuple[()] | None = ()
        self.needs: list[Need] = []
        self.works: list[Work] = []

    def guess_projects(self) -> list[str]:
        """Returns projects whose pages will probably be needed, without waiting for anything.

        Only while a child is still asked about an interpreter: otherwise what is needed is known as fast.
        """
        if not self._facts.waiting or self._run.options.offline:
            return []
        from engine.guessing import guess_projects

        return guess_projects(self._run, [target.environment for target in self._targets])

    def steps(self) -> "Iterator[None]":
        """Finds everything out, in pieces of a few milliseconds.

        Raises:
            EngineError: when the lock, an interpreter or an environment is wrong.
        """
        if self._done:
            return
        with timed(self._run.recorder, "parse", "lock"):
            reader = _reader(self._run)
            self.lock = reader.read()
        yield
        with timed(self._run.recorder, "wait", "interpreters"):
            self._facts.read()
        yield
        known: dict[int, Compatible] = {}
        for target in self._targets:
            try:
                if target.error is None:
                    with timed(self._run.recorder, "compare", target.environment.prefix):
                        self.needs.extend(_compare(self._run, target, self._select(target, reader), known))
            except EngineError as exc:
                target.error = exc
        self.conditions = reader.conditions
        if all(target.error is not None for target in self._targets) and self._targets[0].error is not None:
            raise self._targets[0].error
        working = [_work(target) for target in self._targets if target.error is None]
        for work in working:
            work.warnings.extend(self.lock.warnings)
            work.details.extend(self.lock.notes)
        self.works = [work for work in working if work.changes]
        self._done = True

    def _select(self, target: Target, reader: "LockReader") -> "tuple[Pin, ...] | None":
        """Returns the pins that apply to a target, and remembers them; None where nothing is to be changed."""
        assert self.lock is not None and target.interpreter is not None
        if self.lock.is_void:
            return None
        pins = self.lock.select(target.interpreter)
        if any(pin.file is not None and pin.file.url.startswith("file:") for pin in pins):
            from engine.lock.local_wheels import with_local_files

            pins = with_local_files(pins, reader)
        self.pins[id(target)] = pins
        return pins

    @property
    def work_to_do(self) -> bool:
        """Whether the pipeline is needed."""
        return bool(self.needs or (self.works and not self._run.options.dry_run))

    def cancel(self) -> None:
        """Ends the children that nobody waits for any more."""
        self._facts.cancel()


def _work(target: Target) -> Work:
    assert target.work is not None
    return target.work


def _reader(run: Run) -> "LockReader":
    from engine.lock.reading import LockReader

    return LockReader(run.inputs, run.options.locks, environ=run.environ, cwd=run.cwd, fetch=run.fetch)


class Need:
    """A pin that an environment has not got yet; `chosen` is its wheel, where that is settled already."""

    __slots__ = ("chosen", "compatible", "pin", "work")

    def __init__(self, work: Work, compatible: "Compatible", pin: "Pin") -> None:
        self.work = work
        self.compatible = compatible
        self.pin = pin
        self.chosen: Chosen | None = None


def _compare(
    run: Run, target: Target, selected: "tuple[Pin, ...] | None", known: "dict[int, Compatible]"
) -> list[Need]:
    """Decides what a target lacks; brings its work up to date.  `known` has what each interpreter can use."""
    work = begin_work(run, target)
    if selected is None:
        work.kept = len(work.installed)
        return []
    if not selected and not run.options.locks.allow_empty:
        work.warnings.append("the lock pins nothing that applies to this environment")
    return missing(target, selected, known)


def begin_work(run: Run, target: Target) -> Work:
    """Looks at what is installed in a target whose interpreter is known, and gives it its work.

    Raises:
        InvalidEnvironment: when the environment is not the user's to change, or cannot be read.
        InstallFailed: when what a killed run has left cannot be finished.
    """
    interpreter = target.interpreter
    assert interpreter is not None
    environment = target.environment
    if not environment.prefix:
        environment.prefix = interpreter.prefix
    if not environment.interpreter_key:
        environment.python = interpreter.executable
    if not environment.is_virtual:
        _check_may_change(run, environment.prefix, interpreter)
    warnings = target.work.warnings if target.work is not None else []
    work = target.work = Work(environment, schemes_of(environment, interpreter.schemes), run.options.install)
    work.warnings.extend(warnings)
    if run.bytecode:
        work.bytecode = _bytecode_kind(run, work, interpreter)
    work.scan(recovering=not run.options.dry_run)
    return work


def missing(target: Target, selected: "Iterable[Pin]", known: "dict[int, Compatible]") -> list[Need]:
    """Returns the pins that a target lacks; its work knows then what changes.

    Args:
        target: its work has begun.
        selected: all that is to be there, each project once.
        known: what interpreters can use, by their `id`; what is found out is added.
    """
    work, interpreter = _work(target), target.interpreter
    assert interpreter is not None
    pins = {pin.name: pin for pin in selected}
    direct: dict[str, str] = {name: text for name, pin in pins.items() if (text := pin.direct_url)}
    names = work.compare(((name, pin.version_text) for name, pin in pins.items()), direct)
    if not names:
        return []
    compatible = known.setdefault(id(interpreter), compatible_with(interpreter))
    needs = [Need(work, compatible, pins[name]) for name in names]  # type: ignore[index]
    for need in needs if target.known else ():
        need.chosen = _known_wheel(need.pin, target)
    return needs


def _known_wheel(pin: "Pin", target: Target) -> "Chosen | None":
    """Returns the wheel that an earlier plan has for the line of a pin."""
    entry = target.known.get(pin.line)
    if entry is None or entry.name != pin.name:
        return None
    from urllib.parse import unquote

    from engine.chosen import Chosen

    filename = unquote(entry.url.partition("?")[0].rpartition("/")[2])
    size, promised = entry.size_bytes or None, {"sha256": entry.sha256}
    warnings = (entry.yanked,) if entry.yanked else ()
    return Chosen(entry.url, filename, size, entry.sha256, promised, warnings, entry.yanked)


def _bytecode_kind(run: Run, work: Work, interpreter: "Interpreter") -> "BytecodeKind | None":
    from engine.bytecode.kind import BytecodeKind

    if not interpreter.cache_tag:
        work.warnings.append(f"{interpreter.executable} keeps no bytecode; nothing is compiled for it")
        return None
    return BytecodeKind(
        python=interpreter.executable,
        cache_tag=interpreter.cache_tag,
        magic=interpreter.bytecode_magic,
        hashed=run.bytecode == "hash",
    )


def _check_may_change(run: Run, prefix: str, interpreter: "Interpreter") -> None:
    """Checks that an interpreter's own environment is the user's to change.

    Raises:
        InvalidEnvironment: when another tool manages it, or its folder cannot be written.

    Source: PEP 668.
    """
    if run.options.dry_run:
        return
    reason = interpreter.externally_managed
    if reason is not None and not run.options.install.break_system_packages:
        raise InvalidEnvironment(
            f"{prefix} is managed by another tool: {reason}",
            hint="make a virtual environment and sync that, or use --target or --prefix; "
            "--break-system-packages changes it all the same",
        )
    for folder in (interpreter.schemes["purelib"], prefix):
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise InvalidEnvironment(
                f"the environment of {interpreter.executable} cannot be changed: no permission to write to {folder}",
                hint="make a virtual environment and sync that, or use --target or --prefix",
            )


def compatible_with(interpreter: "Interpreter") -> "Compatible":
    """Returns what an interpreter can use."""
    from engine.index.compatibility import Target as Compatible

    markers = interpreter.markers
    machine = f"{markers['sys_platform']} {markers['platform_machine']}"
    return Compatible(
        tag_priority=interpreter.tag_priority,
        python_full_version=markers["python_full_version"],
        describe=f"{interpreter.implementation} {interpreter.version} on {machine}",
    )


def _store_plan(run: Run, target: Target, preparation: Preparation, answers: dict[str, plans.PlannedEntry]) -> None:
    """Remembers the answer, so that the next run needs no pipeline."""
    work = _work(target)
    if not target.key or work.error is not None or preparation.conditions is None:
        return
    from engine.known_lines import lines_of, read_lines, remember

    assert preparation.lock is not None
    earlier = {entry.name: entry for entry in (target.plan.entries if target.plan else target.known.values())}
    pins = preparation.pins[id(target)]
    entries = []
    for pin in pins:
        entry = answers.get(pin.name) or earlier.get(pin.name)
        entries.append(entry or plans.PlannedEntry(pin.name, pin.version_text, direct_url=pin.direct_url))
    found = [entry.url for entry in entries if entry.url.startswith("file:") and not entry.direct_url]
    conditions = _with_local_wheels(preparation.conditions, found) if found else preparation.conditions
    try:
        lines = read_lines(run) if not conditions and not found else None
        known = lines_of(lines, preparation.lock, pins) if lines is not None else None
        remember(run, target, plans.Plan(work.relative, entries, conditions, known), lines)
    except OSError:
        return  # a cache that cannot be written: the next run does the same work again


def _with_local_wheels(conditions: "Conditions | tuple[()]", urls: list[str]) -> "Conditions":
    """Makes an answer depend on wheels that were found in folders: unlike an index's, they may be written anew."""
    from engine.local import local_path

    place, files, names, values = conditions or ("", (), (), "")
    for path in map(local_path, urls):
        try:
            status = os.stat(path)
        except OSError:
            continue  # it has gone, and what it was is in the cache
        files = (*files, (path, "", status.st_size, status.st_mtime_ns))
    return place, files, names, values


class Facts:
    """The facts of all interpreters; unknown ones are asked while other things go on."""

    def __init__(self, run: Run, targets: list[Target]) -> None:
        from engine.environment.interpreter import Interpreter, start_probe

        self._targets = targets
        self._records = RecordStore(run.layout.bucket(INTERPRETERS))
        # What only compares makes no cache.
        self._stores = not run.options.check or os.path.isdir(run.layout.root)
        self._known: dict[str, Interpreter] = {}
        self._probes: dict[str, Probe] = {}
        for target in targets:
            identity = self._identity(target)
            if identity in self._known or identity in self._probes:
                continue
            key = target.environment.interpreter_key
            body = self._records.get(key) if key else None
            facts = Interpreter.from_json(body) if body is not None else None
            if facts is not None:
                self._known[identity] = facts
            else:
                executable = target.environment.python if not key else target.environment.base_executable
                self._probes[identity] = start_probe(executable, is_virtual=target.environment.is_virtual)

    @property
    def waiting(self) -> bool:
        """Whether children were started."""
        return bool(self._probes)

    @staticmethod
    def _identity(target: Target) -> str:
        return target.environment.interpreter_key or target.environment.python

    def read(self) -> None:
        """Waits for the children and gives every target its interpreter, or the error that it cannot say what it is."""
        for target in self._targets:
            identity = self._identity(target)
            if identity not in self._known:
                try:
                    self._known[identity] = facts = self._probes[identity].result()
                except EngineError as exc:
                    target.error = exc
                    continue
                if target.environment.interpreter_key and self._stores:
                    self._records.put(target.environment.interpreter_key, facts.to_json())
            target.interpreter = self._known[identity]

    def cancel(self) -> None:
        """Ends the children that nobody waits for any more."""
        for probe in self._probes.values():
            probe.cancel()
