"""Why there is no answer, as a person would tell it.  Pure.

Owns the way from a proof, the derivation tree of the last conflict, to a headline, facts
and hints.  The inner steps of the proof are left out: the facts at its leaves, told from
the user's requirements downwards, are enough to follow it.  Rules: facts of the same kind
become one; only versions that somebody asked for are spoken about; a hint names the
option or the bound that stands in the way.

Source: PubGrub, "Error reporting", for what a derivation tree holds.
"""

from typing import NamedTuple

from resolver.availability import Obstacle, Unusable
from resolver.candidates import wanted_bits
from resolver.dependencies import Wanted, without_credentials
from resolver.errors import ResolutionFailed
from resolver.graph import ROOT, Graph, Node
from resolver.hinting import Finding, hints
from resolver.incompatibilities import Barred, Bounded, Incompatibility, Learned, Needs
from resolver.versions import ABSENT, VersionTable
from resolver.wording import joined, versions_text, what_is_wrong, with_source

_MOST_SAID = 3
_MOST_NAMED = 4


class _Proof(NamedTuple):
    """The leaves of a proof, by the project they speak of; `edges` by parent node and child project."""

    direct: dict[int, dict[Wanted, None]]
    edges: dict[int, dict[int, dict[Wanted, int]]]
    barred: dict[int, dict[Unusable, int]]
    bounds: dict[int, dict[Wanted, None]]


def explain(incompatibility: Incompatibility, graph: Graph, python: str) -> ResolutionFailed:
    """Returns the error that tells why there is no answer.

    Args:
        incompatibility: follows from facts alone and cannot be met.
        graph: what its nodes are.
        python: the target's version.
    """
    proof = _collect(incompatibility, graph)
    telling = _Telling(proof, graph, python)
    telling.tell()
    order = [one.cause.wanted for one in graph.nodes[ROOT].needs.values() if isinstance(one.cause, Needs)]
    direct = [wanted for wanteds in proof.direct.values() for wanted in wanteds]
    direct.sort(key=order.index)
    return ResolutionFailed(
        _headline(direct),
        facts=tuple(dict.fromkeys(telling.facts)),
        hints=hints(telling.findings, direct),
        sources=tuple(dict.fromkeys(wanted.source for wanted in direct if wanted.source)),
    )


def _headline(direct: list[Wanted]) -> str:
    names = list(dict.fromkeys(with_source(wanted) for wanted in direct))
    if len(names) > _MOST_NAMED:
        names = [*names[: _MOST_NAMED - 1], f"{len(names) - _MOST_NAMED + 1} more requirements"]
    return f"{joined(names)} cannot be installed" + (" together" if len(names) > 1 else "")


def _collect(incompatibility: Incompatibility, graph: Graph) -> _Proof:
    proof = _Proof({}, {}, {}, {})
    seen: set[int] = set()
    stack = [incompatibility]
    leaves: list[Incompatibility] = []
    while stack:
        one = stack.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one.cause, Learned):
            stack += (one.cause.right, one.cause.left)
        else:
            leaves.append(one)
    for leaf in leaves:
        cause = leaf.cause
        if isinstance(cause, Needs):
            child = graph.nodes[cause.child].base
            if cause.parent == ROOT:
                proof.direct.setdefault(child, {})[cause.wanted] = None
            else:
                wanteds = proof.edges.setdefault(cause.parent, {}).setdefault(child, {})
                wanteds[cause.wanted] = wanteds.get(cause.wanted, 0) | leaf.terms[cause.parent]
        elif isinstance(cause, Barred):
            reasons = proof.barred.setdefault(graph.nodes[cause.node].base, {})
            reasons[cause.reason] = reasons.get(cause.reason, 0) | leaf.terms[cause.node]
        elif isinstance(cause, Bounded):
            proof.bounds.setdefault(cause.node, {})[cause.wanted] = None
    return _Proof(dict(sorted(proof.direct.items())), proof.edges, proof.barred, proof.bounds)


