"""Settings in environment variables."""

import pytest

from engine.arguments import COMMANDS, options_of
from engine.errors import ConfigurationError, InvalidSettings
from engine.settings.variables import (
    COMMAND_LINE_ONLY,
    FOREIGN,
    OTHER_NAMES,
    from_variables,
    unknown_variables,
    variable_names,
)

OPTIONS = {option[1]: option for command in COMMANDS for option in options_of(command)}


def given(**environ: str) -> dict[str, object]:
    return {name: value for name, (value, _) in from_variables(environ, OPTIONS.values()).items()}


def test_every_foreign_variable_stands_for_an_option_that_a_variable_may_set() -> None:
    assert {*FOREIGN.values(), *OTHER_NAMES.values()} <= OPTIONS.keys() - COMMAND_LINE_ONLY


def test_every_option_but_the_acts_has_variables_of_its_own() -> None:
    names = [name for option in OPTIONS.values() for name in variable_names(option)]
    assert len(set(names)) == len(names)
    for name, option in OPTIONS.items():
        value = option[2][0] if isinstance(option[2], tuple) else "1"
        found = [name in given(**{variable: value}) for variable in variable_names(option)]
        assert found and set(found) == {name not in COMMAND_LINE_ONLY}


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("ENGINE_OFFLINE", "1", "offline", True),
        ("ENGINE_OFFLINE", "False", "offline", False),
        ("ENGINE_DURABLE", "off", "durable", False),
        ("ENGINE_NO_INDEX", "yes", "no_index", True),
        ("ENGINE_VERBOSE", "2", "verbose", 2),
        ("ENGINE_QUIET", "true", "quiet", True),
        ("ENGINE_LINK_MODE", " copy ", "link_mode", "copy"),
        ("ENGINE_CACHE_DIR", "/with space", "cache_dir", "/with space"),
        ("ENGINE_DEFAULT_INDEX", "https://example.com/", "index_url", "https://example.com/"),
        ("ENGINE_PYTHON", "3.11\n3.12", "python", ["3.11", "3.12"]),
        ("UV_INDEX", "a=https://example.com/  https://example.com/b", "index", None),
        ("PIP_TRUSTED_HOST", "a b:8080", "trusted_host", ["a", "b:8080"]),
        ("ENGINE_HTTP_TIMEOUT", "2.5", "timeout", "2.5"),
        ("UV_FIND_LINKS", "/with space,/b", "find_links", ["/with space", "/b"]),
        ("PIP_FIND_LINKS", "/a /b", "find_links", ["/a", "/b"]),
    ],
)
def test_values_are_read_as_their_options_have_them(variable: str, text: str, name: str, value: object) -> None:
    expected = ["a=https://example.com/", "https://example.com/b"] if value is None else value
    assert given(**{variable: text}) == {name: expected}


def test_the_order_is_ours_then_uvs_then_pips() -> None:
    environ = {name: f"https://example.com/{name}" for name in ("ENGINE_INDEX_URL", *list(FOREIGN)[:3])}
    assert list(environ)[1:] == ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"]
    for name in list(environ):
        assert given(**environ) == {"index_url": environ.pop(name)}


@pytest.mark.parametrize("variable", ["ENGINE_INDEX_URL", "UV_INDEX_URL", "ENGINE_OFFLINE", "UV_LINK_MODE"])
def test_a_blank_variable_counts_as_unset(variable: str) -> None:
    assert given(**{variable: " "}) == {} and given(**{variable: ""}) == {}


@pytest.mark.parametrize(
    "variable", ["ENGINE_OFFLINE", "UV_OFFLINE", "PIP_NO_INDEX", "ENGINE_LINK_MODE", "PIP_TIMEOUT", "ENGINE_RETRIES"]
)
def test_a_value_that_cannot_be_meant_names_its_variable(variable: str) -> None:
    with pytest.raises(ConfigurationError, match=f'^{variable} must be .*"perhaps"$'):
        given(**{variable: "perhaps"})


def test_a_word_that_only_uv_knows_is_left_to_uv() -> None:
    assert given(UV_LINK_MODE="symlink") == {} and given(UV_LINK_MODE="copy") == {"link_mode": "copy"}


def test_a_variable_of_an_option_that_the_command_lacks_is_no_matter() -> None:
    assert from_variables({"ENGINE_LINK_MODE": "nonsense"}, options_of("cache dir")) == {}


def test_the_variable_of_the_one_file_is_known() -> None:
    assert unknown_variables({"ENGINE_PYZ_DIR": "/x"}) == []


def test_a_misspelled_variable_is_told_with_the_right_one() -> None:
    environ = {"ENGINE_LINKMODE": "copy", "ENGINE_X": "", "ENGINE_INDEX_CORP_PASSWORD": "x", "ENGINE_QUIET": "1"}
    assert unknown_variables(environ) == [
        "nothing reads the variable ENGINE_LINKMODE; ENGINE_LINK_MODE is one",
        "nothing reads the variable ENGINE_X",
    ]


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("ENGINE_RETRIES", "-1", 'must be a whole number, at least 0, not "-1"'),
        ("UV_CONCURRENT_DOWNLOADS", "0", 'must be a whole number, at least 1, not "0"'),
        ("PIP_TIMEOUT", "0", 'must be a number of seconds above 0, not "0"'),
        ("ENGINE_VERBOSE", "3", 'must be 0, 1 or 2, not "3"'),
        ("PIP_INDEX_URL", "ftp://x", "must be an http, https or file URL, or the path of a folder, not ftp://…"),
        ("UV_INDEX", "a b=https://example.com/", ""),
        ("ENGINE_INDEX", "a!=https://example.com/", "has a wrong name of an index: it may have letters, digits, "),
        ("ENGINE_FIND_LINKS", "a s3://b", "must be an http, https or file URL, or the path of a folder, not s3://…"),
    ],
)
def test_bounds_and_places_are_checked_by_their_variables(variable: str, text: str, said: str) -> None:
    if not said:
        assert given(**{variable: text}) == {"index": text.split()}
        return
    with pytest.raises(ConfigurationError) as caught:
        given(**{variable: text})
    assert str(caught.value).startswith(f"{variable} {said}")


def test_all_that_is_wrong_in_variables_is_told_at_once() -> None:
    with pytest.raises(InvalidSettings) as caught:
        given(ENGINE_RETRIES="x", UV_LINK_MODE="copy", PIP_INDEX_URL="ftp://x", ENGINE_OFFLINE="perhaps")
    assert sorted(problem.partition(" ")[0] for problem in caught.value.problems) == [
        "ENGINE_OFFLINE",
        "ENGINE_RETRIES",
        "PIP_INDEX_URL",
    ]
