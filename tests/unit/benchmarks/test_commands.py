"""Every tool is told to do the same work, in every state."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from benchmarks.commands import Job, commands, in_turn, input_of
from benchmarks.rows import State, Work, all_rows

PROGRAMS = {
    "engine": ["engine"],
    "engine.pyz": ["engine.pyz"],
    "uv": ["uv"],
    "pip": ["python", "-m", "pip"],
}
TEXT = "a==1\nb==2\nc==3\n"
SYNC, INSTALL, COMPILE = Work.SYNC, Work.INSTALL, Work.COMPILE
OPTIONS = "-q --cache-dir cache --index-url index"
EXPECTED = {
    ("engine", SYNC): [f"engine sync in {OPTIONS} --python a --python b"],
    ("engine", INSTALL): [f"engine install -r in {OPTIONS} --python a --python b"],
    ("engine", COMPILE): [f"engine compile in -o out {OPTIONS} --python a --python b"],
    ("engine.pyz", SYNC): [f"engine.pyz sync in {OPTIONS} --python a --python b"],
    ("engine.pyz", INSTALL): [f"engine.pyz install -r in {OPTIONS} --python a --python b"],
    ("engine.pyz", COMPILE): [f"engine.pyz compile in -o out {OPTIONS} --python a --python b"],
    ("uv", SYNC): [f"uv pip sync in {OPTIONS} -p {python}" for python in "ab"],
    ("uv", INSTALL): [f"uv pip install -r in --only-binary :all: {OPTIONS} -p {python}" for python in "ab"],
    ("uv", COMPILE): [f"uv pip compile in -o out --only-binary :all: {OPTIONS} -p {python}" for python in "ab"],
    ("pip", SYNC): [
        f"python -m pip --python {python} install --no-compile --no-deps -r in {OPTIONS}" for python in "ab"
    ],
    ("pip", INSTALL): [
        f"python -m pip --python {python} install --no-compile --only-binary :all: -r in {OPTIONS}" for python in "ab"
    ],
}


def job(work: Work) -> Job:
    return Job(
        work=work,
        source=Path("in"),
        pythons=[Path("a"), Path("b")],
        cache=Path("cache"),
        index_url="index",
        output=Path("out"),
    )


@pytest.mark.parametrize(("tool", "work"), EXPECTED)
def test_each_tool_is_told_its_work(tool: str, work: Work) -> None:
    told = commands(tool, PROGRAMS[tool], job(work))
    assert [" ".join(command) for command in told] == EXPECTED[tool, work]


@pytest.mark.parametrize("tool", PROGRAMS)
def test_more_words_are_for_engine_alone(tool: str) -> None:
    told = commands(tool, PROGRAMS[tool], replace(job(INSTALL), words=("--word",)))
    assert all(("--word" in command) == tool.startswith("engine") for command in told)


@pytest.mark.parametrize("tool", PROGRAMS)
def test_a_start_is_one_command_without_a_cache(tool: str) -> None:
    assert commands(tool, PROGRAMS[tool], job(Work.START)) == [[*PROGRAMS[tool], "--version"]]


def test_every_tool_of_every_row_has_its_command() -> None:
    for row in all_rows():
        for tool in row.tools:
            known = row.work is Work.START or (tool, row.work) in EXPECTED
            assert known, (row.name, tool)


@pytest.mark.parametrize("state", [State.COLD, State.WARM, State.STALE, State.DONE])
def test_the_input_is_the_same_in_every_round_where_the_state_says_so(state: State) -> None:
    assert {input_of(TEXT, state, number) for number in range(9)} == {TEXT}


@pytest.mark.parametrize("state", [State.CHANGED, State.OTHER])
def test_caches_are_filled_from_the_whole_input(state: State) -> None:
    assert input_of(TEXT, state, 0) == TEXT


def test_a_changed_input_is_another_text_each_time_and_wants_the_same() -> None:
    texts = [input_of(TEXT, State.CHANGED, number) for number in range(30)]
    assert len(set(texts)) == len(texts)
    assert {"".join(line for line in text.splitlines(True) if not line.startswith("#")) for text in texts} == {TEXT}


def test_another_lock_leaves_one_distribution_out_and_never_comes_again() -> None:
    texts = [input_of(TEXT, State.OTHER, number) for number in range(1, 30)]
    assert len(set(texts)) == len(texts)
    pins = [[line for line in text.splitlines() if not line.startswith("#")] for text in texts]
    assert all(set(each) < set(TEXT.split()) and len(each) == 2 for each in pins)
    assert {tuple(each) for each in pins} == {("a==1", "b==2"), ("a==1", "c==3"), ("b==2", "c==3")}


def test_each_tool_begins_as_often_as_the_others() -> None:
    orders = [in_turn(["engine", "uv", "pip"], number) for number in range(6)]
    assert all(sorted(order) == ["engine", "pip", "uv"] for order in orders)
    for place, tool in product(range(3), ["engine", "uv", "pip"]):
        assert [order[place] for order in orders].count(tool) == 2
