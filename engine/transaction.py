"""Changes an environment all at once or not at all.  On the warm path.

    <environment>/.engine/<id>/stage/<scheme>/…   what will come in
    <environment>/.engine/<id>/trash/<n>          what went out
    <environment>/.engine/<id>/journal            present from the decision until it is carried out

Everything is staged on the environment's own file system first.  The journal is
published by one rename; from then on the transaction is decided, and whoever
comes next carries it out to its end, because every step is a rename that can be
seen to be done or not: an `out` step is done when its place in the trash is
taken, an `in` step when its staged source is gone.  A step that fails while the
process lives rolls everything back by the same steps in reverse.  A folder that
the file system does not rename goes out in pieces (`engine.moving`).

The lock is an advisory lock on the environment's folder itself, so that nothing
is left behind, held for recovery and commit only.  Each transaction's own folder
is locked as long as its process lives: what is not locked is litter.
"""

import os

from engine.errors import InstallConflict, InstallFailed
from engine.wheel.layout import PRIVATE_TO_ENVIRONMENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

HEADER = b"engine journal 1"

#: (kind, source, target): kind is "out" or "in"; paths are absolute.
Step = tuple[str, str, str]

_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)


def lock_folder(path: str, *, wait: bool, follow: bool = True) -> int | None:
    """Takes the advisory lock on a folder.

    Args:
        path: an existing folder.
        wait: whether to wait for another holder.
        follow: whether `path` may be a symbolic link.

    Returns:
        A descriptor that holds the lock until it is closed, or None when another process has it.

    Raises:
        OSError: when the folder cannot be opened.
    """
    if fcntl is None:
        return _lock_file(os.path.join(path, ".engine-lock"), wait=wait)
    descriptor = os.open(path, _FOLDER if follow else _FOLDER | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:  # a file system without locks: one process at a time is the user's care
        pass
    return descriptor


def _lock_file(path: str, *, wait: bool) -> int | None:
    import msvcrt

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    mode = msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK  # type: ignore[attr-defined,unused-ignore]
    try:
        msvcrt.locking(descriptor, mode, 1)  # type: ignore[attr-defined,unused-ignore]
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


class Transaction:
    """One change of one environment.

    Made while the caller holds the environment's lock, so that no recovery takes
    the new folder for litter before it is locked.

    Args:
        prefix: the environment's folder.
        schemes: scheme to absolute folder.

    Raises:
        InstallFailed: when the environment's folder cannot be written.
    """

    def __init__(self, prefix: str, schemes: dict[str, str]) -> None:
        self.prefix = prefix
        self.schemes = schemes
        self.folder = os.path.join(prefix, ".engine", f"{os.getpid()}-{os.urandom(6).hex()}")
        self.stage = os.path.join(self.folder, "stage")
        self._steps: list[Step] = []
        self._claimed: dict[str, str] = {}
        self._trash = os.path.join(self.folder, "trash")
        try:
            os.makedirs(self.stage)
            os.mkdir(self._trash)
            for scheme in schemes:
                os.mkdir(os.path.join(self.stage, scheme))
            self._own_lock = lock_folder(self.folder, wait=False)
        except OSError as exc:
            raise InstallFailed(f"cannot write to the environment {prefix}: {exc.strerror}") from exc

    def plan_moves(self, outgoing: list[str]) -> list[Step]:
        """Decides the renames that replace `outgoing` by what is staged.

        Args:
            outgoing: absolute paths that leave, none below another.

        Returns:
            The steps in order: dist-info folders leave first and arrive last.  Staged files that meet a file
            nobody is removing replace it; it goes to the trash.

        Raises:
            InstallConflict: when a file is to take the place of a folder that stays.
        """
        steps: list[Step] = []
        self._claimed = {}
        for path in outgoing:
            steps.append(("out", path, self._trash_place(len(steps))))
        gone = set(outgoing)
        incoming: list[Step] = []
        for scheme, folder in self.schemes.items():
            self._merge(os.path.join(self.stage, scheme), folder, gone, steps, incoming, top=True)
        incoming.sort(key=lambda step: step[2].endswith(".dist-info"))
        self._steps = steps + incoming
        return self._steps

    def _trash_place(self, number: int) -> str:
        return os.path.join(self._trash, str(number))

    def _merge(
        self, source: str, target: str, gone: set[str], out: list[Step], incoming: list[Step], *, top: bool = False
    ) -> None:
        """Collects the steps that bring `source` to `target`."""
        if os.path.dirname(target) == self.prefix and os.path.basename(target).casefold() in PRIVATE_TO_ENVIRONMENT:
            raise InstallConflict(f"a distribution brings {target}, which is a part of the environment itself")
        if target in self._claimed:
            # Two schemes reach one new place, as `.data/data` can reach site-packages: it arrives once, with both.
            _absorb(source, self._claimed[target])
            return
        if top and not os.path.isdir(source):
            return
        if not top and (target in gone or not os.path.lexists(target)):
            incoming.append(("in", source, target))
            self._claimed[target] = source
            return
        if os.path.isdir(source) and (top or self._may_merge(target)):
            names = sorted(os.listdir(source))
            if top and names:
                os.makedirs(target, exist_ok=True)
            for name in names:
                self._merge(os.path.join(source, name), os.path.join(target, name), gone, out, incoming)
            return
        if os.path.isdir(target) and not os.path.islink(target):
            raise InstallConflict(
                f"{target} is a folder with files that no distribution owns, and a file is to take its place",
                hint="move the folder away",
            )
        out.append(("out", target, self._trash_place(len(out))))
        incoming.append(("in", source, target))
        self._claimed[target] = source

    def _may_merge(self, target: str) -> bool:
        """Tells whether files may go into an existing folder: a real one, or a link inside the environment."""
        if not os.path.isdir(target):
            return False
        if not os.path.islink(target):
            return True
        return os.path.realpath(target).startswith(os.path.realpath(self.prefix) + os.sep)

    def commit(self, *, durable: bool = False, check: "Callable[[int], None] | None" = None) -> None:
        """Carries the planned moves out.  The caller holds the lock of the environment.

        Args:
            durable: survive a power cut too, at the price of flushing the file system once.
            check: called before step k = 0, 1, 2, … of the commit; a test raises or kills there.

        Raises:
            InstallFailed: when the operating system refused; the environment is as it was before.
        """
        checkpoint = check or _nothing
        journal = os.path.join(self.folder, "journal")
        fields = [HEADER]
        for kind, source, target in self._steps:
            fields.extend((kind.encode(), self._noted(source), self._noted(target)))
        decided = False
        try:
            checkpoint(0)
            with open(journal + ".tmp", "wb") as file:
                file.write(b"\0".join([*fields, b"end"]))
            if durable:
                os.sync()
            checkpoint(1)
            os.rename(journal + ".tmp", journal)
            try:
                for number, step in enumerate(self._steps):
                    checkpoint(2 + number)
                    try:
                        os.rename(step[1], step[2])
                    except OSError as exc:
                        _move_in_pieces(step, exc)
            except BaseException:  # an interrupt too: whoever asked for it wants no half environment
                decided = True
                _roll_back(self._steps)
                os.unlink(journal)
                decided = False
                raise
            decided = True
            if durable:
                os.sync()
            checkpoint(2 + len(self._steps))
            os.unlink(journal)
            checkpoint(3 + len(self._steps))
        except OSError as exc:
            raise InstallFailed(
                f"cannot change the environment {self.prefix}: {exc.strerror}: {exc.filename}",
                hint="the next sync finishes what was begun" if decided else "nothing was changed",
            ) from exc

    def _noted(self, path: str) -> bytes:
        """Returns a path for the journal, relative to the environment: that may have moved when it is read."""
        start = self.prefix + os.sep
        return os.fsencode(path[len(start) :] if path.startswith(start) else path)

    def close(self) -> None:
        """Removes the transaction's folder: the staging area of a failed one, the trash of a finished one.

        One that was decided and is neither carried out nor rolled back stays, for `recover`.
        """
        if not os.path.lexists(os.path.join(self.folder, "journal")):
            _remove_tree(self.folder)
        if self._own_lock is not None:
            os.close(self._own_lock)
            self._own_lock = None
        # Under the lock: another process may just have made this folder to put its own into it.
        lock = lock_folder(self.prefix, wait=False)
        if lock is not None:
            _remove_if_empty(os.path.dirname(self.folder))
            os.close(lock)


def _absorb(source: str, into: str) -> None:
    """Moves what is staged at `source` into what is staged at `into`; of two files the first stays.

    Raises:
        InstallConflict: when one is a file and the other a folder.
    """
    if os.path.isdir(source) != os.path.isdir(into):
        raise InstallConflict(f"{os.path.basename(into)} is to be a file and a folder at once")
    if not os.path.isdir(source):
        return
    for name in os.listdir(source):
        one, other = os.path.join(source, name), os.path.join(into, name)
        if os.path.lexists(other):
            _absorb(one, other)
        else:
            os.rename(one, other)


def _nothing(step: int) -> None:
    pass


def _move_in_pieces(step: Step, reason: OSError) -> None:
    if step[0] != "out":
        raise reason
    from engine.moving import move_out

    move_out(step[1], step[2], reason)


def _roll_back(steps: list[Step]) -> None:
    from engine.moving import is_begun, take_back

    for kind, source, target in reversed(steps):
        if kind == "out" and is_begun(target):
            take_back(source, target)
        elif not os.path.lexists(source) and os.path.lexists(target):
            os.rename(target, source)


def _roll_forward(steps: list[Step]) -> None:
    for step in steps:
        kind, source, target = step
        done = os.path.lexists(target) if kind == "out" else not os.path.lexists(source)
        if not done:
            try:
                os.rename(source, target)
            except OSError as exc:
                _move_in_pieces(step, exc)


def _read_journal(path: str, prefix: str) -> list[Step] | None:
    try:
        with open(path, "rb") as file:
            fields = file.read().split(b"\0")
    except (FileNotFoundError, NotADirectoryError):
        return None
    if fields[0] != HEADER or fields[-1] != b"end" or (len(fields) - 2) % 3:
        raise InstallFailed(f"{path} is not a journal that this version can read", hint="make the environment anew")
    parts = [os.fsdecode(field) for field in fields[1:-1]]
    join = os.path.join
    return [
        (kind, join(prefix, source), join(prefix, target))
        for kind, source, target in zip(parts[0::3], parts[1::3], parts[2::3], strict=True)
    ]


def recover(prefix: str) -> bool:
    """Finishes what a killed process left in an environment, and removes its litter.

    The caller holds the lock of the environment.

    Returns:
        True when a decided transaction was carried out, or taken back where it could not be.

    Raises:
        InstallFailed: when it can be carried out neither forwards nor backwards.
    """
    home = os.path.join(prefix, ".engine")
    try:
        names = os.listdir(home)
    except OSError:
        return False
    recovered = False
    for name in names:
        folder = os.path.join(home, name)
        steps = _read_journal(os.path.join(folder, "journal"), prefix)
        if steps is None:
            if not _in_use(folder) or _orphans_ended(folder):
                _remove_tree(folder)
            continue
        try:
            _roll_forward(steps)
        except OSError as exc:
            try:
                _roll_back(steps)
            except OSError:
                raise InstallFailed(f"cannot recover {prefix}: {exc.strerror}: {exc.filename}") from exc
        os.unlink(os.path.join(folder, "journal"))
        _remove_tree(folder)
        recovered = True
    _remove_if_empty(home)
    return recovered


def _orphans_ended(folder: str) -> bool:
    """Waits for the children of a killed process, which hold its lock for the blink of an eye; False if it lives."""
    if fcntl is None:  # and there is no fork
        return False
    pid = os.path.basename(folder).partition("-")[0]
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        pass
    except (OSError, ValueError):
        return False
    else:
        return False
    import time

    for _ in range(100):
        if not _in_use(folder):
            return True
        time.sleep(0.01)
    return False


def _in_use(folder: str) -> bool:
    try:
        lock = lock_folder(folder, wait=False)
    except OSError:
        return False
    if lock is None:
        return True
    os.close(lock)
    return False


def _remove_if_empty(folder: str) -> None:
    try:
        os.rmdir(folder)
    except OSError:
        pass


def _remove_tree(folder: str) -> None:
    """Removes a folder and all below it; what cannot be removed is left for the next run."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                _remove_tree(entry.path)
            else:
                os.unlink(entry.path)
        except OSError:
            continue
    _remove_if_empty(folder)
