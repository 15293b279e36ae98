"""What the driver has answered so far.

Owns the answers and what is read out of them: projects, and what candidates want.  It
knows nothing of the solution.  Rule: what it says about a project or a candidate depends
on the answers to that one alone, never on when they came.
"""

from collections.abc import Iterable

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from resolver.availability import Obstacle, Policy, Release, Unusable
from resolver.candidates import Candidates, Project
from resolver.dependencies import Dependencies as Reader
from resolver.dependencies import InvalidLine, Wanted
from resolver.errors import InvalidProblem, UnexpectedAnswer
from resolver.inputs import Problem
from resolver.requests import Answer, Dependencies, Listing, Metadata, Request, Versions
from resolver.versions import VersionTable


class Knowledge:
    """The answers.

    `urls` has the direct URLs of each project that comes from one.

    Args:
        problem: what is to be resolved.
        reader, candidates: others than those of the problem.
        answers: those that there are already; they are added to.

    Raises:
        InvalidProblem: the marker environment tells no Python version.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        reader: Reader | None = None,
        candidates: Candidates | None = None,
        answers: dict[Request, Answer] | None = None,
    ) -> None:
        if "python_full_version" not in problem.markers:
            raise InvalidProblem("the marker environment has no python_full_version")
        self.reader = reader or Reader(problem)
        self.candidates = candidates or Candidates(problem, self.reader)
        self.urls = self.candidates.urls()
        self.python = problem.markers["python_full_version"]
        try:
            self._policy = Policy(python=Version(self.python.removesuffix("+")))
        except ValueError:
            raise InvalidProblem(f"python_full_version is no version: {self.python}") from None
        self._answers: dict[Request, Answer] = {} if answers is None else answers
        self._projects: dict[NormalizedName, Project] = {}

    def add(self, request: Request, answer: Answer) -> bool:
        """Keeps an answer; returns False if an equal request had one already.

        Raises:
            UnexpectedAnswer: it is of the wrong kind for the request.
        """
        if isinstance(request, Versions) != isinstance(answer, Listing):
            raise UnexpectedAnswer(f"{request} was answered by {type(answer).__name__}")
        if isinstance(request, Versions) and request.url and isinstance(answer, Listing) and len(answer.releases) > 1:
            raise UnexpectedAnswer(f"{request.name}: a URL has one release, not {len(answer.releases)}")
        if request in self._answers:
            return False
        self._answers[request] = answer
        return True

    def add_url(self, name: NormalizedName, url: str) -> None:
        """Makes a project one that comes from a URL."""
        self.urls[name] = (*self.urls.get(name, ()), url)
        self._projects.pop(name, None)

    def has(self, request: Request) -> bool:
        """Whether a request was answered."""
        return request in self._answers

    def listings(self, name: NormalizedName) -> tuple[Versions, ...]:
        """Returns the requests for all that is to be known of a project's releases."""
        urls = self.urls.get(name)
        return tuple(Versions(name, url) for url in urls) if urls else (Versions(name),)

    def project(self, name: NormalizedName) -> Project | None:
        """Returns a project, None while its releases are not known."""
        known = self._projects.get(name)
        if known is None:
            requests = self.listings(name)
            if any(request not in self._answers for request in requests):
                return None
            known = self._projects[name] = self.candidates.project(name, self._table(requests))
        return known

    def request(self, project: Project, position: int) -> Dependencies:
        """Returns the request for a candidate's metadata."""
        table = project.table
        return Dependencies(project.name, table.releases[position].version, table.urls[position])

    def wants(
        self, project: Project, position: int, extra: NormalizedName | None
    ) -> tuple[Wanted, ...] | Unusable | None:
        """Returns what a candidate wants, why it cannot be used, or None while its metadata is not known."""
        answer = self._answers.get(self.request(project, position))
        if answer is None or isinstance(answer, Unusable):
            return answer
        assert isinstance(answer, Metadata)
        if answer.requires_python is not None and not self.allows_python(answer.requires_python):
            return Unusable(Obstacle.REQUIRES_PYTHON, answer.requires_python)
        try:
            return self.reader.of_lines(answer.requires_dist, extra)
        except InvalidLine as exc:
            return Unusable(Obstacle.INVALID_METADATA, f"Requires-Dist: {exc}")

    def allows_python(self, specifier: str) -> bool:
        """Whether a candidate with this Requires-Python can be used."""
        return self._policy.allows_python(specifier)

    def has_extra(self, project: Project, position: int, extra: NormalizedName) -> bool:
        """Whether a candidate whose metadata is known has an extra."""
        answer = self._answers[self.request(project, position)]
        return isinstance(answer, Metadata) and extra in set(map(canonicalize_name, answer.provides_extra))

    def unanswered(self, requests: Iterable[Request]) -> tuple[Request, ...]:
        """Returns those that have no answer, each once."""
        return tuple(dict.fromkeys(request for request in requests if request not in self._answers))

    def count_metadata(self) -> int:
        """Returns how many candidates' metadata is known."""
        return sum(isinstance(request, Dependencies) for request in self._answers)

    def _table(self, requests: tuple[Versions, ...]) -> VersionTable:
        if len(requests) == 1 and not requests[0].url:
            listing = self._answers[requests[0]]
            assert isinstance(listing, Listing)
            return VersionTable(listing.releases, missing=listing.missing)
        releases: list[Release] = []
        urls: list[str] = []
        missing = ""
        for request in requests:
            listing = self._answers[request]
            assert isinstance(listing, Listing)
            releases += listing.releases
            urls += [request.url] * len(listing.releases) if request.url else []
            missing = missing or listing.missing
        return VersionTable(releases, urls=urls, missing=missing)
