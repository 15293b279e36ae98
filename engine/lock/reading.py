"""Puts the files of a lock together: formats, options, and what there must be.

Where includes lead is for `engine.lock.walking`; what a file says is for the
other modules beside it.

Rules: every problem of every file is collected before one error is raised.

`engine.lock.pylock` is imported when there is one: markers alone cost 20 ms.

Source: pip's "Requirements File Format"; PEP 751.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import ConfigurationError, InvalidLock
from engine.lock.direct import Place
from engine.lock.lock import Lock, Selectable
from engine.lock.pins import Constraint, Pin
from engine.lock.requirements import RequirementsFile
from engine.lock.walking import FileWalk
from engine.options import LockOptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.inputs import Conditions, Fetch, LockInput

_FOREIGN = {
    "pyproject.toml": "lock it first, for instance with `uv pip compile` or `pip lock`",
    "uv.lock": "`uv export --format pylock.toml` makes a lock of it",
    "poetry.lock": "`poetry export` makes a lock of it",
    "pdm.lock": "`pdm export` makes a lock of it",
    "Pipfile.lock": "`pipenv requirements --hash` makes a lock of it",
}


class LockReader(FileWalk[Pin]):
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
        super().__init__(inputs, environ=environ, cwd=cwd, fetch=fetch)
        self._options = options
        self._parts: list[Pin | Selectable] = []
        self._constraints: list[Constraint] = []
        self._hashed = False
        self._warnings: list[str] = []

    def read(self) -> Lock:
        """Returns the lock.

        Raises:
            InvalidLock: when anything in any file is wrong; `problems` has one entry for every fault.  When all
                files together require nothing, and nobody has allowed that.
            ConfigurationError: when an extra or a group is asked for that is not there.
            EngineError: when a web address cannot be fetched, and nothing else is wrong.
        """
        pylocks = 0
        for one in self.inputs:
            if one.is_pylock and not one.constrains:
                pylocks += 1
                self._read_pylock(one)
            else:
                self.read_requirements(one, constrains=one.constrains, chain=())
        if not pylocks and self._options.wants_parts:
            raise ConfigurationError(
                "extras and groups are chosen from a pylock.toml, and none was named",
                hint="a requirements file has what its lines say, without conditions",
            )
        if self.problems:
            self.raise_unfetched()
            raise InvalidLock(self.problems, hint=self.hint)
        return self._lock()

    @property
    def _is_void(self) -> bool:
        # An empty pylock.toml is a part, and says by `packages = []` that it is meant so.
        return not self._parts and not self._options.allow_empty

    @property
    def conditions(self) -> Conditions | tuple[()] | None:
        return None if self._is_void else super().conditions

    def _lock(self) -> Lock:
        auto = self._hashed if self._options.require_hashes is None else False
        verifies = self._options.verify_hashes or self.require_hashes
        parts = self._parts
        if not verifies:
            parts = [part.without_hashes() if isinstance(part, Pin) else part for part in parts]
        return Lock(
            parts=tuple(parts),
            constraints=tuple(self._constraints),
            require_hashes=verifies and (bool(self._options.require_hashes) or self.require_hashes or auto),
            index_url=self.index_url,
            extra_index_urls=tuple(dict.fromkeys(self.extra_index_urls)),
            find_links=tuple(dict.fromkeys(self.find_links)),
            no_index=self.no_index,
            trusted_hosts=tuple(dict.fromkeys(self.trusted_hosts)),
            formats=tuple(self.formats),
            is_void=self._is_void,
            warnings=(*self._warnings, *([self._void_warning()] if self._is_void else ())),
            notes=tuple(self.notes),
        )

    def _void_warning(self) -> str:
        names = ", ".join(one.source for one in self.inputs if not one.constrains)
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
            self.problems.extend(exc.problems)
            self.hint = self.hint or exc.hint
            return
        self._parts.append(file)
        self._warnings.extend(file.warnings)
        self.notes.extend(file.notes)

    def is_requirements(self, one: LockInput) -> bool:
        name = one.name
        if (hint := _FOREIGN.get(name)) is not None or name.endswith(".toml"):
            self.problems.append(f"{one.source}: not a lock that engine reads (requirements.txt or pylock.toml)")
            self.hint = self.hint or hint or "a pylock file is called pylock.toml or pylock.NAME.toml"
            return False
        if b"lock-version" in one.body and _has_lock_version(one.body):
            self.problems.append(f"{one.source}: this is a pylock.toml, and is read as a requirements file")
            self.hint = self.hint or "name it by a path whose last part is pylock.toml or pylock.NAME.toml"
            return False
        return True

    def parse(self, text: str, one: LockInput, *, constrains: bool) -> RequirementsFile:
        file = RequirementsFile.parse(
            text,
            source=one.source,
            place=Place(folder=self.cwd, url=one.url),
            environ=None if one.url else self.values,
            constrains=constrains,
        )
        self._constraints.extend(file.constraints)
        return file

    def note_ignored(self, where: str, option: str) -> None:
        self.notes.append(f"{where}: {option} has no meaning for pins")

    def take(self, item: Pin) -> None:
        self._hashed = self._hashed or bool(item.hashes)
        self._parts.append(item)


def _has_lock_version(body: bytes) -> bool:
    """Tells whether a file has a line that a requirements file cannot have, and a pylock.toml must."""
    import re  # its pattern is for few

    return re.search(rb"""^[ \t]*["']?lock-version["']?[ \t]*=[ \t]*["']""", body, re.MULTILINE) is not None
