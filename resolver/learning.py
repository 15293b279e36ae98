"""What a conflict teaches.  Pure.

Owns conflict analysis: from an incompatibility whose terms are all met back to the one
that would have prevented it, and to the level where it does.  A result without a level
says that there is no answer at all; its causes are the proof.

Source: PubGrub, "Conflict resolution".
"""

from typing import NamedTuple

from resolver.incompatibilities import Incompatibility, resolve
from resolver.trail import Trail


class Lesson(NamedTuple):
    """What was learned.

    Args:
        incompatibility: the root cause; at `level` all its terms but that of `pivot` are met.
        level: where to go back to; None if there is no answer.
        pivot: the node it says something new about.
    """

    incompatibility: Incompatibility
    level: int | None
    pivot: int


def analyse(conflict: Incompatibility, trail: Trail, fulls: list[int]) -> Lesson:
    """Returns what follows from a conflict.

    Args:
        conflict: all its terms are met by the trail.
        trail: where they were met.
        fulls: by node the set of everything.
    """
    current = conflict
    while True:
        newest = second = pivot = -1
        for node, bits in current.terms.items():
            place = trail.met_since(node, bits)
            if place > newest:
                newest, second, pivot = place, newest, node
            elif place > second:
                second = place
        if pivot < 0:
            return Lesson(current, None, pivot)
        assignment = trail.log[newest]
        below = trail.log[second].level if second >= 0 else 0
        if below < assignment.level:
            return Lesson(current, below, pivot)
        if assignment.cause is None:
            return Lesson(current, None, pivot)
        current = resolve(current, assignment.cause, pivot, fulls[pivot])
