"""Puts together what is wanted: requirements files, projects, dependency groups and words of the command line.

Reads files and, through the caller, web addresses; what they say is for the
modules beside it.

Rules: every fault of every file is collected before one error is raised.  Nothing
is built: a project that would have to be is a fault that says so.

Source: pip's "Requirements File Format"; PEP 621; PEP 735.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from engine.credentials import without_credentials
from engine.errors import ConfigurationError, EngineError, InvalidRequirements
from engine.inputs import STANDARD_INPUT, LockInput, read_input
from engine.local import local_path
from engine.lock.direct import Place
from engine.lock.walking import FileWalk
from engine.wanted.asked import Asked
from engine.wanted.lines import WantedReader
from engine.wanted.model import Wanted, Wants

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.utils import NormalizedName

    from engine.inputs import Fetch
    from engine.wanted.project import StaticProject

PYPROJECT = "pyproject.toml"
SETUP_CFG = "setup.cfg"
SETUP_PY = "setup.py"
_PROJECTS = frozenset({PYPROJECT, SETUP_CFG, SETUP_PY})
_LOCKS = frozenset({"uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "Pipfile"})
_OPTIONS = {"requirements": "-r", "constraints": "-c", "overrides": "--override", "excludes": "--exclude"}


def read_wants(asked: Asked, *, environ: Mapping[str, str], cwd: str, fetch: Fetch) -> Wants:
    """Returns all that a command line asks for.

    Args:
        asked: its words and files.
        environ: values of variables.
        cwd: absolute path that relative ones start from.
        fetch: asks for a web address.

    Raises:
        InvalidRequirements: when anything in any file or word is wrong; `problems` has one entry for every fault.
        ConfigurationError: when an extra is asked for that no project has, or standard input is named twice.
        EngineError: when a web address cannot be fetched, and nothing else is wrong.
    """
    return _WantsReader(asked, environ=environ, cwd=cwd, fetch=fetch).wants()


class _WantsReader(FileWalk[Wanted]):
    """What has been read so far."""

    called = ""

    def __init__(self, asked: Asked, *, environ: Mapping[str, str], cwd: str, fetch: Fetch) -> None:
        self._opened: list[LockInput] = []
        super().__init__(self._opened, environ=environ, cwd=cwd, fetch=fetch)
        self._asked = asked
        self._ask_for = fetch
        self._role = "requirements"
        self._found: dict[str, list[Wanted]] = {role: [] for role in _OPTIONS}
        self._projects: list[tuple[str, StaticProject]] = []
        self._groups: dict[NormalizedName, list[Wanted]] = {}
        self._excludes: set[NormalizedName] = set()
        self._prereleases = False
        self._failures: list[EngineError] = []

    def wants(self) -> Wants:
        asked = self._asked
        names = (*asked.files, *asked.constraints, *asked.overrides, *asked.excludes)
        if names.count(STANDARD_INPUT) > 1:
            raise ConfigurationError("standard input cannot be two files", hint="name one of them by its path")
        self._read_words()
        for role in _OPTIONS:
            self._role = role
            self.forget_files()
            for name in getattr(asked, "files" if role == "requirements" else role):
                self._read_file(name)
        for group in asked.groups:
            self._read_group(group)
        self._take_projects()
        self._look_at_wheels()
        if self.problems:
            if len(self.problems) == len(self._failures) == 1:
                raise self._failures[0]
            self.raise_unfetched()
            raise InvalidRequirements(list(dict.fromkeys(self.problems)), hint=self.hint)
        self._check_extras()
        return self._result()

    def _result(self) -> Wants:
        return Wants(
            requirements=tuple(self._found["requirements"]),
            constraints=tuple(self._found["constraints"]),
            overrides=tuple(self._found["overrides"]),
            excludes=frozenset(self._excludes),
            pythons=tuple(project.python for _, project in self._projects if project.python is not None),
            index_url=self.index_url,
            extra_index_urls=tuple(dict.fromkeys(self.extra_index_urls)),
            find_links=tuple(dict.fromkeys(self.find_links)),
            no_index=self.no_index,
            trusted_hosts=tuple(dict.fromkeys(self.trusted_hosts)),
            formats=tuple(self.formats),
            prereleases=self._prereleases,
            require_hashes=self.require_hashes,
            inputs=tuple(self._opened),
            conditions=self.conditions,
            notes=tuple(self.notes),
            extras=tuple(sorted({extra for _, project in self._projects for extra in project.optional}))
            if self._asked.parts
            else (),
            groups=tuple(sorted(self._groups)),
        )

    def is_requirements(self, one: LockInput) -> bool:
        name = one.name
        if name in _PROJECTS:
            self.problems.append(f"{one.source}: a project cannot be included, or constrain anything")
        elif one.is_pylock or name in _LOCKS or name.endswith(".toml"):
            self.problems.append(
                f"{one.source}: not a file of requirements (requirements.in, pyproject.toml, setup.cfg)"
            )
        elif name.endswith(".py"):
            self.problems.append(f"{one.source}: the requirements of scripts cannot be read so far")
        else:
            return True
        return False

    def parse(self, text: str, one: LockInput, *, constrains: bool) -> WantedReader:
        role = "constraints" if constrains else self._role
        place = Place(folder=self.cwd, url=one.url)
        reader = WantedReader(
            one.source,
            place,
            None if one.url else self.values,
            origin=f"{_OPTIONS[role]} {_shown(one, self.cwd)}",
            constrains=role == "constraints",
        )
        reader.read_text(text)
        self._prereleases = self._prereleases or reader.options.pre
        if role == "constraints":
            self._found[role].extend(item for item in reader.items if isinstance(item, Wanted))
            reader.items = [item for item in reader.items if not isinstance(item, Wanted)]
        return reader

    def take(self, item: Wanted) -> None:
        if self._role != "excludes":
            self._found[self._role].append(item)
        elif str(item.requirement) == item.requirement.name:
            self._excludes.add(item.name)
        else:
            text = without_credentials(str(item.requirement))
            self.problems.append(f'{item.where}: "{text}": what is excluded is named without anything else')

    def _read_words(self) -> None:
        reader = WantedReader("", Place(folder=self.cwd), None, origin="")
        for word in self._asked.words:
            name = os.path.basename(word)
            if (name in _PROJECTS or name.endswith((".txt", ".in"))) and os.path.isfile(os.path.join(self.cwd, word)):
                self.problems.append(f'"{word}" is a file of requirements, not a requirement')
                self.hint = self.hint or f"-r {word} installs what it asks for"
            else:
                reader.take_word(word)
        self.problems.extend(reader.problems)
        self.hint = self.hint or reader.hint
        self._found["requirements"].extend(item for item in reader.items if isinstance(item, Wanted))

    def _opened_file(self, name: str) -> LockInput | None:
        """Reads a file; reports one that cannot be read."""
        try:
            one = read_input(name, self.cwd, self._ask_for, called="")
        except EngineError as exc:
            self.problems.append(exc.message)
            self.hint = self.hint or exc.hint
            self._failures.append(exc)
            return None
        self._opened.append(one)
        return one

    def _read_file(self, name: str) -> None:
        one = self._opened_file(name)
        if one is None:
            return
        if self._role == "requirements" and one.name in _PROJECTS:
            self._read_project(one)
        else:
            self.read_requirements(one, constrains=self._role == "constraints", chain=())

    def _read_project(self, one: LockInput) -> None:
        # Not at the top: most inputs are no projects, and the parsers of these files take 10 ms to import.
        from engine.wanted.pyproject import group_names
        from engine.wanted.setuptools_files import read_setup_cfg, setup_py_says_nothing

        extras = bool(self._asked.extras) or self._asked.all_extras or self._asked.parts
        shown, place = _shown(one, self.cwd), Place(folder=self.cwd, url=one.url)
        if one.name == SETUP_PY:
            project = self._beside_setup_py(one, shown, extras=extras)
        elif one.name == PYPROJECT:
            project = self._pyproject(one, shown, extras=extras)
            for group in group_names(one.body) if self._asked.parts else ():
                self._groups.setdefault(canonicalize_name(group), []).extend(self._group(one, group))
        else:
            project = read_setup_cfg(one.body, source=one.source, shown=shown, place=place, extras=extras)
            script = self._beside(one, SETUP_PY)
            if script is not None and not setup_py_says_nothing(script.body):
                project.problems.append(f"{one.source}: {script.source} beside it has a say, and cannot be run so far")
        self._projects.append((one.source, project))

    def _pyproject(self, one: LockInput, shown: str, *, extras: bool) -> StaticProject:
        from engine.wanted.pyproject import read_pyproject

        place = Place(folder=self.cwd, url=one.url)
        return read_pyproject(
            one.body, source=one.source, shown=shown, place=place, extras=extras, sources=self._asked.sources
        )

    def _beside_setup_py(self, one: LockInput, shown: str, *, extras: bool) -> StaticProject:
        """Returns what the files beside a setup.py say, if that is all there is to say."""
        from engine.wanted.project import HINT, UNBUILT, StaticProject
        from engine.wanted.setuptools_files import read_setup_cfg, setup_py_says_nothing

        place = Place(folder=self.cwd, url=one.url)
        other = self._beside(one, PYPROJECT)
        if other is not None:
            project = self._pyproject(other, shown, extras=extras)
            if not project.problems or b"[project]" in other.body:
                return project
        other = self._beside(one, SETUP_CFG)
        if other is not None and setup_py_says_nothing(one.body):
            return read_setup_cfg(other.body, source=other.source, shown=shown, place=place, extras=extras)
        return StaticProject(
            problems=[f"{one.source}: its requirements are {UNBUILT}"], hint=f"{HINT}, or in {SETUP_CFG}"
        )

    def _beside(self, one: LockInput, name: str) -> LockInput | None:
        # Nobody would look for it again, whether it is there or not.
        self._is_repeatable = False
        if not one.path or not os.path.isfile(os.path.join(one.folder, name)):
            return None
        return self._opened_file(os.path.join(os.path.dirname(one.source), name))

    def _read_group(self, text: str) -> None:
        path, _, group = text.rpartition(":")
        path = path or PYPROJECT
        if os.path.basename(path) != PYPROJECT:
            self.problems.append(f"{path}: dependency groups are in a file that is called {PYPROJECT}")
            return
        one = self._opened_file(path)
        if one is not None:
            self._found["requirements"].extend(self._group(one, group))

    def _group(self, one: LockInput, group: str) -> list[Wanted]:
        """Returns what a group of a file needs; reports what is wrong with it."""
        from engine.wanted.pyproject import read_group

        project = read_group(
            one.body,
            group,
            source=one.source,
            shown=_shown(one, self.cwd),
            place=Place(folder=self.cwd, url=one.url),
            sources=self._asked.sources,
        )
        self.hint = self.hint or project.hint
        self.problems.extend(project.problems)
        return project.dependencies

    def _take_projects(self) -> None:
        if not self._projects:
            return
        from engine.wanted.extras import with_extras
        from engine.wanted.parts import with_parts

        for _, project in self._projects:
            parts = self._asked.parts
            wanted = with_parts(project, self._groups) if parts else with_extras(project, self._extras_of(project))
            self._found["requirements"].extend(wanted)
            self.problems.extend(project.problems)
            self.hint = self.hint or project.hint

    def _look_at_wheels(self) -> None:
        """Makes a stored answer depend on the wheels of this machine that are named."""
        for wanted in (one for found in self._found.values() for one in found):
            if wanted.file is not None and wanted.file.url.startswith("file:"):
                self.depend_on_place()
                try:
                    self.depend_on_wheel(local_path(wanted.file.url))
                except OSError as exc:
                    where = f"{wanted.where}: " if wanted.where else ""
                    self.problems.append(f"{where}cannot read {exc.filename}: {exc.strerror}")

    def _extras_of(self, project: StaticProject) -> Iterable[NormalizedName]:
        return project.optional if self._asked.all_extras else map(canonicalize_name, self._asked.extras)

    def _check_extras(self) -> None:
        """Raises when nothing has an extra that was asked for."""
        if not self._projects and (self._asked.extras or self._asked.all_extras):
            raise ConfigurationError(
                "extras are chosen from a project, and none was named", hint=f"name its {PYPROJECT} or {SETUP_CFG}"
            )
        known = {extra for _, project in self._projects for extra in project.optional}
        for extra in self._asked.extras:
            if canonicalize_name(extra) not in known:
                names = ", ".join(source for source, _ in self._projects)
                there = f"the extras are {', '.join(sorted(known))}" if known else "there are none"
                raise ConfigurationError(f"{names}: no extra {extra}; {there}")


def _shown(one: LockInput, cwd: str) -> str:
    """Returns how an annotation names a file: from the working directory where it is below that."""
    if one.path and os.path.isabs(one.source) and one.path.startswith(cwd.rstrip(os.sep) + os.sep):
        return os.path.relpath(one.path, cwd)
    return one.source
