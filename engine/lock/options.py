"""Options that stand on lines of their own in a requirements file.  PURE.

Source: pip's "Requirements File Format", "Supported options".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.lock.direct import Unbuilt

#: Option to the field of `FileOptions` that it sets, or to "include" and "constrain".
_TAKE_VALUE = {
    "-i": "index_url",
    "--index-url": "index_url",
    "--pypi-url": "index_url",
    "--extra-index-url": "extra_index_urls",
    "-f": "find_links",
    "--find-links": "find_links",
    "--trusted-host": "trusted_hosts",
    "--no-binary": "formats",
    "--only-binary": "formats",
    "--use-feature": "ignored",
    "-r": "include",
    "--requirement": "include",
    "-c": "constrain",
    "--constraint": "constrain",
}
_FLAGS = {
    "--no-index": "no_index",
    "--require-hashes": "require_hashes",
    "--pre": "pre",
    "--prefer-binary": "ignored",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """Another file that a file asks to read; `constrains` tells whether as constraints."""

    target: str
    constrains: bool
    line: int


@dataclass(slots=True, kw_only=True)
class FileOptions:
    """The options of one file, as they are written.

    `formats` has (`no-binary` or `only-binary`, value) in order; `ignored` the options that mean nothing for pins.
    """

    index_url: str | None = None
    extra_index_urls: list[str] = field(default_factory=list)
    find_links: list[str] = field(default_factory=list)
    no_index: bool = False
    trusted_hosts: list[str] = field(default_factory=list)
    formats: list[tuple[str, str]] = field(default_factory=list)
    pre: bool = False
    require_hashes: bool = False
    ignored: list[str] = field(default_factory=list)

    def read(self, words: list[str], line: int) -> Iterator[Include]:
        """Takes the options of one line; yields the files that it asks for.

        Args:
            words: of the line.
            line: its number.

        Raises:
            ValueError: when an option is unknown, has no value, or is followed by something else.
        """
        rest = iter(words)
        for word in rest:
            option, value = _split(word)
            kind = _TAKE_VALUE.get(option)
            if kind is None:
                self._read_flag(option, value)
                continue
            argument = value if value is not None else next(rest, "")
            if not argument or argument.startswith("-"):
                raise ValueError(f"option {option} takes a value")
            if kind in ("include", "constrain"):
                yield Include(target=argument, constrains=kind == "constrain", line=line)
            elif kind == "index_url":
                self.index_url = argument
            elif kind == "formats":
                self.formats.append((option[2:], argument))
            elif kind == "ignored":
                self.ignored.append(option)
            else:
                getattr(self, kind).append(argument)

    def _read_flag(self, option: str, value: str | None) -> None:
        kind = _FLAGS.get(option)
        if kind is None:
            if not option.startswith("-"):
                raise ValueError(f'"{option}" follows an option that takes one value and nothing else')
            if option in ("-e", "--editable"):
                raise Unbuilt(f"option {option} is not supported: editables cannot be installed so far")
            raise ValueError(f"option {option} is not supported in a file")
        if value is not None:
            raise ValueError(f"option {option} takes no value")
        if kind == "ignored":
            self.ignored.append(option)
        else:
            setattr(self, kind, True)


def _split(word: str) -> tuple[str, str | None]:
    """Splits `--option=value`, `-ovalue` and `-o=value`, as pip does, into option and value."""
    if word.startswith("--") or not word.startswith("-"):
        option, equals, value = word.partition("=")
        return option, value if equals else None
    return word[:2], word[2:].removeprefix("=") or None


def split_words(line: str) -> list[str] | None:
    """Returns the words of a line as a shell would; None when a quotation mark is not closed."""
    if not any(mark in line for mark in "\"'\\"):
        return line.split()
    import shlex

    try:
        return shlex.split(line)
    except ValueError:
        return None
