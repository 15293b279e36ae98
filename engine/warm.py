"""The warm half of a sync: targets whose answer is stored in a plan.  Links, and is done.

What only a run with something to do needs is imported when there is something to do.
"""

import os

from cache.layout import Layout
from cache.plans import PlannedEntry
from engine.errors import EngineError, InstallFailed
from engine.sync import Run, Target
from engine.work import Work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.parallel import Job
    from engine.staging import Drift


class _Ready:
    """A target whose wheels are all in the cache."""

    __slots__ = ("entries", "target", "work")

    def __init__(self, target: Target, work: Work, entries: list[PlannedEntry]) -> None:
        self.target = target
        self.work = work
        self.entries = entries


def sync_warm(run: Run, targets: list[Target]) -> list[Target]:
    """Syncs targets that have a plan.

    Returns:
        The targets that need the pipeline after all: something that the plan needs is not in the cache.
    """
    ready: list[_Ready] = []
    cold: list[Target] = []
    for target in targets:
        _compare(run, target, ready, cold)
    if not ready:
        return cold
    from engine.staging import Drift

    try:
        _sync_ready(run, ready)
    except Drift as exc:
        cold.extend(_set_aside(run, ready, exc))
    except OSError as exc:
        cold.extend(_sync_apart(run, ready, exc))
    finally:
        for one in ready:
            one.work.close()
    return cold


def _sync_apart(run: Run, ready: list[_Ready], error: OSError) -> list[Target]:
    """Goes on after the operating system refused to stage: one environment after the other, each on its own."""
    if len(ready) == 1:
        ready[0].work.error = refused(ready[0].work, error)
        return []
    from engine.staging import Drift

    cold = []
    for one in ready:
        one.work.close()
        if one.work.committed or one.work.error is not None:
            continue
        try:
            _sync_ready(run, [one])
        except Drift as exc:
            cold.extend(_set_aside(run, [one], exc))
        except OSError as exc:
            one.work.error = refused(one.work, exc)
    return cold


def refused(work: Work, error: OSError) -> InstallFailed:
    """Returns what to tell when the operating system refuses something for one environment."""
    from engine.space import advice, in_words

    return InstallFailed(
        f"cannot install into {work.environment.prefix}: {in_words(error, folder=work.environment.prefix)}",
        hint=advice(error),
    )


def _compare(run: Run, target: Target, ready: list[_Ready], cold: list[Target]) -> None:
    """Finds out what a target lacks, and whether the cache has it."""
    work, plan = target.work, target.plan
    assert work is not None and plan is not None
    recorder = run.recorder
    started = recorder.now() if recorder is not None else 0
    try:
        work.scan(recovering=not run.options.dry_run)
    except EngineError as exc:
        work.error = exc
        return
    direct = {entry.name: entry.direct_url for entry in plan.entries if entry.direct_url}
    missing = set(work.compare(((entry.name, entry.version) for entry in plan.entries), direct))
    entries = [entry for entry in plan.entries if entry.name in missing]
    if recorder is not None:
        recorder.add("compare", work.environment.prefix, started)
        for entry in entries:
            recorder.plan(work.environment.prefix, entry)
    if run.options.dry_run or not work.changes:
        _warn_of_yanked(work, entries)
        return
    if all(is_still_there(run.layout, entry) for entry in entries):
        ready.append(_Ready(target, work, entries))
    else:
        cold.append(target)


def is_still_there(layout: Layout, entry: PlannedEntry) -> bool:
    """Tells whether the cache has what an entry was made from."""
    if not entry.sha256:
        return False
    try:
        return os.stat(layout.manifest(entry.sha256)).st_mtime_ns == entry.stamp
    except OSError:
        return False


def _sync_ready(run: Run, ready: list[_Ready]) -> None:
    from engine.parallel import Staged, stage_all
    from engine.reporting import describe_links

    jobs: list[Job] = []
    for one in ready:
        try:
            area = one.work.open()
        except EngineError as exc:
            one.work.error = exc
            continue
        jobs.extend((entry, run.layout.tree(entry.sha256), area) for entry in one.entries)
    options, timed = run.options, run.recorder is not None
    staged = Staged()
    if jobs:
        staged = stage_all(jobs, options.link_mode, timed=timed, most_processes=options.concurrent_installs)
    if run.recorder is not None:
        run.recorder.add_staged(jobs, staged.timings)
    collided: dict[str, set[str]] = {}
    for index, paths in staged.collisions:
        collided.setdefault(jobs[index][2].stage, set()).update(paths)
    for one in ready:
        if one.work.error is None:
            one.work.details.append(f"by a stored plan, {describe_links(staged.counts)}")
            _warn_of_yanked(one.work, one.entries)
            settle_and_commit(run, one.work, one.entries, collided)


def _warn_of_yanked(work: Work, entries: list[PlannedEntry]) -> None:
    """Says again, of what is installed, what the index said when it was chosen."""
    work.warnings.extend([entry.yanked for entry in entries if entry.yanked])


def _set_aside(run: Run, ready: list[_Ready], drift: "Drift") -> list[Target]:
    """Takes a damaged entry out of the cache; returns the targets that wait for its return."""
    from cache.entries import EntryStore
    from engine.bytecode.kind import is_bytecode

    store = EntryStore(run.layout)
    # Where nothing is left, somebody has cleaned the cache.
    # Bytecode is made again by whoever needs it.
    bytecode = is_bytecode(drift.path)
    damaged = store.has(drift.sha256)
    if damaged and not bytecode:
        store.set_aside(drift.sha256)
    waiting = []
    for one in ready:
        if one.work.committed or one.work.error is not None:
            continue
        if damaged and any(entry.sha256 == drift.sha256 for entry in one.entries):
            again = "compiled" if bytecode else "fetched"
            path = os.path.normpath(drift.path)
            one.work.warnings.append(f"the cached file {path} was changed; it is {again} again")
        waiting.append(one.target)
    return waiting


def settle_and_commit(
    run: Run,
    work: Work,
    entries: list[PlannedEntry],
    collided: dict[str, set[str]],
    tree_of: "Callable[[str], str] | None" = None,
) -> None:
    """Commits what is staged; an expected error stays with this environment.

    Args:
        run: the run.
        work: the environment.
        entries: all that was staged for it, in lock order.
        collided: staging folder to paths that several distributions bring.
        tree_of: where the unpacked files of an entry are, when that is not only the cache.

    Raises:
        Drift: when an entry that brings one of these paths has vanished from the cache meanwhile.
    """
    from engine.reporting import describe_startup_files

    assert not work.committed
    started = run.recorder.now() if run.recorder is not None else 0
    try:
        if work.area is not None and (paths := collided.get(work.area.stage)):
            from engine.collisions import settle

            find = tree_of or run.layout.tree
            trees = {entry.sha256: find(entry.sha256) for entry in entries if entry.sha256}
            work.warnings.extend(settle(entries, paths, trees, work.area))
        work.commit(durable=run.options.durable)
        work.details.extend(describe_startup_files(entries))
    except EngineError as exc:
        work.error = exc
    except OSError as exc:
        work.error = refused(work, exc)
    if run.recorder is not None:
        run.recorder.commit(work.environment.prefix, entries, started)
