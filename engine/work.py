"""One environment's way through a sync: what differs, what is staged, the commit.  On the warm path.

What only a change needs is imported when there is one.
"""

import os

from engine.environment.installed import Installed, installed_distributions, same_version
from engine.environment.target import Environment
from engine.errors import EngineError, InstallConflict, InstallFailed, InvalidEnvironment
from engine.options import InstallOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from engine.bytecode.kind import BytecodeKind
    from engine.staging import Area
    from engine.transaction import Transaction

#: What a new environment may come with; a sync leaves them alone unless the lock pins them, as pip-sync does.
SEEDS = frozenset({"pip", "setuptools", "wheel"})


def _unified(prefix: str, relative: dict[str, str]) -> dict[str, str]:
    """Returns the schemes with one name for purelib and platlib where they are one folder (`lib64` is often a link)."""
    purelib, platlib = (os.path.join(prefix, relative[scheme]) for scheme in ("purelib", "platlib"))
    if purelib == platlib:
        return relative
    try:
        one = os.path.samefile(purelib, platlib)
    except OSError:
        return relative
    return {**relative, "platlib": relative["purelib"]} if one else relative


class Work:
    """The state of one environment during a sync.

    Attributes:
        environment: the target; its prefix is known.
        relative: scheme to folder as plans have it; `schemes` is the same, absolute.
        added, removed: (name, version) pairs, once the changes are known.
        kept: how many distributions stay as they are.
        details: lines for who wants to know more.
        error: why this environment was left as it was, or None.
        bytecode: which compiled files it gets; None for none, and for what a plan says.
    """

    def __init__(self, environment: Environment, relative: dict[str, str], options: InstallOptions) -> None:
        self.environment = environment
        self._options = options
        prefix = environment.prefix
        self.relative = _unified(prefix, relative)
        self.schemes = {
            scheme: os.path.normpath(os.path.join(prefix, folder)) for scheme, folder in self.relative.items()
        }
        self.added: list[tuple[str, str]] = []
        self.removed: list[tuple[str, str]] = []
        self.kept = 0
        self.warnings: list[str] = []
        self.details: list[str] = []
        self.error: EngineError | None = None
        self.area: Area | None = None
        self.bytecode: BytecodeKind | None = None
        self._transaction: Transaction | None = None
        self.recovered = False
        self.committed = False
        self.installed: dict[str, list[Installed]] = {}
        self._wanted: set[str] = set()
        self._direct: Mapping[str, str] = {}
        self._kept: list[tuple[str, str]] = []

    def scan(self, *, recovering: bool = True) -> None:
        """Reads what is installed now.

        Args:
            recovering: finish what a killed run has left first; a dry run does not.

        Raises:
            InstallFailed: when that cannot be finished.
            InvalidEnvironment: when the environment cannot be read.
        """
        if recovering and os.path.isdir(os.path.join(self.environment.prefix, ".engine")):
            from engine.transaction import recover

            lock = self._lock()
            try:
                self.recovered = recover(self.environment.prefix)
            except OSError as exc:
                raise InstallFailed(
                    f"cannot recover {self.environment.prefix}: {exc.strerror}: {exc.filename}"
                ) from exc
            finally:
                if lock is not None:
                    os.close(lock)
        self.installed = self._installed_now()

    def _lock(self) -> int | None:
        from engine.transaction import lock_folder

        try:
            return lock_folder(self.environment.prefix, wait=True)
        except OSError as exc:
            raise InvalidEnvironment(f"cannot lock the environment {self.environment.prefix}: {exc.strerror}") from exc

    def _installed_now(self) -> dict[str, list[Installed]]:
        return installed_distributions((self.schemes["purelib"], self.schemes["platlib"]))

    def satisfied(self, name: str, version: str) -> bool:
        """Tells whether exactly this version of a project is installed, and whole, and from where it is wanted.

        As with uv, a version that is only pinned may have come from anywhere.
        """
        found = self.installed.get(name)
        if found is None or len(found) != 1 or found[0].broken:
            return False
        there = found[0].version
        if name in self._direct and not came_from(found[0].path, self._direct[name]):
            return False
        # `==1.0` means 1.0+local as well (PEP 440, "Version matching").
        return same_version(there if "+" in version else there.partition("+")[0], version)

    def compare(self, wanted: "Iterable[tuple[str, str]]", direct: "Mapping[str, str] | None" = None) -> list[str]:
        """Decides what changes.

        Args:
            wanted: (normalised name, version) of all that is to be there, each name once.
            direct: name to the text of `direct_url.json` of those whose wheel the lock names.

        Returns:
            The names to install, in the order of `wanted`; `added`, `removed` and `kept` say the same for people.
        """
        names: set[str] = set()
        self._wanted, self._kept, self._direct = names, [], direct or {}
        missing = []
        self.added, self.removed, self.kept = [], [], 0
        for name, version in wanted:
            names.add(name)
            if self.satisfied(name, version) and not self._options.reinstalls(name):
                self.kept += 1
                self._kept.append((name, version))
                continue
            missing.append(name)
            self.added.append((name, version))
            self.removed.extend((name, old.version) for old in self.installed.get(name, ()))
        for name, found in self.installed.items():
            if self._leaves(name):
                self.removed.extend((name, old.version) for old in found)
        if absent := self._options.reinstall_packages and sorted(self._options.reinstall_packages - names):
            self.warnings.append(f"--reinstall-package names what is not in the lock: {', '.join(absent)}")
        return missing

    def _leaves(self, name: str) -> bool:
        """Tells whether an installed project has to go because nobody wants it."""
        return self._options.exact and name not in self._wanted and name not in SEEDS

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.added or self.removed)

    def open(self) -> "Area":
        """Makes the staging area.

        Raises:
            InstallFailed: when the environment cannot be written.
        """
        from engine.staging import Area
        from engine.transaction import Transaction

        lock = self._lock()
        try:
            self._transaction = Transaction(self.environment.prefix, self.schemes)
        finally:
            if lock is not None:
                os.close(lock)
        self.area = Area(self._transaction.stage, self.environment.python, self.schemes)
        return self.area

    def commit(self, *, durable: bool = False, check: "Callable[[int], None] | None" = None) -> None:
        """Moves what is staged in and what is replaced out.

        Raises:
            InstallConflict: when something cannot be removed.
            InstallFailed: when the operating system refuses; the environment is then as it was.
        """
        transaction = self._transaction
        assert transaction is not None, "open() comes first"
        lock = self._lock()
        try:
            outgoing = self._outgoing()
            transaction.plan_moves(outgoing)
            transaction.commit(durable=durable, check=check)
            self.committed = True
        finally:
            if lock is not None:
                os.close(lock)

    def tell_versions(self, versions: "Mapping[str, str]") -> None:
        """Puts the versions of the wheels in the place of the pinned ones, which may lack the local part.

        Args:
            versions: normalised name to the version of the wheel.
        """
        self.added = [(name, versions.get(name, version)) for name, version in self.added]

    def close(self) -> None:
        """Removes what is left of the staging area."""
        if self._transaction is not None:
            self._transaction.close()
            self._transaction = None

    def _outgoing(self) -> list[str]:
        """Returns the paths that leave; looks again, since another process may have changed the environment."""
        now = self.installed = self._installed_now()
        for name, version in self._kept:
            if not self.satisfied(name, version):
                raise InstallConflict(
                    f"{name} {version} was changed in {self.environment.prefix} while this run was under way",
                    hint="another run works on the same environment; run again",
                )
        added = {name for name, _ in self.added}
        going = {name for name in now if name in added or self._leaves(name)}
        leaving = [found for name in going for found in now.get(name, ())]
        if not leaving:
            return []
        from engine.removal import Removal, recorded_files
        from engine.wheel.layout import is_interpreter_name

        prefix = self.environment.prefix
        scripts = self.schemes["scripts"]
        protected = [os.path.join(scripts, name) for name in _names(scripts) if is_interpreter_name(name)]
        protected.append(os.path.join(prefix, "pyvenv.cfg"))
        removal = Removal([*self.schemes.values(), prefix], protected)
        for found in leaving:
            removal.add(found)
        for name, others in now.items():
            if name not in going:
                for other in others:
                    if not other.legacy:
                        removal.keep(recorded_files(other.path))
        self.warnings.extend(f"left in place: {path}" for path in removal.skipped)
        return removal.moves()


def came_from(dist_info: str, direct_url: str) -> bool:
    """Tells whether a distribution came from the wheel that `direct_url` describes."""
    try:
        with open(f"{dist_info}/direct_url.json", encoding="utf-8", errors="replace") as file:
            found = file.read()
    except OSError:
        return False
    if found == direct_url:
        return True
    from engine.direct_url import same_origin

    return same_origin(found, direct_url)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
