"""The files of a lock as bytes, and what an answer that was stored for them depended on.

Reads files, standard input and, through the caller, web addresses.  Parses
nothing: a warm sync needs only the bytes for the key of its plan.

What a lock leads to (included files, local wheels, variables) is found out when
it is parsed, and stored with the plan as its conditions: a plan is only good while
they hold.  Included files count by their content, wheels by size and mtime.

On the warm path, and therefore not in `engine.lock`: one module fewer to load.
"""

import os

from engine.errors import ConfigurationError, EngineError
from engine.light_sha256 import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Protocol

    #: Asks for a web address; returns where the answer came from after redirects, and the answer.
    Fetch = Callable[[str], tuple[str, bytes]]

    #: (path, sha256 or "", size in bytes, mtime in ns).  A path may be relative to the folder of the first lock.
    FileCondition = tuple[str, str, int, int]

    class Named(Protocol):
        """What names files, as a command line does."""

        @property
        def files(self) -> Sequence[str]: ...
        @property
        def constraints(self) -> Sequence[str]: ...
        @property
        def overrides(self) -> Sequence[str]: ...
        @property
        def excludes(self) -> Sequence[str]: ...
        @property
        def groups(self) -> Sequence[str]: ...

    #: (where relative names started or "", files, names of variables, hash of their values)
    Conditions = tuple[str, tuple[FileCondition, ...], tuple[str, ...], str]

STANDARD_INPUT = "-"

#: Hard bound of one file; a lock of ten thousand projects with all their hashes has about 10 MB.
LOCK_BYTES = 64 << 20


class LockInput:
    """One file of a lock.

    Attributes:
        source: its name for messages, without credentials.
        folder: absolute path that its includes start from; the working directory where it came from elsewhere.
        url: where it came from, "" for a file of this machine.
        path: its absolute path, "" where it has none.
        body: its bytes.
        constrains: it was named as a constraints file.
    """

    __slots__ = ("body", "constrains", "folder", "path", "source", "url")

    def __init__(self, source: str, body: bytes, *, folder: str, path: str = "", url: str = "") -> None:
        self.source = source
        self.body = body
        self.folder = folder
        self.path = path
        self.url = url
        self.constrains = False

    @property
    def name(self) -> str:
        """The last part of its name, which tells the format."""
        return os.path.basename(self.url.partition("?")[0].partition("#")[0] or self.path)

    @property
    def is_pylock(self) -> bool:
        """Whether it is to be read as pylock.toml."""
        return is_pylock(self.name)


def is_pylock(name: str) -> bool:
    """Tells whether a file name is one of pylock.toml's.

    Source: PEP 751, "File Name": `pylock.toml`, or `pylock.NAME.toml` where the name has no dot.
    """
    middle = name[7:-5]
    return name == "pylock.toml" or (
        name.startswith("pylock.") and name.endswith(".toml") and middle != "" and "." not in middle
    )


def is_web_address(name: str) -> bool:
    """Tells whether a lock is to be fetched."""
    return name[:8].lower().startswith(("http://", "https://"))


def read_inputs(names: "Iterable[str]", constraints: "Iterable[str]", cwd: str, fetch: "Fetch") -> list[LockInput]:
    """Reads all files that the command line names.

    Args:
        names: paths, web addresses, or `-` for standard input.
        constraints: the same, of constraints files.
        cwd: absolute path that relative paths start from.
        fetch: asks for a web address.

    Raises:
        ConfigurationError: when one cannot be read, or standard input is named twice.
        EngineError: what `fetch` raises.
    """
    inputs = [read_input(name, cwd, fetch) for name in names]
    for name in constraints:
        inputs.append(read_input(name, cwd, fetch))
        inputs[-1].constrains = True
    if sum(one.source == STANDARD_INPUT for one in inputs) > 1:
        raise ConfigurationError("standard input cannot be two locks", hint="name one of them by its path")
    return inputs


