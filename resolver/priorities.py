"""Which project is decided next, and which candidates are looked at together.

Owns the order of decisions and the memory of rejections.  Everything here is a function
of what the solver did, never of when answers came.

Rules, in this order: a node with one possible version, then those that were rejected
often because of another project's version, then all in the order of first mention (the
user's own requirements come first), then those that were the cause of many rejections.
Extras come right after their distribution.  After its n-th rejection the metadata of a
project's next 2 ** (n - 1) candidates, 64 at most, are read together, so that what they
have in common is learned at once; those behind them are told ahead, for whoever can ask for many at the price of one.
"""

from resolver.graph import ROOT, Graph, Node
from resolver.trail import Trail
from resolver.versions import ABSENT

#: Rejections until a project changes its place; fewer make the order of first mention worth little.
MANY = 5
#: Candidates that are read together at most.
BATCH = 64
#: Candidates that might be asked for before that, after the first rejection and at most: who can ask for many at the
#: price of one has the next batches when they are needed, and waits a few times for thousands of candidates.
AHEAD_FIRST = 4
AHEAD = 320
#: Candidates that may have been told ahead in vain so far: some in all, and of a project as many as were told and then
#: read, since what has happened goes on.
UNREAD = 128
#: Of those that a project may have beyond that, for each that was told and then read.
UNREAD_PER_READ = 2


class Priorities:
    """The memory of one resolution.

    Args:
        graph, trail: the state; they are only read.
    """

    def __init__(self, graph: Graph, trail: Trail) -> None:
        self._graph = graph
        self._trail = trail
        self._needed: dict[int, int] = {}
        self._read: dict[int, int] = {}
        self._told: dict[int, int] = {}
        self._unread_count = 0
        self._rejections: dict[int, int] = {}
        self._rejected: dict[int, int] = {}
        self._blamed: dict[int, int] = {}
        self._early: set[int] = set()
        self._late: set[int] = set()

    def next(self) -> Node | None:
        """Returns the node to decide, None if all that must be installed has a version."""
        trail, nodes, extras = self._trail, self._graph.nodes, self._graph.extras
        ready = [number for number in trail.open & extras if nodes[number].base in trail.decided]
        # Any that is not ready waits for its distribution, which is open then.
        for kind in (ready, trail.single - extras, trail.open & self._early, trail.open - self._late - extras):
            if kind:
                return nodes[min(kind)]
        last = trail.open - extras
        return nodes[min(last)] if last else None

    def reject(self, node: Node, blamed: list[int]) -> int | None:
        """Notes that a version of a node was tried in vain.

        Args:
            node: whose version it was.
            blamed: the nodes of the projects that were decided and do not go together with it.

        Returns:
            The level to go back to, where the order has changed for good; else None.
        """
        number = node.base
        self._rejections[number] = self._rejections.get(number, 0) + 1
        self._rejected[number] = self._rejected.get(number, 0) + 1
        level: int | None = None
        for other in dict.fromkeys(self._graph.nodes[one].base for one in blamed):
            if other in (ROOT, number) or other not in self._trail.decided:
                continue
            self._blamed[other] = self._blamed.get(other, 0) + 1
            if self._rejected[number] >= MANY and self._blamed[other] >= MANY and other not in self._early:
                known = number in self._early and other in self._late
                self._early.add(number)
                self._late.add(other)
                before = self._trail.log[self._trail.decided[other]].before
                if not known and (before & ~ABSENT) & ((before & ~ABSENT) - 1):
                    decided = self._trail.log[self._trail.decided[other]].level - 1
                    level = decided if level is None else min(level, decided)
        return level

    def batch(self, node: Node) -> int:
        """Returns how many candidates of a node are to be read together, 0 if it was not rejected since."""
        count = self._rejections.get(node.number, 0)
        return min(1 << (count - 1), BATCH) if count > 1 else 0

    def ahead(self, node: Node) -> int:
        """Returns how many candidates of a node might be asked for while the next batch is on its way."""
        count = self._rejections.get(node.base, 0) + self._needed.get(node.base, 0)
        told = self._told.get(node.base, 0)
        hits = (told & self._read.get(node.base, 0)).bit_count()
        left = max(UNREAD - self._unread_count, hits * UNREAD_PER_READ - (told.bit_count() - hits))
        return max(0, min(AHEAD_FIRST << count, AHEAD, left)) if count else 0

    def tell(self, node: Node, bits: int) -> None:
        """Notes that candidates of a node are told ahead."""
        told = self._told.get(node.base, 0)
        self._told[node.base] = told | bits
        self._unread_count += (bits & ~told & ~self._read.get(node.base, 0)).bit_count()

    def read(self, node: Node, bits: int) -> None:
        """Notes that the metadata of candidates of a node are read."""
        read = self._read.get(node.base, 0)
        new = bits & ~read
        if new:
            self._read[node.base] = read | new
            self._unread_count -= (new & self._told.get(node.base, 0)).bit_count()

    def need(self, node: Node) -> None:
        """Notes that the metadata of a candidate of a node had to be waited for."""
        self._needed[node.base] = self._needed.get(node.base, 0) + 1
