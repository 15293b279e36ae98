"""The command line as a file may tell it, so that the next person can make the file again.  PURE.

What changes nothing about the answer, or only this once, is left out, as uv does:
upgrades, how much is told, and the indexes unless the file has them too.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from engine.credentials import without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SILENT = frozenset({"-U", "--upgrade", "-q", "--quiet", "-v", "--verbose", "--no-progress", "--dry-run", "--check"})
_UPGRADES = frozenset({"-P", "--upgrade-package"})
_INDEXES = frozenset({"-i", "--index-url", "--extra-index-url", "--index", "--default-index"})
_FIND_LINKS = frozenset({"-f", "--find-links"})


def told_command(words: Sequence[str], *, index_urls: bool, find_links: bool) -> str:
    """Returns a command line for the header of a file.

    Args:
        words: as they were given, from the name of the program on.
        index_urls, find_links: the file names these, so the command line does too.
    """
    left_out = _UPGRADES | (frozenset() if index_urls else _INDEXES) | (frozenset() if find_links else _FIND_LINKS)
    return " ".join(_quoted(without_credentials(word)) for word in _told(words, left_out))


def _told(words: Sequence[str], left_out: frozenset[str]) -> Iterator[str]:
    skip = False
    for word in words:
        if skip:
            skip = False
            continue
        option = word.partition("=")[0] if word.startswith("--") else word[:2]
        if option in left_out and word.startswith("-"):
            # `-P x` and `--upgrade-package x`, but neither `-Px` nor `--upgrade-package=x`.
            skip = word == option
        elif not (word in _SILENT or _is_repeated_flag(word)):
            yield word


def _is_repeated_flag(word: str) -> bool:
    """Tells whether a word is `-vv`, `-qU` and the like."""
    return len(word) > 2 and word[0] == "-" and all(f"-{letter}" in _SILENT for letter in word[1:])


def _quoted(word: str) -> str:
    return word if word and not set(word) & set(" \t\n'\"\\$`;&|<>()#~!") else shlex.quote(word)
