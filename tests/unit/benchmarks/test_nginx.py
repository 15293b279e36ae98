"""nginx is told of every folder as one word."""

from pathlib import Path

import pytest

from benchmarks.nginx import configuration, quoted


def test_a_path_is_one_word_whatever_it_has() -> None:
    assert quoted(Path("/a b;{}#")) == '"/a b;{}#"'
    assert quoted(Path('/a"b\\c')) == '"/a\\"b\\\\c"'


def test_a_path_that_nginx_would_take_for_a_variable_is_refused() -> None:
    with pytest.raises(SystemExit, match="dollar"):
        quoted(Path("/a$b"))


def test_every_path_of_the_configuration_is_quoted() -> None:
    text = configuration(Path("/some folder"), 1, {2: 600, 3: 0})
    assert text.count("/some folder") == text.count('"/some folder') >= 10
    assert "listen 127.0.0.1:2 ssl" in text and "max-age=0, public" in text
