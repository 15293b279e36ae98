"""How modules are shared out among compilers."""

from engine.bytecode.provision import TURN_BYTES, TURN_FILES, turns


def test_turns_hold_all_modules_the_largest_first() -> None:
    rows = [(f"{size}.py", f"{size}.py", size) for size in (5, TURN_BYTES * 3, 7, TURN_BYTES)]
    parts = turns(rows)
    assert [[row[2] for row in part] for part in parts] == [[TURN_BYTES * 3], [TURN_BYTES], [7, 5]]


def test_many_small_modules_are_several_turns() -> None:
    parts = turns([(f"{number}.py", "", 0) for number in range(TURN_FILES * 2 + 1)])
    assert [len(part) for part in parts] == [TURN_FILES, TURN_FILES, 1]


def test_no_modules_are_no_turns() -> None:
    assert turns([]) == []
