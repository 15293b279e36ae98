"""`compile`: from what is wanted to a lock with every version.  The door: reads, resolves, writes.

Owns the order of things.  What is wanted is read by `engine.wanted`, versions are found
by `engine.solving` and `resolver`, and the text is made by `engine.compiled`.

Rules: as with a sync, the first questions leave before anything else is imported,
where it can be guessed what will be asked.  The output file is replaced by
one rename, and only when there is an answer.
"""

import importlib
import os
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from cache.records import RecordStore
from engine.cold import INTERPRETERS
from engine.environment.create import default_base_executable
from engine.environment.installed import normalize_name
from engine.environment.interpreter import Interpreter, Probe, start_probe
from engine.environment.requests import find_interpreter, parse_request
from engine.environment.target import Environment, find_environment, planned_environment
from engine.errors import EngineError, InstallFailed
from engine.guessing import wanted_names
from engine.inputs import STANDARD_INPUT, is_web_address, read_named
from engine.options import SyncOptions
from engine.remembering import Memory
from engine.reporting import View
from engine.scratch import Scratch
from engine.sync import Run
from engine.usual import usual_projects
from engine.workers import Workers

if TYPE_CHECKING:
    from packaging.utils import NormalizedName
    from packaging.version import Version

    from engine.compiled.model import Answer
    from engine.compiled.style import TextStyle
    from engine.cutoff import Cutoffs
    from engine.environment.platforms import Elsewhere
    from engine.index.client import Network
    from engine.network.early import EarlyPages
    from engine.network.trust import Trust
    from engine.solving.resolving import Found
    from engine.solving.universal import FoundEverywhere
    from engine.wanted.asked import Asked
    from engine.wanted.model import Wants
    from engine.wanted.upgrades import Upgrades

#: What a resolution needs, in pieces that take 5-25 ms to import.
LATE_IMPORTS = (
    "anyio",
    "anyio._backends._asyncio",
    "packaging.requirements",
    "engine.wanted.reading",
    "resolver",
    "engine.supply",
    "engine.solving.resolving",
)

#: What is needed when there is an answer, in pieces that are imported while the first metadata are on their way.
LATER_IMPORTS = ("engine.compiled.model", "engine.solving.answering", "engine.compiled.requirements_txt")

#: Long enough for the first packets to leave, in seconds.
FIRST_PACKETS_SECONDS = 0.005


class CompileOptions(NamedTuple):
    """What was asked for.

    Attributes:
        asked: the inputs.
        places: cache, indexes and network, as a sync has them.
        style: what the text has in it.
        output: absolute path of the file to write; None for standard output.
        pylock: write a pylock.toml instead of requirements.
        python: interpreter or version to resolve for; None for the environment at hand.
        python_version, platform: another target than that interpreter.
        universal: resolve for every platform, and for all Pythons that the projects are for.
        fork_strategy: what happens then to versions that are not for all of these Pythons.
        strategy, prereleases: the order of candidates, by name; None where nobody has said.
        prereleases_of: another mode for single projects.
        dependencies: lock what is needed besides.
        cutoffs: files that are too new to count; None where nobody has said.
        upgrade: forget what the output file pins; upgrades: of some projects, and what bounds these then.
        default_groups: of the groups that are asked for as parts; None for the usual one.
    """

    asked: "Asked"
    places: SyncOptions
    style: "TextStyle"
    output: str | None = None
    pylock: bool = False
    python: str | None = None
    python_version: str | None = None
    platform: str | None = None
    universal: bool = False
    fork_strategy: str = "requires-python"
    strategy: str = "highest"
    prereleases: str | None = None
    prereleases_of: "Mapping[NormalizedName, str]" = MappingProxyType({})
    dependencies: bool = True
    cutoffs: "Cutoffs | None" = None
    upgrade: bool = False
    upgrades: "Upgrades | None" = None
    default_groups: tuple[str, ...] | None = None


class Compiled(NamedTuple):
    """What came of it.

    Attributes:
        text: of the lock.
        size: how many distributions it has.
        before: what the output file was; None where it was not there.
        changed: whether it was another, or was not there.
        warnings, details: one line each.
    """

    text: str
    size: int
    before: bytes | None
    changed: bool
    warnings: tuple[str, ...]
    details: tuple[str, ...]


