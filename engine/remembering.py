"""The answers of earlier resolutions, so that what was asked before is answered at once.

Owns what an answer depends on: the request and the bytes of its files, what these name
besides, the target's interpreter, the output file as it was, and the pages, for as long as they
are fresh.  It is kept among the plans of the cache, and goes when they do.  Light: it is
read before anything else is imported.
"""

import os
import time
from typing import TYPE_CHECKING, NamedTuple

from cache import plans
from cache.plans import Plan, PlannedEntry
from engine import __version__
from engine.compiled.style import header_lines
from engine.inputs import conditions_hold
from engine.light_sha256 import sha256
from engine.sync import PLAN_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.compiling import CompileOptions
    from engine.inputs import Conditions, LockInput
    from engine.sync import Run


class Remembered(NamedTuple):
    """An answer.

    Attributes:
        text: of the lock.
        size: how many distributions it has.
        warnings: one line each.
    """

    text: str
    size: int
    warnings: tuple[str, ...]


class Memory:
    """The answer to one request.

    Args:
        run: places and environment variables.
        options: what was asked.
        interpreter_key: of the interpreter that it is for; "" where that is not known.
        inputs: the files of the request; None where they cannot be read twice.
        before: what the output file was.
    """

    def __init__(
        self,
        run: "Run",
        options: "CompileOptions",
        interpreter_key: str,
        inputs: "Sequence[LockInput] | None",
        before: bytes | None,
    ) -> None:
        self._run = run
        self._inputs = inputs or ()
        self._before = before
        self._header = "".join(f"{line}\n" for line in header_lines(options.style.command))
        self._path = ""
        # What is to be upgraded is looked for anew.
        if interpreter_key and inputs is not None and not (options.upgrade or options.upgrades):
            self._path = run.layout.plan(_key(run, options, interpreter_key, inputs))

    def recall(self) -> Remembered | None:
        """Returns the answer, if there is one that still holds."""
        plan = plans.load(self._path) if self._path and not self._run.refreshes else None
        if plan is None:
            return None
        conditions, fresh_until, earlier, body, warnings = plan.conditions
        if not self._run.options.offline and time.time() >= fresh_until:
            return None
        # With its own answer as the preferences a resolution comes to the same.
        if self._before is not None and _digest(self._before) != earlier and not self._is_ours(body):
            return None
        if conditions and not conditions_hold(conditions, self._inputs, self._run.cwd, self._run.environ):
            return None
        plans.note_use(self._path)
        return Remembered(self._header + body, len(plan.entries), tuple(warnings))

    def _is_ours(self, body: str) -> bool:
        assert self._before is not None
        lines = self._before.decode("utf-8", "replace").splitlines(keepends=True)
        while lines and lines[0].startswith("#"):
            del lines[0]
        return "".join(lines) == body

    def keep(
        self,
        text: str,
        pins: "Iterable[tuple[str, str]]",
        *,
        conditions: "Conditions | tuple[()] | None",
        fresh_until: float,
        warnings: "Sequence[str]",
    ) -> None:
        """Remembers an answer.

        Args:
            text: of the lock.
            pins: names and versions in it.
            conditions: what it depends on besides, as `engine.inputs` has it; None where it cannot be stored.
            fresh_until: when its pages have to be asked for again, in seconds of the epoch.
            warnings: one line each.
        """
        if not self._path or conditions is None or not text.startswith(self._header):
            return
        earlier = "" if self._before is None else _digest(self._before)
        answer = (conditions, fresh_until, earlier, text.removeprefix(self._header), list(warnings))
        try:
            plans.store(self._path, Plan({}, [PlannedEntry(name, version) for name, version in pins], answer))
        except OSError:
            return  # a cache that cannot be written: the next run does the same work again


def _key(run: "Run", options: "CompileOptions", interpreter_key: str, inputs: "Sequence[LockInput]") -> str:
    said = options._replace(
        places=None,  # type: ignore[arg-type]  # what counts of them is named below
        style=options.style._replace(command=""),
        output=os.path.dirname(options.output) if options.output is not None and options.pylock else None,
        python=None,
        prereleases_of=dict(sorted(options.prereleases_of.items())),
    )
    digest = sha256()
    for part in (
        f"compile {PLAN_VERSION} {__version__}",
        run.options.indexes.identity,
        interpreter_key,
        run.cwd,
        run.environ.get("MACOSX_DEPLOYMENT_TARGET", ""),
        repr(said),
    ):
        digest.update(part.encode("utf-8", "surrogateescape") + b"\0")
    for one in inputs:
        digest.update(f"{len(one.body)}\0".encode())
        digest.update(one.body)
    key: str = digest.hexdigest()
    return key


def _digest(body: bytes) -> str:
    digest = sha256()
    digest.update(body)
    text: str = digest.hexdigest()
    return text
