"""One fork: a part of the environments that gets one version of each project.

Owns what divides a fork.  Rules, all judged when a candidate is about to be decided, so that guesses divide nothing:
one who wants the same project in different ways in environments that exclude each other; a candidate that is not for
all Pythons of the fork; a constraint, or a URL, for some environments of the fork only; and, last, a condition in the
proof that there is no answer for the whole fork.  What extras and groups are asked for divides nothing: they can be
asked for together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from packaging.utils import NormalizedName
from packaging.version import Version

from resolver.availability import Obstacle, Unusable
from resolver.candidates import Candidates, Project
from resolver.dependencies import Wanted
from resolver.graph import Graph, Node
from resolver.incompatibilities import Barred, Incompatibility, Learned, Needs
from resolver.inputs import Problem
from resolver.knowledge import Knowledge
from resolver.markers.diagram import EVERYWHERE, Environments
from resolver.markers.variables import SETS
from resolver.markers.versions import from_python
from resolver.requests import Answer, Metadata, Request, Versions
from resolver.solving import Resolver, _State
from resolver.universal.conditions import ConditionalDependencies
from resolver.universal.inputs import ForkStrategy, UniversalProblem
from resolver.versions import VersionTable


class Split(Exception):
    """The fork has to be divided: into what is in `where` and what is not."""

    def __init__(self, where: Environments) -> None:
        super().__init__()
        self.where = where


#: Releases, as bits, by what they say of Python, and by the environments that their tags are for.
_Pythons = tuple[dict[str, int], dict[Environments, int]]


class Shared:
    """What all forks of a problem know: answers, parsed lines, tables of versions."""

    def __init__(self, problem: UniversalProblem) -> None:
        self.reader = ConditionalDependencies(problem.problem, EVERYWHERE)
        self.answers: dict[Request, Answer] = {}
        self.tables: dict[tuple[Versions, ...], VersionTable] = {}
        self.pythons: dict[VersionTable, _Pythons] = {}


class ForkKnowledge(Knowledge):
    """What is known, as one fork sees it.

    Args:
        problem: the whole.
        environments: of the fork.
        preferences: versions to keep where they fit.
        shared: with the other forks.
    """

    def __init__(
        self,
        problem: UniversalProblem,
        environments: Environments,
        preferences: dict[NormalizedName, Version],
        shared: Shared,
    ) -> None:
        self.environments = environments
        self._shared = shared
        self._fewest = problem.strategy is ForkStrategy.FEWEST
        self._allowed: dict[str, bool] = {}
        reader = ConditionalDependencies(problem.problem, environments, shared.reader)
        constraints = [(one, reader.applying((one,))) for one in problem.problem.constraints]
        #: Bounds that count in a part of the fork only.
        self.divided = [wanted for _, found in constraints for wanted in found if not self.covered_by(wanted)]
        whole = tuple(one for one, found in constraints if found and self.covered_by(found[0]))
        # Nothing is evaluated for one Python; the version is asked for and does not count.
        markers = {"python_full_version": "0"}
        self.problem = replace(problem.problem, constraints=whole, preferences=preferences, markers=markers)
        super().__init__(
            self.problem,
            reader=reader,
            candidates=_ForkCandidates(self.problem, reader, self),
            answers=shared.answers,
        )
        self.python = problem.python

    def covered_by(self, wanted: Wanted) -> bool:
        """Whether something is wanted in all of the fork."""
        return wanted.where is None or self.environments.implies(wanted.where)

    def allows_python(self, specifier: str) -> bool:
        """Whether a candidate with this Requires-Python can be used in some of the fork, or in all of it."""
        known = self._allowed.get(specifier)
        if known is None:
            where = from_python(specifier)
            known = self.environments.implies(where) if self._fewest else bool(where & self.environments)
            self._allowed[specifier] = known
        return known

    def requires_python(self, project: Project, position: int) -> list[str]:
        """Returns what the index and the metadata of a candidate say, as far as they are known."""
        answer = self._answers.get(self.request(project, position))
        stated = (
            project.table.releases[position].requires_python,
            answer.requires_python if isinstance(answer, Metadata) else None,
        )
        return [text for text in dict.fromkeys(stated) if text is not None]

    def pythons_of(self, table: VersionTable) -> _Pythons:
        """Returns the releases of a table by what they say of Python, and by what their tags are for."""
        known = self._shared.pythons.get(table)
        if known is None:
            known = self._shared.pythons[table] = ({}, {})
            for release, bits in table.by_kind():
                if (text := release.requires_python) is not None:
                    known[0][text] = known[0].get(text, 0) | bits
                if (pythons := release.pythons) is not None:
                    known[1][pythons] = known[1].get(pythons, 0) | bits
        return known

    def _table(self, requests: tuple[Versions, ...]) -> VersionTable:
        known = self._shared.tables.get(requests)
        if known is None:
            known = self._shared.tables[requests] = super()._table(requests)
        return known


class _ForkCandidates(Candidates):
    """Bars releases that are for none of the fork's Pythons."""

    def __init__(self, problem: Problem, reader: ConditionalDependencies, knowledge: ForkKnowledge) -> None:
        super().__init__(problem, reader)
        self._knowledge = knowledge

    def project(self, name: NormalizedName, table: VersionTable) -> Project:
        project = super().project(name, table)
        environments, usable = self._knowledge.environments, project.usable
        barred = list(project.barred)
        texts, several = self._knowledge.pythons_of(table)
        for text, of_text in texts.items():
            if (bits := of_text & usable) and not self._knowledge.allows_python(text):
                barred.append((bits, Unusable(Obstacle.REQUIRES_PYTHON, text)))
                usable &= ~bits
        without = 0
        for pythons, of_pythons in several.items():
            if (bits := of_pythons & usable) and not pythons & environments:
                without |= bits
        if without:
            barred.append((without, Unusable(Obstacle.NO_MATCHING_WHEEL)))
        return project._replace(barred=tuple(barred), usable=usable & ~without)