def compile_lock(
    options: CompileOptions, environ: Mapping[str, str], cwd: str, view: View, *, write: bool = True
) -> Compiled:
    """Finds versions for all that is wanted.

    Args:
        options: what was asked.
        environ: the environment variables.
        cwd: absolute path that relative paths start from.
        view: where progress is shown.
        write: whether the output file is to be written.

    Raises:
        NoResolution: when there are none.
        EngineError: when something cannot be read, asked or written.
    """
    from engine.space import enough

    run = Run(options.places, environ, cwd, view)
    before = _read_output(options.output)
    compilation = _Compilation(run, options, before)
    memory = compilation.memory()
    known = memory.recall()
    if known is not None:
        note = "the resolution is remembered: what was asked and the pages are as they were"
        return _outcome(options, known.text, known.size, before, known.warnings, (note,), write=write)
    with enough():
        scratch = Scratch(run.layout)
        try:
            workers = Workers(run.layout.root, scratch.folder, run.options.link_mode)
            try:
                text, size, found, notes = compilation.run(workers, scratch.folder)
            finally:
                compilation.target.cancel()
                workers.close()
        finally:
            scratch.close()
    compilation.remember(memory, text, found)
    return _outcome(options, text, size, before, tuple(found.warnings), (*notes, *found.details), write=write)


def _outcome(
    options: CompileOptions,
    text: str,
    size: int,
    before: bytes | None,
    warnings: tuple[str, ...],
    details: tuple[str, ...],
    *,
    write: bool,
) -> Compiled:
    changed = before is None or before != text.encode()
    if write and options.output is not None and changed:
        _write(options.output, text)
    return Compiled(text, size, before, changed, warnings, details)


