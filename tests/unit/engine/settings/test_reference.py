"""docs/settings.md says what the code does."""

import tomllib

from engine.arguments import SYNC_OPTIONS
from engine.settings.toml_file import read_toml
from engine.settings.variables import COMMAND_LINE_ONLY
from tests.support.settings_reference import PAGE, with_tables


def test_the_tables_are_those_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_tables(page), "python -m tests.support.settings_reference writes them"


def test_what_is_no_setting_is_said() -> None:
    page = PAGE.read_text(encoding="utf-8")
    flags = [option[0][0] for option in SYNC_OPTIONS if option[1] in COMMAND_LINE_ONLY]
    assert flags and all(f"`{flag}`" in page for flag in flags)


def test_the_example_is_a_settings_file() -> None:
    _, _, rest = PAGE.read_text(encoding="utf-8").partition("```toml\n")
    example = rest.partition("```")[0]
    layer = read_toml("/project/engine.toml", example.encode(), in_pyproject=False)
    assert layer is not None and layer.default_index is not None
    assert layer.sources == {"our-library": layer.indexes[0]["name"]}
    assert len(tomllib.loads(example)["index"]) == 2
