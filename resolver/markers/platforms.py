"""What no environment has at once: values of os_name, platform_system and sys_platform that exclude each other.

Only what is certain counts: a value that is not named here may come with any other.

Source: the documentation of os.name, sys.platform and platform.system(); uv assumes the same.
"""

from resolver.markers.diagram import EVERYWHERE, Environments
from resolver.markers.reading import comparison

_SYSTEMS = {"win32": "Windows", "linux": "Linux", "darwin": "Darwin"}
_POSIX = ("linux", "darwin", "cygwin", "aix", "android", "ios", "emscripten", "wasi")


def _equal(name: str, value: str) -> Environments:
    return comparison(name, "==", value, is_reversed=False)


def _possible() -> Environments:
    found = EVERYWHERE
    windows = _equal("os_name", "nt")
    for platform in (*_POSIX, "win32"):
        here = _equal("sys_platform", platform)
        found &= ~(here & (windows if platform != "win32" else _equal("os_name", "posix")))
        if platform in _SYSTEMS:
            others = (system for system in _SYSTEMS.values() if system != _SYSTEMS[platform])
            for system in others:
                found &= ~(here & _equal("platform_system", system))
    found &= ~(_equal("os_name", "posix") & _equal("platform_system", "Windows"))
    for system in ("Linux", "Darwin"):
        found &= ~(windows & _equal("platform_system", system))
    return found


#: The environments that there can be.
POSSIBLE = _possible()
