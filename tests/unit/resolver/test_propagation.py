"""Unit propagation."""

from resolver.availability import Obstacle, Unusable
from resolver.incompatibilities import Barred, Incompatibility
from resolver.propagation import Propagation
from resolver.trail import Trail

CAUSE = Barred(1, Unusable(Obstacle.NO_FILES))
FULL = 0b1111


def made() -> tuple[Trail, Propagation]:
    trail = Trail()
    propagation = Propagation(trail)
    for _ in range(4):
        trail.add_node(FULL)
        propagation.add_node()
    trail.decide(0, 0b10)
    return trail, propagation


def test_last_unmet_term_is_ruled_out() -> None:
    trail, propagation = made()
    propagation.add(Incompatibility({1: 0b0100, 2: 0b0011}, CAUSE))
    assert trail.sets[2] == FULL
    trail.decide(1, 0b0100)
    propagation.decided(1)
    assert propagation.run() is None
    assert trail.sets[2] == 0b1100


def test_conclusions_go_on_from_node_to_node() -> None:
    trail, propagation = made()
    propagation.add(Incompatibility({2: 0b0100, 3: 0b0001}, CAUSE))
    propagation.add(Incompatibility({1: 0b0100, 2: 0b1011}, CAUSE))
    trail.decide(1, 0b0100)
    propagation.decided(1)
    propagation.run()
    assert (trail.sets[2], trail.sets[3]) == (0b0100, 0b1110)


def test_conflict_is_the_incompatibility_whose_terms_are_all_met() -> None:
    trail, propagation = made()
    conflict = Incompatibility({1: 0b0100, 2: 0b0100}, CAUSE)
    trail.decide(1, 0b0100)
    trail.decide(2, 0b0100)
    propagation.add(conflict)
    assert propagation.has_conflict and propagation.run() is conflict
    propagation.back_to(1)
    assert propagation.run() is None
    assert trail.sets[2] == 0b1011


def test_what_was_added_later_is_concluded_again_after_going_back() -> None:
    trail, propagation = made()
    trail.decide(1, 0b0100)
    trail.decide(2, 0b0100)
    propagation.add(Incompatibility({3: 0b0010}, CAUSE))
    assert trail.sets[3] == 0b1101
    propagation.back_to(0)
    assert trail.sets[3] == 0b1101


def test_incompatibility_that_slept_is_awake_when_it_has_grown() -> None:
    trail, propagation = made()
    one = Incompatibility({1: 0b0100, 2: 0b0011}, CAUSE)
    propagation.add(one)
    propagation.add(Incompatibility({1: 0b0100}, CAUSE))
    propagation.run()
    assert one.sleeps
    one.terms[1] |= 0b0010
    propagation.look_again(one)
    trail.decide(1, 0b0010)
    propagation.decided(1)
    propagation.run()
    assert trail.sets[2] == 0b1100
