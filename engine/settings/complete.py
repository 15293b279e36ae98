"""Completes a command line with what variables and files say: whose word counts.

The nearest word about an option counts.  Lists of several files are joined, the
nearest file's words first, and stand behind those of the command line or the
variable; but the environments to sync are only those that the nearest names.

The places that pip's variables and files name belong together: they count where
no nearer word names the default index, and then all of them are asked and the
best file of all is taken, because that is what they were written for.

Does not look into files: that is for `engine.settings.files`.

On the warm path: imports nothing heavy.
"""

import os

from engine.arguments import options_of
from engine.locations import IndexLocation, index_key
from engine.settings import files
from engine.settings.memory import Layer, Memory
from engine.settings.variables import from_variables, unknown_variables
from engine.storage import cache_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.arguments import Value

#: The bucket of the cache that remembers what files say.
MEMORY = "settings-v1"

#: Lists of which the nearest counts alone.
_ALONE = frozenset(("python",))

#: Options of which one excludes the others, and several environments exclude all.
_FOLDERS = ("target", "prefix", "system")

#: Where pip looks, beside its index.
_PLACES = frozenset(("extra_index_url", "find_links", "no_index"))

#: What OpenSSL itself obeys is nearer than what was said to pip.
_AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR")

#: Options that contradict each other beside `no-…`: whoever asks for hashes wants them looked at.
_CONTRARY = {"require_hashes": "no_verify_hashes", "no_verify_hashes": "require_hashes"}

#: Options about the settings themselves.
_OWN = ("config_file", "no_config")


class Completed:
    """What is wanted, all told.

    Attributes:
        values: by the name of an option of the command, what the nearest word says; `index_url` is the command
            line's only, because a lock's word comes before that of settings.
        default_index: the index that settings name for the end, or None.
        indexes: the other indexes that files name, in order, the nearest first.
        sources: normalised project name to the name of the one index that it comes from.
        told_sources: by the same name, the file that says so.
        details: lines that say where settings came from.
        warnings: lines about settings that do not count.
        memory: what files said, to be kept when all is done.
        pip_places: by the name of an option, where pip looks.
        pip_index: the default index is pip's.
    """

    __slots__ = (
        "default_index",
        "details",
        "indexes",
        "memory",
        "pip_index",
        "pip_places",
        "sources",
        "told_sources",
        "values",
        "warnings",
    )

    def __init__(self, values: "Mapping[str, Value]") -> None:
        self.values = dict(values)
        self.default_index: IndexLocation | None = None
        self.indexes: list[IndexLocation] = []
        self.sources: dict[str, str] = {}
        self.told_sources: dict[str, str] = {}
        self.details: list[str] = []
        self.warnings: list[str] = []
        self.memory = Memory(None)
        self.pip_places: dict[str, Value] = {}
        self.pip_index = False


def complete(values: "Mapping[str, Value]", environ: "Mapping[str, str]", cwd: str) -> Completed:
    """Returns a command line with all that settings add to it.

    Args:
        values: what the command line says, as `engine.arguments` gives it.
        environ: the environment variables.
        cwd: absolute path that relative paths of the command line and of variables start from.

    Raises:
        ConfigurationError: when a variable or a file says something wrong, or a file cannot be read.
    """
    done = Completed(values)
    given = from_variables(environ, options_of(str(values["command"])))
    trusting = any(environ.get(variable) for variable in _AUTHORITIES)
    settled = {
        settles for name, value in done.values.items() if not _is_unset(value) for settles in _settles(name, value)
    }
    for name, (value, variable) in given.items():
        if variable.startswith("PIP_") and name in _PLACES:
            done.pip_places[name] = value
        elif name not in settled and not (variable == "PIP_CERT" and trusting):
            done.pip_index = done.pip_index or (name == "index_url" and variable.startswith("PIP_"))
            if name not in _OWN:
                done.details.append(f"{variable} sets {name.replace('_', '-')}")
            _take(done, name, value, cwd)
            settled.update(_settles(name, value))
    if done.values["verbose"]:
        done.details += unknown_variables(environ)
    for layer in _layers(done, environ, cwd):
        done.details.append(f"settings from {layer.path}")
        _add(done, layer, settled, cwd)
    if (pip := _pip_layer(done, environ)) is not None:
        done.details.append(f"settings from {pip.path}")
        _take_from_pip(done, pip, settled, cwd, trusting=trusting)
    _look_where_pip_looks(done, settled)
    if done.sources and "index" in done.values and not done.values.get("no_index"):
        _check_sources(done)
    return done


def _pip_layer(done: Completed, environ: "Mapping[str, str]") -> Layer | None:
    return None if done.values["no_config"] else files.pip_layer(environ, done.memory)


