"""What well-known projects usually require: names of which the pages can be asked for before anything is known.

A resolution on an empty cache waits for a page, then for metadata, then for the pages of what these name: two round
trips a level, while the link is idle.  For projects that many people use, the names of all levels hardly change from
one version to the next, so they are told from a table that `shipping/usual.py` makes of their wheels.

Rules: a name that is told here is asked for early and for nothing else.  What is required, and in which version, is
found out from what the index says; a table that is out of date costs some pages, or round trips, and never an answer.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable

_TABLE = os.path.join(os.path.dirname(__file__), "usual_requirements.txt")

#: So many names at most are told.
MOST_PROJECTS = 250


def usual_projects(wanted: "Iterable[str]", there: "Container[str]" = (), *, more: bool = True) -> list[str]:
    """Returns the projects that a resolution will probably ask for, the nearest to what is wanted first.

    Args:
        wanted: `name`, and `name[extra]` for each extra; all normalised.
        there: names that nobody will ask for, as they are installed; what they require is taken to be installed, too.
        more: whether anything but what is wanted is to be told.
    """
    table: dict[str, str] = {}
    if more:
        try:
            with open(_TABLE, encoding="ascii") as file:
                table = dict(line.split(" ", 1) for line in file)
        except OSError:
            pass  # whoever has stripped it knows less
    keys = dict.fromkeys(wanted)
    queue = list(keys)
    names: dict[str, None] = {}
    for key in queue:  # which grows
        name = key.partition("[")[0]
        if name not in there and len(names) < MOST_PROJECTS:
            names[name] = None
            found = [one for one in table.get(key, "").split() if one not in keys]
            keys.update(dict.fromkeys(found))
            queue += found
    return list(names)
