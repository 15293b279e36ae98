"""What cannot be true together, and why we know.

An incompatibility is a conjunction of terms that no answer meets.  A term is a node and
the set of its versions (`resolver.versions`) that meets it, "not installed" among them,
so a term needs no sign.  Rules: a term that every set meets is left out, and terms and
causes never change, with one exception: a dependency's incompatibility grows when further
versions are found to have the same one, which keeps everything derived from it true.

Source: PubGrub, "Incompatibilities" and "Derivation trees".
"""

from typing import NamedTuple

from resolver.availability import Unusable
from resolver.dependencies import Wanted


class Needs(NamedTuple):
    """Versions of node `parent` depend on node `child`, in the way that `wanted` says."""

    parent: int
    child: int
    wanted: Wanted


class Barred(NamedTuple):
    """Versions of a node cannot be used."""

    node: int
    reason: Unusable


class Bounded(NamedTuple):
    """A constraint of the user's leaves out versions of a node."""

    node: int
    wanted: Wanted


class Shared(NamedTuple):
    """An extra has the version of its distribution."""

    extra: int


class Learned(NamedTuple):
    """Follows from two others."""

    left: "Incompatibility"
    right: "Incompatibility"


Cause = Needs | Barred | Bounded | Shared | Learned


class Incompatibility:
    """Terms that are not all met in any answer: a version set for each node.

    Args:
        terms: node -> set.
        cause: why.

    `sleeps` is the propagation's own mark.
    """

    __slots__ = ("cause", "sleeps", "terms")

    def __init__(self, terms: dict[int, int], cause: Cause) -> None:
        self.terms = terms
        self.cause = cause
        self.sleeps = False


def resolve(left: Incompatibility, right: Incompatibility, pivot: int, full: int) -> Incompatibility:
    """Returns what follows from two incompatibilities that both have a term for one node.

    Whatever the pivot's version, one of the two rules out the other terms of both, save
    for versions that neither term has.

    Args:
        left, right: both have a term for `pivot`.
        pivot: the node that is resolved away as far as it can be.
        full: the set of all the pivot has, "not installed" included.
    """
    terms = dict(left.terms)
    either = terms.pop(pivot) | right.terms[pivot]
    for node, bits in right.terms.items():
        if node != pivot:
            terms[node] = terms[node] & bits if node in terms else bits
    if either != full:
        terms[pivot] = either
    return Incompatibility(terms, Learned(left, right))
