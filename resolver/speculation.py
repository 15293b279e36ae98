"""What will probably be asked for next.

Owns guesses only: the releases of every project that is mentioned, the metadata of the
candidate that fits all mentions so far, and what that one mentions in turn; and before a
project is mentioned that somebody expects to be, its releases and the metadata of the first candidate.  It runs
ahead of the solver, is driven by answers, and is never asked by it, so that it cannot
change the resolution.  Rules: a request is handed out once; nothing is built on a guess.
"""

from collections.abc import Iterable

from packaging.utils import NormalizedName

from resolver.availability import Unusable
from resolver.candidates import Project, wanted_bits
from resolver.dependencies import Wanted
from resolver.knowledge import Knowledge
from resolver.requests import Request, Versions


class _Guess:
    """One project: what was mentioned of it, and the candidate that fits, as its bit."""

    __slots__ = ("bit", "extras", "latest", "read", "wanted")

    def __init__(self, latest: Wanted) -> None:
        self.latest = latest
        self.wanted: dict[tuple[object, ...], Wanted] = {}
        self.extras: dict[NormalizedName | None, None] = {None: None}
        self.bit = 0
        self.read: set[tuple[int, NormalizedName | None]] = set()


class Speculation:
    """Guesses ahead of the solver.

    Args:
        knowledge: the answers so far.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._guesses: dict[NormalizedName, _Guess] = {}
        self._handed_out: set[Request] = set()
        self._next: list[Request] = []
        self._expected: set[NormalizedName] = set()

    def expect(self, names: Iterable[NormalizedName]) -> None:
        """Learns which projects will probably be mentioned."""
        for name in names:
            if name not in self._guesses:
                self._expected.add(name)
                for request in self._knowledge.listings(name):
                    self.ask(request)

    def mention(self, mentions: Iterable[Wanted]) -> None:
        """Follows what somebody wants, as far as the answers reach."""
        queue = list(mentions)
        while queue:
            wanted = queue.pop()
            if wanted.url is not None and wanted.name not in self._knowledge.urls:
                continue
            guess = self._guesses.get(wanted.name)
            if guess is None:
                guess = self._guesses[wanted.name] = _Guess(wanted)
                for request in self._knowledge.listings(wanted.name):
                    self.ask(request)
            key = (wanted.text, wanted.url, wanted.extras)
            if key not in guess.wanted:
                guess.wanted[key] = guess.latest = wanted
                guess.extras.update(dict.fromkeys(wanted.extras))
                queue += self._follow(wanted.name, guess)

    def answered(self, request: Request) -> None:
        """Goes on from an answer."""
        guess = self._guesses.get(request.name)
        if guess is not None:
            self.mention(self._follow(request.name, guess))
        elif request.name in self._expected:
            self._ask_first(request.name)

    def ask(self, request: Request) -> None:
        """Notes a request that is likely, unless it was handed out or answered."""
        if request not in self._handed_out and not self._knowledge.has(request):
            self._handed_out.add(request)
            self._next.append(request)

    def take(self, needed: tuple[Request, ...]) -> tuple[Request, ...]:
        """Returns the likely requests that were not handed out yet; listings first, they lead further."""
        self._handed_out.update(needed)
        found = [request for request in self._next if request not in needed and not self._knowledge.has(request)]
        self._next.clear()
        return tuple(sorted(found, key=lambda request: not isinstance(request, Versions)))

    def _ask_first(self, name: NormalizedName) -> None:
        """Asks for the metadata of the first candidate of a project that nobody has mentioned yet."""
        project = self._knowledge.project(name)
        bit = 0 if project is None else project.best(project.usable)
        if project is not None and bit and project.table.releases[bit.bit_length() - 2].cheap:
            self.ask(self._knowledge.request(project, bit.bit_length() - 2))

    def _follow(self, name: NormalizedName, guess: _Guess) -> list[Wanted]:
        project = self._knowledge.project(name)
        if project is None:
            return []
        guess.bit = self._likely(project, guess)
        if not guess.bit:
            return []
        position = guess.bit.bit_length() - 2
        found: list[Wanted] = []
        for extra in guess.extras:
            wants = self._knowledge.wants(project, position, extra)
            if wants is None:
                if project.table.releases[position].cheap:
                    self.ask(self._knowledge.request(project, position))
                break
            if (position, extra) not in guess.read and not isinstance(wants, Unusable):
                guess.read.add((position, extra))
                found += wants
        return found

    def _likely(self, project: Project, guess: _Guess) -> int:
        bits = project.usable
        for _, allowed in project.bounds:
            bits &= allowed
        for wanted in guess.wanted.values():
            bits &= wanted_bits(wanted, project.table)
        return project.best(bits or project.usable & wanted_bits(guess.latest, project.table))
