"""Which pins apply: markers, doubles, constraints and hashes over all files of a lock."""

from dataclasses import dataclass, field

import pytest

from engine.errors import InvalidLock
from engine.lock.direct import Place
from engine.lock.lock import Lock
from engine.lock.pins import Pin
from engine.lock.requirements import RequirementsFile

LINUX = {
    "implementation_name": "cpython",
    "implementation_version": "3.12.1",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "6.1",
    "platform_system": "Linux",
    "platform_version": "1",
    "python_full_version": "3.12.1",
    "python_version": "3.12",
    "sys_platform": "linux",
}
A, B = "a" * 64, "b" * 64
WHEEL = "https://example.com/a-1-py3-none-any.whl"


@dataclass(frozen=True)
class Facts:
    """What is known about an environment."""

    markers: dict[str, str] = field(default_factory=lambda: dict(LINUX))
    tags: tuple[str, ...] = ("py3-none-any",)


WINDOWS = Facts(markers={**LINUX, "sys_platform": "win32"})


def parse(text: str, constraints: str = "", *, require_hashes: bool = False) -> Lock:
    place = Place(folder="/project")
    pins = RequirementsFile.parse(text, source="lock.txt", place=place, environ={})
    constrained = RequirementsFile.parse(constraints, source="c.txt", place=place, environ={}, constrains=True)
    assert pins.problems == constrained.problems == ()
    return Lock(parts=pins.pins, constraints=constrained.constraints, require_hashes=require_hashes)


def select(text: str, constraints: str = "", *, require_hashes: bool = False) -> tuple[Pin, ...]:
    return parse(text, constraints, require_hashes=require_hashes).select(Facts())


def problems(text: str, constraints: str = "", *, require_hashes: bool = False) -> list[str]:
    with pytest.raises(InvalidLock) as caught:
        select(text, constraints, require_hashes=require_hashes)
    return caught.value.problems


def test_markers_select_one_of_two_pins() -> None:
    lock = parse("a==1 ; sys_platform == 'linux'\nz==1\na==2 ; sys_platform != 'linux'\nb==1 ; extra == 'x'\n")
    assert [str(pin) for pin in lock.select(Facts())] == ["a==1", "z==1"]
    assert [str(pin) for pin in lock.select(WINDOWS)] == ["z==1", "a==2"]


def test_no_extra_is_active_in_a_lock() -> None:
    assert parse("a==1 ; extra == 'x'").select(Facts(markers={**LINUX, "extra": "x"})) == ()


def test_two_versions_of_one_project_name_both_lines() -> None:
    with pytest.raises(InvalidLock) as caught:
        parse("a==1\nb==1\nA==2 ; python_version >= '3'\nb==1.1").select(Facts())
    assert caught.value.problems == [
        'lock.txt:3: "a==2" contradicts "a==1" at lock.txt:1',
        'lock.txt:4: "b==1.1" contradicts "b==1" at lock.txt:2',
    ]


def test_one_version_pinned_twice_is_one_pin() -> None:
    (pin,) = parse(f"a[x]==1 --hash=sha256:{A}\na[y]==1.0 --hash=sha256:{B} --hash=sha256:{A}").select(Facts())
    assert pin.where == "lock.txt:1"
    assert pin.extras == {"x", "y"}
    assert [digest.hex for digest in pin.hashes] == [A, B]


@pytest.mark.parametrize("text", ["a==1\na===1.0", "a===1.0\na==1"])
def test_arbitrary_equality_outlives_a_merge(text: str) -> None:
    (pin,) = parse(text).select(Facts())
    assert str(pin) == "a===1.0"


def test_two_arbitrary_texts_contradict_each_other() -> None:
    with pytest.raises(InvalidLock):
        parse("a===1\na===1.0").select(Facts())


def test_a_marker_that_cannot_be_evaluated_is_a_problem() -> None:
    with pytest.raises(InvalidLock, match=r"lock\.txt:2: the marker .* cannot be evaluated"):
        parse("a==1\nb==1 ; python_full_version ~= 'abc'").select(Facts())


def test_a_url_and_a_pin_of_the_same_version_are_one_pin_with_the_file() -> None:
    for text in (f"a==1\na[x] @ {WHEEL}", f"a @ {WHEEL}\na[x]==1.0"):
        (pin,) = select(text)
        assert pin.file is not None and pin.file.url == WHEEL and pin.extras == {"x"}


