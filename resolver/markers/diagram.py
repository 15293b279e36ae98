"""Sets of marker environments as decision diagrams.

Owns the sets and their operations.  A diagram asks for one variable after the other, in one
order; the edges of a variable are intervals between cuts, or single values and "any other".
Rules: equal sets are one object, so every comparison is one of identities; a node with one
distinct child does not exist; of a variable with atoms, the edge of a value leads to what
remains when the atoms have the truth that they have for this value.

Source: Bryant, "Graph-Based Algorithms for Boolean Function Manipulation"; Coudert and Madre
for the restriction to a care set.
"""

from collections.abc import Iterator
from functools import lru_cache
from weakref import WeakValueDictionary

from packaging.version import Version

from resolver.errors import ResolverError
from resolver.markers.variables import LAST, Variable

#: How many results are remembered, and how many nodes may live: real resolutions have some thousands.
_REMEMBERED = 1 << 16
_MOST_NODES = 1 << 18

#: A point between versions: before (0) or after (1) this one.
Cut = tuple[Version, int]
Key = str | Cut


class MarkerTooComplex(ResolverError):
    """The markers of a resolution together need too large a diagram."""


class Environments:
    """A set of marker environments.  Compared by identity; made by `read_marker` and the operators.

    `keys` are cuts in ascending order, or values; there is one child more than keys: of cuts the one above all, of
    values the one for any other.
    """

    __slots__ = ("__weakref__", "children", "keys", "variable")

    variable: Variable
    keys: tuple[Key, ...]
    children: tuple["Environments", ...]

    def __and__(self, other: "Environments") -> "Environments":
        return _both(self, other) if id(self) < id(other) else _both(other, self)

    def __or__(self, other: "Environments") -> "Environments":
        return ~(~self & ~other)

    def __invert__(self) -> "Environments":
        return _opposite(self)

    def __bool__(self) -> bool:
        return self is not NOWHERE

    def implies(self, other: "Environments") -> bool:
        """Whether every environment of this set is in another."""
        return not self & ~other

    def divides(self, other: "Environments") -> bool:
        """Whether some, but not all, environments of another set are in this one."""
        return bool(self & other) and bool(other & ~self)

    def assign(self, variable: Variable, value: str) -> "Environments":
        """Returns the environments in which a variable without cuts has a value, the variable left out."""
        return _assigned(self, variable, value)

    def forget(self, variables: frozenset[str]) -> "Environments":
        """Returns the environments that are in the set for some value of the variables of these names."""
        return _forget(self, variables)

    def under(self, assumption: "Environments") -> "Environments":
        """Returns a simpler set that is the same where an assumption holds."""
        return _restrict(self, assumption)

    def paths(self) -> Iterator[tuple[tuple["Environments", int], ...]]:
        """Returns the ways to the inside of the set: at each node the number of the child."""
        if self is EVERYWHERE:
            yield ()
        for at, child in enumerate(self.children):
            for rest in child.paths():
                yield ((self, at), *rest)


def _leaf() -> Environments:
    leaf = Environments()
    leaf.variable, leaf.keys, leaf.children = LAST, (), ()
    return leaf


EVERYWHERE = _leaf()
NOWHERE = _leaf()

_nodes: WeakValueDictionary[tuple[Variable, tuple[Key, ...], tuple[Environments, ...]], Environments]
_nodes = WeakValueDictionary()


def node(variable: Variable, keys: tuple[Key, ...], children: tuple[Environments, ...]) -> Environments:
    """Returns the set that asks for a variable first.

    Args:
        variable: one that comes before those of all children.
        keys: cuts or values, ascending, each once.
        children: one more than keys.

    Raises:
        MarkerTooComplex: there are too many sets.
    """
    if variable.has_cuts:
        kept = [at for at in range(len(keys)) if children[at] is not children[at + 1]]
        last = children[-1]
    else:
        last = children[-1]
        kept = [at for at, key in enumerate(keys) if children[at] is not _rest(last, variable, key)]
    if not kept:
        return last
    if len(kept) < len(keys):
        keys, children = tuple(keys[at] for at in kept), (*(children[at] for at in kept), last)
    known = _nodes.get((variable, keys, children))
    if known is None:
        if len(_nodes) > _MOST_NODES:
            raise MarkerTooComplex("the markers of these requirements are too complex together")
        known = Environments()
        known.variable, known.keys, known.children = variable, keys, children
        _nodes[variable, keys, children] = known
    return known


