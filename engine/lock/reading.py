"""Puts the files of a lock together: formats, includes, options, and what the answer depends on.

Reads included files and asks for web addresses; what a file says is for the
modules beside it.

Rules: every problem of every file is collected before one error is raised.  An
include starts from the file that names it.  A file that came from the network
leads to the network only, and no variable of this machine gets into it.  What a
constraints file includes constrains too.  The same file is read once.

`engine.lock.pylock` is imported when there is one: markers alone cost 20 ms.

Source: pip's "Requirements File Format"; PEP 751.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from engine.credentials import without_credentials
from engine.errors import ConfigurationError, EngineError, IndexUnavailable, InvalidLock
from engine.inputs import LockInput, digest_of, is_pylock, is_web_address, place_of, read_input
from engine.light_sha256 import sha256
from engine.lock.direct import Place, has_scheme
from engine.lock.lock import Lock, Selectable
from engine.lock.options import Include
from engine.lock.pins import Constraint, Pin
from engine.lock.requirements import RequirementsFile
from engine.lock.text import decode
from engine.options import LockOptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.inputs import Conditions, Fetch, FileCondition

#: The variable that names the working directory.
PROJECT_ROOT = "PROJECT_ROOT"

_FOREIGN = {
    "pyproject.toml": "lock it first, for instance with `uv pip compile` or `pip lock`",
    "uv.lock": "`uv export --format pylock.toml` makes a lock of it",
    "poetry.lock": "`poetry export` makes a lock of it",
    "pdm.lock": "`pdm export` makes a lock of it",
    "Pipfile.lock": "`pipenv requirements --hash` makes a lock of it",
}


class LockReader:
    """Reads all files of a lock.

    Args:
        inputs: the files that the command line names.
        options: what is wanted of them.
        environ: values of variables.
        cwd: absolute path that wheels' relative paths start from.
        fetch: asks for a web address.
    """

    def __init__(
        self,
        inputs: Sequence[LockInput],
        options: LockOptions,
        *,
        environ: Mapping[str, str],
        cwd: str,
        fetch: Fetch,
    ) -> None:
        self._inputs = inputs
        self._options = options
        self._environ = environ
        # As in uv, where nobody says otherwise.
        self._values = {PROJECT_ROOT: cwd, **environ}
        self._cwd = cwd
        self._fetch = fetch
        self._parts: list[Pin | Selectable] = []
        self._constraints: list[Constraint] = []
        self._index_url: str | None = None
        self._extra_index_urls: list[str] = []
        self._find_links: list[str] = []
        self._trusted_hosts: list[str] = []
        self._formats: list[tuple[str, str]] = []
        self._no_index = False
        self._require_hashes = False
        self._hashed = False
        self._warnings: list[str] = []
        self._notes: list[str] = []
        self._problems: list[str] = []
        self._hint: str | None = None
        self._read: set[tuple[str, bool]] = set()
        self._unfetched: list[EngineError] = []
        self._unreachable: set[str] = set()
        self._files: dict[str, FileCondition] = {}
        self._variables: set[str] = set()
        self._is_placed = False
        self._is_repeatable = True

    def read(self) -> Lock:
        """Returns the lock.

        Raises:
            InvalidLock: when anything in any file is wrong; `problems` has one entry for every fault.  When all
                files together require nothing, and nobody has allowed that.
            ConfigurationError: when an extra or a group is asked for that is not there.
            EngineError: when a web address cannot be fetched, and nothing else is wrong.
        """
        pylocks = 0
        for one in self._inputs:
            if one.is_pylock and not one.constrains:
                pylocks += 1
                self._read_pylock(one)
            else:
                self._read_requirements(one, constrains=one.constrains, chain=())
        if not pylocks and self._options.wants_parts:
            raise ConfigurationError(
                "extras and groups are chosen from a pylock.toml, and none was named",
                hint="a requirements file has what its lines say, without conditions",
            )
        if self._problems:
            if len(self._problems) == len(self._unfetched) == 1:
                raise self._unfetched[0]
            raise InvalidLock(self._problems, hint=self._hint)
        return self._lock()

    @property
    def _is_void(self) -> bool:
        # An empty pylock.toml is a part, and says by `packages = []` that it is meant so.
        return not self._parts and not self._options.allow_empty

    @property
    def conditions(self) -> Conditions | tuple[()] | None:
        """What a stored answer depends on; () for nothing but the files themselves, None when it cannot be stored."""
        if not self._is_repeatable or self._is_void:
            return None
        if not (self._is_placed or self._files or self._variables):
            return ()
        names = tuple(sorted(self._variables))
        place = place_of(self._inputs, self._cwd) if self._is_placed else ""
        return place, tuple(self._files.values()), names, digest_of(names, self._environ) if names else ""

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

    def _lock(self) -> Lock:
        auto = self._hashed if self._options.require_hashes is None else False
        verifies = self._options.verify_hashes or self._require_hashes
        parts = self._parts
        if not verifies:
            parts = [part.without_hashes() if isinstance(part, Pin) else part for part in parts]
        return Lock(
            parts=tuple(parts),
            constraints=tuple(self._constraints),
            require_hashes=verifies and (bool(self._options.require_hashes) or self._require_hashes or auto),
            index_url=self._index_url,
            extra_index_urls=tuple(dict.fromkeys(self._extra_index_urls)),
            find_links=tuple(dict.fromkeys(self._find_links)),
            no_index=self._no_index,
            trusted_hosts=tuple(dict.fromkeys(self._trusted_hosts)),
            formats=tuple(self._formats),
            is_void=self._is_void,
            warnings=(*self._warnings, *([self._void_warning()] if self._is_void else ())),
            notes=tuple(self._notes),
        )

    def _void_warning(self) -> str:
        names = ", ".join(one.source for one in self._inputs if not one.constrains)
        return f"{names}: no requirements, so nothing is changed; --allow-empty-requirements removes what is installed"

    def _read_pylock(self, one: LockInput) -> None:
        from engine.lock.pylock import Choices, PylockFile

        options = self._options
        choices = Choices(
            extras=options.extras,
            groups=options.groups,
            all_extras=options.all_extras,
            all_groups=options.all_groups,
            default_groups=options.default_groups,
        )
        place = Place(folder=one.folder, url=one.url)
        try:
            file = PylockFile.parse(one.body, source=one.source, place=place, choices=choices)
        except InvalidLock as exc:
            self._problems.extend(exc.problems)
            self._hint = self._hint or exc.hint
            return
        self._parts.append(file)
        self._warnings.extend(file.warnings)
        self._notes.extend(file.notes)

    def _read_requirements(self, one: LockInput, *, constrains: bool, chain: tuple[tuple[str, str], ...]) -> None:
        """Reads a file and what it includes.

        Args:
            one: the file.
            constrains: whether it is a constraints file.
            chain: (identity, where) of the includes that led here.
        """
        if not self._is_requirements(one):
            return
        try:
            text = decode(one.body)
        except ValueError as exc:
            self._problems.append(f"{one.source}: {exc}")
            return
        file = RequirementsFile.parse(
            text,
            source=one.source,
            place=Place(folder=self._cwd, url=one.url),
            environ=None if one.url else self._values,
            constrains=constrains,
        )
        self._problems.extend(file.problems)
        self._hint = self._hint or file.hint
        self._variables |= file.variables
        self._is_placed = self._is_placed or (PROJECT_ROOT in file.variables and PROJECT_ROOT not in self._environ)
        self._notes.extend(file.notes)
        self._take_options(file, one)
        self._constraints.extend(file.constraints)
        for item in file.items:
            if isinstance(item, Include):
                self._include(item, one, constrains=constrains, chain=chain)
            else:
                self._take_pin(item)

    def _is_requirements(self, one: LockInput) -> bool:
        name = one.name
        if (hint := _FOREIGN.get(name)) is not None or name.endswith(".toml"):
            self._problems.append(f"{one.source}: not a lock that engine reads (requirements.txt or pylock.toml)")
            self._hint = self._hint or hint or "a pylock file is called pylock.toml or pylock.NAME.toml"
            return False
        if b"lock-version" in one.body and _has_lock_version(one.body):
            self._problems.append(f"{one.source}: this is a pylock.toml, and is read as a requirements file")
            self._hint = self._hint or "name it by a path whose last part is pylock.toml or pylock.NAME.toml"
            return False
        return True

    def _take_pin(self, pin: Pin) -> None:
        self._hashed = self._hashed or bool(pin.hashes)
        self._parts.append(pin)

    def _take_options(self, file: RequirementsFile, one: LockInput) -> None:
        options = file.options
        self._index_url = options.index_url or self._index_url
        self._extra_index_urls.extend(options.extra_index_urls)
        self._trusted_hosts.extend(options.trusted_hosts)
        self._formats.extend(options.formats)
        self._no_index = self._no_index or options.no_index
        self._require_hashes = self._require_hashes or options.require_hashes
        self._notes.extend(
            f"{one.source}: {option} has no meaning for pins" for option in dict.fromkeys(options.ignored)
        )
        self._find_links.extend(self._find_links_place(target, one) for target in options.find_links)

    def _find_links_place(self, target: str, one: LockInput) -> str:
        """Returns a URL or an absolute path; as in pip, a path starts from the file if it is there."""
        if one.url:
            return urljoin(one.url, target)
        if has_scheme(target):
            return target
        self._is_placed = self._is_placed or not os.path.isabs(target)
        beside = os.path.normpath(os.path.join(one.folder, target))
        return beside if os.path.exists(beside) else os.path.normpath(os.path.join(self._cwd, target))

    def _include(
        self, include: Include, one: LockInput, *, constrains: bool, chain: tuple[tuple[str, str], ...]
    ) -> None:
        where = f"{one.source}:{include.line}"
        constrains = constrains or include.constrains
        if "\0" in include.target:
            self._problems.append(f"{where}: a name with a NUL character is none")
            return
        target = self._target(include.target, one)
        identity = target if is_web_address(target) else os.path.realpath(target)
        chain = (*chain, (_identity(one), where))
        if any(identity == earlier for earlier, _ in chain):
            steps = " -> ".join(place for _, place in chain)
            self._problems.append(f"{where}: {without_credentials(include.target)} includes itself: {steps}")
            return
        if (identity, constrains) in self._read:
            return
        self._read.add((identity, constrains))
        if is_pylock(os.path.basename(target)):
            self._problems.append(
                f"{where}: a pylock.toml cannot be included",
            )
            self._hint = self._hint or "name it on the command line, beside the other files"
            return
        if (server := _server(target)) in self._unreachable:
            self._problems.append(f"{where}: {without_credentials(target)} was not asked for: its server has failed")
            return
        try:
            other = self._open(target, include, one)
        except ConfigurationError as exc:
            self._problems.append(f"{where}: {exc.message}")
            return
        except EngineError as exc:
            if isinstance(exc, IndexUnavailable) and exc.server_wide:
                # Each address would cost all attempts and pauses again.
                self._unreachable.add(server)
            self._note_unfetched(exc, where)
            return
        self._read_requirements(other, constrains=constrains, chain=chain)

    def _note_unfetched(self, error: EngineError, where: str) -> None:
        error.message = f"{where}: {error.message}"
        self._problems.append(error.message)
        self._unfetched.append(error)
        self._hint = self._hint or error.hint

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
            return read_input(target, self._cwd, self._fetch)
        read = read_input(target, self._cwd, self._fetch)
        first = self._inputs[0].folder
        # Relative, so that a copy of the whole project has the same answer.
        path = os.path.relpath(read.path, first) if _same_drive(read.path, first) else read.path
        self._files[read.path] = (path, sha256(read.body).hexdigest(), 0, 0)
        if not os.path.isabs(include.target) and not include.target.startswith("file:"):
            read.source = os.path.join(os.path.dirname(one.source), include.target)
        return read


def _identity(one: LockInput) -> str:
    return one.url or (os.path.realpath(one.path) if one.path else one.source)


def _has_lock_version(body: bytes) -> bool:
    """Tells whether a file has a line that a requirements file cannot have, and a pylock.toml must."""
    import re  # its pattern is for few

    return re.search(rb"""^[ \t]*["']?lock-version["']?[ \t]*=[ \t]*["']""", body, re.MULTILINE) is not None


def _server(target: str) -> str:
    """Returns scheme, host and port of a web address, "" for a path."""
    return "{0.scheme}://{0.netloc}".format(urlsplit(target)) if is_web_address(target) else ""


def _same_drive(one: str, other: str) -> bool:
    return os.path.splitdrive(one)[0] == os.path.splitdrive(other)[0]
