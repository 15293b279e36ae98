"""Unpacks payloads into a folder, when `engine.pyz` is started for the first time: whole or not at all.

Owns the folder's way from nothing to its name, what is said where it cannot be
had, whether it is still whole, and the removal of what nobody uses any more.  Does not know where the
folder should be, or when one may be trusted: `shipping.start`.  Needs Python 3.11 and
imports little: whoever starts a container once waits for it.

`shipping.payload` says what a payload looks like.
"""

import errno
import os
import sys
import threading
import time
import zlib

# As in `shipping.start`, which is `__main__` here.
WHOLE = ".whole"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import NoReturn

#: A folder that is not finished after a day belongs to a start that was killed.
ABANDONED_SECONDS = 24 * 3600
#: A folder of an older file that was not used for so long is in the way.
UNUSED_SECONDS = 30 * 24 * 3600
_UNFINISHED = ".unfinished-"


class _Block:
    """Some files and their bytes, compressed."""

    __slots__ = ("body", "files", "size_bytes")

    def __init__(self, body: memoryview, size_bytes: int) -> None:
        self.body = body
        self.size_bytes = size_bytes
        self.files: list[tuple[str, int, int]] = []


def provide(root: str, name: str, payloads: "Sequence[bytes]", trusted: "Callable[[str, str], bool]") -> str:
    """Unpacks payloads into a folder of that name, and returns its path.

    Many may do so at once: the first one to finish gives the folder its name, and the others use it.

    Args:
        root: absolute path, without links, of the folder that gets the folder; made where it is not there.
        name: what the folder is called.
        payloads: what goes into it.
        trusted: whether a folder in `root` is one whose modules may be run.

    Raises:
        OSError: when nothing can be written there, or what is there must not be trusted.
        ValueError: when a payload is damaged.
    """
    _make_root(root)
    folder = os.path.join(root, name)
    if trusted(root, folder):
        if _is_whole(folder):
            return folder
        _take_away(root, folder)
    unfinished = _unfinished(root)
    if not os.path.lexists(folder):
        os.mkdir(unfinished, 0o755)
        try:
            # Who could plant a folder there need not be helped by unpacking one first.
            if trusted(root, unfinished):
                _write_table(unpack(payloads, unfinished), unfinished)
                os.rename(unfinished, folder)
        except OSError:
            if not os.path.isdir(folder):
                raise
        finally:
            if os.path.lexists(unfinished):
                remove(unfinished)
    if not trusted(root, folder):
        raise PermissionError(errno.EPERM, "others own it or may write into it")
    _remove_unused(root)
    return folder


def _make_root(root: str) -> None:
    """Makes a folder and those above it, which `makedirs` gives the modes that the umask allows."""
    if not os.path.isdir(root):
        if os.path.dirname(root) != root:
            _make_root(os.path.dirname(root))
        try:
            os.mkdir(root, 0o755)
        except FileExistsError:
            if not os.path.isdir(root):
                raise


def _unfinished(root: str) -> str:
    return os.path.join(root, f"{_UNFINISHED}{os.getpid()}-{time.time_ns()}")


def _take_away(root: str, folder: str) -> None:
    """Removes a folder that nobody is to use any more; at once, as far as others can see."""
    gone = _unfinished(root)
    try:
        os.rename(folder, gone)
    except FileNotFoundError:  # another start does the same
        return
    remove(gone)


def _write_table(files: "list[tuple[str, int]]", folder: str) -> None:
    """Notes which files there are, with their size in bytes.

    Nothing waits until they are on the disk, which takes seconds on some: what a machine that stops has not written by
    then is noticed by the first start after it was started again.
    """
    lines = [f"{size} {path}\n" for path, size in files]
    _write(os.path.join(folder, WHOLE), memoryview("".join([*lines, f"{len(lines)} files\n"]).encode()), 0o644)


