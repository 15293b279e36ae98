"""`compile`: from what is wanted to a lock with every version.  The door: reads, resolves, writes.

Owns the order of things and what the answer is made of.  What is wanted is read by
`engine.wanted`, versions are found by `engine.solving` and `resolver`, and the text
is made by `engine.compiled`.

Rule: the output file is replaced by one rename, and only when there is an answer.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import anyio
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from cache.records import RecordStore
from engine.admission import Admission
from engine.cold import INTERPRETERS
from engine.compiled.model import Answer, ChosenFile, Entry
from engine.compiled.preferences import Preferences, read_preferences
from engine.compiled.pylock_toml import pylock_text
from engine.compiled.requirements_txt import TextStyle, requirements_text
from engine.environment.create import default_base_executable
from engine.environment.interpreter import Interpreter, start_probe
from engine.environment.platforms import Elsewhere, find_platform, retarget
from engine.environment.requests import find_interpreter, parse_request
from engine.environment.target import find_environment, planned_environment
from engine.errors import EngineError, InstallFailed, NoResolution
from engine.index.client import Network
from engine.index.source import Sources, sources
from engine.limits import DOWNLOADS
from engine.lock.pins import Digest
from engine.loop import run_to_end
from engine.options import SyncOptions
from engine.reporting import Progress, View
from engine.scratch import Scratch
from engine.solving.answers import Answers
from engine.solving.driver import Driver
from engine.solving.opening import open_answers
from engine.solving.versions import ListedFile, upload_time
from engine.supply import Supply
from engine.sync import Run
from engine.wanted.model import Asked, Wanted, Wants
from engine.wanted.reading import read_wants
from engine.workers import Workers
from resolver import (
    Effort,
    Pin,
    Policy,
    Prereleases,
    Problem,
    Requested,
    Resolution,
    ResolutionFailed,
    Strategy,
)

#: Digests that prove something.
_STRONG = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileOptions:
    """What was asked for.

    Attributes:
        asked: the inputs.
        places: cache, indexes and network, as a sync has them.
        output: absolute path of the file to write; None for standard output.
        style: what the text has in it.
        pylock: write a pylock.toml instead of requirements.
        python: interpreter or version to resolve for; None for the environment at hand.
        python_version, platform: another target than that interpreter.
        strategy, prereleases: the order of candidates.
        upgrade: forget what the output file pins; upgrade_packages: of these projects.
        no_deps: only what is named.
    """

    asked: Asked
    places: SyncOptions
    output: str | None = None
    style: TextStyle = field(default_factory=TextStyle)
    pylock: bool = False
    python: str | None = None
    python_version: str | None = None
    platform: str | None = None
    strategy: Strategy = Strategy.HIGHEST
    prereleases: Prereleases | None = None
    upgrade: bool = False
    upgrade_packages: frozenset[NormalizedName] = frozenset()


class Compiled(NamedTuple):
    """What came of it.

    Attributes:
        text: of the lock.
        size: how many distributions it has.
        changed: the output file was another, or was not there.
        warnings, details: one line each.
    """

    text: str
    size: int
    changed: bool
    warnings: tuple[str, ...]
    details: tuple[str, ...]


class _Found(NamedTuple):
    resolution: Resolution
    files: dict[NormalizedName, tuple[ListedFile, ...]]
    warnings: list[str]
    details: list[str]


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
    run = Run(options.places, environ, cwd, view)
    interpreter = _interpreter(run, options.python)
    platform = find_platform(options.platform, environ) if options.platform else None
    target = retarget(interpreter.markers, interpreter.tags, python_version=options.python_version, platform=platform)
    wants = read_wants(options.asked, environ=environ, cwd=cwd, fetch=run.fetch)
    before = _read_output(options.output)
    preferences = _preferences(options, before, target)
    problem = _problem(options, wants, target, preferences)
    found = _resolve(run, problem, wants, target)
    answer = _answer(run, wants, found, wheels_only=options.pylock)
    text = _text(options, answer, cwd)
    changed = before is None or before != text.encode()
    if write and options.output is not None and changed:
        _write(options.output, text)
    return Compiled(text, len(answer.entries), changed, tuple(found.warnings), tuple((*wants.notes, *found.details)))


def _text(options: CompileOptions, answer: Answer, cwd: str) -> str:
    style = options.style
    if not options.pylock:
        return requirements_text(answer, style)
    folder = os.path.dirname(options.output) if options.output is not None else cwd
    return pylock_text(answer, command=style.command, folder=folder, left_out=style.left_out)


# -- the target -----------------------------------------------------------------


def _interpreter(run: Run, python: str | None) -> Interpreter:
    """Returns the facts of the interpreter to resolve for; it need not have an environment."""
    request = parse_request(python) if python is not None else None
    if request is not None:
        environment = planned_environment(run.cwd, find_interpreter(request, run.environ))
    else:
        found = find_environment(python, run.environ, run.cwd)
        environment = found or planned_environment(run.cwd, default_base_executable(run.environ))
    records = RecordStore(run.layout.bucket(INTERPRETERS))
    key = environment.interpreter_key
    body = records.get(key) if key else None
    facts = Interpreter.from_json(body) if body is not None else None
    if facts is None:
        executable = environment.base_executable if key else environment.python
        facts = start_probe(executable, is_virtual=environment.is_virtual).result()
        if key:
            records.put(key, facts.to_json())
    return facts


# -- the problem ----------------------------------------------------------------


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


def _preferences(options: CompileOptions, before: bytes | None, target: Elsewhere) -> Preferences:
    if before is None or options.output is None or options.upgrade:
        return Preferences()
    found = read_preferences(before, os.path.basename(options.output), target.markers)
    return found.without(options.upgrade_packages)


def _problem(options: CompileOptions, wants: Wants, target: Elsewhere, preferences: Preferences) -> Problem:
    prereleases = options.prereleases
    if prereleases is None:
        prereleases = Prereleases.ALLOW if wants.prereleases else Prereleases.IF_NECESSARY_OR_EXPLICIT
    return Problem(
        requirements=_requested(wants.requirements),
        constraints=_requested(wants.constraints),
        overrides=_requested(wants.overrides),
        excludes=wants.excludes,
        preferences=preferences.versions,
        strategy=options.strategy,
        prereleases=prereleases,
        markers=target.markers,
    )


def _requested(wanted: Sequence[Wanted]) -> tuple[Requested, ...]:
    return tuple(Requested(requirement=one.requirement, source=one.where) for one in wanted)


# -- the resolution ---------------------------------------------------------------


def _resolve(run: Run, problem: Problem, wants: Wants, target: Elsewhere) -> _Found:
    scratch = Scratch(run.layout)
    try:
        workers = Workers(run.layout.root, scratch.folder, run.options.link_mode)
        try:
            return run_to_end(_ask_and_resolve(run, problem, wants, target, workers, scratch.folder))
        except ResolutionFailed as exc:
            raise NoResolution(str(exc), hint=exc.hint) from exc
        finally:
            workers.close()
    finally:
        scratch.close()


async def _ask_and_resolve(
    run: Run, problem: Problem, wants: Wants, target: Elsewhere, workers: Workers, scratch: str
) -> _Found:
    places = sources(run, wants)
    tag_priority = {tag: rank for rank, tag in enumerate(target.tags)}
    async with asyncio.TaskGroup() as early:
        network = Network(early, run.options.network, run.environ, run.recorder)
        network.trust.trust_hosts(wants.trusted_hosts)
        network.know([*places.indexes, *places.find_links, *places.pinned.values()])
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(workers.listen)
                supply = Supply(
                    run,
                    [],
                    network=network,
                    workers=workers,
                    scratch=scratch,
                    admission=Admission(run.options.network.concurrent_downloads or DOWNLOADS),
                    progress=Progress(),
                )
                try:
                    policy = _policy(target, places)
                    asked = open_answers(
                        group,
                        run,
                        network=network,
                        sources=places,
                        workers=workers,
                        keeper=supply,
                        policy=policy,
                        tag_priority=tag_priority,
                    )
                    answers = Answers(asked.listings, asked.metadata, policy=policy, tag_priority=tag_priority)
                    found = await _drive(problem, answers)
                finally:
                    supply.close()
                    group.cancel_scope.cancel()
            found.warnings.extend(network.warnings)
            return found
        finally:
            await network.close()


async def _drive(problem: Problem, answers: Answers) -> _Found:
    driver = Driver(problem, answers)
    resolution = await driver.run()
    warnings, notes = answers.tell(resolution.pins)
    effort: Effort = resolution.effort
    details = [
        f"resolved {len(resolution.pins)} distributions: {effort.decisions} decisions, {effort.conflicts} conflicts, "
        f"metadata of {effort.metadata} files needed, {answers.source.asked} fetched"
    ]
    files = {pin.name: answers.files(pin) for pin in resolution.pins}
    return _Found(resolution, files, [*resolution.warnings, *warnings], [*notes, *details])


def _policy(target: Elsewhere, places: Sources) -> Policy:
    # Nothing is built yet, so a release without a wheel is of no use.
    return Policy(
        python=Version(target.markers["python_full_version"]),
        no_binary=_names(places.no_binary),
        only_binary=frozenset({":all:"}),
    )


def _names(words: Sequence[str]) -> frozenset[str]:
    found: set[str] = set()
    for word in (word.strip() for text in words for word in text.split(",")):
        if word == ":none:":
            found.clear()
        elif word:
            found.add(word if word == ":all:" else canonicalize_name(word))
    return frozenset(found)


# -- the answer -------------------------------------------------------------------


def _answer(run: Run, wants: Wants, found: _Found, *, wheels_only: bool) -> Answer:
    versions = {pin.name: pin.version for pin in found.resolution.pins}
    wanted_by: dict[NormalizedName, list[NormalizedName]] = {name: [] for name in versions}
    for name, needs in found.resolution.dependencies.items():
        for need in needs:
            if need in wanted_by:
                wanted_by[need].append(name)
    places = sources(run, wants)
    entries = tuple(
        _entry(pin, wants, wanted_by[pin.name], found, versions, wheels_only=wheels_only)
        for pin in found.resolution.pins
    )
    return Answer(
        entries=entries,
        index_url=next((index.url for index in reversed(places.indexes)), ""),
        extra_index_urls=tuple(index.url for index in places.indexes[:-1]),
        find_links=tuple(place.url for place in places.find_links),
        formats=wants.formats,
    )


def _entry(
    pin: Pin,
    wants: Wants,
    wanted_by: list[NormalizedName],
    found: _Found,
    versions: Mapping[NormalizedName, Version],
    *,
    wheels_only: bool,
) -> Entry:
    named = [one for one in (*wants.requirements, *wants.constraints, *wants.overrides) if one.name == pin.name]
    files = found.files[pin.name]
    needs = found.resolution.dependencies.get(pin.name, ())
    return Entry(
        name=pin.name,
        version=pin.version,
        extras=pin.extras,
        direct=next((one.given or pin.url for one in named if one.file is not None), "") if pin.url else "",
        origins=tuple(dict.fromkeys(one.origin for one in named if one.origin)),
        wanted_by=tuple(sorted(wanted_by)),
        index_url="" if pin.url else files[0].page if files else "",
        dependencies=tuple((name, versions[name]) for name in needs if name in versions),
        files=tuple(_chosen_file(file) for file in files if file.is_wheel or not wheels_only),
    )


def _chosen_file(file: ListedFile) -> ChosenFile:
    return ChosenFile(
        filename=file.filename,
        url=file.url,
        size_bytes=file.size_bytes,
        upload_time=upload_time(file.uploaded),
        digests=tuple(Digest(algorithm=name, hex=digits) for name, digits in file.hashes.items() if name in _STRONG),
    )


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
