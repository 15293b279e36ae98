"""The table of hostile input names tests that exist, in order, and the wheels that are refused have their rows."""

import ast
import re
from pathlib import Path

from tests.integration.hostile.wheel_cases import REFUSED

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "hostile-input.md"
_ROW = re.compile(r"\| (\d+) \|")
_TEST = re.compile(r"`([\w./]+\.py)::(test_\w+)`")


def rows() -> list[tuple[int, list[tuple[str, str]]]]:
    """Returns number and (file, test) pairs of every row."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if _ROW.match(line)]
    return [(int(_ROW.match(line)[1]), _TEST.findall(line)) for line in lines]  # type: ignore[index]


def missing_tests(named: list[tuple[str, str]], folder: Path) -> list[str]:
    """Returns what of (file, test) pairs does not exist below a folder."""
    missing = []
    for file, test in named:
        path = folder / file
        tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
        if test not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
            missing.append(f"{file}::{test}")
    return missing


def test_every_row_names_a_test_and_every_named_test_exists() -> None:
    assert [number for number, named in rows() if not named] == []
    named = [pair for _, pairs in rows() for pair in pairs]
    assert missing_tests(named, ROOT / "tests" / "integration") == []


def test_rows_are_sorted_and_the_cases_of_wheels_are_all_there() -> None:
    numbers = [number for number, _ in rows()]
    assert numbers == sorted(numbers)
    assert set(range(1, 55)) <= set(numbers)


def test_a_row_that_names_the_table_of_refused_wheels_has_a_case_there() -> None:
    name = "test_a_hostile_wheel_is_refused_by_name_and_reason"
    numbers = {number for number, pairs in rows() for _, test in pairs if test == name}
    assert numbers <= {case.number for case in REFUSED}


def test_a_test_that_is_not_there_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text("def test_one() -> None: ...\n")
    named = [("test_x.py", "test_one"), ("test_x.py", "test_two"), ("test_y.py", "test_one")]
    assert missing_tests(named, tmp_path) == ["test_x.py::test_two", "test_y.py::test_one"]