class ForkResolver(Resolver):
    """Resolves one fork, or tells what divides it.

    Args:
        knowledge: of the fork.
    """

    def __init__(self, knowledge: ForkKnowledge) -> None:
        super().__init__(knowledge.problem, knowledge)
        self.knowledge = knowledge
        self.direct = self._direct
        self._expanding: tuple[Project, int] | None = None

    def considered(self) -> dict[NormalizedName, Version]:
        """Returns what is decided, and about to be decided, where a candidate divides the fork."""
        if self._expanding is None:
            return {}
        project, position = self._expanding
        found = {pin.name: pin.version for pin in self.decided() if pin.url is None}
        if project.table.urls[position] is None:
            found[project.name] = project.table.releases[position].version
        return found

    def _start(self, state: _State) -> tuple[Request, ...]:
        problem = self.knowledge.problem
        named = (*self._direct, *self.knowledge.reader.applying((*problem.constraints, *problem.overrides)))
        for wanted in (*named, *self.knowledge.divided):
            if wanted.url is not None:
                self._split_at(wanted.where)
        self._split_wants(self._direct)
        return super()._start(state)

    def _expand(self, node: Node, project: Project, bit: int, wants: tuple[Wanted, ...]) -> tuple[Request, ...]:
        self._expanding = project, bit.bit_length() - 2
        for wanted in self.knowledge.divided:
            if wanted.name == project.name:
                self._split_at(wanted.where)
        for text in self.knowledge.requires_python(project, bit.bit_length() - 2):
            self._split_at(from_python(text))
        self._split_wants(wants)
        self._expanding = None
        return super()._expand(node, project, bit, wants)

    def _split_wants(self, wants: Sequence[Wanted]) -> None:
        """Raises where one project is wanted in different ways in environments that exclude each other."""
        by_name: dict[NormalizedName, list[Wanted]] = {}
        for wanted in wants:
            if not self.knowledge.covered_by(wanted):
                by_name.setdefault(wanted.name, []).append(wanted)
        for several in by_name.values():
            # What an upper bound leads to may fit without it too; the other way round is unlikely.
            several.sort(key=_is_unbounded)
            for at, one in enumerate(several):
                for other in several[at + 1 :]:
                    if (one.text, one.url) != (other.text, other.url):
                        where, elsewhere = _environments(one), _environments(other)
                        if not where & elsewhere & self.knowledge.environments:
                            self._split_at(where)

    def _split_at(self, where: Environments | None) -> None:
        if where is not None:
            where = where.forget(SETS)
            if where.divides(self.knowledge.environments):
                raise Split(where)

    def _failure(self, proof: Incompatibility, graph: Graph) -> Exception:
        for leaf in _leaves(proof):
            if isinstance(leaf.cause, Needs):
                self._split_at(leaf.cause.wanted.where)
            elif isinstance(leaf.cause, Barred) and leaf.cause.reason.obstacle is Obstacle.REQUIRES_PYTHON:
                self._split_at(from_python(leaf.cause.reason.detail))
        return super()._failure(proof, graph)


def _environments(wanted: Wanted) -> Environments:
    return EVERYWHERE if wanted.where is None else wanted.where.forget(SETS)


def _is_unbounded(wanted: Wanted) -> bool:
    """Whether newer versions do, however new."""
    return all(one.operator in (">=", ">", "!=") for one in wanted.specifiers)


def _leaves(proof: Incompatibility) -> Iterable[Incompatibility]:
    """Returns the facts that a proof rests on, each once."""
    seen: set[int] = set()
    stack = [proof]
    while stack:
        one = stack.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one.cause, Learned):
            stack += (one.cause.right, one.cause.left)
        else:
            yield one
