"""`install`: puts what is wanted, and what that needs, into environments.  The door: answers from memory, or resolves.

What was installed before for the same words has a plan, as a sync has: where all of it
is there, nothing is to be done; where none of it is in the way and the pages that it came
from are still fresh, it is linked.  Else what is wanted is read, and where what is
installed meets it, nothing is to be done either; only then anybody is asked, by
`engine.installation`.
"""

import os
import time

from cache import plans
from engine import __version__
from engine.errors import EngineError
from engine.inputs import STANDARD_INPUT, conditions_hold, is_web_address, read_named
from engine.light_sha256 import sha256
from engine.sync import PLAN_VERSION, Run, Target, carry_out
from engine.work import Work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from engine.options import SyncOptions
    from engine.recording import Recorder
    from engine.reporting import Outcome, View
    from engine.wanted.asked import Asked


class InstallRequest:
    """What was asked for.

    Attributes:
        places: environments, cache, indexes, network, and how to install.
        words: requirements; files, constraints, overrides, excludes: paths, web addresses, or `-`.
        extras, all_extras: of the projects among the files.
        groups: dependency groups, each `name` or `path/of/pyproject.toml:name`.
        sources: what `[tool.uv.sources]` says counts.
        strategy, prereleases: the order of candidates, by name; None where nobody has said.
        prereleases_of: of single projects, each `NAME=MODE`.
        exclude_newer, exclude_newer_package: files that are too new to count, as `engine.cutoff` reads it.
        upgrade: take the newest of what is named; eager: and of everything that it needs.
        upgrade_packages: take the newest of these projects, each with a bound or without.
        dependencies: install what is needed besides.
        require_hashes: every requirement must have a hash; None: if one has.
        verify_hashes: look at hashes at all.
    """

    __slots__ = (
        "all_extras",
        "constraints",
        "dependencies",
        "eager",
        "exclude_newer",
        "exclude_newer_package",
        "excludes",
        "extras",
        "files",
        "groups",
        "overrides",
        "places",
        "prereleases",
        "prereleases_of",
        "require_hashes",
        "sources",
        "strategy",
        "upgrade",
        "upgrade_packages",
        "verify_hashes",
        "words",
    )

    def __init__(
        self,
        places: "SyncOptions",
        *,
        words: "Sequence[str]" = (),
        files: "Sequence[str]" = (),
        constraints: "Sequence[str]" = (),
        overrides: "Sequence[str]" = (),
        excludes: "Sequence[str]" = (),
        extras: "Sequence[str]" = (),
        all_extras: bool = False,
        groups: "Sequence[str]" = (),
        sources: bool = True,
        strategy: str = "highest",
        prereleases: str | None = None,
        prereleases_of: "Sequence[str]" = (),
        exclude_newer: str | None = None,
        exclude_newer_package: "Sequence[str]" = (),
        upgrade: bool = False,
        eager: bool = False,
        upgrade_packages: "Iterable[str]" = (),
        dependencies: bool = True,
        require_hashes: bool | None = None,
        verify_hashes: bool = True,
    ) -> None:
        self.places = places
        self.words = tuple(words)
        self.files = tuple(files)
        self.constraints = tuple(constraints)
        self.overrides = tuple(overrides)
        self.excludes = tuple(excludes)
        self.extras = tuple(extras)
        self.all_extras = all_extras
        self.groups = tuple(groups)
        self.sources = sources
        self.strategy = strategy
        self.prereleases = prereleases
        self.prereleases_of = tuple(prereleases_of)
        self.exclude_newer = exclude_newer
        self.exclude_newer_package = tuple(exclude_newer_package)
        self.upgrade = upgrade
        self.eager = eager
        self.upgrade_packages = frozenset(upgrade_packages)
        self.dependencies = dependencies
        self.require_hashes = require_hashes
        self.verify_hashes = verify_hashes

    @property
    def asked(self) -> "Asked":
        """The inputs, as those take them who read them."""
        from engine.wanted.asked import Asked

        return Asked(
            words=self.words,
            files=self.files,
            constraints=self.constraints,
            overrides=self.overrides,
            excludes=self.excludes,
            extras=self.extras,
            all_extras=self.all_extras,
            groups=self.groups,
            sources=self.sources,
        )

    @property
    def upgrades(self) -> bool:
        """Whether anything is to be chosen anew that may be there already."""
        return self.upgrade or bool(self.upgrade_packages)

    @property
    def reinstalls(self) -> bool:
        """Whether anything is to be installed that may be there already."""
        return self.places.install.reinstall or bool(self.places.install.reinstall_packages)

    @property
    def identity(self) -> str:
        """What tells two requests apart, besides the content of their files."""
        parts = [getattr(self, name) for name in self.__slots__ if name not in ("places", "upgrade_packages")]
        return repr([*parts, sorted(self.upgrade_packages), self.places.install.exact])


