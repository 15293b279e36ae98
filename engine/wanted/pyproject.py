"""pyproject.toml: what its project and its dependency groups need.  PURE.

Source: the "pyproject.toml specification"; PEP 621; PEP 735.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from packaging.dependency_groups import DependencyGroupResolver
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidName, canonicalize_name

from engine.wanted.project import HINT, UNBUILT, ProjectFile, StaticProject

if TYPE_CHECKING:
    from engine.lock.direct import Place


def read_pyproject(
    body: bytes, *, source: str, shown: str, place: Place, extras: bool, sources: bool = True
) -> StaticProject:
    """Returns what the [project] table says.

    Args:
        body: the file.
        source: its name, for messages.
        shown: what an annotation calls the file.
        place: where relative names start.
        extras: extras are asked for.
        sources: `[tool.uv.sources]` counts, and is a problem where it says anything about a requirement: the index
            may have another project of that name.

    Source: PEP 621, "dependencies, optional-dependencies", "dynamic".
    """
    fields, file = _toml(body, source, shown, place)
    if fields is None:
        return file.project
    table = fields.get("project")
    if not isinstance(table, dict):
        file.report(f"it has no [project] table, so its requirements are {UNBUILT}")
        file.project.hint = HINT
        return file.project
    _set_name(file, table)
    dynamic = table.get("dynamic", [])
    dynamic = dynamic if isinstance(dynamic, list) else []
    if "dependencies" in dynamic:
        file.report_unbuilt("the dependencies are dynamic:", "project", "dynamic")
    if extras and "optional-dependencies" in dynamic:
        file.report_unbuilt("the optional dependencies are dynamic:", "project", "dynamic")
    if "requires-python" in table:
        file.set_python(table["requires-python"], "project", "requires-python")
    origin = file.origin()
    file.project.dependencies = file.wanted(table.get("dependencies", []), "project", "dependencies", origin)
    optional = table.get("optional-dependencies", {})
    if isinstance(optional, dict):
        for extra, texts in optional.items():
            if not _is_name(extra):
                file.report(f'"{extra}" cannot be the name of an extra', "project.optional-dependencies", extra)
                continue
            wanted = file.wanted(texts, "project.optional-dependencies", extra, origin)
            file.project.optional.setdefault(canonicalize_name(extra), []).extend(wanted)
    else:
        file.report("optional-dependencies is not a table", "project", "optional-dependencies")
    if sources:
        _refuse_sources(file, fields)
    return file.project


def group_names(body: bytes) -> list[str]:
    """Returns the names of the dependency groups of a pyproject.toml, as they are written; none of a broken one."""
    try:
        groups = tomllib.loads(body.decode("utf-8")).get("dependency-groups", {})
    except (ValueError, RecursionError):
        return []
    return list(groups) if isinstance(groups, dict) else []


def read_group(
    body: bytes, group: str, *, source: str, shown: str, place: Place, sources: bool = True
) -> StaticProject:
    """Returns what a dependency group needs, as `dependencies`.

    Args:
        body: of a pyproject.toml.
        group: the name of the group.
        source, shown, place, sources: as for `read_pyproject`.

    Source: PEP 735.
    """
    fields, file = _toml(body, source, shown, place)
    if fields is None:
        return file.project
    table = fields.get("project")
    if isinstance(table, dict):
        _set_name(file, table)
    groups = fields.get("dependency-groups", {})
    if not isinstance(groups, dict):
        file.report("dependency-groups is not a table")
        return file.project
    if not _is_name(group):
        file.report(f'"{group}" cannot be the name of a dependency group', "dependency-groups", group)
        return file.project
    try:
        requirements = DependencyGroupResolver(groups).resolve(group)
    except ExceptionGroup as exc:
        for error in exc.exceptions:
            _report_group(file, groups, group, error)
        return file.project
    texts = _texts_of(groups)
    wanted = [texts.get(str(requirement), str(requirement)) for requirement in requirements]
    file.project.dependencies = file.wanted(wanted, "dependency-groups", group, file.origin(group))
    if sources:
        _refuse_sources(file, fields)
    return file.project


def _is_name(text: str) -> bool:
    try:
        canonicalize_name(text, validate=True)
    except InvalidName:
        return False
    return True


def _refuse_sources(file: ProjectFile, fields: dict[str, Any]) -> None:
    """Reports requirements that uv would take from elsewhere."""
    table: Any = fields
    for key in ("tool", "uv", "sources"):
        table = table.get(key) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        return
    project = file.project
    wanted = {one.name for needed in (project.dependencies, *project.optional.values()) for one in needed}
    for name in table:
        if canonicalize_name(name) in wanted - {project.name}:
            file.report(f"where {name} comes from cannot be said here so far", "tool.uv.sources", name)
            project.hint = project.hint or "without that entry it is taken from an index"


def _report_group(file: ProjectFile, groups: dict[str, Any], group: str, error: Exception) -> None:
    if isinstance(error, LookupError):
        there = f"it has {', '.join(sorted(groups))}" if groups else "it has none"
        file.report(f"{str(error.args[0]).replace('Dependency', 'dependency')}; {there}")
        return
    fault, *rest = str(error).splitlines() or [type(error).__name__]
    # The library quotes a requirement that is none in a line of its own.
    text = rest[0].strip() if isinstance(error, InvalidRequirement) and rest else ""
    if text:
        file.report(f'"{text}": {fault[:1].lower()}{fault[1:]}', "dependency-groups", text)
    else:
        file.report(f"dependency group {group}: {fault}")


def _strings(groups: dict[str, Any]) -> list[str]:
    return [text for texts in groups.values() if isinstance(texts, list) for text in texts if isinstance(text, str)]


def _texts_of(groups: dict[str, Any]) -> dict[str, str]:
    """Returns how each requirement of a group is written: the library tells only what it means."""
    texts: dict[str, str] = {}
    for text in _strings(groups):
        try:
            texts.setdefault(str(Requirement(text)), text)
        except ValueError:
            continue  # of another group
    return texts


def _toml(body: bytes, source: str, shown: str, place: Place) -> tuple[dict[str, Any] | None, ProjectFile]:
    try:
        text = body.decode("utf-8")
        return tomllib.loads(text), ProjectFile(text, source, shown, place)
    except UnicodeDecodeError as exc:
        problem = f"not UTF-8 text (byte {exc.start})"
    except (ValueError, RecursionError) as exc:
        problem = str(exc)
    file = ProjectFile("", source, shown, place)
    file.report(problem)
    return None, file


def _set_name(file: ProjectFile, table: dict[str, Any]) -> None:
    name = table.get("name")
    if isinstance(name, str) and name:
        file.project.name = canonicalize_name(name)
    else:
        file.report("the project has no name")
