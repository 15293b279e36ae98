"""The variables of markers and their order in a diagram.

A variable with versions for values is divided by cuts, any other one by single values.
What can be said of neither (`platform_release >= '5'`, `'win' in sys_platform`) is an atom:
a variable of its own that is true or false, directly below the one that it speaks of.

Source: PEP 508, "Environment Markers"; PEP 751, "extras" and "dependency_groups".
"""

from typing import NamedTuple

#: Divided by cuts; python_version is read as python_full_version.
VERSIONS = frozenset({"python_full_version", "implementation_version"})
#: Sets of names: every name is an atom.
SETS = frozenset({"extras", "dependency_groups"})

#: Their order: what divides requirements most often comes first.
_NAMES = (
    "extra",
    "python_full_version",
    "implementation_name",
    "implementation_version",
    "os_name",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "sys_platform",
    "extras",
    "dependency_groups",
)
_RANKS = {name: rank for rank, name in enumerate(_NAMES)}


class Variable(NamedTuple):
    """A variable; they sort as they stand in a diagram.

    Args:
        rank: of its name.
        operator: of an atom, from the variable's side unless `reversed`; else empty.
        literal: what an atom compares with; else empty.
        reversed: the atom has the literal on the left.
    """

    rank: int
    operator: str = ""
    literal: str = ""
    reversed: bool = False

    @classmethod
    def named(cls, name: str) -> "Variable":
        """Returns the variable of a name.

        Raises:
            KeyError: there is none.
        """
        return cls(_RANKS[name])

    @property
    def name(self) -> str:
        """Its name in markers."""
        return _NAMES[self.rank]

    @property
    def is_atom(self) -> bool:
        """Whether it is true or false."""
        return bool(self.operator)

    @property
    def has_cuts(self) -> bool:
        """Whether its values are versions."""
        return not self.operator and self.name in VERSIONS


#: Below all others.
LAST = Variable(len(_NAMES))
