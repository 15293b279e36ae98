"""Names and passwords in netrc.

The file is read once, when the first request is made, and parsed only where it
mentions a host that is asked: most people have a netrc for something else.  Like
pip, uv and curl, and unlike an ftp client, this takes a file that others can read.

Source: netrc(5).
"""

import os
from collections.abc import Mapping

from engine.network.origin import Credentials


class NetrcFile:
    """The netrc of a run.

    Args:
        environ: the environment variables: NETRC names the file, else HOME or USERPROFILE its folder.
        warnings: gets a line when the file cannot be read.
    """

    def __init__(self, environ: Mapping[str, str], warnings: list[str]) -> None:
        self._environ = environ
        self._warnings = warnings
        self._path = ""
        self._content: bytes | None = None
        self._found: dict[str, Credentials | None] = {}

    def find(self, host: str, username: str | None = None) -> Credentials | None:
        """Returns the credentials for a host, or None.

        Args:
            host: in lower case.
            username: the name that they must be for, or None for any.
        """
        if self._content is None:
            self._content = self._read()
        if not self._content:
            return None
        if host not in self._found:
            mentioned = host.encode() in self._content or b"default" in self._content
            self._found[host] = self._parse(host) if mentioned else None
        found = self._found[host]
        return found if found is None or username in (None, found.username) else None

    def _read(self) -> bytes:
        for path in _paths(self._environ):
            try:
                with open(path, "rb") as file:
                    self._path = path
                    return file.read()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as exc:
                self._warnings.append(f"{path} cannot be read: {exc.strerror}; nothing in it counts")
                return b""
        return b""

    def _parse(self, host: str) -> Credentials | None:
        from netrc import NetrcParseError, netrc

        try:
            found = netrc(self._path).authenticators(host)
        except (NetrcParseError, OSError, UnicodeError) as exc:
            # The message of the parser repeats a word of the file, which may be a password.
            line = f", line {exc.lineno}" if isinstance(exc, NetrcParseError) and exc.lineno else ""
            self._warnings.append(f"{self._path}{line} cannot be understood; nothing in it counts")
            self._content = b""
            return None
        if found is None or not (found[0] or found[2]):
            return None
        return Credentials(found[0] or "", found[2] or "", self._path)


def _paths(environ: Mapping[str, str]) -> list[str]:
    if named := environ.get("NETRC"):
        return [named]
    home = environ.get("HOME") or environ.get("USERPROFILE") or os.path.expanduser("~")
    names = ("_netrc", ".netrc") if os.name == "nt" else (".netrc",)
    return [os.path.join(home, name) for name in names]
