"""PubGrub, in steps: it asks, is answered, and goes on as far as the answers reach.

Owns the loop: draw conclusions, learn from a conflict, decide the next version.  It does
no I/O and never waits.  Rules: the solver takes one way only; where an answer is missing
it says so and changes nothing, so the resolution is the same whatever the order and the
delay of the answers; what was answered beyond that speeds it up, and is looked at only
when its turn comes.

What "highest" means for the whole: the pins of the resolution are in the order of
decision, and each has the first of its project's candidates (`resolver.candidates`) that
any answer with the same pins before it can have.

A dependency on a URL counts if the problem names a URL of this project too, or if the
distribution that has the dependency comes from a URL itself.

Source: PubGrub, as described by its author and used by Dart's pub.
"""

from collections.abc import Iterable, Iterator

from packaging.utils import NormalizedName

from resolver.availability import Obstacle, Unusable
from resolver.candidates import Project, wanted_bits
from resolver.dependencies import Wanted
from resolver.errors import ResolverError
from resolver.explaining import explain
from resolver.graph import ROOT, ROOT_VERSION, Graph, Node
from resolver.incompatibilities import Incompatibility
from resolver.inputs import Problem
from resolver.knowledge import Knowledge
from resolver.learning import analyse
from resolver.priorities import Priorities
from resolver.propagation import Propagation
from resolver.requests import Answer, Dependencies, Effort, Pin, Request, Resolution, Waiting
from resolver.speculation import Speculation
from resolver.trail import Trail


class _State:
    """What is thrown away when the resolution starts again."""

    def __init__(self) -> None:
        self.trail = Trail()
        self.propagation = Propagation(self.trail)
        self.graph = Graph(self.trail, self.propagation)
        self.priorities = Priorities(self.graph, self.trail)
        self.started = False
        self.trail.decide(ROOT, ROOT_VERSION)


