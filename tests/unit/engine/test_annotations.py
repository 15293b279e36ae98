"""Annotations for a runner: at the right place, in one line, and no other command than what was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.annotations import Annotator, disarm, location


def test_an_error_in_a_lock_is_shown_beside_its_line() -> None:
    made = Annotator("/project", "/project/sub").annotation("error", "locks/dev.txt:12: demo==1.0 is not there")
    assert made == "::error file=sub/locks/dev.txt,line=12::demo==1.0 is not there"


@pytest.mark.parametrize(
    ("workspace", "cwd", "file", "named"),
    [
        ("", "/anywhere", "lock.txt", "lock.txt"),
        ("/project", "/project", "lock.txt", "lock.txt"),
        ("/project", "/elsewhere", "/project/lock.txt", "lock.txt"),
        ("/project", "/project", "a,b%0A.txt", "a%2Cb%250A.txt"),
        ("/project", "/project", "a:b::error.txt", "a%3Ab%3A%3Aerror.txt"),
    ],
)
def test_a_file_is_named_from_the_workspace(workspace: str, cwd: str, file: str, named: str) -> None:
    made = Annotator(workspace, cwd).annotation("warning", f"{file}:1: odd")
    assert made.startswith(f"::warning file={named},line=1::")


@pytest.mark.parametrize("place", ["-", "<stdin>", "https://example.com/lock.txt"])
def test_what_is_no_file_of_a_checkout_is_not_named_as_one(place: str) -> None:
    assert Annotator("/project", "/project").annotation("error", f"{place}:3: odd").startswith("::error::")


def test_the_hint_is_in_the_annotation() -> None:
    assert Annotator("", "/").annotation("error", "a.txt:1: no", "100%") == (
        "::error file=a.txt,line=1::no%0Ahint: 100%25"
    )


def test_several_lines_are_one_annotation() -> None:
    assert Annotator("", "/").annotation("error", "one\ntwo 50%") == "::error::one%0Atwo 50%25"


def test_an_escape_of_the_runner_in_a_text_stays_a_text() -> None:
    assert Annotator("", "/").annotation("error", "a%0A::set-output name=x::y") == (
        "::error::a%250A::set-output name=x::y"
    )


@given(st.text())
def test_no_text_makes_a_second_line_or_a_hidden_character(text: str) -> None:
    made = Annotator("/project", "/project").annotation("error", text)
    assert made.isprintable() and made.startswith("::error")
    assert all(code[:2] in ("25", "0A", "3A", "2C") for code in made.split("%")[1:])


@given(st.text(alphabet=" :#[]ax\t"))
def test_no_disarmed_line_is_a_command(line: str) -> None:
    made = disarm(line)
    assert not made.lstrip().startswith("::") and "##[" not in made


@pytest.mark.parametrize(
    ("line", "disarmed"),
    [
        ("error: a::b", "error: a::b"),
        ("::error::x", "\\x3a:error::x"),
        ("  ::add-mask::x", "  \\x3a:add-mask::x"),
        ("see ##[group]x", "see #\\x23[group]x"),
    ],
)
def test_only_a_command_changes(line: str, disarmed: str) -> None:
    assert disarm(line) == disarmed


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("lock.txt:3: wrong", ("lock.txt", 3)),
        ("C:/a/lock.txt:3: wrong", ("C:/a/lock.txt", 3)),
        ("cannot read: no", None),
        (":3: wrong", None),
        ("lock.txt:3", None),
        ("lock.txt:x: wrong", None),
        ("lock.txt:\u0663: wrong", None),
        ("", None),
    ],
)
def test_a_place_is_read_from_the_beginning_of_a_message(text: str, place: tuple[str, int] | None) -> None:
    assert location(text) == place
