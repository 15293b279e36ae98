"""Names of a wheel's members: which are allowed, and where each belongs in an environment.

Pure, and on the warm path: it imports only errors.  Rules: a name is judged as it
stands, never cleaned; what one operating system would refuse or misread is
refused on all of them.

Source: PEP 427, "The .data directory"; PEP 491, "Installing a wheel".
"""

from engine.errors import InvalidWheel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SCHEMES = ("purelib", "platlib", "headers", "scripts", "data")

_NOT_A_PART = frozenset(("", ".", ".."))
_COMPONENT_MAX_BYTES = 255
_PATH_MAX_BYTES = 4096
# Everything that removes a tree goes down by recursion; real wheels have twenty levels.
_PARTS_MAX = 200
_UTF8_MAX_BYTES = 4
_SCRIPT_FOLDERS = ("bin", "scripts")
#: What makes an environment one, and where its changes are staged.
PRIVATE_TO_ENVIRONMENT = ("pyvenv.cfg", ".engine")


def check_member_name(name: str) -> None:
    """Checks that a name is a plain relative path; a folder's name ends with `/`.

    Raises:
        InvalidWheel: when it is absolute, climbs, has an empty part, a backslash, a drive,
            a control or other invisible character, a part of more than 255 bytes, more than 4096 of them, or
            more than 200 parts.
    """
    if not name.isprintable():
        _check_characters(name)
    if "\\" in name:
        raise InvalidWheel(f"member {name!r} has a backslash in its name")
    if name[1:2] == ":" and name[0].isalpha():
        raise InvalidWheel(f"member {name!r} begins with a drive letter")
    if name.startswith("/"):
        raise InvalidWheel(f"member {name!r} has an absolute path")
    parts = name.split("/")
    if parts[-1] == "" and len(parts) > 1:
        parts.pop()
    if not _NOT_A_PART.isdisjoint(parts):
        raise InvalidWheel(f"member {name!r} has an empty part, '.' or '..' in its path")
    if len(name) * _UTF8_MAX_BYTES > _COMPONENT_MAX_BYTES:
        _check_lengths(name, parts)


def _check_characters(name: str) -> None:
    import unicodedata

    for character in name:
        if unicodedata.category(character).startswith("C"):
            raise InvalidWheel(f"member {name!a} has the character U+{ord(character):04X} in its name")


def _check_lengths(name: str, parts: list[str]) -> None:
    if len(name.encode("utf-8")) > _PATH_MAX_BYTES:
        raise InvalidWheel(f"member {name[:80]!r}... has a name of more than {_PATH_MAX_BYTES} bytes")
    if len(parts) > _PARTS_MAX:
        raise InvalidWheel(f"member {name[:80]!r}... is more than {_PARTS_MAX} folders deep")
    for part in parts:
        if len(part.encode("utf-8")) > _COMPONENT_MAX_BYTES:
            raise InvalidWheel(f"member {part[:80]!r}... has a part of more than {_COMPONENT_MAX_BYTES} bytes")


def destination(path: str, dist_info: str, data: str | None, root_is_purelib: bool) -> tuple[str, str]:
    """Tells where a file of the archive belongs.

    Args:
        path: the file's name in the archive, already checked.
        dist_info: name of the dist-info folder.
        data: name of the `.data` folder, or None where there is none.
        root_is_purelib: what `Root-Is-Purelib` says.

    Returns:
        One of `SCHEMES`, and the path below that scheme's folder.

    Raises:
        InvalidWheel: when a path below `.data` has no scheme, or would replace the interpreter,
            its environment, the distribution's own metadata or that of another.
    """
    if data is None or not path.startswith(data) or path[len(data) : len(data) + 1] != "/":
        return ("purelib" if root_is_purelib else "platlib"), path
    scheme, _, relative = path[len(data) + 1 :].partition("/")
    if scheme not in SCHEMES or not relative:
        raise InvalidWheel(f"{path!r} belongs to no known scheme", hint=f"known are {', '.join(SCHEMES)}")
    if scheme == "scripts":
        if "/" in relative:
            raise InvalidWheel(f"{path!r} is a script in a sub-folder")
        if is_interpreter_name(relative):
            raise InvalidWheel(f"{path!r} would replace the interpreter")
    elif scheme == "data":
        _check_data(path, relative)
    elif scheme != "headers":
        folder = relative.partition("/")[0]
        if folder == dist_info:
            raise InvalidWheel(f"{path!r} would replace a part of the distribution's own metadata")
        if folder.casefold().endswith(".dist-info"):
            raise InvalidWheel(f"{path!r} would pass for the metadata of another distribution")
    return scheme, relative


def check_destinations(paths: "Iterable[str]", dist_info: str, data: str) -> None:
    """Checks where the files of a wheel with a `.data` folder belong, and that each has a place of its own.

    Args:
        paths: names of all files, already checked.
        dist_info: see `destination`.
        data: see `destination`.

    Raises:
        InvalidWheel: when `destination` refuses one, or when two files belong to one place, or one to the folder
            of another.  purelib and platlib are one folder in most environments, and count as one.
    """
    files: dict[tuple[str, str], str] = {}
    folders: dict[tuple[str, str], str] = {}
    for path in paths:
        scheme, relative = destination(path, dist_info, data, root_is_purelib=True)
        scheme = "purelib" if scheme == "platlib" else scheme
        other = files.setdefault((scheme, relative), path)
        if other != path:
            raise InvalidWheel(f"{other!r} and {path!r} belong to one place")
        folder = relative.rpartition("/")[0]
        while folder and folders.setdefault((scheme, folder), path) == path:
            folder = folder.rpartition("/")[0]
    for place in files.keys() & folders.keys():
        raise InvalidWheel(f"{files[place]!r} belongs where {folders[place]!r} needs a folder")


def _check_data(path: str, relative: str) -> None:
    first, _, rest = relative.casefold().partition("/")
    if first in PRIVATE_TO_ENVIRONMENT:
        raise InvalidWheel(f"{path!r} would replace a part of the environment itself")
    if first in _SCRIPT_FOLDERS and is_interpreter_name(rest.partition("/")[0]):
        raise InvalidWheel(f"{path!r} would replace the interpreter")


def is_interpreter_name(name: str) -> bool:
    """Tells whether a script of this name would replace an interpreter: `python`, `python3.12`, `pythonw.exe`."""
    folded = name.casefold().removesuffix(".exe")
    if not folded.startswith("python"):
        return False
    version = folded.removeprefix("python").removeprefix("w").removesuffix("t")
    return not version.strip("0123456789.")
