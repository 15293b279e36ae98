"""Reading requirements."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from resolver.dependencies import Dependencies, InvalidLine, Wanted
from tests.support.universes import problem, requested

X = canonicalize_name("x")


def shown(wanted: tuple[Wanted, ...]) -> list[str]:
    return [str(one) for one in wanted]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("A_b", "a-b"),
        ("a<2,>=1", "a>=1,<2"),
        ("a [Y, X_z] >= 1", "a[x-z,y]>=1"),
        ("a @ https://user:secret@example.com/a?x=1", "a @ https://example.com/a?x=1"),
    ],
)
def test_requirement_is_shown(line: str, expected: str) -> None:
    assert str(Wanted.of(Requirement(line))) == expected


@pytest.mark.parametrize(
    ("line", "expected"), [("a==1", True), ("a===1", True), ("a==1.*", False), ("a>=1,<=1", False), ("a", False)]
)
def test_requirement_pins(line: str, expected: bool) -> None:
    assert Wanted.of(Requirement(line)).pins is expected


LINES = ("a", "b; os_name == 'nt'", "c; extra == 'X'", "d; extra == 'x' and os_name == 'nt'", "e; extra != 'x'")


def test_distribution_wants_what_its_markers_allow() -> None:
    assert shown(Dependencies(problem([])).of_lines(LINES, None)) == ["a", "e"]


def test_extra_wants_only_what_it_adds() -> None:
    assert shown(Dependencies(problem([])).of_lines(LINES, X)) == ["c"]


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("'X_y' == extra", ["a"]),
        ("extra == 'other' or extra == 'x-y'", ["a"]),
        ("extra == 'extra'", []),
        ("extra not in 'z'", ["a"]),
        ("extra == 'other' or extra not in 'z'", ["a"]),
        ("os_name != 'extra' and extra == 'x.y'", ["a"]),
        ("extra != 'x-y'", []),
        ("extra == 'x-y' or os_name == 'posix'", []),
    ],
)
def test_extra_is_found_however_a_marker_names_it(marker: str, expected: list[str]) -> None:
    assert shown(Dependencies(problem([])).of_lines((f"a; {marker}", "b"), canonicalize_name("x-y"))) == expected


def test_override_replaces_whatever_the_marker_says_but_keeps_to_the_extra() -> None:
    reader = Dependencies(problem([], overrides=["b==7", "c==8", "a==9; os_name == 'nt'"]))
    assert shown(reader.of_lines(LINES, None)) == ["b==7", "e"]
    assert shown(reader.of_lines(LINES, X)) == ["c==8"]


def test_direct_requirements_keep_their_source_and_overrides_bring_theirs() -> None:
    reader = Dependencies(problem([], overrides=["b==7"], excludes=["c"]))
    found = reader.direct(requested(["a", "b>9", "c", "d; os_name == 'nt'"]))
    assert [(str(one), one.source) for one in found] == [("a", "app.txt:1"), ("b==7", "overrides.txt:1")]


def test_excluded_names_are_dropped_everywhere() -> None:
    reader = Dependencies(problem([], excludes=["A"]))
    assert shown(reader.of_lines(LINES, None)) == ["e"]
    assert reader.applying(requested(["a<1"])) == ()


def test_line_that_is_no_requirement_is_named() -> None:
    with pytest.raises(InvalidLine, match="not ~ valid"):
        Dependencies(problem([])).of_lines(("a", "not ~ valid"), None)


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet="ab1.-_ <>=!~,*()[];@+x\t\n", max_size=16).map(lambda tail: f"a{tail}"))
def test_a_line_is_read_as_the_grammar_reads_it(line: str) -> None:
    try:
        expected = Wanted.of(Requirement(line))
    except InvalidRequirement:
        with pytest.raises(InvalidLine):
            Dependencies(problem([])).of_lines((line,), None)
    else:
        assert Dependencies(problem([])).of_lines((line,), None) == (expected,)


@pytest.mark.parametrize(
    "line", ["a", "a-b>=1", "a (>=1.0,<2)", "a>=1.0, <2.dev0", "A.b ==1.*", "a(~=1.4)", "a !=1+local"]
)
def test_plain_lines_are_read_as_the_grammar_reads_them(line: str) -> None:
    assert Dependencies(problem([])).of_lines((line,), None) == (Wanted.of(Requirement(line)),)


@pytest.mark.parametrize(
    "line", ["a;", "a ; ", "a; os_name", "a; 'x;y' == 'x' or", "a>=1;os_name=='nt';", "a; 'x' == 'x'"]
)
def test_line_with_a_broken_marker_is_named(line: str) -> None:
    with pytest.raises(InvalidLine):
        Dependencies(problem([])).of_lines((line,), None)


def test_lines_with_the_same_marker_each_want_their_own() -> None:
    lines = ("a>=1;os_name=='posix'", "b (<2) ; os_name == 'posix'", "c; os_name=='nt'", "d; os_name != 'x;y'")
    assert shown(Dependencies(problem([])).of_lines(lines, None)) == ["a>=1", "b<2", "d"]


def test_a_number_that_nobody_can_read_is_named() -> None:
    with pytest.raises(InvalidLine, match="a>=1111"):
        Dependencies(problem([])).of_lines(("a>=" + "1" * 5000,), None)
