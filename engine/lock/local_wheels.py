"""Wheels of this machine that a lock names: their hashes, where the lock does not know them.

A hash makes the wheel known to the cache and to the next run, which sees from it
whether what is installed is still that file.  The wheel is hashed again when it
is installed; here nothing is trusted.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.errors import ConfigurationError, InvalidLock
from engine.local import local_path
from engine.lock.pins import Digest, Pin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.lock.reading import LockReader


def with_local_files(pins: Iterable[Pin], reader: LockReader) -> tuple[Pin, ...]:
    """Returns the pins with size and sha256 of their local wheels; makes the stored answer depend on these.

    Args:
        pins: those that apply to an environment.
        reader: what has read the lock.

    Raises:
        InvalidLock: when a wheel cannot be read.
    """
    problems: list[str] = []
    found = []
    for pin in pins:
        if pin.file is not None and pin.file.url.startswith("file:"):
            reader.depend_on_place()
            if all(digest.algorithm != "sha256" for digest in pin.file.digests):
                try:
                    pin = _hashed(pin, reader)
                except OSError as exc:
                    problems.append(f"{pin.where}: cannot read {exc.filename}: {exc.strerror}")
                except ConfigurationError as exc:
                    problems.append(f"{pin.where}: {exc.message}")
        found.append(pin)
    if problems:
        raise InvalidLock(problems)
    return tuple(found)


def _hashed(pin: Pin, reader: LockReader) -> Pin:
    assert pin.file is not None
    path = local_path(pin.file.url)
    reader.depend_on_wheel(path)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest = Digest(algorithm="sha256", hex=hashlib.file_digest(file, "sha256").hexdigest())
    return replace(pin, file=replace(pin.file, size_bytes=size, digests=(*pin.file.digests, digest)))