class _Compilation:
    """One run of it, whose pieces are done while answers are on their way."""

    def __init__(self, run: Run, options: CompileOptions, before: bytes | None) -> None:
        self._run = run
        self._options = options
        self._before = before
        self.target = _TargetFacts(run, options)
        self._wants: Wants | None = None
        self._expected: list[str] = []

    def memory(self) -> Memory:
        """Returns where the answer of an earlier run would be."""
        run, options = self._run, self._options
        inputs = read_named(options.asked, run.cwd, run.fetch)
        return Memory(run, options, self.target.interpreter_key, inputs, self._before)

    def remember(self, memory: Memory, text: str, found: "Found | FoundEverywhere") -> None:
        """Keeps an answer for the next run."""
        assert self._wants is not None
        memory.keep(
            text,
            ((pin.name, str(pin.version)) for pin in found.resolution.pins),
            conditions=self._wants.conditions,
            fresh_until=found.fresh_until,
            warnings=found.warnings,
        )

    def run(self, workers: Workers, scratch: str) -> "tuple[str, int, Found | FoundEverywhere, tuple[str, ...]]":
        guesses = self._guess()
        if guesses is None:
            guesses = self._guess_of(self._read())
        self._expected = guesses
        from engine.network.trust import Trust

        trust = Trust(self._run.options.network, self._run.environ)
        if not self._run.options.offline:
            trust.start()
        first = None
        if guesses:
            from engine.index.first import ask_first
            from engine.index.source import sources

            if self._wants is not None:
                trust.trust_hosts(self._wants.trusted_hosts)
            first = ask_first(self._run, trust, sources(self._run, self._wants), guesses)
        if first is not None:
            workers.wake()
        from engine.loop import run_to_end

        return run_to_end(self._ask(guesses, workers, scratch, trust, first))

    def _guess(self) -> list[str] | None:
        """Returns projects whose pages will probably be asked for; None where the files have to be read before that.

        Only while an interpreter is still asked about itself: then nothing of this run is in the cache.
        """
        asked = self._options.asked
        if not self.target.waiting or self._run.options.offline:
            return None
        if asked.constraints or asked.overrides or asked.excludes or asked.groups:
            return None  # they may name an index
        names: dict[str, None] = {}
        for name in asked.files:
            if name == STANDARD_INPUT or is_web_address(name) or name.endswith((".toml", ".cfg", ".py")):
                return None
            try:
                with open(os.path.join(self._run.cwd, name), "rb") as file:
                    found = wanted_names(file.read())
            except OSError:
                return None  # whoever reads it tells why
            if found is None:
                return None
            names.update(dict.fromkeys(found))
        return usual_projects(names, more=self._has_foresight)

    def _guess_of(self, wants: "Wants") -> list[str]:
        """Returns the same of what was read; nothing where the cache may have it."""
        if not self.target.waiting or self._run.options.offline:
            return []
        words: dict[str, None] = {}
        for one in wants.requirements:
            requirement = one.requirement
            if requirement.url is None and (requirement.marker is None or self._options.universal):
                words[one.name] = None
                words.update(dict.fromkeys(f"{one.name}[{normalize_name(extra)}]" for extra in requirement.extras))
        return usual_projects(words, wants.excludes, more=self._has_foresight)

    @property
    def _has_foresight(self) -> bool:
        return self._options.dependencies and self._run.options.network.foresight

    def _read(self) -> "Wants":
        from engine.wanted.reading import read_wants

        run = self._run
        wants = read_wants(self._options.asked, environ=run.environ, cwd=run.cwd, fetch=run.fetch)
        if (upgrades := self._options.upgrades) is not None and upgrades.constraints:
            from dataclasses import replace

            wants = replace(wants, constraints=(*wants.constraints, *upgrades.constraints))
        self._wants = wants
        return wants

    @property
    def _upgraded(self) -> "Iterable[NormalizedName]":
        upgrades = self._options.upgrades
        return upgrades.names if upgrades is not None else ()

    async def _ask(
        self, guesses: list[str], workers: Workers, scratch: str, trust: "Trust", first: "EarlyPages | None"
    ) -> "tuple[str, int, Found | FoundEverywhere, tuple[str, ...]]":
        import asyncio

        from engine.index.client import Network
        from engine.index.source import early_urls, sources

        run = self._run
        async with asyncio.TaskGroup() as group:
            network = Network(group, run.options.network, run.environ, run.recorder, trust, first)
            try:
                if guesses:
                    places = sources(run, self._wants)
                    network.know([*places.indexes, *places.find_links])
                    network.ask_early(early_urls(places, guesses))
                    if first is None:
                        await asyncio.sleep(FIRST_PACKETS_SECONDS)
                    for name in LATE_IMPORTS:
                        importlib.import_module(name)
                        await asyncio.sleep(0)
                if self._wants is None:
                    self._read()
                return await self._resolve(network, workers, scratch)
            finally:
                await network.close()

    async def _resolve(
        self, network: "Network", workers: Workers, scratch: str
    ) -> "tuple[str, int, Found | FoundEverywhere, tuple[str, ...]]":
        import asyncio

        from engine.solving.problems import Order, preferences_of, problem_of
        from engine.solving.resolving import resolve

        options, wants = self._options, self._wants
        assert wants is not None
        if options.universal:
            return await self._resolve_everywhere(wants, network, workers, scratch)
        target = self.target.read()
        if wants.pythons:
            from engine.wanted.pythons import check_python

            check_python(wants.pythons, target.markers["python_full_version"])
        preferences: Mapping[NormalizedName, Version] = {}
        if self._before is not None and options.output is not None and not options.upgrade:
            name = os.path.basename(options.output)
            preferences = preferences_of(self._before, name, target.markers, self._upgraded)
        order = Order(options.strategy, options.prereleases, options.prereleases_of)
        problem = problem_of(wants, target.markers, order, preferences, dependencies=options.dependencies)
        for delay_seconds, name in enumerate(LATER_IMPORTS, 1):
            asyncio.get_running_loop().call_later(delay_seconds / 100, importlib.import_module, name)
        found = await resolve(
            self._run,
            problem,
            wants,
            target,
            network=network,
            workers=workers,
            scratch=scratch,
            cutoffs=options.cutoffs,
            expected=self._expected,
        )
        from engine.solving.answering import answer_of

        style = options.style
        with_files = options.pylock or style.hashes or style.index_annotations
        answer = answer_of(self._run, wants, found, with_files=with_files, wheels_only=options.pylock)
        if options.pylock:
            from dataclasses import replace

            from engine.wanted.pythons import pythons_from

            python = options.python_version or target.markers["python_full_version"]
            answer = replace(answer, requires_python=pythons_from(wants.pythons, python))
        return self._text(answer), len(answer.entries), found, wants.notes

    async def _resolve_everywhere(
        self, wants: "Wants", network: "Network", workers: Workers, scratch: str
    ) -> "tuple[str, int, FoundEverywhere, tuple[str, ...]]":
        from engine.compiled.keeping import with_files_of
        from engine.compiled.preferences import read_pinned
        from engine.solving.everywhere import everywhere
        from engine.solving.problems import Order
        from engine.solving.universal import resolve_everywhere, universal_answer_of, universal_problem_of
        from engine.wanted.parts import default_groups

        options = self._options
        defaults = default_groups(wants.groups, options.default_groups)
        target = everywhere(options.python_version, wants.pythons, self.target.read_markers())
        pinned = []
        if self._before is not None and options.output is not None and not options.upgrade:
            pinned = read_pinned(self._before, os.path.basename(options.output), self._upgraded)
        order = Order(options.strategy, options.prereleases, options.prereleases_of)
        problem = universal_problem_of(
            wants, target, order, pinned, options.fork_strategy, dependencies=options.dependencies
        )
        found = await resolve_everywhere(
            self._run,
            problem,
            wants,
            target,
            network=network,
            workers=workers,
            scratch=scratch,
            cutoffs=options.cutoffs,
            expected=self._expected,
        )
        if options.asked.parts and not wants.pythons:
            found.warnings.append(f"the project says no requires-python: what is locked is for Python {target.python}")
        answer = universal_answer_of(self._run, wants, found, target, defaults)
        if options.pylock and self._before is not None and not options.upgrade:
            answer = with_files_of(answer, self._before, frozenset(self._upgraded))
        return self._text(answer), len(answer.entries), found, wants.notes

    def _text(self, answer: "Answer") -> str:
        options, style = self._options, self._options.style
        if not options.pylock:
            from engine.compiled.requirements_txt import requirements_text

            return requirements_text(answer, style)
        from engine.compiled.pylock_toml import pylock_text

        folder = os.path.dirname(options.output) if options.output is not None else self._run.cwd
        return pylock_text(answer, command=style.command, folder=folder, left_out=style.left_out)


