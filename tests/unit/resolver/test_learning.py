"""Conflict analysis."""

from resolver.availability import Obstacle, Unusable
from resolver.incompatibilities import Barred, Incompatibility
from resolver.learning import analyse
from resolver.propagation import Propagation
from resolver.trail import Trail

CAUSE = Barred(1, Unusable(Obstacle.NO_FILES))
FULL = 0b111
FULLS = [0b11, FULL, FULL, FULL, FULL]


def made() -> tuple[Trail, Propagation]:
    trail = Trail()
    propagation = Propagation(trail)
    for full in FULLS:
        trail.add_node(full)
        propagation.add_node()
    trail.decide(0, 0b10)
    return trail, propagation


def conflict_after(decisions: list[int], incompatibilities: list[dict[int, int]]) -> tuple[Trail, Incompatibility]:
    """Decides the higher version of these nodes until there is a conflict."""
    trail, propagation = made()
    for terms in incompatibilities:
        propagation.add(Incompatibility(terms, CAUSE))
    for node in decisions:
        trail.decide(node, 0b100)
        propagation.decided(node)
        if (conflict := propagation.run()) is not None:
            return trail, conflict
    raise AssertionError("there is no conflict")


def test_root_cause_goes_back_over_decisions_that_have_no_part_in_it() -> None:
    trail, conflict = conflict_after([1, 2, 3], [{3: 0b100, 4: 0b011}, {1: 0b100, 4: 0b100}])
    lesson = analyse(conflict, trail, FULLS)
    assert lesson.level == 1
    assert lesson.pivot in (3, 4)


def test_what_one_decision_alone_makes_impossible_goes_back_to_the_start() -> None:
    trail, conflict = conflict_after([1, 2], [{2: 0b100, 3: 0b011}, {2: 0b100, 4: 0b011}, {3: 0b100, 4: 0b100}])
    lesson = analyse(conflict, trail, FULLS)
    assert (lesson.level, lesson.pivot, lesson.incompatibility.terms) == (0, 2, {2: 0b100})


def test_conflict_without_decisions_has_no_level() -> None:
    trail, propagation = made()
    for terms in ({0: 0b10, 1: 0b001}, {1: 0b100}, {1: 0b010}):
        propagation.add(Incompatibility(terms, CAUSE))
    conflict = propagation.run()
    assert conflict is not None
    lesson = analyse(conflict, trail, FULLS)
    assert lesson.level is None
    assert lesson.incompatibility.terms == {0: 0b10}
