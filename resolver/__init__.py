"""Finds the versions that meet all requirements, or says why there are none.  No I/O at all.

    resolver = Resolver(Problem(requirements=(Requested(requirement=Requirement("flask"), source="app.txt:1"),),
                                markers=markers_of_the_target))
    while isinstance(outcome := resolver.step(), Waiting):
        ...  # fetch what `outcome.needed` asks for, `outcome.likely` meanwhile; then resolver.answer(request, answer)
    outcome.pins

The driver turns files into releases with `Policy.judge`, and everything else is in `Problem`.
"""

from resolver.availability import File, Obstacle, Policy, Release, Unusable
from resolver.errors import InvalidProblem, ResolutionFailed, ResolverError, UnexpectedAnswer
from resolver.inputs import Prereleases, Problem, Requested, Strategy
from resolver.requests import (
    Answer,
    Dependencies,
    Effort,
    Listing,
    Metadata,
    Pin,
    Request,
    Resolution,
    Versions,
    Waiting,
)
from resolver.solving import Resolver

__all__ = [
    "Answer",
    "Dependencies",
    "Effort",
    "File",
    "InvalidProblem",
    "Listing",
    "Metadata",
    "Obstacle",
    "Pin",
    "Policy",
    "Prereleases",
    "Problem",
    "Release",
    "Request",
    "Requested",
    "Resolution",
    "ResolutionFailed",
    "Resolver",
    "ResolverError",
    "Strategy",
    "UnexpectedAnswer",
    "Unusable",
    "Versions",
    "Waiting",
]