def _is_whole(folder: str) -> bool:
    """Tells whether all files of a folder are there, in full size: a machine that lost its power may have lost some.

    File systems note the size of what was added to a file once it is on the disk.
    """
    path = os.path.join(folder, WHOLE)
    try:
        with open(path, encoding="utf-8") as table:
            lines = table.read().splitlines()
        if not lines or lines.pop() != f"{len(lines)} files":
            return False
        for line in lines:
            size, _, name = line.partition(" ")
            if str(os.stat(f"{folder}/{name}").st_size) != size:
                return False
        os.utime(path)
    except PermissionError:
        return True
    except (OSError, ValueError):  # or the table is no text
        return False
    return True


def unpack(payloads: "Sequence[bytes]", folder: str) -> "list[tuple[str, int]]":
    """Unpacks payloads into an empty folder, on several threads: inflating and writing let others run.

    Returns:
        The path below the folder and the size in bytes of every file.

    Raises:
        OSError: when something cannot be written.
        ValueError: when a payload is damaged, or names a place outside of the folder.
    """
    blocks = [block for payload in payloads for block in _blocks(payload)]
    files = [(path, size) for block in blocks for path, size, _ in block.files]
    made = {folder}
    for path, _ in files:
        _make_folders(folder, os.path.dirname(path), made)
    blocks.sort(key=lambda block: block.size_bytes)
    faults: list[BaseException] = []
    others = []
    for _ in range(_threads() - 1):
        thread = threading.Thread(target=_write_blocks, args=(blocks, folder, faults))
        try:
            thread.start()
        except RuntimeError:  # a container may allow no more; this one will do
            break
        others.append(thread)
    _write_blocks(blocks, folder, faults)
    for thread in others:
        thread.join()
    if faults:
        raise faults[0]
    return files


def _threads() -> int:
    return min(4, os.cpu_count() or 1)


def _blocks(payload: bytes) -> "list[_Block]":
    """Returns what a payload has, by its table."""
    try:
        length, start = int(payload[: payload.index(b"\n")]), payload.index(b"\n") + 1
        lines = zlib.decompress(payload[start : start + length]).decode().split("\n")
    except zlib.error as exc:
        raise ValueError(str(exc)) from exc
    rest, blocks = memoryview(payload)[start + length :], []
    for line in lines:
        first, second, third = line.split(" ", 2)
        if first == "block":
            size = int(second)
            blocks.append(_Block(rest[:size], int(third)))
            rest = rest[size:]
        else:
            if (
                third.startswith("/")
                or "\\" in third
                or ":" in third
                or not {"", ".", ".."}.isdisjoint(third.split("/"))
            ):
                raise ValueError(f"it names a place outside of its folder: {third!r}")
            blocks[-1].files.append((third, int(second), int(first, 8)))
    return blocks


def _make_folders(folder: str, inner: str, made: "set[str]") -> None:
    path = os.path.join(folder, inner) if inner else folder
    if path not in made:
        _make_folders(folder, os.path.dirname(inner), made)
        os.mkdir(path, 0o755)
        made.add(path)


def _write_blocks(blocks: "list[_Block]", folder: str, faults: "list[BaseException]") -> None:
    """Writes the files of blocks until there are no more; one thread's fault is the end of the others, too."""
    try:
        while blocks and not faults:
            try:
                block = blocks.pop()
            except IndexError:  # another thread has taken it
                return
            body, start = memoryview(zlib.decompress(block.body, bufsize=block.size_bytes)), 0
            for path, size, mode in block.files:
                _write(os.path.join(folder, path), body[start : start + size], mode)
                start += size
            if start != len(body):
                raise ValueError("a block has not the size that its table says")
    except zlib.error as exc:
        faults.append(ValueError(str(exc)))
    except BaseException as exc:
        faults.append(exc)


def _write(path: str, body: memoryview, mode: int) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        while body:
            body = body[os.write(file, body) :]
    finally:
        os.close(file)