def _holds(atom: Variable, value: str) -> bool:
    left, right = (atom.literal, value) if atom.reversed else (value, atom.literal)
    return left in right


def _rest(default: Environments, variable: Variable, key: Key) -> Environments:
    """Returns what the child for any other value says of one value: its atoms are decided."""
    if variable.is_atom or variable.has_cuts or not isinstance(key, str):
        return default
    while default.variable.rank == variable.rank:
        default = default.children[0 if _holds(default.variable, key) else 1]
    return default


def _split(one: Environments, variable: Variable, keys: tuple[Key, ...]) -> list[Environments]:
    """Returns the children of a set for keys that include its own."""
    if variable.has_cuts:
        if one.variable != variable:
            return [one] * (len(keys) + 1)
        found, at = [], 0
        for key in keys:
            found.append(one.children[at])
            if at < len(one.keys) and one.keys[at] == key:
                at += 1
        return [*found, one.children[at]]
    known = dict(zip(one.keys, one.children, strict=False)) if one.variable == variable else {}
    default = one.children[-1] if one.variable == variable else one
    return [*(known[key] if key in known else _rest(default, variable, key) for key in keys), default]


def _aligned(
    left: Environments, right: Environments
) -> tuple[Variable, tuple[Key, ...], list[Environments], list[Environments]]:
    variable = min(left.variable, right.variable)
    found = {key for one in (left, right) if one.variable == variable for key in one.keys}
    keys = tuple(sorted(found))
    return variable, keys, _split(left, variable, keys), _split(right, variable, keys)


@lru_cache(maxsize=_REMEMBERED)
def _both(left: Environments, right: Environments) -> Environments:
    if left is right or right is EVERYWHERE:
        return left
    if left is EVERYWHERE:
        return right
    if left is NOWHERE or right is NOWHERE:
        return NOWHERE
    variable, keys, lefts, rights = _aligned(left, right)
    return node(variable, keys, tuple(one & other for one, other in zip(lefts, rights, strict=True)))


@lru_cache(maxsize=_REMEMBERED)
def _opposite(one: Environments) -> Environments:
    if not one.children:
        return NOWHERE if one is EVERYWHERE else EVERYWHERE
    return node(one.variable, one.keys, tuple(map(_opposite, one.children)))


def _any(several: tuple[Environments, ...]) -> Environments:
    found = NOWHERE
    for one in several:
        found |= one
    return found


@lru_cache(maxsize=_REMEMBERED)
def _assigned(one: Environments, variable: Variable, value: str) -> Environments:
    if one.variable.rank > variable.rank:
        return one
    if one.variable.rank == variable.rank:
        return _split(one, variable, (value,))[0]
    return node(one.variable, one.keys, tuple(_assigned(child, variable, value) for child in one.children))


@lru_cache(maxsize=_REMEMBERED)
def _forget(one: Environments, variables: frozenset[str]) -> Environments:
    if not one.children:
        return one
    children = tuple(_forget(child, variables) for child in one.children)
    return _any(children) if one.variable.name in variables else node(one.variable, one.keys, children)


@lru_cache(maxsize=_REMEMBERED)
def _restrict(one: Environments, care: Environments) -> Environments:
    if care is EVERYWHERE or not one.children:
        return one
    if care is NOWHERE:
        return NOWHERE
    if care.variable < one.variable and (care.variable.is_atom or care.variable.rank != one.variable.rank):
        return _restrict(one, _any(care.children))
    variable, keys, ones, cares = _aligned(one, care)
    found = [_restrict(a, b) if b is not NOWHERE else None for a, b in zip(ones, cares, strict=True)]
    if variable.has_cuts:
        known = next(child for child in found if child is not None)
        filled = []
        for child in found:
            known = known if child is None else child
            filled.append(known)
        return node(variable, keys, tuple(filled))
    default = found[-1]
    if default is None:
        wanted = [child for child in found if child is not None]
        default = max(wanted, key=wanted.count)
    children = [
        _rest(default, variable, key) if child is None else child for key, child in zip(keys, found, strict=False)
    ]
    return node(variable, keys, (*children, default))
