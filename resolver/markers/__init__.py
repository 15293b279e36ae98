"""Sets of marker environments: what a marker means, and the shortest marker that means it.  Pure.

    windows = read_marker(Marker("sys_platform == 'win32'"))
    (windows & ~read_marker(Marker("python_version >= '3.9'"))).implies(windows)
    write_marker(windows, assuming=POSSIBLE)

`diagram` has the sets and their operations, `reading` and `writing` go from and to the words of PEP 508,
`versions` knows the order of Python versions, `platforms` which values no environment has at once.
"""

from resolver.markers.diagram import EVERYWHERE, NOWHERE, Environments, MarkerTooComplex
from resolver.markers.platforms import POSSIBLE
from resolver.markers.reading import UnreadableMarker, read_marker
from resolver.markers.versions import floor_of, from_python, python_environments
from resolver.markers.writing import write_marker

__all__ = [
    "EVERYWHERE",
    "NOWHERE",
    "POSSIBLE",
    "Environments",
    "MarkerTooComplex",
    "UnreadableMarker",
    "floor_of",
    "from_python",
    "python_environments",
    "read_marker",
    "write_marker",
]
