"""Files that several distributions bring: the first one in lock order gets its way, as with uv.

Both keep the file in their RECORD, so removing one of them leaves it to the other.  Rare, and so
apart from staging, which only notices that a file is already there.
"""

import os

from cache.plans import PlannedEntry
from engine.errors import InstallConflict
from engine.linking import Linker, write_file
from engine.staging import Area, Drift, script_files


def settle(entries: list[PlannedEntry], paths: set[str], trees: dict[str, str], area: Area) -> list[str]:
    """Puts the winner's file in place for every path that several distributions bring.

    Args:
        entries: all that was staged, in lock order.
        paths: `scheme/relative` of the files that were found in place while staging.
        trees: sha256 to the entry's unpacked files.
        area: where it was staged.

    Returns:
        One warning for each path whose owners do not agree on the content.

    Raises:
        Drift: when an entry has vanished from the cache meanwhile; what was settled by then stays settled.
        InstallConflict: when it is a file for one and a folder for another.
        OSError: when the operating system refuses.
    """
    warnings = []
    owners = _owners(entries, paths)
    compiled = {source for path in paths if (source := _source_of_compiled(path))}
    for path in sorted(paths):
        claimants = owners.get(path, [])
        if len(claimants) < 2:
            if claimants and os.path.isdir(os.path.join(area.stage, path)):
                raise InstallConflict(
                    f"{path.partition('/')[2]} is a file of {claimants[0].name} and a folder of another"
                )
            continue
        contents = [_content(entry, path, trees, area) for entry in claimants]
        differs = any(content != contents[0] for content in contents)
        if differs or path in compiled:
            _place(claimants[0], path, trees, area)
        if not differs or _source_of_compiled(path):
            continue
        _remove_foreign_bytecode(claimants[0], path, trees, area)
        names = ", ".join(entry.name for entry in claimants[1:])
        warnings.append(f"{path.partition('/')[2]} is brought by {names} and {claimants[0].name}, whose file is used")
    return warnings


def _source_of_compiled(path: str) -> str:
    """Returns the module that a compiled file is checked against by size and mtime, or "" for any other file.

    Both have to come from one owner, also where the owners' modules are the same but for their mtimes.
    """
    folder, _, name = path.rpartition("/")
    if not (name.endswith(".pyc") and folder.endswith("/__pycache__")):
        return ""
    return f"{folder.removesuffix('__pycache__')}{name.split('.')[0]}.py"


def _remove_foreign_bytecode(winner: PlannedEntry, path: str, trees: dict[str, str], area: Area) -> None:
    """Removes compiled files beside the winner's module that are another's: it may itself not compile."""
    folder, _, name = path.rpartition("/")
    if not name.endswith(".py"):
        return
    try:
        names = os.listdir(os.path.join(area.stage, folder, "__pycache__"))
    except OSError:
        return
    for compiled in names:
        beside = f"{folder}/__pycache__/{compiled}"
        if _source_of_compiled(beside) == path and _source(winner, beside, trees) is None:
            os.unlink(os.path.join(area.stage, beside))


def _owners(entries: list[PlannedEntry], paths: set[str]) -> dict[str, list[PlannedEntry]]:
    owners: dict[str, list[PlannedEntry]] = {}
    for entry in entries:
        brought: set[str] = set()
        for scheme, folder, _, names, _, _ in entry.folders:
            prefix = f"{scheme}/{folder}/" if folder else f"{scheme}/"
            brought.update(prefix + name for name in names)
        scripts = [path.rpartition("/")[2] for path in entry.scripts] + [launcher[0] for launcher in entry.launchers]
        brought.update(f"scripts/{name}" for name in scripts)
        for path in brought & paths:
            owners.setdefault(path, []).append(entry)
    return owners


def _source(entry: PlannedEntry, path: str, trees: dict[str, str]) -> str | None:
    """Returns the cached file that `entry` brings to `path`, or None for a generated one."""
    parent, _, name = path.rpartition("/")
    scheme, _, relative = parent.partition("/")
    for candidate, folder, source, names, _, _ in entry.folders:
        if candidate == scheme and folder == relative and name in names:
            return os.path.join(trees[entry.sha256], source, name)
    return None


def _content(entry: PlannedEntry, path: str, trees: dict[str, str], area: Area) -> bytes:
    source = _source(entry, path, trees)
    if source is None:
        return _script(entry, path, trees, area)[0]
    try:
        with open(source, "rb") as file:
            return file.read()
    except FileNotFoundError as exc:
        raise Drift(entry.sha256, source) from exc


def _script(entry: PlannedEntry, path: str, trees: dict[str, str], area: Area) -> tuple[bytes, bool]:
    name = path.rpartition("/")[2]
    for candidate, content, executable in script_files(entry, trees[entry.sha256], area):
        if candidate == name:
            return content, executable
    raise AssertionError(f"{entry.name} does not bring {path}")


def _place(entry: PlannedEntry, path: str, trees: dict[str, str], area: Area) -> None:
    target = os.path.join(area.stage, path)
    source = _source(entry, path, trees)
    # Beside it first: the winner may vanish from the cache at any moment, and is then placed in another attempt.
    fresh = f"{target}.{os.urandom(6).hex()}"
    if source is None:
        content, executable = _script(entry, path, trees, area)
        write_file(fresh, content, executable=executable)
    else:
        try:
            # A copy: the winner of a collision is one file in ten thousand.
            Linker("copy").fall_back(source, fresh, None)
        except FileNotFoundError as exc:
            if os.path.lexists(source):
                raise
            raise Drift(entry.sha256, source) from exc
    os.replace(fresh, target)
