"""Decides which places a run asks for distributions, and in which order.

Does not ask them: that is for `engine.index.indexes`.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from cache.records import RecordStore
from engine.credentials import without_credentials
from engine.environment.installed import normalize_name
from engine.errors import ConfigurationError
from engine.index.default import distlib_index_url
from engine.locations import IndexLocation, index_key
from engine.sync import Run

#: The bucket that remembers distlib's constant, so that its import is paid once.
REMEMBERED = "settings-v1"


class Places(Protocol):
    """What files say about where to look: a lock, or what is to be locked."""

    @property
    def index_url(self) -> str | None: ...
    @property
    def extra_index_urls(self) -> tuple[str, ...]: ...
    @property
    def find_links(self) -> tuple[str, ...]: ...
    @property
    def no_index(self) -> bool: ...
    @property
    def formats(self) -> tuple[tuple[str, str], ...]: ...


class Sources(NamedTuple):
    """Where a run looks.

    `indexes` are asked in this order for every project, except that `pinned` maps
    a project's normalised name to the one index it may come from; the files of
    `find_links` stand beside those of any index.  `no_binary` and `only_binary` are
    project names, `:all:` or `:none:`, as given and in order.
    """

    indexes: tuple[IndexLocation, ...]
    find_links: tuple[IndexLocation, ...]
    pinned: dict[str, IndexLocation]
    no_binary: tuple[str, ...] = ()
    only_binary: tuple[str, ...] = ()
    explicit: tuple[IndexLocation, ...] = ()

    def unasked_hint(self, project: str) -> str | None:
        """Returns which indexes a project was not asked of because they are explicit, or None where there are none."""
        if project in self.pinned or not self.explicit:
            return None
        names = " and ".join(
            f'"{index.name}"' if index.name else without_credentials(index.url) for index in self.explicit
        )
        what = "is explicit and was" if len(self.explicit) == 1 else "are explicit and were"
        return f'{names} {what} not asked; to take it from there: [sources] {project} = {{ index = "NAME" }}'

    def forbid_wheels(self, project: str) -> bool:
        """Tells whether `--no-binary` forbids the wheels of a project.

        `--only-binary` with the project's name makes an exception to `:all:`, and `:none:` forgets what came before.

        Args:
            project: a normalised name.
        """
        if not self.no_binary:
            return False
        forbidden = _effective(self.no_binary)
        return project in forbidden or (":all:" in forbidden and project not in _effective(self.only_binary))

    def of(self, project: str) -> tuple[IndexLocation, ...]:
        """Returns the indexes that a project may come from, in order."""
        index = self.pinned.get(project)
        return self.indexes if index is None else (index,)


def sources(run: Run, lock: Places | None) -> Sources:
    """Returns where to look, the nearest wish first.

    Indexes come in the order of the options, then the lock's extra ones, then the
    default one: that of the command line, else the lock's, else that of variables
    and settings, else distlib's constant.  Find-links and what is said about
    formats are those of the options and the lock together, `--no-index` holds
    wherever it stands.

    Args:
        run: options, environment variables and the cache.
        lock: what the lock says, or None while it is not read.

    Raises:
        ConfigurationError: when a project is pinned to an index that nobody named.
    """
    options = run.options.indexes
    extra: tuple[IndexLocation, ...] = ()
    links = options.find_links
    no_binary, only_binary = options.no_binary, options.only_binary
    if lock is not None:
        extra = tuple(IndexLocation.parse(text, cwd=run.cwd, named=False) for text in lock.extra_index_urls)
        links += tuple(IndexLocation.parse(text, cwd=run.cwd, named=False, flat=True) for text in lock.find_links)
        no_binary += tuple(value for kind, value in lock.formats if kind == "no-binary")
        only_binary += tuple(value for kind, value in lock.formats if kind == "only-binary")
    named: dict[str, IndexLocation] = {}
    for location in (*options.locations, *([options.fallback] if options.fallback else [])):
        named.setdefault(index_key(location.name or location.url), location)
    pinned: dict[str, IndexLocation] = {}
    indexes: list[IndexLocation] = []
    explicit: list[IndexLocation] = []
    if not (options.no_index or (lock is not None and lock.no_index)):
        pinned = {project: _named(named, name, project) for project, name in options.pins.items()}
        indexes = [location for location in options.locations if not (location.default or location.explicit)]
        indexes += extra
        default = default_index(run, None if lock is None else lock.index_url)
        if not default.explicit:
            indexes.append(default)
        explicit = [location for location in (*options.locations, default) if location.explicit]
    return Sources(_unique(indexes), _unique(links), pinned, no_binary, only_binary, _unique(explicit))


def _unique(locations: Sequence[IndexLocation]) -> tuple[IndexLocation, ...]:
    """Leaves out what comes a second time."""
    first: dict[str, IndexLocation] = {}
    for location in locations:
        first.setdefault(location.url.rstrip("/"), location)
    return tuple(first.values())


def _named(named: dict[str, IndexLocation], name: str, project: str) -> IndexLocation:
    if (location := named.get(index_key(name))) is None:
        raise ConfigurationError(
            f'{project} is pinned to the index "{name}", and there is none of this name',
            hint="name it with --index NAME=URL, or in the settings",
        )
    return location


def default_index(run: Run, lock_index: str | None) -> IndexLocation:
    """Returns the index that is asked after all others."""
    if (default := run.options.indexes.default) is not None:
        return default
    if lock_index:
        return IndexLocation.parse(lock_index, cwd=run.cwd, default=True)
    return run.options.indexes.fallback or IndexLocation.parse(_remembered_default(run), cwd=run.cwd, default=True)


def _remembered_default(run: Run) -> str:
    records = RecordStore(run.layout.bucket(REMEMBERED))
    if (stored := records.get("default-index")) is not None:
        return stored.decode("utf-8", "replace")
    default = distlib_index_url()
    records.put("default-index", default.encode())
    return default


def early_urls(sources: Sources, projects: Iterable[str]) -> list[str]:
    """Returns the pages that are surely asked for if the projects are needed.

    Only those of the first index: those behind it are not told what the first one has, and a project that is
    pinned to an index is nobody else's business.
    """
    if not sources.indexes or sources.indexes[0].flat or not sources.indexes[0].url.startswith(("https:", "http:")):
        return []
    index = sources.indexes[0].url.rstrip("/")
    return [f"{index}/{project}/" for project in projects if project not in sources.pinned]


def _effective(words: Sequence[str]) -> set[str]:
    names: set[str] = set()
    for word in (word.strip() for text in words for word in text.split(",")):
        if word == ":none:":
            names.clear()
        elif word:
            names.add(word if word == ":all:" else normalize_name(word))
    return names
