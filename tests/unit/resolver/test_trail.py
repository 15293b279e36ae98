"""The log of assignments."""

from resolver.availability import Obstacle, Unusable
from resolver.incompatibilities import Barred, Incompatibility
from resolver.trail import Trail

CAUSE = Incompatibility({1: 2}, Barred(1, Unusable(Obstacle.NO_FILES)))
FULL = 0b11111


def trail() -> Trail:
    made = Trail()
    for full in (0b11, FULL, FULL):
        made.add_node(full)
    made.decide(0, 0b10)
    return made


def test_root_is_decided_at_level_zero() -> None:
    assert trail().level == 0


def test_node_is_open_while_it_must_be_installed_and_has_no_version() -> None:
    made = trail()
    made.derive(1, 0b11110, CAUSE)
    assert made.open == {1}
    made.decide(1, 0b10000)
    assert made.open == set()
    assert set(made.decided) == {0, 1}


def test_going_back_restores_sets_and_open_nodes() -> None:
    made = trail()
    made.derive(1, 0b11110, CAUSE)
    made.decide(1, 0b10000)
    made.derive(2, 0b01100, CAUSE)
    made.decide(2, 0b01000)
    assert made.level == 2
    made.back_to(1)
    assert (made.level, made.sets, made.open) == (1, [0b10, 0b10000, 0b01100], {2})
    made.back_to(0)
    assert (made.level, made.sets, made.open) == (0, [0b10, 0b11110, FULL], {1})
    assert set(made.decided) == {0}


def test_term_is_met_since_the_assignment_that_made_the_set_small_enough() -> None:
    made = trail()
    for bits in (0b11110, 0b01110, 0b00110):
        made.derive(1, bits, CAUSE)
    assert [made.met_since(1, bits) for bits in (0b11110, 0b01111, 0b00110)] == [1, 2, 3]


def test_settled_set_is_that_before_any_decision() -> None:
    made = trail()
    made.derive(1, 0b11110, CAUSE)
    made.decide(2, 0b10)
    made.derive(1, 0b00110, CAUSE)
    assert made.settled(1) == 0b11110
    assert made.settled(2) == FULL
