"""The partial solution: what is known of every node so far, and how it came to be known.

Owns the current set of each node, the log of assignments with their decision levels, and
going back.  Rules: sets only shrink along the log, so the assignment from which a term is
met is found by bisection; level 0 holds what is true without any decision but the root's.

Source: PubGrub, "Partial solution".
"""

from bisect import bisect_left
from typing import NamedTuple

from resolver.incompatibilities import Incompatibility
from resolver.versions import ABSENT


class Assignment(NamedTuple):
    """One step of the log.

    Args:
        node: whose set shrank.
        before, after: its set.
        level: number of decisions up to here, the root's aside.
        cause: None for a decision.
    """

    node: int
    before: int
    after: int
    level: int
    cause: Incompatibility | None


class Trail:
    """The log and the current sets.

    `sets` has the current set by node, `open` the nodes that must be installed and
    have no version yet, `single` those of them with one possible version, `decided` the
    place in the log of each node that has one.
    """

    __slots__ = ("_history", "_starts", "decided", "level", "log", "open", "sets", "single")

    def __init__(self) -> None:
        self.sets: list[int] = []
        self.log: list[Assignment] = []
        self.open: set[int] = set()
        self.single: set[int] = set()
        self.decided: dict[int, int] = {}
        self.level = 0
        self._history: list[list[int]] = []
        self._starts: list[int] = []

    def add_node(self, full: int) -> None:
        """Adds the next node, of which nothing is known."""
        self.sets.append(full)
        self._history.append([])

    def derive(self, node: int, bits: int, cause: Incompatibility) -> None:
        """Shrinks a node's set to `bits`, which is not empty and part of it."""
        if self.sets[node] & ABSENT and not bits & ABSENT:
            self.open.add(node)
        if not bits & (bits - 1) and not bits & ABSENT:
            self.single.add(node)
        self._append(node, bits, cause)

    def decide(self, node: int, bit: int) -> None:
        """Gives a node its version; opens a new level, except for the root's, which comes first."""
        if self.log:
            self._starts.append(len(self.log))
            self.level += 1
        self.open.discard(node)
        self.single.discard(node)
        self.decided[node] = len(self.log)
        self._append(node, bit, None)

    def back_to(self, level: int) -> None:
        """Forgets all assignments of higher levels."""
        if level >= self.level:
            return
        start = self._starts[level]
        for assignment in reversed(self.log[start:]):
            node, before = assignment.node, assignment.before
            self.sets[node] = before
            self._history[node].pop()
            if assignment.cause is None:
                del self.decided[node]
                if not before & ABSENT:
                    self.open.add(node)
                    if not before & (before - 1):
                        self.single.add(node)
            else:
                self.single.discard(node)
                if before & ABSENT:
                    self.open.discard(node)
        del self.log[start:]
        del self._starts[level:]
        self.level = level

    def met_since(self, node: int, bits: int) -> int:
        """Returns the place in the log from which on a node's set is part of `bits`; it is so at the end."""
        history, log = self._history[node], self.log
        return history[bisect_left(history, True, key=lambda place: not log[place].after & ~bits)]

    def settled(self, node: int) -> int:
        """Returns a node's set without what follows from decisions only."""
        later = [place for place in self._history[node] if self.log[place].level]
        return self.log[later[0]].before if later else self.sets[node]

    def _append(self, node: int, bits: int, cause: Incompatibility | None) -> None:
        self._history[node].append(len(self.log))
        self.log.append(Assignment(node, self.sets[node], bits, self.level, cause))
        self.sets[node] = bits