class _Telling:
    """Tells a proof project by project, those that are required first."""

    def __init__(self, proof: _Proof, graph: Graph, python: str) -> None:
        self._proof = proof
        self._graph = graph
        self._python = python
        self.facts: list[str] = []
        self.findings: list[Finding] = []

    def tell(self) -> None:
        """Collects the facts and what can be hinted at."""
        queue = list(self._proof.direct)
        told: set[int] = set()
        for child in queue:
            if child in told:
                continue
            told.add(child)
            node = self._graph.nodes[child]
            asked = self._asked(node)
            self._tell_project(node, asked)
            for number in (child, *(extra.number for extra in node.extras)):
                for wanted_child in self._proof.edges.get(number, {}):
                    self._tell_edge(self._graph.nodes[number], wanted_child, asked)
                    queue.append(wanted_child)

    def _asked(self, node: Node) -> int:
        """Returns the versions that all, or else any, of those want who want something of a project."""
        table = _table(node)
        every, some = table.some, 0
        direct = self._proof.direct.get(node.number, {})
        indirect = [wanted for children in self._proof.edges.values() for wanted in children.get(node.number, {})]
        for wanted in direct:
            every &= wanted_bits(wanted, table)
            some |= wanted_bits(wanted, table)
        anybody = 0
        for wanted in indirect:
            anybody |= wanted_bits(wanted, table)
        if indirect:
            every &= anybody
        return every or some | anybody or table.some

    def _tell_project(self, node: Node, asked: int) -> None:
        table, name = _table(node), _name(node)
        for wanted in self._proof.direct.get(node.number, {}):
            if not wanted_bits(wanted, table):
                self._tell_no_match(node, wanted, is_direct=True)
        for wanted in self._proof.bounds.get(node.number, {}):
            outside = asked & ~wanted_bits(wanted, table)
            if outside:
                text = versions_text(table, outside, asked)
                self.facts.append(f"the constraint {with_source(wanted)} leaves out {name} {text}")
                self.findings.append(Finding.constraint(wanted))
        by_obstacle: dict[Obstacle, list[tuple[Unusable, int]]] = {}
        for reason, bits in self._proof.barred.get(node.number, {}).items():
            if bits & asked:
                by_obstacle.setdefault(reason.obstacle, []).append((reason, bits & asked))
        barred = sum(bits for reasons in by_obstacle.values() for _, bits in reasons)
        for reasons in by_obstacle.values():
            self._tell_obstacle(node, reasons, asked, is_all=barred == asked)

    def _tell_obstacle(self, node: Node, reasons: list[tuple[Unusable, int]], asked: int, *, is_all: bool) -> None:
        table, name = _table(node), _name(node)
        reasons.sort(key=lambda pair: pair[1], reverse=True)
        newest = reasons[0][0]
        newest_bit = reasons[0][1].bit_length() - 2
        version = str(table.releases[newest_bit].version)
        finding = Finding.obstacle(name, newest, version, self._others(node, asked), is_all=is_all)
        if finding is not None:
            self.findings.append(finding)
        if len(reasons) > _MOST_SAID:
            together = 0
            for _, bits in reasons:
                together |= bits
            text = versions_text(table, together, asked)
            wrong = what_is_wrong(newest, several=False, python=self._python)
            self.facts.append(f"{name} {text} cannot be used: {version} {wrong}; the others are alike")
            return
        for reason, bits in reasons:
            wrong = what_is_wrong(reason, several=bool(bits & (bits - 1)), python=self._python)
            self.facts.append(f"{name} {versions_text(table, bits, asked)} {wrong}")

    def _others(self, node: Node, asked: int) -> str | None:
        """Returns the newest version that nobody asked for but that can be used, if there is one."""
        assert node.project is not None
        bits = node.project.usable & ~asked & ~node.project.table.prereleases
        return str(node.project.table.releases[bits.bit_length() - 2].version) if bits else None

    def _tell_edge(self, parent: Node, child: int, asked: int) -> None:
        table, name = _table(parent), _name(parent)
        wanteds = self._proof.edges[parent.number][child]
        pairs = [(wanted, bits & asked or bits) for wanted, bits in wanteds.items()]
        pairs.sort(key=lambda pair: pair[1], reverse=True)
        if len(pairs) > _MOST_SAID:
            together = 0
            for _, bits in pairs:
                together |= bits
            text = versions_text(table, together, asked)
            other = _name(self._graph.nodes[child])
            latest = table.releases[pairs[0][1].bit_length() - 2].version
            self.facts.append(
                f"{name} {text} depend on {other}, each on its own versions; {latest} depends on {pairs[0][0]}"
            )
        else:
            for wanted, bits in pairs:
                verb = "depend" if bits & (bits - 1) else "depends"
                self.facts.append(f"{name} {versions_text(table, bits, asked)} {verb} on {wanted}")
        for wanted, _ in pairs[:_MOST_SAID]:
            if not wanted_bits(wanted, _table(self._graph.nodes[child])):
                self._tell_no_match(self._graph.nodes[child], wanted, is_direct=False)

    def _tell_no_match(self, node: Node, wanted: Wanted, *, is_direct: bool) -> None:
        table, name = _table(node), _name(node)
        if not table.releases:
            self.facts.append(f"{wanted if wanted.url else name} {table.missing or 'has no releases'}")
            if wanted.url is None:
                self.findings.append(Finding.missing(name))
            return
        oldest, newest = table.releases[0].version, table.releases[-1].version
        if table.urls[0] is not None:
            self.facts.append(f"{_at_url(wanted, table)} is {name} {newest}")
        elif table.some & (table.some - 1):
            self.facts.append(f"no version of {name} matches {wanted}: it has {oldest} to {newest}")
        else:
            self.facts.append(f"no version of {name} matches {wanted}: it has {newest} only")
        self.findings.append(Finding.no_match(wanted, is_direct=is_direct))


def _at_url(wanted: Wanted, table: VersionTable) -> str:
    return without_credentials(table.urls[0] or str(wanted))


def _table(node: Node) -> VersionTable:
    assert node.project is not None and node.full & ABSENT
    return node.project.table


def _name(node: Node) -> str:
    assert node.project is not None
    return f"{node.project.name}[{node.extra}]" if node.extra else node.project.name
