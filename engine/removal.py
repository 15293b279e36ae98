"""Decides what leaves an environment when distributions are removed.  On the warm path.

RECORD says which files a distribution owns.  A folder whose every file is owned
leaves as a whole, by one rename; otherwise its files leave one by one, and what
nobody recorded stays.  Nothing outside the environment's own scheme folders is
ever touched, whatever RECORD says, and neither is the interpreter.

Source: Recording installed projects, "The RECORD file".
"""

import os

from engine.errors import InstallConflict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.environment.installed import Installed


def recorded_files(dist_info: str) -> list[str]:
    """Returns the absolute paths that the RECORD of a distribution names.

    Args:
        dist_info: the `.dist-info` folder.  Without a RECORD only that folder is known.
    """
    site = os.path.dirname(dist_info)
    try:
        with open(os.path.join(dist_info, "RECORD"), encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
    except OSError:
        return [os.path.join(folder, name) for folder, _, names in os.walk(dist_info) for name in names]
    if '"' in text:
        import csv
        import io

        rows = [row[0] for row in csv.reader(io.StringIO(text)) if row and row[0]]
    else:
        # Not splitlines(): a path may hold characters that it takes for line ends.
        rows = [line.rsplit(",", 2)[0] for line in text.split("\n") if line]
    join, normpath, odd = os.path.join, os.path.normpath, ("./", "//", "..")
    return [
        normpath(join(site, row)) if os.path.isabs(row) or any(part in row for part in odd) else join(site, row)
        for row in rows
    ]


class Removal:
    """The files of some distributions, and the renames that take them out.

    Args:
        roots: scheme folders of the environment, absolute; what is outside them stays.
        protected: absolute paths that stay in any case, such as the interpreter.
    """

    def __init__(self, roots: "Iterable[str]", protected: "Iterable[str]" = ()) -> None:
        self._roots = {os.path.normpath(root) for root in roots}
        self._protected = {os.path.normpath(path) for path in protected}
        self._owned: dict[str, set[str]] = {}
        self.skipped: list[str] = []

    def add(self, installed: "Installed") -> None:
        """Takes a distribution into the removal.

        Raises:
            InstallConflict: when it was installed in a way that does not say what it owns.
        """
        if installed.legacy:
            raise InstallConflict(
                f"cannot remove {installed.name} {installed.version}: {installed.path} has no RECORD of its files",
                hint="remove it with the tool that installed it, or make a new environment",
            )
        for path in recorded_files(installed.path):
            folder, name = os.path.split(path)
            if path in self._protected or not self._inside(folder):
                self.skipped.append(path)
                continue
            self._owned.setdefault(folder, set()).add(name)

    def keep(self, paths: "Iterable[str]") -> None:
        """Leaves `paths` in place: another distribution owns them too."""
        for path in paths:
            folder, name = os.path.split(path)
            if folder in self._owned:
                self._owned[folder].discard(name)

    def _inside(self, folder: str) -> bool:
        while folder not in self._roots:
            parent = os.path.dirname(folder)
            if parent == folder:
                return False
            folder = parent
        return True

    def moves(self) -> list[str]:
        """Returns the paths to move out, dist-info folders first.  Paths do not contain each other."""
        self._add_bytecode()
        known = self._folders()
        result: list[str] = []
        for root in sorted(self._roots, key=len):
            if root in known:
                self._descend(root, known, result)
        unique = list(dict.fromkeys(result))
        return sorted(unique, key=lambda path: not _in_dist_info(path))

    def _folders(self) -> set[str]:
        """Returns all folders that hold something owned, roots included."""
        known: set[str] = set()
        for folder in self._owned:
            while folder not in known:
                known.add(folder)
                if folder in self._roots:
                    break
                folder = os.path.dirname(folder)
        return known

    def _add_bytecode(self) -> None:
        for folder, names in list(self._owned.items()):
            stems = {name[:-3] for name in names if name.endswith(".py")}
            if not stems:
                continue
            compiled = os.path.join(folder, "__pycache__")
            try:
                found = os.listdir(compiled)
            except OSError:
                continue
            owned = {name for name in found if name.partition(".")[0] in stems and name.endswith(".pyc")}
            if owned:
                self._owned.setdefault(compiled, set()).update(owned)

    def _descend(self, folder: str, known: set[str], result: list[str]) -> bool:
        """Collects moves below `folder`; returns True when all of it can go (then none was collected)."""
        owned = self._owned.get(folder, set())
        whole = folder not in self._roots
        mine: list[str] = []
        try:
            entries = list(os.scandir(folder))
        except OSError:
            return False
        for entry in entries:
            path = os.path.join(folder, entry.name)
            if entry.name in owned and path not in self._protected:
                mine.append(path)
            elif path in known and path not in self._roots and entry.is_dir(follow_symlinks=False):
                if self._descend(path, known, mine):
                    mine.append(path)
                else:
                    whole = False
            else:
                whole = False
        if whole and mine:
            return True
        result.extend(mine)
        return False


def _in_dist_info(path: str) -> bool:
    return path.endswith(".dist-info") or os.path.dirname(path).endswith(".dist-info")
