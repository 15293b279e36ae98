"""What no environment has at once: values of os_name and sys_platform that exclude each other.

Only what is certain counts: a value that is not named here may come with any other.

Source: the documentation of os.name and sys.platform; uv assumes the same.
"""

from resolver.markers.diagram import EVERYWHERE, Environments
from resolver.markers.reading import comparison

_POSIX = ("linux", "darwin", "cygwin", "aix", "android", "ios", "emscripten", "wasi")


def _possible() -> Environments:
    found = EVERYWHERE
    for platform, other in (*((platform, "nt") for platform in _POSIX), ("win32", "posix")):
        here = comparison("sys_platform", "==", platform, is_reversed=False)
        found &= ~(here & comparison("os_name", "==", other, is_reversed=False))
    return found


#: The environments that there can be.
POSSIBLE = _possible()
