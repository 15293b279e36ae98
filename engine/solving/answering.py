"""From what was found to the answer that is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.compiled.model import Answer, ChosenFile, Entry
from engine.index.source import Sources, sources
from engine.lock.pins import Digest
from engine.solving.versions import upload_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.utils import NormalizedName
    from packaging.version import Version

    from engine.solving.resolving import Found
    from engine.solving.versions import ListedFile
    from engine.sync import Run
    from engine.wanted.model import Wants
    from resolver import Pin
    from resolver.universal import UniversalPin

#: Digests that prove something.
_STRONG = ("sha256", "sha384", "sha512")


def answer_of(run: Run, wants: Wants, found: Found, *, with_files: bool, wheels_only: bool) -> Answer:
    """Returns what is to be written.

    Args:
        run: options.
        wants: what was wanted, and what the files say about indexes.
        found: what was chosen.
        with_files: tell the files of each release, and its index.
        wheels_only: leave out files that cannot be installed as they are.
    """
    versions = {pin.name: pin.version for pin in found.resolution.pins}
    wanted_by: dict[NormalizedName, list[NormalizedName]] = {name: [] for name in versions}
    for name, needs in found.resolution.dependencies.items():
        for need in needs:
            if need in wanted_by:
                wanted_by[need].append(name)
    places = sources(run, wants)
    entries = tuple(
        entry_of(
            pin,
            wants,
            wanted_by=wanted_by[pin.name],
            files=found.files(pin) if with_files else (),
            dependencies=tuple(
                (name, versions[name]) for name in found.resolution.dependencies.get(pin.name, ()) if name in versions
            ),
            wheels_only=wheels_only,
        )
        for pin in found.resolution.pins
    )
    return answer_with(entries, places, wants)


def answer_with(entries: tuple[Entry, ...], places: Sources, wants: Wants) -> Answer:
    """Returns the answer of these entries, with where they come from."""
    return Answer(
        entries=entries,
        index_url=next((index.url for index in reversed(places.indexes)), ""),
        extra_index_urls=tuple(index.url for index in places.indexes[:-1]),
        find_links=tuple(place.url for place in places.find_links),
        formats=wants.formats,
    )


def entry_of(
    pin: Pin | UniversalPin,
    wants: Wants,
    *,
    wanted_by: Iterable[NormalizedName],
    files: Sequence[ListedFile],
    dependencies: tuple[tuple[NormalizedName, Version], ...],
    wheels_only: bool,
) -> Entry:
    """Returns one distribution of the answer.

    Args:
        pin: what was chosen.
        wants: what was wanted.
        wanted_by: what depends on it.
        files: of its release.
        dependencies: what of the answer it depends on.
        wheels_only: leave out files that cannot be installed as they are.
    """
    named = [one for one in (*wants.requirements, *wants.constraints, *wants.overrides) if one.name == pin.name]
    direct = ""
    if pin.url:
        of_url = [one for one in named if one.file is not None and one.requirement.url == pin.url]
        direct = next((one.given for one in of_url if one.given), pin.url)
    return Entry(
        name=pin.name,
        version=pin.version,
        extras=pin.extras,
        direct=direct,
        origins=tuple(dict.fromkeys(one.origin for one in named if one.origin)),
        wanted_by=tuple(sorted(wanted_by)),
        index_url="" if pin.url else files[0].page if files else "",
        dependencies=dependencies,
        files=tuple(_chosen_file(file) for file in files if file.is_wheel or not wheels_only),
    )


def _chosen_file(file: ListedFile) -> ChosenFile:
    return ChosenFile(
        filename=file.filename,
        url=file.url,
        size_bytes=file.size_bytes,
        upload_time=upload_time(file.uploaded),
        digests=tuple(Digest(algorithm=name, hex=digits) for name, digits in file.hashes.items() if name in _STRONG),
    )
