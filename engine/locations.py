"""Where distributions are listed: indexes and find-links, as they were asked for.  On the warm path."""

import os

from engine.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.arguments import Value

INDEX_STRATEGIES = ("first-index", "unsafe-first-match", "unsafe-best-match")

_SCHEMES = ("http", "https", "file")

_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


class IndexLocation:
    """A place that lists distributions.

    Attributes:
        url: a web address, a `file:` URL or an absolute path, as it was given.
        name: what pins and credentials call it, or "".
        explicit: only asked for projects that are pinned to it.
        default: asked after all others; the first default of several counts.
        flat: one page or folder that lists files of many projects, instead of a page for each.
        ignored_statuses: HTTP statuses that mean "not here", as 404 always does.
    """

    __slots__ = ("default", "explicit", "flat", "ignored_statuses", "name", "url")

    def __init__(
        self,
        url: str,
        *,
        name: str = "",
        explicit: bool = False,
        default: bool = False,
        flat: bool = False,
        ignored_statuses: "Sequence[int]" = (),
    ) -> None:
        self.url = url
        self.name = name
        self.explicit = explicit
        self.default = default
        self.flat = flat
        self.ignored_statuses = tuple(ignored_statuses)

    @classmethod
    def parse(
        cls, text: str, *, cwd: str, default: bool = False, named: bool = True, flat: bool = False
    ) -> "IndexLocation":
        """Reads `URL`, `PATH`, or `NAME=` and one of them; a path may begin with `~`.

        Args:
            text: as it was given, and free of what `place_fault` finds.
            cwd: absolute path that relative paths start from.
            default: whether it is the default index.
            named: whether a name may stand in front.
            flat: whether it is one page or folder for all projects.
        """
        name, separator, rest = text.partition("=") if named else ("", "", text)
        if not (separator and name and _NAME.issuperset(name)):
            name, rest = "", text
        if "://" not in rest and not rest.startswith("file:"):
            rest = os.path.normpath(os.path.join(cwd, os.path.expanduser(rest) if rest[:1] == "~" else rest))
        return cls(rest, name=name, default=default, flat=flat)

    @property
    def option(self) -> str:
        """What names such a place on a command line, for hints."""
        if self.flat:
            return "--find-links"
        return "--index-url" if self.default else "--index" if self.name else "--extra-index-url or --index"

    @property
    def identity(self) -> str:
        """What tells it apart from another place as far as answers are concerned."""
        url = self.url
        if "@" in url:
            # Who asks does not change what is there: a password that is replaced every hour loses no plan.
            from engine.credentials import without_userinfo

            url = without_userinfo(url)
        return f"{self.name} {self.explicit:d}{self.default:d}{self.flat:d} {self.ignored_statuses} {url}"


def place_fault(text: str, *, named: bool) -> str:
    """Returns what is wrong with a place, behind the name of what says it; "" where nothing is.

    Args:
        text: as it was given.
        named: whether a name may stand in front.
    """
    scheme, separator, _ = text.partition("://")
    if not separator or scheme.lower() in _SCHEMES:
        return ""
    if named and "=" in scheme:
        name, _, scheme = scheme.partition("=")
        if not name or not _NAME.issuperset(name):
            return "has a wrong name of an index: it may have letters, digits, hyphens, underscores and dots only"
        if scheme.lower() in _SCHEMES:
            return ""
    shown = f", not {scheme}://…" if scheme.isalnum() and len(scheme) < 20 else ""
    return f"must be an http, https or file URL, or the path of a folder{shown}"


def index_key(name: str) -> str:
    """Returns what two names of one index have in common; their variables are called after it."""
    return "".join(letter if letter.isalnum() else "_" for letter in name).upper()


