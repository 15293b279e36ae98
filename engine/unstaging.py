"""Takes back what was staged of one wheel, when its cache entry vanished or changed in the middle.

The wheel is fetched again and staged anew, into an area that others have filled by then; what was left there would
look like another distribution's file.
"""

import os

from cache.plans import PlannedEntry, PlannedFolder
from engine.staging import Area
from engine.wheel.scripts import launcher_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def unstage_folders(
    entry: PlannedEntry, area: Area, stopped: PlannedFolder | None, collisions: "Iterable[str]"
) -> None:
    """Removes the linked files of the folders before `stopped`, or of all where that is None.

    Args:
        entry: what was being staged.
        area: where to.
        stopped: the folder that could not be filled; what is in it is not touched.
        collisions: `scheme/relative` of files that others had put there before.
    """
    others = set(collisions)
    for planned in entry.folders:
        if planned is stopped:
            return
        scheme, folder, _, names, _, _ = planned
        prefix = f"{scheme}/{folder}/" if folder else f"{scheme}/"
        remove_files(area.stage, (prefix + name for name in names if prefix + name not in others))


def unstage_entry(entry: PlannedEntry, area: Area, collisions: "Iterable[str]") -> None:
    """Removes all that a complete entry has put into an area; folders stay.

    Args:
        entry: what was staged.
        area: where to.
        collisions: `scheme/relative` of files that others had put there before.
    """
    others = set(collisions)
    unstage_folders(entry, area, None, others)
    info = f"{entry.site}/{entry.dist_info}"
    made = [f"{info}/INSTALLER", f"{info}/REQUESTED", f"{info}/RECORD", f"{info}/direct_url.json"]
    made.extend(f"scripts/{path.rpartition('/')[2]}" for path in entry.scripts)
    for name, module, attribute, gui in entry.launchers:
        files = launcher_files(name, module, attribute, area.python, gui=gui, windows=os.name == "nt")
        made.extend(f"scripts/{file[0]}" for file in files)
    remove_files(area.stage, (path for path in made if path not in others))


def remove_files(folder: str, names: "Iterable[str]") -> None:
    """Removes files of a folder, where they are there."""
    for name in names:
        try:
            os.unlink(f"{folder}/{name}")
        except FileNotFoundError:
            continue
