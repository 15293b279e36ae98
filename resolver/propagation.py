"""Every incompatibility there is, and what follows from them at once.

Owns the incompatibilities by node and unit propagation: where all terms but one are met,
the last one must not be.  Rules: a node whose set shrank is looked at again; when the
trail goes back, an incompatibility that was added meanwhile is looked at again, because
it may say something about the earlier state that nobody could know then.  One that can
never be met again, because of what is true without any decision, sleeps.
"""

from resolver.incompatibilities import Incompatibility
from resolver.trail import Trail


class Propagation:
    """The incompatibilities over one trail.

    Args:
        trail: is read and shrunk.
    """

    __slots__ = ("_by_node", "_changed", "_conflict", "_since", "_trail")

    def __init__(self, trail: Trail) -> None:
        self._trail = trail
        self._by_node: list[list[Incompatibility]] = []
        self._changed: list[int] = []
        self._conflict: Incompatibility | None = None
        self._since: list[list[Incompatibility]] = [[]]

    @property
    def has_conflict(self) -> bool:
        """Whether a conflict is known already."""
        return self._conflict is not None

    def add_node(self) -> None:
        """Adds the next node, without any incompatibility."""
        self._by_node.append([])

    def add(self, incompatibility: Incompatibility) -> None:
        """Adds an incompatibility and draws its first conclusion."""
        for node in incompatibility.terms:
            self._by_node[node].append(incompatibility)
        self.look_again(incompatibility)

    def look_again(self, incompatibility: Incompatibility) -> None:
        """Draws the first conclusion of one that has grown; also later, when the trail goes back."""
        if incompatibility.sleeps:
            incompatibility.sleeps = False
            for node in incompatibility.terms:
                if incompatibility not in self._by_node[node]:
                    self._by_node[node].append(incompatibility)
        while len(self._since) <= self._trail.level:
            self._since.append([])
        self._since[self._trail.level].append(incompatibility)
        self._conclude(incompatibility)

    def decided(self, node: int) -> None:
        """Tells that a node was given its version."""
        self._changed.append(node)

    def back_to(self, level: int) -> None:
        """Takes the trail back and draws the conclusions that the state there has by now."""
        self._trail.back_to(level)
        self._changed.clear()
        self._conflict = None
        later = [one for added in self._since[level + 1 :] for one in added]
        del self._since[level + 1 :]
        while len(self._since) <= level:
            self._since.append([])
        if level:
            self._since[level] += later
        for incompatibility in later:
            self._conclude(incompatibility)

    def run(self) -> Incompatibility | None:
        """Draws every conclusion; returns an incompatibility whose terms are all met, or None."""
        sets = self._trail.sets
        while self._conflict is None and self._changed:
            node = self._changed.pop()
            if not self._trail.level:
                self._put_to_sleep(node)
            for incompatibility in self._by_node[node]:
                if sets[node] & incompatibility.terms[node]:
                    self._conclude(incompatibility)
                    if self._conflict is not None:
                        break
        return self._conflict

    def _put_to_sleep(self, node: int) -> None:
        bits = self._trail.sets[node]
        awake: list[Incompatibility] = []
        for incompatibility in self._by_node[node]:
            if incompatibility.sleeps or not bits & incompatibility.terms[node]:
                incompatibility.sleeps = True
            else:
                awake.append(incompatibility)
        self._by_node[node] = awake

    def _conclude(self, incompatibility: Incompatibility) -> None:
        sets = self._trail.sets
        unmet = -1
        for node, bits in incompatibility.terms.items():
            current = sets[node]
            common = current & bits
            if common == current:
                continue
            if not common or unmet >= 0:
                return
            unmet = node
        if unmet < 0:
            if self._conflict is None:
                self._conflict = incompatibility
            return
        self._trail.derive(unmet, sets[unmet] & ~incompatibility.terms[unmet], incompatibility)
        self._changed.append(unmet)
