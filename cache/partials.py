"""Downloads that a run did not finish, for the next one.

    partial-v1/<key>          the data, from the first byte on
    partial-v1/<key>.about    what it is, as the engine has written it down

A run's own downloads lie in its private folder, where nobody removes them; what is left there when it ends, or when its
litter is found, comes here.  Whoever wants to go on takes the data away by one rename, so two never do.
"""

import json
import os
import re
import time

from cache.layout import Layout

#: An index may well have another file by then, and the room is wanted.
KEPT_SECONDS = 7 * 24 * 3600

_KEY = re.compile("[0-9a-f]{64}")


class PartialStore:
    """The unfinished downloads of one cache.

    Args:
        layout: where the cache is.
    """

    def __init__(self, layout: Layout) -> None:
        self.folder = layout.bucket("partial-v1")

    def take(self, key: str, path: str) -> bytes | None:
        """Brings the data of an unfinished download to `path`.

        Returns:
            What was written down about it, or None when there is none, or none that can be taken.
        """
        if not _KEY.fullmatch(key):
            return None
        home = os.path.join(self.folder, key)
        try:
            os.rename(home, path)
        except OSError:
            return None
        try:
            with open(f"{home}.about", "rb") as file:
                about = file.read()
            os.unlink(f"{home}.about")
        except OSError:
            os.unlink(path)
            return None
        return about

    def salvage(self, folder: str, *, least_bytes: int) -> None:
        """Keeps the downloads that a run has left in its folder, `<n>.part` beside `<n>.about`.

        Args:
            folder: of a run that has ended.
            least_bytes: less is not worth keeping.
        """
        try:
            names = [name for name in os.listdir(folder) if name.endswith(".about")]
        except OSError:
            return
        for name in names:
            try:
                self._keep(os.path.join(folder, name.removesuffix(".about")), least_bytes)
            except (OSError, ValueError, KeyError, TypeError):
                continue
        if names:
            for path in self.aged(time.time()):
                _unlink(path)

    def _keep(self, stem: str, least_bytes: int) -> None:
        size = os.path.getsize(f"{stem}.part")
        with open(f"{stem}.about", "rb") as file:
            key = json.loads(file.read())["key"]
        if size < least_bytes or not _KEY.fullmatch(key):
            return
        home = os.path.join(self.folder, key)
        if os.path.exists(home) and os.path.getsize(home) >= size:
            return
        os.makedirs(self.folder, exist_ok=True)
        # Without the data nobody looks at what is written about it.
        os.replace(f"{stem}.about", f"{home}.about")
        os.replace(f"{stem}.part", home)

    def aged(self, now: float, seconds: float = KEPT_SECONDS) -> list[str]:
        """Finds the files of downloads that nobody went on with for that long.

        Args:
            now: POSIX time.
            seconds: how long.
        """
        found = []
        try:
            names = os.listdir(self.folder)
        except OSError:
            return []
        for name in names:
            path = os.path.join(self.folder, name)
            try:
                if _KEY.fullmatch(name.removesuffix(".about")) and now - os.stat(path).st_mtime > seconds:
                    found.append(path)
            except OSError:
                continue
        return found


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
