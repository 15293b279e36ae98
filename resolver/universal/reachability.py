"""Which environments of a fork need what was chosen there.

A distribution is needed where something that is needed there wants it; what the user asks for is needed where its
marker holds.  An extra is a node of its own, as in the graph of the resolver.
"""

from collections.abc import Mapping

from packaging.utils import NormalizedName

from resolver.availability import Unusable
from resolver.candidates import Project
from resolver.dependencies import Wanted
from resolver.markers.diagram import NOWHERE, Environments
from resolver.requests import Pin, Resolution
from resolver.universal.forks import ForkKnowledge, ForkResolver

_Node = tuple[NormalizedName, NormalizedName | None]


class Reached:
    """One fork's answer, and where each part of it is needed.

    Args:
        fork: resolved.
        resolution: its answer.
    """

    def __init__(self, fork: ForkResolver, resolution: Resolution) -> None:
        self.resolution = resolution
        self.environments = fork.knowledge.environments
        self.pins: Mapping[NormalizedName, Pin] = {pin.name: pin for pin in resolution.pins}
        self._nodes: dict[_Node, Environments] = {}
        self._wants: dict[_Node, tuple[Wanted, ...]] = {}
        self._follow(fork)

    def where(self, pin: Pin) -> Environments:
        """Returns the environments of the fork that need a distribution."""
        return self._nodes.get((pin.name, None), NOWHERE)

    def extras(self, pin: Pin) -> tuple[NormalizedName, ...]:
        """Returns those of its extras that are needed anywhere."""
        return tuple(extra for extra in pin.extras if self._nodes.get((pin.name, extra), NOWHERE))

    def dependencies(self, pin: Pin) -> set[Pin]:
        """Returns what a distribution leads to somewhere."""
        nodes = [(pin.name, None), *((pin.name, extra) for extra in pin.extras)]
        names = {
            wanted.name
            for one in nodes
            for wanted in self._wants.get(one, ())
            if wanted.where is None or wanted.where & self._nodes[one]
        }
        return {self.pins[name] for name in names - {pin.name} if name in self.pins}

    def _follow(self, fork: ForkResolver) -> None:
        queue: dict[_Node, None] = {}
        self._reach(fork.direct, self.environments, queue)
        while queue:
            one = next(iter(queue))
            del queue[one]
            if one not in self._wants:
                self._wants[one] = self._wants_of(one, fork.knowledge)
            self._reach(self._wants[one], self._nodes[one], queue)

    def _reach(self, wants: tuple[Wanted, ...], here: Environments, queue: dict[_Node, None]) -> None:
        for wanted in wants:
            where = here if wanted.where is None else here & wanted.where
            if not where or wanted.name not in self.pins:
                continue
            for extra in (None, *wanted.extras):
                one = (wanted.name, extra)
                before = self._nodes.get(one, NOWHERE)
                after = before | where
                if after is not before:
                    self._nodes[one] = after
                    queue[one] = None

    def _wants_of(self, one: _Node, knowledge: ForkKnowledge) -> tuple[Wanted, ...]:
        name, extra = one
        project = knowledge.project(name)
        assert project is not None
        wants = knowledge.wants(project, _position(project, self.pins[name]), extra)
        assert wants is not None and not isinstance(wants, Unusable)
        return wants


def _position(project: Project, pin: Pin) -> int:
    table = project.table
    return next(
        at for at, release in enumerate(table.releases) if release.version == pin.version and table.urls[at] == pin.url
    )
