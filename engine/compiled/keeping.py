"""What a lock for every platform keeps of the one before: the files of an entry that is the same as it was.  PURE.

A wheel that is uploaded later for a version that is locked does not change the lock: who checks a lock is to be told
that somebody has changed what is wanted, not that somebody has built a wheel.

Rules: an entry is the same if name, version and marker are, and the range of Pythons of the whole lock.  Its files stay
if all of them can still be had with the same hashes; else all that there are now are written.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from engine.compiled.preferences import pylock_pins

if TYPE_CHECKING:
    from collections.abc import Collection

    from packaging.markers import Marker
    from packaging.utils import NormalizedName
    from packaging.version import Version

    from engine.compiled.model import Answer, Entry
    from engine.lock.pins import Digest

_Key = tuple["NormalizedName", "Version", "Marker | None"]


def with_files_of(answer: Answer, body: bytes, upgraded: Collection[str]) -> Answer:
    """Returns an answer with no more files than an earlier lock has of the same entries.

    Args:
        answer: what was chosen.
        body: the earlier lock.
        upgraded: normalised names of projects of which the newest files are wanted.
    """
    if _python_of(body) != answer.requires_python:
        return answer
    before: dict[_Key, list[Digest]] = {}
    for name, version, marker, digests in pylock_pins(body):
        before[name, version, marker] = digests
    entries = (entry if entry.name in upgraded else _kept(entry, before) for entry in answer.entries)
    return replace(answer, entries=tuple(entries))


def _python_of(body: bytes) -> SpecifierSet | None:
    try:
        stated = tomllib.loads(body.decode("utf-8")).get("requires-python")
        return None if stated is None else SpecifierSet(stated)
    except (ValueError, RecursionError, TypeError, AttributeError):
        return None


def _kept(entry: Entry, before: dict[_Key, list[Digest]]) -> Entry:
    known = set(before.get((entry.name, entry.version, entry.marker), ()))
    there = {digest for file in entry.files for digest in file.digests}
    if not known or not known <= there:
        return entry
    return replace(entry, files=tuple(file for file in entry.files if known.intersection(file.digests)))
