"""pip's configuration files."""

import pytest

from engine.errors import ConfigurationError
from engine.settings.pip_file import HONOURED, read_pip
from tests.unit.engine.settings.test_variables import OPTIONS


def values(text: str, section: str = "global") -> dict[str, object]:
    layer = read_pip("/pip.conf", text.encode(), section)
    return dict(layer.values) if layer is not None else {}


def test_what_is_honoured_stands_for_options() -> None:
    assert set(HONOURED.values()) <= OPTIONS.keys()


def test_settings_are_read_as_their_options_have_them() -> None:
    text = "[global]\nINDEX_URL = https://example.com/2%20/\nextra-index-url =\n  a\n  b\nno-index = no\nquiet = 3\n"
    assert values(text) == {"index_url": "https://example.com/2%20/", "extra_index_url": ["a", "b"], "no_index": False}


def test_another_section_or_an_empty_value_says_nothing() -> None:
    assert values("\ufeff[GLOBAL]\nindex-url = a\n[freeze]\nindex-url = b\n[global]\nindex-url =\n") == {}
    assert values("[install]\nindex-url = a", "global") == {}
    assert values("[install]\nindex-url = a", "install") == {"index_url": "a"}


@pytest.mark.parametrize("content", ["index-url = a", "[global]\na=1\na=2\n", "[global]\nhttps//secret@example\n"])
def test_a_broken_file_is_named_without_its_text(content: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        values(content)
    assert str(caught.value).startswith("/pip.conf cannot be read: line ")
    assert "\n" not in str(caught.value) and "secret" not in str(caught.value)


def test_a_file_that_is_no_text_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"/pip\.conf .* UTF-8"):
        read_pip("/pip.conf", b"[global]\n\xff", "global")


def test_a_switch_that_says_neither_yes_nor_no_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"/pip\.conf: no-index must be 1 or 0"):
        values("[global]\nno-index = perhaps")


def test_a_number_that_is_none_is_refused() -> None:
    assert values("[global]\ntimeout = 60") == {"timeout": "60"}
    with pytest.raises(ConfigurationError, match=r"/pip\.conf: timeout must be a number"):
        values("[global]\ntimeout = long")


def test_a_word_that_only_pip_knows_is_left_to_pip() -> None:
    assert values("[global]\nkeyring-provider = import") == {}
    assert values("[global]\nkeyring-provider = disabled") == {"keyring_provider": "disabled"}


def test_what_is_said_about_formats_is_honoured() -> None:
    text = "[global]\nno-binary = a,b\nonly-binary =\n  c\n  :none:\n"
    assert values(text) == {"no_binary": ["a,b"], "only_binary": ["c", ":none:"]}


def test_a_place_that_can_be_none_is_refused_with_its_file_and_key() -> None:
    with pytest.raises(ConfigurationError, match=r"^/pip\.conf: find-links must be an http, https or file URL"):
        values("[global]\nfind-links = /a ftp://b")
