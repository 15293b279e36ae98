"""Follows the includes of requirements files: what they say, and what the answer depends on besides.

Reads included files and asks for web addresses; what a line may say is for
`engine.lock.lines` and those who build on it.

Rules: every problem of every file is collected.  An include starts from the file
that names it.  A file that came from the network leads to the network only, and
no variable of this machine gets into it.  What a constraints file includes
constrains too.  The same file is read once.

Source: pip's "Requirements File Format".
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar
from urllib.parse import urljoin, urlsplit

from engine.credentials import without_credentials
from engine.errors import ConfigurationError, EngineError, FilesUnavailable, IndexUnavailable
from engine.inputs import LockInput, digest_of, is_pylock, is_web_address, place_of, read_input
from engine.light_sha256 import sha256
from engine.lock.direct import has_scheme
from engine.lock.options import FileOptions, Include
from engine.lock.text import decode

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from engine.inputs import Conditions, Fetch, FileCondition

#: The variable that names the working directory.
PROJECT_ROOT = "PROJECT_ROOT"

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)


class ParsedFile(Protocol[Item_co]):
    """What one file says: requirements and includes in order, options, the variables that it mentions."""

    @property
    def items(self) -> Sequence[Item_co | Include]: ...
    @property
    def options(self) -> FileOptions: ...
    @property
    def variables(self) -> Collection[str]: ...
    @property
    def notes(self) -> Sequence[str]: ...
    @property
    def problems(self) -> Sequence[str]: ...
    @property
    def hint(self) -> str | None: ...


class FileWalk(ABC, Generic[Item]):
    """Reads requirements files and what they include.

    Args:
        inputs: the files that the command line names.
        environ: values of variables.
        cwd: absolute path that wheels' relative paths start from.
        fetch: asks for a web address.

    Attributes:
        index_url, extra_index_urls, find_links, trusted_hosts, formats, no_index, require_hashes: what all files say.
        problems, hint: what is wrong so far.
        notes: lines for who wants to know more.
    """

    #: What a message says before the name of a file that cannot be read.
    called = "the lock "

    def __init__(self, inputs: Sequence[LockInput], *, environ: Mapping[str, str], cwd: str, fetch: Fetch) -> None:
        self.inputs = inputs
        self.environ = environ
        # As in uv, where nobody says otherwise.
        self.values = {PROJECT_ROOT: cwd, **environ}
        self.cwd = cwd
        self._fetch = fetch
        self.index_url: str | None = None
        self.extra_index_urls: list[str] = []
        self.find_links: list[str] = []
        self.trusted_hosts: list[str] = []
        self.formats: list[tuple[str, str]] = []
        self.no_index = False
        self.require_hashes = False
        self.notes: list[str] = []
        self.problems: list[str] = []
        self.hint: str | None = None
        self._read: set[tuple[str, bool]] = set()
        self._unfetched: list[EngineError] = []
        self._fetches_failed = 0
        self._unreachable: set[str] = set()
        self._files: dict[str, FileCondition] = {}
        self._variables: set[str] = set()
        self._is_placed = False
        self._is_repeatable = True

    @abstractmethod
    def is_requirements(self, one: LockInput) -> bool:
        """Tells whether a file can be read as a requirements file; reports why not."""

    @abstractmethod
    def parse(self, text: str, one: LockInput, *, constrains: bool) -> ParsedFile[Item]:
        """Reads one file."""

    @abstractmethod
    def take(self, item: Item) -> None:
        """Takes a requirement, in the order of the files."""

    def forget_files(self) -> None:
        """Makes files that were read be read again: they mean something else now."""
        self._read.clear()

    def note_ignored(self, where: str, option: str) -> None:
        """Takes an option that changes nothing."""
        self.notes.append(f"{where}: {option} changes nothing")

    def raise_unfetched(self) -> None:
        """Raises why a file could not be fetched, if nothing else is wrong.

        Raises:
            EngineError: then.
        """
        if not self._unfetched or len(self.problems) != self._fetches_failed:
            return
        if self._fetches_failed == 1:
            raise self._unfetched[0]
        raise FilesUnavailable(list(self.problems), hint=self.hint)

    @property
    def conditions(self) -> Conditions | tuple[()] | None:
        """What a stored answer depends on; () for nothing but the files themselves, None when it cannot be stored."""
        if not self._is_repeatable:
            return None
        if not (self._is_placed or self._files or self._variables):
            return ()
        names = tuple(sorted(self._variables))
        place = place_of(self.inputs, self.cwd) if self._is_placed else ""
        return place, tuple(self._files.values()), names, digest_of(names, self.environ) if names else ""

    def depend_on_place(self) -> None:
        """Makes the answer depend on where the lock and the working directory are."""
        self._is_placed = True

    def depend_on_wheel(self, path: str) -> None:
        """Makes the answer depend on a local wheel.

        Raises:
            OSError: when it is not there.
        """
        found = os.stat(path)
        self._files[path] = (path, "", found.st_size, found.st_mtime_ns)

    def read_requirements(self, one: LockInput, *, constrains: bool, chain: tuple[tuple[str, str], ...]) -> None:
        """Reads a file and what it includes.

        Args:
            one: the file.
            constrains: whether it is a constraints file.
            chain: (identity, where) of the includes that led here.
        """
        if not self.is_requirements(one):
            return
        try:
            text = decode(one.body)
        except ValueError as exc:
            self.problems.append(f"{one.source}: {exc}")
            return
        file = self.parse(text, one, constrains=constrains)
        self.problems.extend(file.problems)
        self.hint = self.hint or file.hint
        self._variables.update(file.variables)
        self._is_placed = self._is_placed or (PROJECT_ROOT in file.variables and PROJECT_ROOT not in self.environ)
        self.notes.extend(file.notes)
        self._take_options(file, one)
        for item in file.items:
            if isinstance(item, Include):
                self._include(item, one, constrains=constrains, chain=chain)
            else:
                self.take(item)

    def _take_options(self, file: ParsedFile[Item], one: LockInput) -> None:
        options = file.options
        self.index_url = options.index_url or self.index_url
        self.extra_index_urls.extend(options.extra_index_urls)
        self.trusted_hosts.extend(options.trusted_hosts)
        self.formats.extend(options.formats)
        self.no_index = self.no_index or options.no_index
        self.require_hashes = self.require_hashes or options.require_hashes
        for option in dict.fromkeys(options.ignored):
            self.note_ignored(one.source, option)
        self.find_links.extend(self._find_links_place(target, one) for target in options.find_links)

    def _find_links_place(self, target: str, one: LockInput) -> str:
        """Returns a URL or an absolute path; as in pip, a path starts from the file if it is there."""
        if one.url:
            return urljoin(one.url, target)
        if has_scheme(target):
            return target
        self._is_placed = self._is_placed or not os.path.isabs(target)
        beside = os.path.normpath(os.path.join(one.folder, target))
        return beside if os.path.exists(beside) else os.path.normpath(os.path.join(self.cwd, target))

    def _include(
        self, include: Include, one: LockInput, *, constrains: bool, chain: tuple[tuple[str, str], ...]
    ) -> None:
        where = f"{one.source}:{include.line}"
        constrains = constrains or include.constrains
        if "\0" in include.target:
            self.problems.append(f"{where}: a name with a NUL character is none")
            return
        try:
            target = self._target(include.target, one)
        except ValueError as exc:
            self.problems.append(f"{where}: {without_credentials(include.target)} is no address: {exc}")
            return
        identity = target if is_web_address(target) else os.path.realpath(target)
        chain = (*chain, (_identity(one), where))
        if any(identity == earlier for earlier, _ in chain):
            steps = " -> ".join(place for _, place in chain)
            self.problems.append(f"{where}: {without_credentials(include.target)} includes itself: {steps}")
            return
        if (identity, constrains) in self._read:
            return
        self._read.add((identity, constrains))
        if is_pylock(os.path.basename(target)):
            self.problems.append(
                f"{where}: a pylock.toml cannot be included",
            )
            self.hint = self.hint or "name it on the command line, beside the other files"
            return
        if (server := _server(target)) in self._unreachable:
            self._fetches_failed += 1
            self.problems.append(f"{where}: {without_credentials(target)} was not asked for: its server has failed")
            return
        try:
            other = self._open(target, include, one)
        except ConfigurationError as exc:
            self.problems.append(f"{where}: {exc.message}")
            return
        except EngineError as exc:
            if isinstance(exc, IndexUnavailable) and exc.server_wide:
                # Each address would cost all attempts and pauses again.
                self._unreachable.add(server)
            self._note_unfetched(exc, where)
            return
        self.read_requirements(other, constrains=constrains, chain=chain)

    def _note_unfetched(self, error: EngineError, where: str) -> None:
        error.message = f"{where}: {error.message}"
        self.problems.append(error.message)
        self._unfetched.append(error)
        self._fetches_failed += 1
        self.hint = self.hint or error.hint

    def _target(self, name: str, one: LockInput) -> str:
        """Returns the URL or the absolute path that an include means."""
        if one.url:
            return urljoin(one.url, name)
        if is_web_address(name) or name.startswith("file:"):
            return name
        return os.path.normpath(os.path.join(one.folder, name))

    def _open(self, target: str, include: Include, one: LockInput) -> LockInput:
        """Reads an included file, and makes the answer depend on it.

        Raises:
            ConfigurationError: when it cannot be read.
            EngineError: when it cannot be fetched.
        """
        if one.url and not is_web_address(target):
            raise ConfigurationError(f"{target}: a file from the network cannot include one of this machine")
        if is_web_address(target):
            # Asked again in each run: nobody can tell without asking whether it has changed.
            self._is_repeatable = False
            return read_input(target, self.cwd, self._fetch, called=self.called)
        read = read_input(target, self.cwd, self._fetch, called=self.called)
        first = self.inputs[0].folder
        # Relative, so that a copy of the whole project has the same answer.
        path = os.path.relpath(read.path, first) if _same_drive(read.path, first) else read.path
        self._files[read.path] = (path, sha256(read.body).hexdigest(), 0, 0)
        if not os.path.isabs(include.target) and not include.target.startswith("file:"):
            read.source = os.path.join(os.path.dirname(one.source), include.target)
        return read


def _identity(one: LockInput) -> str:
    return one.url or (os.path.realpath(one.path) if one.path else one.source)


def _server(target: str) -> str:
    """Returns scheme, host and port of a web address, "" for a path and for what is no address."""
    try:
        return "{0.scheme}://{0.netloc}".format(urlsplit(target)) if is_web_address(target) else ""
    except ValueError:  # whoever asks there is told
        return ""


def _same_drive(one: str, other: str) -> bool:
    return os.path.splitdrive(one)[0] == os.path.splitdrive(other)[0]