@pytest.mark.parametrize(
    "second", [f"{WHEEL}?x", "./a-1-py3-none-any.whl", "a==2", WHEEL.replace("-1-", "-2-"), f"{WHEEL}#sha256={B}"]
)
def test_two_wheels_of_one_project_contradict_each_other(second: str) -> None:
    (problem,) = problems(f"a @ {WHEEL}#sha256={A}\n{second}")
    assert problem.startswith("lock.txt:2: ") and problem.endswith(" at lock.txt:1")


def test_messages_about_wheels_tell_no_secret() -> None:
    assert "secret" not in "".join(problems("a @ " + WHEEL.replace("://", "://u:secret@") + "\na==2"))


def test_a_constraint_that_forbids_a_pin_names_both_lines() -> None:
    assert problems("a==1\nb==2", "B>=3\na==2 ; os_name == 'nt'\nc==9") == [
        'lock.txt:2: "b==2" is not what "b>=3" at c.txt:1 allows'
    ]


@pytest.mark.parametrize(
    ("pin", "constraint"),
    [
        ("a==1", "a"),
        ("a==1", "a>=1,<2"),
        ("a==1.0", "a==1"),
        ("a==1.0a1", "a<2"),
        ("a==1+cpu", "a==1"),
        ("a===x", "a===x"),
        ("a===x", "a"),
        (f"a @ {WHEEL}", "a==1"),
        (f"a @ {WHEEL}", f"a @ {WHEEL}"),
        ("a==1", "a==2 ; sys_platform == 'win32'"),
        ("a==1", "other==1"),
    ],
)
def test_a_constraint_that_allows_a_pin_changes_nothing(pin: str, constraint: str) -> None:
    assert select(pin, constraint) == select(pin)


@pytest.mark.parametrize(
    ("pin", "constraint"),
    [
        ("a==1", "a==2"),
        ("a==1", "a!=1"),
        ("a===x", "a==1"),
        ("a==1", f"a @ {WHEEL}"),
        (f"a @ {WHEEL}", "a==2"),
        (f"a @ {WHEEL}", f"a @ {WHEEL}?x"),
    ],
)
def test_a_constraint_may_forbid_a_version_or_a_wheel(pin: str, constraint: str) -> None:
    assert len(problems(pin, constraint)) == 1


def test_hashes_of_constraints_stand_in_for_those_of_pins_and_narrow_them() -> None:
    (pin,) = select("a==1", f"a==1 --hash=sha256:{A}", require_hashes=True)
    assert [digest.hex for digest in pin.hashes] == [A]
    (pin,) = select(f"a==1 --hash=sha256:{A} --hash=sha256:{B}", f"a==1 --hash=sha256:{B}")
    assert [digest.hex for digest in pin.hashes] == [B]
    assert problems(f"a==1 --hash=sha256:{A}", f"a==1 --hash=sha256:{B}") == [
        'lock.txt:1: "a==1" has no hash that c.txt:1 allows'
    ]


def test_where_hashes_are_required_every_line_without_one_is_named_with_a_way_out() -> None:
    text = f"a==1\nb==1 --hash=sha256:{A}\nc==1 ; os_name == 'nt'\nd @ {WHEEL.replace('/a', '/d')}\ne==1\n"
    with pytest.raises(InvalidLock) as caught:
        select(text, require_hashes=True)
    assert [problem.partition(": ")[0] for problem in caught.value.problems] == [f"lock.txt:{n}" for n in (1, 4, 5)]
    assert caught.value.hint is not None and "--no-require-hashes" in caught.value.hint


def test_a_fragment_is_a_hash() -> None:
    assert len(select(f"{WHEEL}#sha256={A}", require_hashes=True)) == 1


def test_thousands_of_lines_without_a_hash_are_counted() -> None:
    found = problems("".join(f"a{n}==1\n" for n in range(1000)), require_hashes=True)
    assert len(found) == 101 and found[-1] == "and 900 more lines without a hash"


def test_the_origin_that_is_expected_has_a_hash_only_where_there_is_no_choice() -> None:
    assert [A in pin.direct_url for pin in select(f"{WHEEL} --hash=sha256:{A}")] == [True]
    assert [A in pin.direct_url for pin in select(f"{WHEEL} --hash=sha256:{A} --hash=sha256:{B}")] == [False]
    assert [pin.direct_url for pin in select("a==1")] == [""]
