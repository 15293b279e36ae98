"""TOML that the standard library reads back."""

import tomllib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.compiled.toml_text import toml_text

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
TIMES = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1)).map(
    lambda one: one.replace(tzinfo=UTC)
)
PLAIN = st.one_of(TEXTS, st.booleans(), st.integers(-(2**63), 2**63 - 1), TIMES)
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3))


@given(
    st.dictionaries(TEXTS.filter(lambda key: key != "packages"), VALUES, max_size=3),
    st.lists(st.dictionaries(TEXTS, VALUES)),
)
def test_what_is_written_is_read_back(fields: dict[str, Any], packages: list[dict[str, Any]]) -> None:
    whole = {**fields, "packages": packages}
    assert tomllib.loads(toml_text(whole, "packages")) == whole


def test_several_tables_have_a_line_each() -> None:
    written = toml_text({"a": 1, "packages": [{"name": "x", "wheels": [{"b": 1}, {"c": {"d": "e"}}]}]}, "packages")
    assert written == ('a = 1\n\n[[packages]]\nname = "x"\nwheels = [\n    { b = 1 },\n    { c = { d = "e" } },\n]\n')


def test_times_are_in_utc() -> None:
    moment = datetime(2024, 1, 2, 3, tzinfo=timezone(timedelta(hours=2)))
    assert toml_text({"a": moment, "packages": []}, "packages") == "a = 2024-01-02T01:00:00Z\npackages = []\n"


def test_other_values_are_refused() -> None:
    with pytest.raises(TypeError, match="float"):
        toml_text({"a": 1.5, "packages": []}, "packages")
