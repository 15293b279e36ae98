"""Settings files of our own: what they may say, and what is said about the rest."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.arguments import COMMANDS, options_of
from engine.errors import ConfigurationError, InvalidSettings
from engine.settings import model
from engine.settings.checking import find_line
from engine.settings.memory import Layer
from engine.settings.toml_file import read_toml
from engine.settings.variables import COMMAND_LINE_ONLY

PATH = os.path.abspath("/project/engine.toml")


def read(text: str) -> Layer:
    layer = read_toml(PATH, text.encode(), in_pyproject=False)
    assert layer is not None
    return layer


def problems(text: str, *, in_pyproject: bool = False) -> list[str]:
    with pytest.raises(InvalidSettings) as caught:
        read_toml(PATH, text.encode(), in_pyproject=in_pyproject)
    return [problem.removeprefix(PATH) for problem in caught.value.problems]


def test_every_option_is_a_setting_or_written_down_as_none() -> None:
    options = {option[1] for command in COMMANDS for option in options_of(command)}
    excluded = COMMAND_LINE_ONLY | model.ABOUT_FILES | model.TABLES
    assert excluded <= options, "an option that is no more"
    assert options - excluded == model.settable_options().keys()
    assert model.build_model().model_fields.keys() == (options - excluded) | {"index", "sources"}


def test_every_metavar_of_a_setting_has_its_meaning_and_no_other() -> None:
    used = {option[3] for option in model.settable_options().values() if option[2] in ("value", "list")}
    assert used <= model.BY_METAVAR.keys() and model.BY_METAVAR.keys() >= model.PATHS


def test_every_key_of_every_option_sets_it() -> None:
    for name, option in model.settable_options().items():
        kind = option[2]
        for key in model.keys(option):
            if name in ("quiet", "verbose"):
                assert read(f"{key} = 2").values == {name: 2}
            elif kind in ("flag", "switch"):
                assert read(f"{key} = false").values == {name: False}
            elif isinstance(kind, tuple):
                assert read(f'{key} = "{kind[-1]}"').values == {name: kind[-1]}
            else:
                assert read(sample(option)).values.keys() == {name}


def sample(option: tuple[tuple[str, ...], str, "str | tuple[str, ...]", str | None, str]) -> str:
    """Returns a line that sets an option that takes a value."""
    key = model.keys(option)[0]
    texts = ['"x"', '"x=2024-01-31"', '"x=allow"', '"2024-01-31"', "1"]
    for text in texts:
        line = f"{key} = [{text}]" if option[2] == "list" else f"{key} = {text}"
        try:
            read(line)
        except InvalidSettings:
            continue
        return line
    raise AssertionError(f"{key} takes neither text nor a number")


def test_paths_start_from_the_folder_of_the_file() -> None:
    folder = os.path.dirname(PATH)
    layer = read(
        """
        cache-dir = "a/../cache"
        index-url = "simple"
        extra-index-url = ["https://example.com/simple", "file:///there", "../other"]
        find-links = ["wheels"]
        python = [".venv", "3.12", "cpython@3.13", "envs/a"]
        """
    )
    assert layer.values == {
        "cache_dir": os.path.join(folder, "cache"),
        "index_url": os.path.join(folder, "simple"),
        "extra_index_url": ["https://example.com/simple", "file:///there", os.path.abspath("/other")],
        "find_links": [os.path.join(folder, "wheels")],
        "python": [os.path.join(folder, ".venv"), "3.12", "cpython@3.13", os.path.join(folder, "envs/a")],
    }


def test_indexes_and_sources_are_tables() -> None:
    layer = read(
        """
        [[index]]
        url = "https://example.com/a"
        name = "a"
        explicit = true
        ignore-error-codes = [403]
        [[index]]
        url = "https://example.com/b"
        default = true
        [[index]]
        url = "wheels"
        format = "flat"
        [sources]
        Some_Project = { index = "a" }
        """
    )
    assert layer.default_index is not None and layer.default_index["url"] == "https://example.com/b"
    first, second = layer.indexes
    assert first == {
        "url": "https://example.com/a",
        "name": "a",
        "default": False,
        "explicit": True,
        "flat": False,
        "ignored_statuses": [403],
    }
    assert second["url"] == os.path.abspath("/project/wheels") and second["flat"]
    assert layer.sources == {"some-project": "a"}


def test_a_pyproject_without_our_table_says_nothing() -> None:
    for text in ("", "[tool.other]\nengine = 1", 'tool = "engine"', "[tool]\nother = 'engine'", "= engine"):
        assert read_toml(PATH, text.encode(), in_pyproject=True) is None
    layer = read_toml(PATH, b"[tool]\nengine.offline = true", in_pyproject=True)
    assert layer is not None and layer.values == {"offline": True}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('\nlink-mode = "soft"', ":2: link-mode must be one of 'hardlink', 'clone', 'copy', not \"soft\""),
        ("link-mode = 1", ":1: link-mode must be one of 'hardlink', 'clone', 'copy'"),
        ("link_mode = 'copy'", ":1: link_mode is no setting; link-mode is one"),
        ("ofline = true", ":1: ofline is no setting; offline is one"),
        ("xyzzy = true", ":1: xyzzy is no setting"),
        ("offline = 1", ":1: offline must be true or false"),
        ("offline = 'true'", ":1: offline must be true or false"),
        ("cache-dir = 5", ":1: cache-dir must be text in quotes"),
        ("cache-dir = ''", ":1: cache-dir must be one line of text and not empty"),
        ('cache-dir = "a\\u0000b"', ":1: cache-dir must be one line of text and not empty"),
        ("quiet = 99999999999999999999999", ":1: quiet must be at most 2"),
        ("timeout = nan", ":1: timeout must be a number"),
        ("timeout = 0", ":1: timeout must be more than 0"),
        ("timeout = '5'", ":1: timeout must be a number"),
        ("retries = 1e3", ":1: retries must be a whole number"),
        ("quiet = nan", ":1: quiet must be a whole number"),
        ("find-links = 1", ':1: find-links must be a list, such as ["one", "two"]'),
        ("find-links = [1]", ":1: find-links[0] must be text in quotes"),
        ("dry-run = true", ":1: dry-run can only be given on the command line"),
        ("no-config = true", ":1: no-config can only be given on the command line"),
        ("index-url = 'a'\ndefault-index = 'b'", ":2: default-index says the same as index-url; one of them is enough"),
        ("index = 'a'", ":1: index must be tables, each below a header [[index]]"),
        ("[index]\nurl = 'a'", ":1: index must be tables, each below a header [[index]]"),
        ("index = ['a']", ":1: index[0] must be a table"),
        ("[[index]]\nname = 'a'", ":1: index[0].url is missing"),
        ("[[index]]\nurl = 'a'\n[[index]]\nurl = 'b'\nuri = 'c'", ":5: index[1].uri is no setting; url is one"),
        (
            "[[index]]\nurl='a'\nname='a b'",
            ":3: index[0].name may have letters, digits, hyphens, underscores and dots only",
        ),
        ("[[index]]\nurl='a'\nformat='html'", ":3: index[0].format must be one of 'simple', 'flat', not \"html\""),
        ("[[index]]\nurl='a'\nignore-error-codes=[200]", ":3: index[0].ignore-error-codes[0] must be at least 400"),
        ("[[index]]\nurl='a'\nexplicit=true", ":3: index[0].explicit needs a name that sources can use"),
        ("sources = {a = 'b'}", ':1: sources.a must be a table: { index = "NAME" }'),
        ("[sources]\na.index = 'b'\n'-' = {index = 'b'}", ":3: sources.- is not the name of a project"),
        ("[sources]\na = {indx = 'b', index = 'b'}", ":2: sources.a.indx is no setting; index is one"),
    ],
)
def test_a_fault_is_told_with_its_line_its_key_and_what_is_allowed(text: str, found: str) -> None:
    assert problems(text) == [found]


def test_all_faults_are_told_at_once_in_the_order_of_lines() -> None:
    text = "offline = 1\n[[index]]\nurl = 1\n[[index]]\nurl = 'a'\ndefault = true\nx = 1\n[sources.a]\n"
    assert [problem.split()[0] for problem in problems(text)] == [":1:", ":3:", ":7:", ":8:"]


def test_of_many_faults_the_rest_is_counted() -> None:
    found = problems("".join(f"x{number} = 1\n" for number in range(1000)))
    assert len(found) == 21 and found[-1] == "and 980 more"


@pytest.mark.parametrize(
    "text",
    [
        "[[index]]\nurl = 'a'\nname = 'n'\n[[index]]\nurl = 'b'\nname = 'n'",
        "[[index]]\nurl = 'a'\ndefault = true\n[[index]]\nurl = 'b'\ndefault = true",
        "index-url = 'c'\n[[index]]\nurl = 'a'\nname = 'b'\ndefault = true",
    ],
)
def test_indexes_that_contradict_each_other_are_refused(text: str) -> None:
    assert len(problems(text)) == 1


def test_lines_are_found_in_a_table_of_a_pyproject() -> None:
    text = "[project]\noffline = 1\n[tool.engine]\nx = [\n1]\noffline = 1\n" + "[[tool.engine.index]]\n" * 2 + "url = 2"
    assert [problem.split()[0] for problem in problems(text, in_pyproject=True)] == [":4:", ":6:", ":7:", ":9:"]
    assert problems("[tool]\nengine = 1", in_pyproject=True) == [": tool.engine must be a table"]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"a = [", ": not TOML"),
        (b"a = 1\na = = 2", ":2: not TOML"),
        (b"\xff", " is not UTF-8 text"),
        (b"a = " + b"[" * 100_000, " is nested too deeply"),
        (b"a = " + b"9" * 10_000, ": not TOML: a number is too large"),
    ],
)
def test_what_is_no_toml_is_an_error_that_names_the_file(data: bytes, found: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_toml(PATH, data, in_pyproject=False)
    assert str(caught.value).startswith(PATH + found) and caught.value.hint is not None


@pytest.mark.parametrize(
    "text",
    [
        "link-mode = 'https://user:secret@example.com'",
        "offline = 'secret'",
        '[[index]]\nurl = "https://u:secret@example.com\\u0000"',
        "[[index]]\nurl = 'a'\npassword = 'secret'",
        "index-url = ['https://u:secret@example.com']",
        "index-url = https://u:secret@example.com",
    ],
)
def test_no_message_repeats_a_secret(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    assert "secret" not in str(caught.value)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["url", "index", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    escaped = "".join(f"\\U{ord(c):08x}" for c in str(value) if not 0xD800 <= ord(c) < 0xE000)
    return f'"{escaped}"'


@given(
    st.sampled_from(
        [*(key for option in model.settable_options().values() for key in model.keys(option)), "index", "sources"]
    ),
    TREES,
)
def test_a_value_of_any_shape_is_taken_or_refused_in_words(key: str, value: object) -> None:
    try:
        read(f"{key} = {toml(value)}")
    except InvalidSettings as exc:
        assert all(f":1: {key}" in problem and "cannot be meant" not in problem for problem in exc.problems)


def test_the_line_of_a_value() -> None:
    text = 'a.b = 1\n[x]\n"y z" = 2\n[[x.t]]\n[[x.t]]\nk = {\nd = 3}\n'
    assert find_line(text, ("a", "b")) == 1
    assert find_line(text, ("x", "y z")) == 3
    assert find_line(text, ("x", "t", 1, "k", "d")) in (6, 7)
    assert find_line(text, ("x", "t", 0, "k")) == 4
    assert find_line(text, ("nothing",)) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1\nconcurrent-downloads = 0", ":2: concurrent-downloads must be at least 1"),
        ("concurrent-installs = 0", ":1: concurrent-installs must be at least 1"),
        ("verbose = 3", ":1: verbose must be at most 2"),
        (
            'index-url = "ftp://x"',
            ":1: index-url must be an http, https or file URL, or the path of a folder, not ftp://…",
        ),
        ('find-links = ["a", "s3://x"]', ":1: find-links[1] must be an http, https or file URL"),
        ('[[index]]\nurl = "a=https://x"', ":2: index[0].url must be an http, https or file URL"),
        (
            "[[index]]\nurl = 'x'\nignore-error-codes = [403, 429]",
            ":3: index[0].ignore-error-codes[1] is a failure that",
        ),
        ("[[index]]\nurl = 'x'\nfoo = 1", "; allowed here: url, name, default, explicit, format, ignore-error-codes"),
        ("[[index]]\nurl = 'x'\nname = 'a.b'\n[[index]]\nurl = 'y'\nname = 'A-B'", ":6: index[1].name is the name of"),
        ('[sources]\ndemo = "corp"', ':2: sources.demo must be a table: { index = "NAME" }'),
        ("extra = 1", ':1: extra must be a list, such as ["one", "two"]'),
        ("\n[tool.engine]\nretries = 1", ":2: tool.engine is for a pyproject.toml; here the settings stand without"),
    ],
)
def test_what_is_allowed_is_said_with_the_line(text: str, said: str) -> None:
    assert any(said in problem for problem in problems(text))


def test_a_single_text_is_a_list_of_one() -> None:
    assert read('extra = "test"').values == {"extra": ["test"]}
