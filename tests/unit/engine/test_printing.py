"""The words of outcomes and errors: what is said, in which color, and text that no terminal obeys."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.annotations import Annotator
from engine.errors import EngineError, IndexUnavailable, InvalidLock
from engine.printing import (
    Style,
    choose_style,
    detail_lines,
    error_lines,
    escape,
    outcome_lines,
    wants_color,
    wheel_lines,
)
from engine.recording import Artifact
from engine.reporting import Outcome

PLAIN = Style()
ACTIONS = Style(annotator=Annotator("", "/"))
HOSTILE = "\x1b[31m\u202e\x9b\r\n::set-output name=a::b"


def printed(outcome: Outcome, style: Style = PLAIN, **changes: Any) -> list[str]:
    return outcome_lines(outcome, style, **{"several": False, "dry_run": False, "quiet": 0, "seconds": 0.25, **changes})


def outcome(**changes: object) -> Outcome:
    fields: dict[str, object] = {
        "added": [("zeta", "1.0"), ("alpha", "2.0")],
        "removed": [("alpha", "1.0")],
        "kept": 3,
        "warnings": ["odd", "odd"],
        "details": [],
    }
    return Outcome("/env", **{**fields, **changes})  # type: ignore[arg-type]


def test_changes_are_listed_by_name_and_warnings_once() -> None:
    assert printed(outcome()) == [
        "warning: odd",
        "Removed 1 distribution",
        "Installed 2 distributions in 250 ms",
        " - alpha==1.0",
        " + alpha==2.0",
        " + zeta==1.0",
    ]


def test_a_dry_run_says_would() -> None:
    lines = printed(outcome(created=True), dry_run=True)
    assert lines[1].startswith("Would remove") and lines[2].startswith("Would install")
    assert not any(line.startswith("Created") for line in lines)


def test_quiet_keeps_warnings_and_twice_quiet_only_errors() -> None:
    failed = outcome(error=IndexUnavailable("no answer", hint="look"))
    assert printed(outcome(), quiet=1) == ["warning: odd"]
    assert printed(outcome(), quiet=2) == []
    assert printed(failed, quiet=2) == ["error: no answer", "hint: look"]


def test_with_several_environments_every_line_says_which() -> None:
    lines = printed(outcome(warnings=[]), several=True)
    assert all("/env" in line for line in lines[:2])
    failed = printed(outcome(warnings=[], error=IndexUnavailable("no")), several=True)
    assert failed == ["/env was left as it was:", "error: no"]


def test_nothing_to_do_is_said_too() -> None:
    lines = printed(outcome(added=[], removed=[], warnings=[], recovered=True))
    assert len(lines) == 2 and "interrupted run" in lines[0]
    assert lines[1].startswith("Nothing to do: 3 distributions in place")


@given(st.text())
def test_escaped_text_is_printable_and_ordinary_text_stays_as_it_is(text: str) -> None:
    made = escape(text)
    assert made.isprintable()
    assert text.isprintable() == (made == text)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain é 漢", "plain é 漢"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\r\nb", "a\\r\\nb"),
        ("\u202eabc", "\\u202eabc"),
        ("\x9b", "\\x9b"),
        ("\udc80", "\\udc80"),
        ("\u200b\ufeff", "\\u200b\\ufeff"),
    ],
)
def test_what_a_terminal_could_obey_is_made_visible(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_several_lines_of_a_problem_stay_together_and_the_hint_comes_last() -> None:
    error = InvalidLock(["a.txt:1: wrong", "a.txt:2: wrong\nbecause"], hint="look")
    assert error_lines(error, PLAIN) == ["error: a.txt:1: wrong", "error: a.txt:2: wrong", "  because", "hint: look"]


def test_color_is_for_marks_and_signs_only() -> None:
    style = Style(color=True)
    assert printed(outcome(kept=0, warnings=["odd"], removed=[]), style) == [
        "\x1b[33mwarning\x1b[0m: odd",
        "Installed 2 distributions in 250 ms",
        " \x1b[32m+\x1b[0m alpha==2.0",
        " \x1b[32m+\x1b[0m zeta==1.0",
    ]
    assert error_lines(EngineError("no", hint="look"), style) == [
        "\x1b[31merror\x1b[0m: no",
        "\x1b[36mhint\x1b[0m: look",
    ]


@pytest.mark.parametrize("style", [PLAIN, ACTIONS], ids=["plain", "actions"])
def test_text_from_outside_is_escaped_wherever_it_stands(style: Style) -> None:
    hostile = Outcome(HOSTILE, added=[(HOSTILE, HOSTILE)], removed=[(HOSTILE, "1")], warnings=[HOSTILE], created=True)
    lines = printed(hostile, style, several=True)
    lines += printed(Outcome("", error=EngineError(HOSTILE, hint=HOSTILE)), style)
    lines += detail_lines([Outcome("", details=[HOSTILE])], style)
    assert len(lines) > 8 and all(line.isprintable() for line in lines)


def test_on_a_runner_warnings_and_errors_are_annotations_too_and_nothing_else_is_a_command() -> None:
    error = InvalidLock(["lock.txt:3: wrong\n::add-path::/evil", "other"], hint="::stop-commands::x")
    lines = printed(Outcome("", warnings=["odd"], error=error), ACTIONS)
    commands = [line for line in lines if line.lstrip().startswith("::")]
    assert commands == [
        "::warning::odd",
        "::error file=lock.txt,line=3::wrong%0A::add-path::/evil",
        "::error::other%0Ahint: ::stop-commands::x",
    ]
    assert "  \\x3a:add-path::/evil" in lines and "warning: odd" in lines and "error: other" in lines


def test_a_wheel_is_told_with_what_is_known_and_escaped() -> None:
    cached, unknown = Artifact("a"), Artifact(HOSTILE)
    cached.filename, cached.cached, cached.size_bytes = "a-1-py3-none-any.whl", True, 12
    cached.spent_ns, cached.links = {"stage": 1_250_000}, {"hardlink": 3}
    lines = wheel_lines([cached, unknown], PLAIN)
    assert lines[0] == "   a-1-py3-none-any.whl: 12 bytes, from the cache, stage 1.2 ms, 3 hardlink"
    assert lines[1].endswith(": not begun") and lines[1].isprintable()


def test_without_a_runner_nothing_is_annotated() -> None:
    lines = printed(Outcome("", warnings=["odd"], error=EngineError("no")))
    assert lines == ["warning: odd", "error: no"]


@pytest.mark.parametrize(
    ("choice", "environ", "is_terminal", "color"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"CLICOLOR_FORCE": "1"}, False, True),
        ("auto", {"CLICOLOR_FORCE": "0"}, False, False),
        ("auto", {"CLICOLOR": "0"}, True, False),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("never", {"FORCE_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1", "TERM": "dumb"}, False, True),
    ],
)
def test_color_is_used_where_it_is_wanted(choice: str, environ: dict[str, str], is_terminal: bool, color: bool) -> None:
    assert wants_color(choice, environ, is_terminal=is_terminal) is color
    assert choose_style(choice, environ, "/", is_terminal=is_terminal).color is color


@pytest.mark.parametrize(("value", "annotates"), [("true", True), ("false", False), ("", False)])
def test_annotations_are_for_the_runner(value: str, annotates: bool) -> None:
    style = choose_style("auto", {"GITHUB_ACTIONS": value}, "/", is_terminal=False)
    assert (style.annotator is not None) is annotates