def install(
    request: InstallRequest, environ: "Mapping[str, str]", cwd: str, view: "View", recorder: "Recorder | None" = None
) -> "list[Outcome]":
    """Installs what is wanted into every environment that the request names.

    Args:
        request: what was asked.
        environ: the environment variables.
        cwd: absolute path that relative paths start from.
        view: where progress is shown.
        recorder: learns what is done and when, or None.

    Returns:
        One outcome per environment, in the order of `--python`.  An environment with an error is as it was before.

    Raises:
        EngineError: when the run cannot start at all, or its only environment cannot have what is wanted.
    """
    run = Run(request.places, environ, cwd, view, recorder)
    return carry_out(run, _Installer(run, request).change)


class _Installer:
    """Installs into one environment after the other: what one has got is there for the next."""

    def __init__(self, run: Run, request: InstallRequest) -> None:
        self._run = run
        self._request = request
        self._inputs = read_named(request, run.cwd, run.fetch)

    def change(self, run: Run, targets: list[Target]) -> None:
        """Installs into all targets; an error of one of several stays with it."""
        for target in targets:
            try:
                self._change(run, target)
            except EngineError as exc:
                if len(targets) == 1:
                    raise
                target.error = exc

    def _change(self, run: Run, target: Target) -> None:
        environment = target.environment
        if environment.prefix and self._inputs is not None:
            target.key = self._key(environment.interpreter_key, environment.layout)
        plan = plans.load(run.layout.plan(target.key)) if target.key and not run.refreshes else None
        if plan is not None and self._answers(plan, target):
            plans.note_use(run.layout.plan(target.key))
            target.plan = plan
            from engine.warm import sync_warm

            if not sync_warm(run, [target]):
                return
        target.work = None
        from engine.installation import Installation

        Installation(run, self._request, target, self._inputs).run()

    def _key(self, interpreter_key: str, layout: str) -> str:
        """Returns the key of the plan, or "" when there can be none."""
        run, digest = self._run, sha256()
        if not interpreter_key or self._inputs is None:
            return ""
        strict = " strict" if run.options.strict_record else ""
        for part in (
            f"install {PLAN_VERSION} {__version__}{strict}",
            run.options.indexes.identity,
            f"{interpreter_key} {layout} {run.bytecode}",
            self._request.identity,
        ):
            digest.update(part.encode("utf-8", "surrogateescape") + b"\0")
        for one in self._inputs:
            digest.update(f"{len(one.body)}\0".encode())
            digest.update(one.body)
        key: str = digest.hexdigest()
        return key

    def _answers(self, plan: plans.Plan, target: Target) -> bool:
        """Tells whether a plan is what a resolution would find now; gives the target its work if so."""
        run, request = self._run, self._request
        conditions, fresh_until, looked_at = plan.conditions
        assert self._inputs is not None
        if conditions and not conditions_hold(conditions, self._inputs, run.cwd, run.environ):
            return False
        work = target.work = Work(target.environment, plan.schemes, run.options.install)
        work.scan(recovering=not run.options.dry_run)
        direct = {entry.name: entry.direct_url for entry in plan.entries if entry.direct_url}
        missing = work.compare(((entry.name, entry.version) for entry in plan.entries), direct)
        if not missing and not request.upgrades:
            return True
        # What is there in another version might be kept, and change the answer.
        kept = {entry.name for entry in plan.entries}.difference(missing)
        if any(name in work.installed and not run.options.install.reinstalls(name) for name in missing):
            return False
        if any(name in work.installed and name not in kept for name in looked_at):
            return False
        if not run.options.offline and time.time() >= fresh_until:
            return False
        work.details.append("the resolution is remembered: what was asked and the pages are as they were")
        return True


def guess_names(request: InstallRequest, cwd: str) -> list[str] | None:
    """Returns what is wanted without a condition, as `engine.guessing.wanted_names` does for one file.

    None where the files have to be read first.

    Args:
        request: what was asked.
        cwd: absolute path that relative paths start from.
    """
    from engine.guessing import wanted_names

    if request.constraints or request.overrides or request.excludes or request.groups:
        return None  # they may name an index
    bodies = [word.encode("utf-8", "replace") for word in request.words]
    for name in request.files:
        if name == STANDARD_INPUT or is_web_address(name) or name.endswith((".toml", ".cfg", ".py")):
            return None
        try:
            with open(os.path.join(cwd, name), "rb") as file:
                bodies.append(file.read())
        except OSError:
            return None  # whoever reads it tells why
    names: dict[str, None] = {}
    for body in bodies:
        found = wanted_names(body)
        if found is None:
            return None
        names.update(dict.fromkeys(found))
    return list(names)
