"""What is said of single projects."""

import pytest

from engine.errors import ConfigurationError
from engine.wanted.upgrades import read_prereleases, read_upgrades

MODES = ("allow", "disallow")


def test_a_bound_bounds_what_is_chosen_anew() -> None:
    found = read_upgrades(["Flask", "zope.interface<4; python_version > '3'"])
    assert found.names == {"flask", "zope-interface"}
    assert [str(one.requirement.specifier) for one in found.constraints] == ["<4"]
    assert found.constraints[0].requirement.marker is not None


@pytest.mark.parametrize("word", ["", "-r x", "./folder", "a @ https://example.com/a.whl", "flask <"])
def test_what_is_no_project_is_refused(word: str) -> None:
    with pytest.raises(ConfigurationError, match="--upgrade-package"):
        read_upgrades([word])


def test_the_nearest_mode_of_a_project_counts() -> None:
    found = read_prereleases(["Zope.Interface = allow", "zope-interface=disallow"], MODES)
    assert found == {"zope-interface": "allow"}


@pytest.mark.parametrize("word", ["flask", "=allow", "flask=sometimes", "flask="])
def test_a_mode_that_is_none_is_refused(word: str) -> None:
    with pytest.raises(ConfigurationError, match="NAME=MODE") as caught:
        read_prereleases([word], MODES)
    assert caught.value.hint is not None and "allow, disallow" in caught.value.hint
