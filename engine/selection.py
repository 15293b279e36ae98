"""Which wheel each environment gets: the one that the lock names, or one of a page.

Owns the order of the places that can answer: the lock, the stored page, the index.
Does not read pages (`engine.choosing`, in a worker) and does not ask
(`engine.index.indexes`); what becomes of a refusal is for the pipeline.
"""

import functools
from collections.abc import Callable, Iterable, Iterator

from packaging.utils import NormalizedName

from engine.chosen import Chosen
from engine.cold import Need
from engine.errors import EngineError, NoMatchingDistribution
from engine.index.client import Network
from engine.index.compatibility import Target, WheelName, best_rank
from engine.index.opening import open_indexes
from engine.index.source import Sources
from engine.sync import Run
from engine.workers import Workers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from engine.choosing import PinFields
    from engine.lock.pins import Pin


class Selection:
    """Chooses the wheels of one run.

    Args:
        run: options and places.
        targets: what the environments can use.
        network: asks.
        sources: where distributions are listed.
        workers: the worker processes.
        is_cached: tells whether the cache has a wheel, as a need accepts it.
    """

    def __init__(
        self,
        run: Run,
        targets: Iterable[Target],
        *,
        network: Network,
        sources: Sources,
        workers: Workers,
        is_cached: Callable[[Chosen, Need], bool],
    ) -> None:
        self._offline = run.options.offline
        self._recorder = run.recorder
        self._sources = sources
        self._workers = workers
        self._is_cached = is_cached
        self._targets = list({id(target): target for target in targets}.values())
        self._indexes = open_indexes(
            run, network=network, sources=sources, workers=workers, repeated=self._note_repeated_page
        )

    def tell_workers(self) -> None:
        """Tells the workers that choose what the environments can use; before they are listened to."""
        self._workers.know(
            [(tuple(target.tag_priority), target.python_full_version, target.describe) for target in self._targets]
        )

    async def choose(self, project: NormalizedName, needs: list[Need]) -> list[Chosen | EngineError]:
        """Returns a wheel or a refusal for each need.

        Args:
            project: what is needed.
            needs: where, and which.

        Raises:
            EngineError: when no page of the project can be had.
        """
        paged = [need for need in needs if need.chosen is None and need.pin.file is None]
        forbidden = self._sources.forbid_wheels(project)
        if forbidden:
            found: Iterator[Chosen | EngineError] = iter([_no_wheels_wanted(need) for need in paged])
        else:
            found = iter(await self._choose_from_pages(project, paged) if paged else ())
        return [
            need.chosen or (next(found) if need.pin.file is None else _named(need, forbidden=forbidden))
            for need in needs
        ]

    async def _choose_from_pages(self, project: NormalizedName, needs: list[Need]) -> list[Chosen | EngineError]:
        wants = [(_pin_fields(need), self._targets.index(need.compatible)) for need in needs]
        return await self._indexes.choose(project, wants, functools.partial(self._good_enough, needs))

    def _good_enough(self, needs: list[Need], fresh: bool, chosen: list[Chosen | EngineError]) -> bool:
        """Tells whether the index need not be asked: a pin whose wheel is in the cache has its answer, however old."""
        if self._offline:
            return True
        return all(
            not isinstance(choice, EngineError) and (fresh or self._is_cached(choice, need))
            for need, choice in zip(needs, chosen, strict=True)
        )

    def _note_repeated_page(self, project: str) -> None:
        if self._recorder is not None:
            self._recorder.repeat_page(project)


def _named(need: Need, *, forbidden: bool) -> Chosen | EngineError:
    """Returns the wheel that the lock names; where wheels are forbidden, one that is itself the requirement is not."""
    pin = need.pin
    assert pin.file is not None
    if forbidden and not pin.file.direct:
        return _no_wheels_wanted(need)
    return locked_wheel(pin, need.compatible)


def locked_wheel(pin: "Pin", target: Target) -> Chosen | EngineError:
    """Returns the wheel that the lock names, or why the environment cannot have it.

    Args:
        pin: one that names a wheel.
        target: what the environment can use.
    """
    file = pin.file
    assert file is not None
    name = WheelName.parse(file.filename)
    if name is None or best_rank(name.tags, target.tag_priority) is None:
        return NoMatchingDistribution(
            f"{pin.where}: {file.filename} is not for {target.describe}",
            hint="use a Python or a platform that the wheel is for, or lock another wheel",
        )
    promised = {digest.algorithm: digest.hex for digest in file.digests}
    return Chosen(file.url, file.filename, file.size_bytes, promised.get("sha256"), promised, (), promiser="lock")


def _no_wheels_wanted(need: Need) -> NoMatchingDistribution:
    return NoMatchingDistribution(
        f"{need.pin.where}: {need.pin.name} cannot be installed: --no-binary forbids its wheels, and engine installs "
        "nothing else",
        hint=f"leave out --no-binary, or allow this one with --only-binary {need.pin.name}",
    )


def _pin_fields(need: Need) -> "PinFields":
    pin = need.pin
    hashes = [(digest.algorithm, digest.hex) for digest in pin.hashes]
    return (pin.name, pin.version_text, pin.arbitrary_equality, hashes, pin.line, pin.source)
