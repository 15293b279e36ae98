"""Why a page has no wheel for a pin, in words a person can act on.  Pure.

Only reached when nothing fits, so it takes its time and parses what it likes.
"""

import re
from collections.abc import Callable, Sequence

from packaging.version import Version

from engine.environment.installed import normalize_name
from engine.errors import NoMatchingDistribution
from engine.index.compatibility import Target, WheelName, allows_python, best_rank
from engine.index.page import File, ProjectPage
from engine.lock.pins import Pin

_SDIST_SUFFIXES = (".tar.gz", ".zip")
#: How many versions or tags a message names.
_EXAMPLES = 3


def quarantined(pages: Sequence[ProjectPage], pin: Pin, where: str) -> NoMatchingDistribution:
    """Returns the error for a project that its index holds to be dangerous.

    Source: PEP 792, "quarantined".
    """
    reasons = dict.fromkeys(page.status_reason[:200] for page in pages if page.status_reason.strip())
    reason = f": {'; '.join(reasons)}" if reasons else ""
    return NoMatchingDistribution(
        f"{where}: {pin} cannot be installed: {_names(pages)} {_has(pages)} quarantined the project{reason}",
        hint="an index quarantines projects that are unsafe, malicious ones for instance; remove it from the lock",
    )


def no_matching_distribution(
    pages: Sequence[ProjectPage], pin: Pin, target: Target, wheels: list[tuple[File, WheelName]], where: str
) -> NoMatchingDistribution:
    """Returns the error for pages none of whose wheels fits.

    Args:
        pages: those of the project, from one place or several.
        pin: what the lock asks for.
        target: what the environment can use.
        wheels: the wheels that have the pinned version.
        where: file and line of the pin.
    """
    start = f"{where}: {pin} cannot be installed: "
    if not wheels:
        return _no_wheel_at_all(start, pages, pin)
    python = target.python_full_version
    excluded = [
        file.requires_python
        for file, _ in wheels
        if file.requires_python is not None and not allows_python(file.requires_python, python)
    ]
    fits_by_tag = any(best_rank(name.tags, target.tag_priority) is not None for _, name in wheels)
    if fits_by_tag or len(excluded) == len(wheels):
        needed = " or ".join(dict.fromkeys(excluded))
        return NoMatchingDistribution(
            f"{start}it needs Python {needed}, and the target has {python}",
            hint="use another Python, or pin a version that supports this one",
        )
    tags = sorted(dict.fromkeys(tag for _, name in wheels for tag in name.tags), key=_distance(target))
    examples = ", ".join(tags[:_EXAMPLES]) + (f" and {len(tags) - _EXAMPLES} more" if len(tags) > _EXAMPLES else "")
    return NoMatchingDistribution(
        f"{start}no wheel is for {target.describe}; there are wheels for {examples}",
        hint="use a Python or a platform that the wheels are for, or pin another version",
    )


def _distance(target: Target) -> Callable[[str], int]:
    """Returns how far a tag is from what a target can use, 0 the nearest.

    Another Python is easier to come by than another processor, and that than another operating system.
    """
    usable = [tag.split("-", 2) for tag in target.tag_priority]
    platforms = {parts[2] for parts in usable}
    families = {_family(platform) for platform in platforms}
    machines = {_machine(platform) for platform in platforms}
    pythons = {parts[0] for parts in usable}

    def distance(tag: str) -> int:
        python, _, platform = tag.split("-", 2)
        family, machine = _family(platform) in families, _machine(platform) in machines
        return 8 * (not family) + 4 * (not machine) + 2 * (platform not in platforms) + (python not in pythons)

    return distance


def _family(platform: str) -> str:
    """Returns what kind of system a platform tag is about, such as `linux`, `macosx` or `win`."""
    return re.split(r"[^a-z]", platform, maxsplit=1)[0].removeprefix("many").removeprefix("musl")


def _machine(platform: str) -> str:
    """Returns the processor of a platform tag, such as `x86_64`; "" where it names none."""
    found = re.search(r"(?:^|_)([a-z][a-z0-9]*(?:_64)?)$", platform)
    return found[1] if found else ""


def _no_wheel_at_all(start: str, pages: Sequence[ProjectPage], pin: Pin) -> NoMatchingDistribution:
    releases: dict[str, str | None] = {text: None for page in pages for text in page.versions}
    for file in (file for page in pages for file in page.all_files()):
        text = _release_of(file.filename, pin)
        if text is not None:
            releases[text] = releases.get(text) or file.filename
    for text, filename in releases.items():
        if filename is not None and filename.endswith(_SDIST_SUFFIXES) and _means(pin, text):
            return NoMatchingDistribution(
                f"{start}there is no wheel, only a source distribution ({filename})",
                hint="engine installs wheels; build one and serve it from an index, or pin a version that has wheels",
            )
    near = _nearest(pin, list(releases))
    available = f"; the nearest are {', '.join(near)}" if near else " nor any other"
    return NoMatchingDistribution(
        f"{start}{_names(pages)} {_has(pages, 'does', 'do')} not have this version{available}{_left_out(pages)}"
    )


def _left_out(pages: Sequence[ProjectPage]) -> str:
    """Says what was left out of the pages while they were read: it may be what is looked for."""
    notes = [note for page in pages for note in page.notes]
    more = f" and {len(notes) - 1} more" if len(notes) > 1 else ""
    return f" ({notes[0]}{more})" if notes else ""


def _names(pages: Sequence[ProjectPage]) -> str:
    return " and ".join(dict.fromkeys(page.index for page in pages))


def _has(pages: Sequence[ProjectPage], one: str = "has", several: str = "have") -> str:
    return one if len({page.index for page in pages}) == 1 else several


def _release_of(filename: str, pin: Pin) -> str | None:
    """Returns the version in the name of a wheel or a source distribution of the project."""
    wheel = WheelName.parse(filename)
    if wheel is not None:
        return wheel.version if normalize_name(wheel.project) == pin.name else None
    for suffix in _SDIST_SUFFIXES:
        if filename.endswith(suffix):
            # Older source distributions have hyphens in their names, so the name's length decides.
            name, rest = filename[: len(pin.name)], filename[len(pin.name) : -len(suffix)]
            return rest[1:] if normalize_name(name) == pin.name and rest[:1] == "-" else None
    return None


def _means(pin: Pin, text: str) -> bool:
    if pin.arbitrary_equality or pin.version is None:
        return text == pin.version_text
    version = _parse(text)
    return version is not None and pin.version in (version, Version(version.public))


def _nearest(pin: Pin, texts: list[str]) -> list[str]:
    """Returns up to three versions around the pinned one, or the newest where it has no place."""
    versions = sorted({version for text in texts if (version := _parse(text)) is not None})
    below = [version for version in versions if pin.version is None or version < pin.version]
    above = versions[len(below) :]
    taken_above = min(len(above), max(1, _EXAMPLES - len(below)))
    taken_below = min(len(below), _EXAMPLES - taken_above)
    return [str(version) for version in below[len(below) - taken_below :] + above[:taken_above]]


def _parse(text: str) -> Version | None:
    try:
        return Version(text)
    except ValueError:
        return None
