"""Annotations for GitHub Actions: workflow commands that show a warning or an error beside a line of a file.

A runner obeys every line of a step's output that starts with `::`, and `##[` in
the middle of one.  So whatever came from outside is escaped as a message, and
`disarm` takes the meaning from all other lines.  Pure.

Source: "Workflow commands for GitHub Actions"; the escapes are those of its toolkit.
"""

import os

from engine.printing import escape


def disarm(line: str) -> str:
    """Returns a line that says the same and is no workflow command.

    Args:
        line: without a line end.
    """
    line = line.replace("##[", "#\\x23[")
    bare = line.lstrip()
    return f"{line[: len(line) - len(bare)]}\\x3a{bare[1:]}" if bare.startswith("::") else line


class Annotator:
    """Makes annotations.

    Args:
        workspace: absolute path of the checkout, or "": files are named from there.
        cwd: absolute path that relative paths start from.
    """

    __slots__ = ("_cwd", "_workspace")

    def __init__(self, workspace: str, cwd: str) -> None:
        self._workspace = workspace
        self._cwd = cwd

    def annotation(self, kind: str, text: str, hint: str = "") -> str:
        """Returns one annotation, in one line.

        Args:
            kind: `error` or `warning`.
            text: as it came; where it begins with `file:line: `, the annotation is shown there.
            hint: what helps, or "".
        """
        properties = ""
        if (place := location(text)) is not None and _is_path(place[0]):
            file, line = place
            text = text.partition(": ")[2]
            properties = f" file={_property(escape(self._from_workspace(file)))},line={line}"
        lines = [*text.splitlines(), *([f"hint: {hint}"] if hint else [])]
        message = "\n".join(map(escape, lines))
        return f"::{kind}{properties}::{_data(message)}"

    def _from_workspace(self, file: str) -> str:
        if not self._workspace:
            return file
        path = os.path.join(self._cwd, file)
        try:
            return os.path.relpath(path, self._workspace).replace(os.sep, "/")
        except ValueError:  # another drive
            return path


def location(text: str) -> tuple[str, int] | None:
    """Returns the file and line that a message begins with, as in `lock.txt:3: ...`, or None."""
    place, colon, _ = text.partition(": ")
    file, _, number = place.rpartition(":")
    if not (colon and file and number.isascii() and number.isdecimal() and len(number) < 10):
        return None
    return file, int(number)


def _is_path(file: str) -> bool:
    """Tells whether it is a file of a checkout: neither standard input nor an address."""
    return file not in ("-", "<stdin>", "standard input") and "://" not in file


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