def read_input(name: str, cwd: str, fetch: "Fetch", *, called: str = "the lock ") -> LockInput:
    """Reads one file: a path, a web address, or `-` for standard input.

    Args:
        name: of the file.
        cwd: absolute path that a relative one starts from.
        fetch: asks for a web address.
        called: what a message says before the name.

    Raises:
        ConfigurationError: when it cannot be read, or is too large to be a lock.
        EngineError: what `fetch` raises.
    """
    if is_web_address(name):
        from engine.credentials import without_credentials

        url, body = fetch(name)
        return LockInput(without_credentials(name), body, folder=cwd, url=url)
    if "://" in name and not name.startswith("file:"):
        from engine.credentials import without_credentials

        raise ConfigurationError(
            f"cannot read {called}{without_credentials(name)}: only http: and https: addresses can be fetched"
        )
    if name == STANDARD_INPUT:
        return LockInput(name, _read(name, 0, called), folder=cwd)
    path = name
    if name.startswith("file:"):
        from engine.local import local_path

        path = local_path(name)
    path = os.path.normpath(os.path.join(cwd, path))
    return LockInput(name, _read(name, path, called), folder=os.path.dirname(path), path=path)


def _read(name: str, file: "str | int", called: str) -> bytes:
    try:
        with open(file, "rb", closefd=file != 0) as stream:
            body = stream.read(LOCK_BYTES + 1)
    except (OSError, ValueError) as exc:
        from engine.credentials import without_credentials

        reason = exc.strerror if isinstance(exc, OSError) else "it is no path"
        raise ConfigurationError(f"cannot read {called}{without_credentials(name)}: {reason}") from exc
    if len(body) > LOCK_BYTES:
        raise ConfigurationError(f"cannot read {called}{name}: it is larger than {LOCK_BYTES >> 20} MiB")
    return body


def place_of(inputs: "Sequence[LockInput]", cwd: str) -> str:
    """Returns where all relative names of a lock start, as one text."""
    return "\n".join([cwd, *(one.url or one.folder for one in inputs)])


def digest_of(names: "Iterable[str]", environ: "Mapping[str, str]") -> str:
    """Returns a hash of the values of variables."""
    values = "\0".join(f"{name}={environ.get(name, '')}" for name in names)
    digest: str = sha256(values.encode("utf-8", "surrogateescape")).hexdigest()
    return digest


def read_named(asked: "Named", cwd: str, fetch: "Fetch") -> "list[LockInput] | None":
    """Returns the files that a request names; None where one of them cannot be read twice, or may change unnoticed.

    Args:
        asked: what was asked.
        cwd: absolute path that relative paths start from.
        fetch: gets what is at a web address.
    """
    names = [*asked.files, *asked.constraints, *asked.overrides, *asked.excludes]
    names += [group.rpartition(":")[0] or "pyproject.toml" for group in asked.groups]
    if any(name == STANDARD_INPUT or is_web_address(name) for name in names):
        return None
    try:
        return [read_input(name, cwd, fetch, called="") for name in names]
    except EngineError:  # whoever reads all of them tells about all of them
        return None


def conditions_hold(
    conditions: "Conditions", inputs: "Sequence[LockInput]", cwd: str, environ: "Mapping[str, str]"
) -> bool:
    """Tells whether what a stored answer depended on is still so.

    Args:
        conditions: as they were stored.
        inputs: the lock.
        cwd: the working directory.
        environ: the environment variables.
    """
    place, files, names, values = conditions
    if place and place != place_of(inputs, cwd):
        return False
    if names and digest_of(names, environ) != values:
        return False
    return all(_is_unchanged(file, inputs[0].folder if inputs else cwd) for file in files)


def _is_unchanged(condition: "FileCondition", folder: str) -> bool:
    path, content, size, mtime = condition
    path = os.path.join(folder, path)
    try:
        if not content:
            found = os.stat(path)
            return found.st_size == size and found.st_mtime_ns == mtime
        with open(path, "rb", buffering=0) as file:
            unchanged: bool = sha256(file.read()).hexdigest() == content
            return unchanged
    except OSError:
        return False
