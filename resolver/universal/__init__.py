"""One answer for many marker environments: every platform, and a range of Pythons.  No I/O at all.

    resolver = UniversalResolver(UniversalProblem(problem=problem, environments=POSSIBLE & from_python(">=3.9")))
    while isinstance(outcome := resolver.step(), Waiting):
        ...  # as with `resolver.Resolver`
    outcome.pins  # one project may have several versions, for environments that exclude each other

The driver's `Policy` is an `AnyPython`, so that releases tell which Pythons they are for.
"""

from resolver.universal.inputs import ForkStrategy, Preference, UniversalPin, UniversalProblem, UniversalResolution
from resolver.universal.pythons import AnyPython, pythons_of
from resolver.universal.solving import UniversalResolver

__all__ = [
    "AnyPython",
    "ForkStrategy",
    "Preference",
    "UniversalPin",
    "UniversalProblem",
    "UniversalResolution",
    "UniversalResolver",
    "pythons_of",
]