def _take_from_pip(done: Completed, layer: Layer, settled: set[str], cwd: str, *, trusting: bool) -> None:
    """Adds what pip's files say, but keeps apart where pip looks."""
    for name in _PLACES & layer.values.keys():
        done.pip_places.setdefault(name, layer.values.pop(name))
    if trusting:
        layer.values.pop("cert", None)
    before = done.default_index
    _add(done, layer, settled, cwd)
    done.pip_index = done.pip_index or done.default_index is not before


def _look_where_pip_looks(done: Completed, settled: set[str]) -> None:
    """Adds the places that pip knows, unless a nearer word names the default index."""
    nearer = done.values.get("index_url") or (done.default_index is not None and not done.pip_index)
    if nearer:
        return
    for name, value in done.pip_places.items():
        if name not in done.values:
            continue
        before = done.values[name]
        if isinstance(value, list) and isinstance(before, list):
            done.values[name] = [*before, *(word for word in value if word not in before)]
        elif name not in settled:
            done.values[name] = value
    if "index_strategy" not in settled and done.pip_places.get("extra_index_url") and "index_strategy" in done.values:
        done.values["index_strategy"] = "unsafe-best-match"
        done.details.append("the best file of all indexes is taken, as pip does; --index-strategy changes that")


def _layers(done: Completed, environ: "Mapping[str, str]", cwd: str) -> "Iterator[Layer]":
    """Yields what files say, the nearest first."""
    named, no_config = done.values["config_file"], bool(done.values["no_config"])
    if no_config and not named:
        return
    if not done.values.get("no_cache"):
        chosen = done.values["cache_dir"]
        done.memory = Memory(os.path.join(cache_root(str(chosen) if chosen else None, environ), MEMORY))
    memory = done.memory
    if named:
        yield files.named_layer(os.path.join(cwd, str(named)), memory)
    else:
        seen = set()
        if (layer := files.project_layer(cwd, memory, done.warnings)) is not None:
            seen.add(layer.path)
            yield layer
        for layer in files.standing_layers(environ, memory):
            if layer.path not in seen:
                yield layer


def _add(done: Completed, layer: Layer, settled: set[str], cwd: str) -> None:
    """Adds the words of a file that no nearer one has spoken."""
    for name, value in layer.values.items():
        if name not in done.values:
            continue
        before = done.values[name]
        if isinstance(value, list) and isinstance(before, list):
            if name not in _ALONE:
                done.values[name] = [*before, *(word for word in value if word not in before)]
            elif name not in settled:
                done.values[name] = value
        elif name not in settled:
            _take(done, name, value, cwd)
        settled.update(_settles(name, value))
    names = {index_key(location.name) for location in done.indexes if location.name}
    names.update(index_key(text.partition("=")[0]) for text in _words(done.values.get("index")) if "=" in text)
    for table in layer.indexes:
        location = IndexLocation(**table)
        if index_key(location.name) not in names:
            done.indexes.append(location)
    if layer.default_index is not None:
        location = IndexLocation(**layer.default_index)
        if done.default_index is None:
            done.default_index = location
        elif location.name and index_key(location.name) not in names:
            # Another index is asked last; pins to this one hold.
            done.indexes.append(IndexLocation(**{**layer.default_index, "default": False, "explicit": True}))
    for project, name in layer.sources.items():
        done.sources.setdefault(project, name)
        done.told_sources.setdefault(project, layer.path)


def _check_sources(done: Completed) -> None:
    """Refuses sources with an index that nobody named.

    Raises:
        ConfigurationError: with file, line and what may have been meant.
    """
    given = [*_words(done.values.get("index")), str(done.values.get("index_url") or "")]
    names = [text.partition("=")[0] for text in given if "=" in text.partition("://")[0]]
    names += [location.name for location in done.indexes if location.name]
    if done.default_index is not None and done.default_index.name:
        names.append(done.default_index.name)
    known = {index_key(name) for name in names}
    wrong = {project: name for project, name in done.sources.items() if index_key(name) not in known}
    if wrong:
        from engine.settings.checking import unknown_index

        raise unknown_index({project: (done.told_sources[project], name) for project, name in wrong.items()}, names)


def _take(done: Completed, name: str, value: "Value", cwd: str) -> None:
    if name != "index_url":
        done.values[name] = value
    elif done.default_index is None:
        done.default_index = IndexLocation.parse(str(value), cwd=cwd, default=True)


def _settles(name: str, value: "Value") -> tuple[str, ...]:
    """Returns what a word settles: its option, and the options that say the contrary of it."""
    if name == "python":
        return (name, *_FOLDERS) if isinstance(value, list) and len(value) > 1 else (name,)
    if not value:
        return (name,)
    if name in _FOLDERS:
        return _FOLDERS
    contrary = name[3:] if name.startswith("no_") else f"no_{name}"
    return (name, contrary, _CONTRARY[name]) if name in _CONTRARY else (name, contrary)


def _words(value: "Value") -> list[str]:
    return value if isinstance(value, list) else []


def _is_unset(value: "Value") -> bool:
    return value is None or value == [] or (value == 0 and value is not False)
