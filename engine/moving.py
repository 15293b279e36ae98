"""Moves a folder that the file system does not rename, in pieces that a later process can continue or take back.

An overlay file system, which container images are made of, refuses with EXDEV to rename a folder of a lower layer:
what an earlier step of a build has installed.  Files it does rename.  So the files go one by one into a folder beside
the target, which one rename then makes the target: as with a whole folder, a step is done when its target is there.

Loaded only when a rename was refused, or where a process was killed in between.
Source: the kernel's documentation of overlayfs, "renaming directories".
"""

import errno
import os

_PART = ".part"


def move_out(source: str, target: str, reason: OSError) -> None:
    """Moves the folder `source` to `target`, which is not there, or goes on with that.

    Args:
        source: absolute path of a folder.
        target: absolute path on the same file system.
        reason: what the rename failed with.

    Raises:
        OSError: `reason` when there is nothing to be done about it, or what the system refused on the way.
    """
    part = target + _PART
    if not os.path.lexists(part) and (reason.errno != errno.EXDEV or not _is_folder(source)):
        raise reason
    if _is_folder(source):
        _move_pieces(source, part)
    os.rename(part, target)


def is_begun(target: str) -> bool:
    """Tells whether a move to `target` was begun and not finished."""
    return os.path.lexists(target + _PART)


def take_back(source: str, target: str) -> None:
    """Takes back a move that was begun and not finished.

    Raises:
        OSError: when the system refuses.
    """
    _move_pieces(target + _PART, source)


def _move_pieces(source: str, target: str) -> None:
    """Brings all of `source` to `target`, which may have some of it; `source` goes last."""
    if not os.path.lexists(target):
        os.mkdir(target)
        os.chmod(target, os.lstat(source).st_mode & 0o7777)
    for entry in list(os.scandir(source)):
        place = os.path.join(target, entry.name)
        if entry.is_dir(follow_symlinks=False):
            _move_pieces(entry.path, place)
        else:
            os.rename(entry.path, place)
    os.rmdir(source)


def _is_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)
