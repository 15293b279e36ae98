"""The nodes of a resolution and what is known to be true of them.

Owns the nodes (one for the root, one for each project, one for each extra of a project)
as integers, and turns facts about releases into incompatibilities.  Rules: a node is made
when it is first mentioned, and keeps its number; an extra has the versions of its
distribution and cannot be without it; versions of one node that want the same set of
another share one incompatibility, which grows.

Source: PubGrub, "Incompatibilities".
"""

from packaging.utils import NormalizedName

from resolver.availability import Unusable
from resolver.candidates import Project, wanted_bits
from resolver.dependencies import Wanted
from resolver.incompatibilities import Barred, Bounded, Incompatibility, Needs, Shared
from resolver.propagation import Propagation
from resolver.trail import Trail
from resolver.versions import ABSENT

#: The node of the user's requirements, its only version, and all it can be.
ROOT, ROOT_VERSION, ROOT_FULL = 0, 2, 3


class Node:
    """One node.

    Args:
        number: its place in the graph.
        base: the node of the distribution, for an extra; else its own number.
        project: None for the root.
        extra: None for a distribution.
    """

    __slots__ = ("base", "extra", "extras", "full", "needs", "number", "project", "shared")

    def __init__(self, number: int, base: int, project: Project | None, extra: NormalizedName | None) -> None:
        self.number = number
        self.base = base
        self.project = project
        self.extra = extra
        self.full = ROOT_FULL if project is None else project.table.full
        self.extras: list[Node] = []
        self.needs: dict[tuple[int, int, str, object], Incompatibility] = {}
        self.shared: set[int] = set()


class Graph:
    """The nodes, over one trail.

    Args:
        trail, propagation: both empty.
    """

    def __init__(self, trail: Trail, propagation: Propagation) -> None:
        self._trail = trail
        self._propagation = propagation
        self._numbers: dict[tuple[NormalizedName, NormalizedName | None], int] = {}
        self.nodes: list[Node] = []
        self.fulls: list[int] = []
        self.extras: set[int] = set()
        self._add(None, None, None)

    def find(self, name: NormalizedName) -> Node | None:
        """Returns a project's node, None if it was not mentioned yet."""
        number = self._numbers.get((name, None))
        return None if number is None else self.nodes[number]

    def add_project(self, project: Project) -> Node:
        """Returns a project's node; it is made, with what bars its versions, where it is new."""
        known = self.find(project.name)
        if known is not None:
            return known
        node = self._add(project, None, None)
        for bits, reason in project.barred:
            self.bar(node, bits, reason)
        for wanted, allowed in project.bounds:
            if outside := project.table.some & ~allowed:
                self._propagation.add(Incompatibility({node.number: outside}, Bounded(node.number, wanted)))
        return node

    def bar(self, node: Node, bits: int, reason: Unusable) -> None:
        """Rules out versions of a node."""
        self._propagation.add(Incompatibility({node.number: bits}, Barred(node.number, reason)))

    def add_needs(self, parent: Node, bit: int, wanted: Wanted) -> None:
        """Adds what one version of a node wants; the wanted project's node exists."""
        base = self.find(wanted.name)
        assert base is not None and base.project is not None
        allowed = wanted_bits(wanted, base.project.table)
        for node in (base, *(self._extra(base, extra) for extra in wanted.extras)):
            if node is parent and bit & allowed:
                continue
            key = (node.number, allowed, wanted.source, wanted.where)
            known = parent.needs.get(key)
            if known is None:
                terms = {parent.number: bit}
                if node is not parent and allowed:
                    terms[node.number] = node.full & ~allowed
                cause = Needs(parent.number, node.number, wanted)
                known = parent.needs[key] = Incompatibility(terms, cause)
                self._propagation.add(known)
            elif not known.terms[parent.number] & bit:
                known.terms[parent.number] |= bit
                self._propagation.look_again(known)

    def share(self, extra: Node, bits: int) -> None:
        """Adds that an extra and its distribution, if both are installed, are both in `bits` or both outside."""
        if bits not in extra.shared:
            extra.shared.add(bits)
            inside = {extra.number: bits, extra.base: extra.full & ~bits & ~ABSENT}
            outside = {extra.number: extra.full & ~bits & ~ABSENT, extra.base: bits}
            for terms in (inside, outside):
                if all(terms.values()):
                    self._propagation.add(Incompatibility(terms, Shared(extra.number)))

    def _extra(self, base: Node, extra: NormalizedName) -> Node:
        assert base.project is not None
        number = self._numbers.get((base.project.name, extra))
        if number is not None:
            return self.nodes[number]
        node = self._add(base.project, extra, base)
        base.extras.append(node)
        self.extras.add(node.number)
        needs_base = {node.number: node.full & ~ABSENT, base.number: ABSENT}
        if needs_base[node.number]:
            self._propagation.add(Incompatibility(needs_base, Shared(node.number)))
        return node

    def _add(self, project: Project | None, extra: NormalizedName | None, base: Node | None) -> Node:
        number = len(self.nodes)
        node = Node(number, number if base is None else base.number, project, extra)
        self.nodes.append(node)
        self.fulls.append(node.full)
        self._trail.add_node(node.full)
        self._propagation.add_node()
        if project is not None:
            self._numbers[project.name, extra] = number
        return node