class Resolver:
    """Resolves one problem.

        resolver = Resolver(problem)
        while isinstance(outcome := resolver.step(), Waiting):
            for request in (*outcome.needed, *outcome.likely):
                resolver.answer(request, fetch(request))

    Args:
        problem: what is to be resolved.
        knowledge: of that problem, where answers are there already.

    Raises:
        InvalidProblem: the problem lacks something.
    """

    def __init__(self, problem: Problem, knowledge: Knowledge | None = None) -> None:
        self._knowledge = knowledge or Knowledge(problem)
        self._speculation = Speculation(self._knowledge)
        self._direct = self._knowledge.reader.direct(problem.requirements)
        self._state = _State()
        self._decisions = 0
        self._conflicts = 0
        self._rejections = 0
        self._resolution: Resolution | None = None
        self._ahead: tuple[Request, ...] = ()
        self._speculation.mention(self._direct)

    def answer(self, request: Request, answer: Answer) -> None:
        """Takes an answer, to any request, asked for or not; a second one to an equal request is ignored.

        Raises:
            UnexpectedAnswer: it is of the wrong kind for the request.
        """
        if self._knowledge.add(request, answer):
            self._speculation.answered(request)

    def step(self) -> Waiting | Resolution:
        """Goes on as far as the answers reach.

        Returns:
            The resolution, or what is waited for.

        Raises:
            ResolutionFailed: there is no answer.
        """
        while self._resolution is None:
            state = self._state
            conflict = state.propagation.run()
            if conflict is not None:
                self._learn(conflict)
            elif not state.started:
                if needed := self._start(state):
                    return self._waiting(needed)
            elif (node := state.priorities.next()) is None:
                self._resolution = self._conclude()
            elif needed := self._decide(node):
                return self._waiting(needed)
        return self._resolution

    def expect(self, names: Iterable[NormalizedName]) -> None:
        """Learns which projects will probably be needed, so that they are likely from the start; changes no answer."""
        self._speculation.expect(names)

    def likely(self) -> tuple[Request, ...]:
        """Returns what further answers have made likely since it was last told, without going on."""
        return self._speculation.take(())

    def decided(self) -> Iterator[Pin]:
        """Yields the versions that are decided for now, which later answers may change; without their extras."""
        state = self._state
        for number in state.trail.decided:
            node = state.graph.nodes[number]
            if node.project is not None and node.extra is None:
                table, position = node.project.table, state.trail.sets[number].bit_length() - 2
                yield Pin(node.project.name, table.releases[position].version, table.urls[position], ())

    def fits(self, request: Dependencies) -> bool:
        """Tells whether nothing that is known so far speaks against a candidate whose metadata are there."""
        state = self._state
        node = state.graph.find(request.name)
        project = self._knowledge.project(request.name)
        if node is None or project is None or request.url is not None:
            return request.url is not None
        position = project.table.index(request.version)
        if position is None or not (2 << position) & state.trail.sets[node.number]:
            return False
        wants = self._knowledge.wants(project, position, None)
        if wants is None or isinstance(wants, Unusable):
            return False
        return all(self._leaves_something(wanted) for wanted in wants)

    def _leaves_something(self, wanted: Wanted) -> bool:
        other = self._state.graph.find(wanted.name)
        if other is None or other.project is None or wanted.url is not None:
            return True
        return bool(wanted_bits(wanted, other.project.table) & self._state.trail.sets[other.number])

    def _waiting(self, needed: tuple[Request, ...]) -> Waiting:
        ahead, self._ahead = self._ahead, ()
        return Waiting(needed, self._speculation.take(needed), ahead)

    def _start(self, state: _State) -> tuple[Request, ...]:
        needed = self._load(self._direct)
        if not needed:
            for wanted in self._direct:
                state.graph.add_needs(state.graph.nodes[ROOT], ROOT_VERSION, wanted)
            state.started = True
        return needed

    def _decide(self, node: Node) -> tuple[Request, ...]:
        """Decides a node, or learns why it cannot have its best version; returns what is missing."""
        state, project = self._state, node.project
        assert project is not None
        if node.extra is not None:
            bit = state.trail.sets[node.base]
            if bit not in node.shared:
                state.graph.share(node, bit)
                return ()
        else:
            for extra in node.extras:
                bits = state.trail.sets[extra.number]
                if not bits & 1 and state.trail.sets[node.number] & ~bits:
                    state.graph.share(extra, bits)
                    return ()
            bit = project.best(state.trail.sets[node.number])
            state.priorities.read(node, bit)
            if needed := self._read_batch(node, project):
                self._look_ahead(node, project, bit)
                return needed
        wants = self._knowledge.wants(project, bit.bit_length() - 2, node.extra)
        if wants is None:
            self._look_ahead(node, project, bit)
            state.priorities.need(node)
            return (self._knowledge.request(project, bit.bit_length() - 2),)
        if isinstance(wants, Unusable):
            state.graph.bar(state.graph.nodes[node.base], bit, wants)
            return ()
        if needed := self._expand(node, project, bit, wants):
            return needed
        if self._state is not state:
            return ()
        if state.propagation.has_conflict:
            self._rejections += 1
            state.priorities.reject(node, [])
        elif bit & state.trail.sets[node.number]:
            self._assign(node, bit)
        else:
            self._reject(node)
        return ()

    def _assign(self, node: Node, bit: int) -> None:
        self._state.trail.decide(node.number, bit)
        self._state.propagation.decided(node.number)
        self._decisions += 1

    def _expand(self, node: Node, project: Project, bit: int, wants: tuple[Wanted, ...]) -> tuple[Request, ...]:
        """Adds what a candidate wants, once the releases of all it wants are known."""
        position = bit.bit_length() - 2
        usable: list[Wanted] = []
        for wanted in wants:
            if wanted.url is not None and wanted.url not in self._knowledge.urls.get(wanted.name, ()):
                if project.table.urls[position] is not None:
                    self._restart(wanted.name, wanted.url)
                    return ()
                if wanted.name not in self._knowledge.urls:
                    reason = Unusable(Obstacle.URL_DEPENDENCY, str(wanted))
                    self._state.graph.bar(node, bit, reason)
                    return ()
            usable.append(wanted)
        needed = self._load(usable)
        if not needed:
            for wanted in usable:
                self._state.graph.add_needs(node, bit, wanted)
        return needed

    def _read_batch(self, node: Node, project: Project) -> tuple[Request, ...]:
        """Reads the next candidates of a project that keeps being rejected; returns what is missing."""
        count = self._state.priorities.batch(node)
        if not count:
            return ()
        releases, possible = project.table.releases, self._state.trail.sets[node.number]
        if not possible & (possible - 1):
            possible = self._state.trail.settled(node.number)
        bits = project.first(possible, count)
        cheap = [bit for bit in bits if releases[bit.bit_length() - 2].cheap]
        self._state.priorities.read(node, sum(cheap))
        positions = [bit.bit_length() - 2 for bit in cheap]
        needed = self._knowledge.unanswered(self._knowledge.request(project, position) for position in positions)
        if not needed:
            for one in (node, *node.extras):
                for bit in cheap:
                    self._examine(one, project, bit)
        return needed

    def _look_ahead(self, node: Node, project: Project, bit: int) -> None:
        """Notes which candidates would be read next if all that are needed now were rejected."""
        count = self._state.priorities.ahead(node)
        if count:
            possible = project.from_here(self._state.trail.settled(node.number), bit)
            bits = [one for one in project.first(possible, count) if project.table.releases[one.bit_length() - 2].cheap]
            self._state.priorities.tell(node, sum(bits))
            requests = [self._knowledge.request(project, one.bit_length() - 2) for one in bits]
            self._ahead = self._knowledge.unanswered(requests)

    def _examine(self, node: Node, project: Project, bit: int) -> None:
        """Adds what a candidate wants of projects that are in the graph already."""
        wants = self._knowledge.wants(project, bit.bit_length() - 2, node.extra)
        if wants is None or isinstance(wants, Unusable):
            return
        for wanted in wants:
            if wanted.url is None and self._state.graph.find(wanted.name) is not None:
                self._state.graph.add_needs(node, bit, wanted)

    def _load(self, wants: tuple[Wanted, ...] | list[Wanted]) -> tuple[Request, ...]:
        """Brings the wanted projects into the graph; returns what is missing for that."""
        graph = self._state.graph
        new = dict.fromkeys(wanted.name for wanted in wants if graph.find(wanted.name) is None)
        requests = (request for name in new for request in self._knowledge.listings(name))
        needed = self._knowledge.unanswered(requests)
        if not needed:
            for name in new:
                project = self._knowledge.project(name)
                assert project is not None
                graph.add_project(project)
        return needed

    def _restart(self, name: NormalizedName, url: str) -> None:
        self._knowledge.add_url(name, url)
        self._state = _State()

    def _reject(self, node: Node) -> None:
        """Notes that a version was ruled out by what is decided, before it could be decided itself."""
        state = self._state
        self._rejections += 1
        cause = next(one.cause for one in reversed(state.trail.log) if one.node == node.number)
        blamed = [] if cause is None else [number for number in cause.terms if number != node.number]
        self._reorder(node, blamed)

    def _learn(self, conflict: Incompatibility) -> None:
        state = self._state
        self._conflicts += 1
        lesson = analyse(conflict, state.trail, state.graph.fulls)
        if lesson.level is None:
            raise self._failure(lesson.incompatibility, state.graph)
        node = state.graph.nodes[lesson.pivot]
        decided = lesson.pivot in state.trail.decided
        blamed = [number for number in lesson.incompatibility.terms if number != lesson.pivot]
        level = state.priorities.reject(node, blamed) if decided else None
        state.propagation.back_to(lesson.level)
        if lesson.incompatibility is conflict:
            state.propagation.look_again(conflict)
        else:
            state.propagation.add(lesson.incompatibility)
        if level is not None and level < lesson.level:
            state.propagation.back_to(level)

    def _failure(self, proof: Incompatibility, graph: Graph) -> Exception:
        return explain(proof, graph, self._knowledge.python)

    def _reorder(self, node: Node, blamed: list[int]) -> None:
        level = self._state.priorities.reject(node, blamed)
        if level is not None:
            self._state.propagation.back_to(level)

    def _conclude(self) -> Resolution:
        state, knowledge = self._state, self._knowledge
        pins: list[Pin] = []
        warnings: list[str] = []
        dependencies: dict[NormalizedName, tuple[NormalizedName, ...]] = {}
        for number in state.trail.decided:
            node = state.graph.nodes[number]
            if node.project is None or node.extra is not None:
                continue
            project, position = node.project, state.trail.sets[number].bit_length() - 2
            release = project.table.releases[position]
            chosen = sorted(one.extra for one in node.extras if one.extra and one.number in state.trail.decided)
            extras = [extra for extra in chosen if knowledge.has_extra(project, position, extra)]
            warnings += [
                f"{project.name}=={release.version} has no extra {extra}" for extra in chosen if extra not in extras
            ]
            pins.append(Pin(project.name, release.version, project.table.urls[position], tuple(extras)))
            names: set[NormalizedName] = set()
            for extra in (None, *chosen):
                wants = knowledge.wants(project, position, extra)
                if wants is None or isinstance(wants, Unusable):
                    raise ResolverError(f"{project.name} was chosen without metadata")
                names.update(wanted.name for wanted in wants)
            dependencies[project.name] = tuple(sorted(names - {project.name}))
        effort = Effort(self._decisions, self._conflicts, self._rejections, knowledge.count_metadata())
        return Resolution(tuple(pins), dependencies, tuple(warnings), effort)
