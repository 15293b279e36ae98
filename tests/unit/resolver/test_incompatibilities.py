"""Resolution of two incompatibilities, checked against all assignments."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from resolver.availability import Obstacle, Unusable
from resolver.incompatibilities import Barred, Incompatibility, resolve

CAUSE = Barred(1, Unusable(Obstacle.NO_FILES))
FULL = 0b111
TERMS = st.dictionaries(st.integers(0, 2), st.integers(1, FULL - 1), min_size=1)


def rules_out(terms: dict[int, int], assignment: tuple[int, ...]) -> bool:
    return all(bits >> assignment[node] & 1 for node, bits in terms.items())


@given(TERMS, TERMS, st.integers(1, FULL - 1), st.integers(1, FULL - 1))
def test_what_follows_rules_out_nothing_that_neither_did(
    left: dict[int, int], right: dict[int, int], first: int, second: int
) -> None:
    left, right = {**left, 3: first}, {**right, 3: second}
    result = resolve(Incompatibility(left, CAUSE), Incompatibility(right, CAUSE), 3, FULL).terms
    assert (3 in result) is (first | second != FULL)
    for assignment in itertools.product(range(3), repeat=4):
        if rules_out(result, assignment):
            assert rules_out(left, assignment) or rules_out(right, assignment)