def _remove_unused(root: str) -> None:
    """Removes what starts have left that were killed long ago, and folders that no start has used for long."""
    for name in os.listdir(root):
        path = os.path.join(root, name)
        try:
            found = os.lstat(path)
            age = time.time() - found.st_mtime
            if name.startswith(_UNFINISHED):
                if age > ABANDONED_SECONDS:
                    remove(path)
            else:
                checked = os.lstat(os.path.join(path, WHOLE)).st_mtime
                # Every start lists the folder, also that of a user who may not note that it was looked over.
                if time.time() - max(found.st_mtime, found.st_atime, checked) > UNUSED_SECONDS:
                    _take_away(root, path)
        except OSError:  # another start does the same
            continue


def remove(folder: str) -> None:
    """Removes a folder as far as that is possible."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def first_start(
    root: str, name: str, members: "Sequence[str]", needs: "Mapping[str, str]", trusted: "Callable[[str, str], bool]"
) -> "tuple[str, Callable[[], None] | None]":
    """Unpacks members of the file that this module comes from, or leaves with what is wrong.

    Args:
        root: absolute path, without links, of the folder that gets the folder.
        name: what the folder is called.
        members: the names of payloads.
        needs: what `unfit` looks at.
        trusted: whether a folder in `root` is one whose modules may be run.

    Returns:
        The folder, and what removes it at the end of this run if it is for this run only.
    """
    if (fault := unfit(needs)) is not None:
        leave(fault, "install engine with pip, or make an engine.pyz on a machine like this one")
    try:
        payloads = [__loader__.get_data(member) for member in members]  # type: ignore[name-defined]
        try:
            return provide(root, name, payloads, trusted), None
        except OSError as exc:
            folder = _provide_for_this_run(payloads, root, exc)
            return folder, lambda: remove(folder)
    except OSError as exc:
        leave(f"cannot unpack engine.pyz: {exc.strerror or exc}", "ENGINE_PYZ_DIR names a folder to unpack to")
    except ValueError as exc:
        leave(f"engine.pyz is damaged: {exc}", "copy or make it again")
    except KeyboardInterrupt:
        sys.exit(130)


def _provide_for_this_run(payloads: "Sequence[bytes]", root: str, reason: OSError) -> str:
    """Unpacks payloads into a temporary folder, and says why."""
    import tempfile

    folder = tempfile.mkdtemp(prefix="engine-pyz-")
    try:
        unpack(payloads, folder)
    except BaseException:
        remove(folder)
        raise
    said = f"cannot unpack engine.pyz into {root}: {reason.strerror or reason}"
    _say(f"warning: {said}; unpacked for this run only. ENGINE_PYZ_DIR names another folder")
    return folder


def unfit(needs: "Mapping[str, str]") -> str | None:
    """Returns why compiled modules would not load here, although they are called as they should be.

    Args:
        needs: `glibc`, the oldest version that will do, and `machine`, as `uname -m` says; or neither.
    """
    if (machine := needs.get("machine")) is not None and os.uname().machine != machine:
        return f"engine.pyz is for {machine}, and this machine is {os.uname().machine}"
    if (oldest := needs.get("glibc")) is not None:
        try:
            found = os.confstr("CS_GNU_LIBC_VERSION") or ""
        except (ValueError, OSError):
            found = ""
        if _numbers(found) < _numbers(oldest):
            return f"engine.pyz needs glibc {oldest} or newer, and this system has {found or 'none'}"
    return None


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.rpartition(" ")[2].split(".") if word.isdigit()]


def leave(error: str, hint: str) -> "NoReturn":
    """Says what is wrong, and leaves as a command line that could not do its work."""
    _say(f"error: {error}")
    _say(f"hint: {hint}")
    sys.exit(1)


def _say(line: str) -> None:
    """Prints a line, which may have text from outside."""
    if sys.stderr is not None:
        sys.stderr.write("".join(c if c.isprintable() else "?" for c in line) + "\n")
