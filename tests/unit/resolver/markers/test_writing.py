"""Sets of environments against the markers that they were read from, as `packaging` evaluates them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.markers import Marker

from resolver.markers import NOWHERE, POSSIBLE, Environments, from_python, read_marker, write_marker
from tests.support.environments import environments, markers


def read(text: str) -> Environments:
    return read_marker(Marker(text))


def holds(one: Environments, environment: dict[str, str], assuming: Environments = POSSIBLE) -> bool:
    if not one & assuming:
        return False
    written = write_marker(one, assuming)
    return written is None or written.evaluate(environment)


@settings(max_examples=400, deadline=None)
@given(markers(), markers(), environments())
def test_operations_mean_what_they_mean_for_every_environment(
    left: str, right: str, environment: dict[str, str]
) -> None:
    one, other = Marker(left).evaluate(environment), Marker(right).evaluate(environment)
    assert holds(read(left), environment) is one
    assert holds(read(left) & read(right), environment) is (one and other)
    assert holds(read(left) | read(right), environment) is (one or other)
    assert holds(~read(left), environment) is not one


@settings(max_examples=200, deadline=None)
@given(markers(), markers())
def test_equal_sets_are_one_object(left: str, right: str) -> None:
    one, other = read(left), read(right)
    assert ~(~one & ~other) is one | other
    assert (one & other) | (one & ~other) is one
    assert one & ~one is NOWHERE


@settings(max_examples=300, deadline=None)
@given(markers(), environments(), st.sampled_from([">=3.8", ">=3.9,<4", "", ">=3.10"]))
def test_written_marker_is_right_wherever_the_assumption_holds(
    text: str, environment: dict[str, str], python: str
) -> None:
    assuming = from_python(python) & POSSIBLE
    if holds(assuming, environment):
        assert holds(read(text), environment, assuming) is Marker(text).evaluate(environment)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("python_version >= '3.8'", None),
        (
            "python_version < '3.9' or (python_version >= '3.9' and os_name == 'nt')",
            "python_version < '3.9' or os_name == 'nt'",
        ),
        ("python_full_version < '3.9'", "python_version < '3.9'"),
        ("python_version >= '3.9' and python_version < '3.10'", "python_version == '3.9'"),
        ("python_version not in '3.8 3.9'", "python_version >= '3.10'"),
        ("sys_platform == 'win32' and platform_system != 'Linux'", "sys_platform == 'win32'"),
        ("sys_platform == 'linux' and 'lin' in sys_platform", "sys_platform == 'linux'"),
        (
            "(os_name == 'nt' and python_version < '3.9') or (python_version < '3.9' and os_name == 'java')",
            "python_version < '3.9' and (os_name == 'java' or os_name == 'nt')",
        ),
        ("'Dev' in dependency_groups or 'dev' in dependency_groups", "'dev' in dependency_groups"),
        ("python_full_version <= '3.11.0a6'", "python_full_version <= '3.11.0a6'"),
    ],
)
def test_what_is_known_and_what_is_said_twice_is_left_out(text: str, short: str | None) -> None:
    written = write_marker(read(text), from_python(">=3.8") & POSSIBLE)
    assert written == (None if short is None else Marker(short))


def test_what_no_environment_has_at_once_is_nowhere() -> None:
    assert not read("sys_platform == 'win32' and os_name == 'posix'") & POSSIBLE
    assert not read("platform_system == 'Windows' and sys_platform == 'linux'") & POSSIBLE
    assert not read("python_version < '3.8'") & from_python("~=3.8.2")
    assert read("sys_platform == 'cygwin' and os_name == 'posix'") & POSSIBLE
