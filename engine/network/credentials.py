"""Which credentials go with a request.

Credentials belong to one origin.  Where an origin has several (two projects on
one server), those count whose URL has the most leading folders in common with
what is asked for.
"""

from engine.network.origin import Credentials, Origin, split_credentials


class CredentialStore:
    """The credentials of a run."""

    def __init__(self) -> None:
        self._known: dict[Origin, list[tuple[list[str], Credentials]]] = {}

    def know_index(self, url: str, name: str = "") -> None:
        """Learns the credentials of an index, from its URL.

        Args:
            url: of the index; a path or a URL of another scheme has none.
            name: what the user calls it, or "".
        """
        try:
            clean, own = split_credentials(url)
            origin = Origin.parse(clean)
        except ValueError:
            return  # whoever asks there is told
        if own is not None:
            known = self._known.setdefault(origin, [])
            one = (_folders(clean), own._replace(source="the URL of the index"))
            if one not in known:
                known.append(one)

    def find(self, url: str, origin: Origin) -> Credentials | None:
        """Returns the credentials for a URL, or None.

        Args:
            url: absolute, without credentials.
            origin: of the URL.
        """
        known = self._known.get(origin)
        if not known:
            return None
        folders = _folders(url)
        return max(known, key=lambda one: _common(one[0], folders))[1]


def _folders(url: str) -> list[str]:
    return url.partition("?")[0].split("/")[3:]


def _common(one: list[str], other: list[str]) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