class _TargetFacts:
    """What to resolve for; an unknown interpreter is asked while other things go on."""

    def __init__(self, run: Run, options: CompileOptions) -> None:
        self._run = run
        self._options = options
        self._records = RecordStore(run.layout.bucket(INTERPRETERS))
        self._environment = self._find()
        key = self._environment.interpreter_key
        body = self._records.get(key) if key else None
        self._facts = Interpreter.from_json(body) if body is not None else None
        self._probe: Probe | None = None
        if self._facts is None:
            executable = self._environment.base_executable if key else self._environment.python
            self._probe = start_probe(executable, is_virtual=self._environment.is_virtual)

    @property
    def interpreter_key(self) -> str:
        """The key of the interpreter's facts; "" where it has none."""
        return self._environment.interpreter_key

    @property
    def waiting(self) -> bool:
        """Whether a child was started."""
        return self._probe is not None

    def _find(self) -> Environment:
        """Returns an environment of the interpreter in question, or one that could be made with it."""
        run, python = self._run, self._options.python
        request = parse_request(python) if python is not None else None
        if request is not None:
            return planned_environment(run.cwd, find_interpreter(request, run.environ))
        found = find_environment(python, run.environ, run.cwd)
        # Where another version is named, an interpreter only says which system this is.
        to_ask = self._options.python_version is not None or self._options.universal
        return found or planned_environment(run.cwd, default_base_executable(run.environ, to_ask=to_ask))

    def read(self) -> "Elsewhere":
        """Returns the target.

        Raises:
            ConfigurationError: when there is none of this name.
            InvalidEnvironment: when the interpreter does not answer.
        """
        from engine.environment.platforms import find_platform, retarget

        facts = self._read_facts()
        options = self._options
        platform = find_platform(options.platform, self._run.environ) if options.platform else None
        return retarget(facts.markers, facts.tags, python_version=options.python_version, platform=platform)

    def read_markers(self) -> Mapping[str, str]:
        """Returns the marker variables of the interpreter at hand.

        Raises:
            InvalidEnvironment: when it does not answer.
        """
        return self._read_facts().markers

    def _read_facts(self) -> Interpreter:
        if self._facts is None:
            assert self._probe is not None
            probe, self._probe = self._probe, None
            self._facts = probe.result()
            if key := self._environment.interpreter_key:
                self._records.put(key, self._facts.to_json())
        return self._facts

    def cancel(self) -> None:
        """Ends the child that nobody waits for any more."""
        if self._probe is not None:
            self._probe.cancel()


def _read_output(path: str | None) -> bytes | None:
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise InstallFailed(f"cannot read {path}: {exc.strerror}") from exc


def _write(path: str, text: str) -> None:
    """Replaces a file by one rename; its mode stays."""
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.engine")
    try:
        with open(temporary, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
        if os.path.exists(path):
            os.chmod(temporary, os.stat(path).st_mode & 0o7777)
        os.replace(temporary, path)
    except OSError as exc:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        raise EngineError(f"cannot write {path}: {exc.strerror}") from exc