class IndexOptions:
    """Which places list distributions, and which of them decides.

    Attributes:
        locations: indexes, the first asked first; the default one is marked.
        fallback: the default index where neither `locations` nor a lock names one, or None.
        find_links: flat places whose files count beside those of any index.
        no_index: ask no index, only `find_links`.
        strategy: one of `INDEX_STRATEGIES`.
        pins: normalised project name to the name of the one index that it may come from.
        no_binary, only_binary: project names, `:all:` or `:none:`, as given and in order.
    """

    __slots__ = ("fallback", "find_links", "locations", "no_binary", "no_index", "only_binary", "pins", "strategy")

    def __init__(
        self,
        *,
        locations: "Sequence[IndexLocation]" = (),
        fallback: IndexLocation | None = None,
        find_links: "Sequence[IndexLocation]" = (),
        no_index: bool = False,
        strategy: str = "first-index",
        pins: "Mapping[str, str] | None" = None,
        no_binary: "Sequence[str]" = (),
        only_binary: "Sequence[str]" = (),
    ) -> None:
        self.locations = tuple(locations)
        self.fallback = fallback
        self.find_links = tuple(find_links)
        self.no_index = no_index
        self.strategy = strategy
        self.pins = dict(pins or {})
        self.no_binary = tuple(no_binary)
        self.only_binary = tuple(only_binary)

    @property
    def default(self) -> "IndexLocation | None":
        """The default index, where one was named."""
        return next((location for location in self.locations if location.default), None)

    @property
    def identity(self) -> str:
        """What tells two choices apart that may lead to other answers; "" where nothing was chosen."""
        lines = [f"index {location.identity}" for location in self.locations]
        lines += [f"links {location.identity}" for location in self.find_links]
        lines += [f"pin {project} {name}" for project, name in sorted(self.pins.items())]
        if self.no_index:
            lines.append("no index")
        elif self.default is None and self.fallback is not None:
            lines.append(f"else {self.fallback.identity}")
        if self.strategy != "first-index":
            lines.append(self.strategy)
        if self.no_binary:
            lines.append(f"no binary {self.no_binary} {self.only_binary}")
        return "\n".join(lines)

    @classmethod
    def from_words(
        cls,
        values: "Mapping[str, Value]",
        cwd: str,
        *,
        further: "Sequence[IndexLocation]" = (),
        fallback: IndexLocation | None = None,
        pins: "Mapping[str, str] | None" = None,
    ) -> "IndexOptions":
        """Reads what the command line says, and adds what only settings can say.

        Args:
            values: as `engine.arguments` gives them.
            cwd: absolute path that relative paths start from.
            further: indexes that are asked after those of `--index`.
            fallback: the default index where neither `values` nor a lock names one.
            pins: normalised project name to the name of the one index that it may come from.

        Raises:
            ConfigurationError: when a place cannot be one, or two indexes have one name.
        """

        def words(name: str) -> "Sequence[str]":
            found = values.get(name)
            return found if isinstance(found, list) else (str(found),) if found else ()

        def places(name: str, *, named: bool = False, default: bool = False, flat: bool = False) -> list[IndexLocation]:
            for text in words(name):
                if fault := place_fault(text, named=named):
                    raise ConfigurationError(f"--{name.replace('_', '-')} {fault}")
            return [IndexLocation.parse(text, cwd=cwd, named=named, default=default, flat=flat) for text in words(name)]

        indexes, defaults = places("index", named=True), places("index_url", named=True, default=True)
        _check_names([*indexes, *defaults])
        return cls(
            locations=[*indexes, *further, *places("extra_index_url"), *defaults],
            fallback=fallback,
            find_links=places("find_links", flat=True),
            pins=pins,
            no_index=bool(values.get("no_index")),
            strategy=str(values.get("index_strategy") or "first-index"),
            no_binary=words("no_binary"),
            only_binary=words("only_binary"),
        )


def _check_names(locations: "Sequence[IndexLocation]") -> None:
    urls: dict[str, str] = {}
    for location in locations:
        if location.name and urls.setdefault(index_key(location.name), location.url) != location.url:
            raise ConfigurationError(
                f'--index names two indexes "{location.name}"', hint="give each a name of its own, or none"
            )
