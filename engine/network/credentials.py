"""Which credentials go with a request.

In this order: those in the URL itself; those of the index it belongs to, from
its URL or its variables; netrc.  After a server has refused and none of these
has a password: keyring.

Credentials belong to one origin.  Where an origin has several (two projects on
one server), those count whose URL has the most leading folders in common with
what is asked for.
"""

from collections.abc import Mapping

from engine.network.keyring import Keyring
from engine.network.netrc_file import NetrcFile
from engine.network.origin import Credentials, Origin, split_credentials


class CredentialStore:
    """The credentials of a run.

    Args:
        environ: the environment variables.
        keyring_provider: one of `engine.options.KEYRING_PROVIDERS`.

    Attributes:
        warnings: lines for the user about places that could not be read.
    """

    def __init__(self, environ: Mapping[str, str], keyring_provider: str) -> None:
        self.warnings: list[str] = []
        self._environ = environ
        self._known: dict[Origin, list[tuple[list[str], Credentials]]] = {}
        self._netrc = NetrcFile(environ, self.warnings)
        self._keyring = Keyring(keyring_provider, environ, self.warnings)

    def know_index(self, url: str, name: str = "") -> None:
        """Learns the credentials of an index, from its URL and its variables.

        Args:
            url: of the index; a path or a URL of another scheme has none.
            name: what the user calls it, or "".
        """
        try:
            clean, own = split_credentials(url, "the URL of the index")
            origin = Origin.parse(clean)
        except ValueError:
            return  # whoever asks there is told
        own = _from_variables(self._environ, name, own) if name else own
        known = self._known.setdefault(origin, [])
        if own is not None and (_folders(clean), own) not in known:
            known.append((_folders(clean), own))

    def find(self, url: str, origin: Origin, own: Credentials | None = None) -> Credentials | None:
        """Returns the credentials for a URL, or None.

        Args:
            url: absolute, without credentials.
            origin: of the URL.
            own: those that stood in the URL.
        """
        known = [one for one in self._known.get(origin, ()) if own is None or _agree(one[1], own)]
        if known:
            folders = _folders(url)
            own = max(known, key=lambda one: _common(one[0], folders))[1]
        if own is not None and own.password is not None:
            return own
        return self._netrc.find(origin.host, own.username if own else None) or own

    async def find_after_refusal(self, url: str, origin: Origin, refused: Credentials | None) -> Credentials | None:
        """Returns credentials that cost more to find, or None.

        Args:
            url: that was refused, without credentials.
            origin: of the URL.
            refused: what the request was made with.
        """
        if refused is not None and refused.password is not None:
            return None
        found = await self._keyring.find(url, origin, refused.username if refused is not None else None)
        if found is not None:
            known = self._known.setdefault(origin, [])
            known[:] = [one for one in known if not _agree(found, one[1])]
            known.append((_folders(url), found))
        return found


def _from_variables(environ: Mapping[str, str], name: str, own: Credentials | None) -> Credentials | None:
    """Returns the credentials that variables give a named index; what they do not give stays as the URL has it."""
    word = "".join(c.upper() if c.isascii() and c.isalnum() else "_" for c in name)
    for prefix in ("ENGINE", "UV"):
        username, password = (environ.get(f"{prefix}_INDEX_{word}_{part}") for part in ("USERNAME", "PASSWORD"))
        if username or password:
            source = f"{prefix}_INDEX_{word}_{'PASSWORD' if password else 'USERNAME'}"
            before = own or Credentials("", None, source)
            return Credentials(username or before.username, password or before.password, source)
    return own


def _agree(known: Credentials, own: Credentials) -> bool:
    """Tells whether `known` is no other than `own`, as far as that goes."""
    return known.username == own.username and own.password in (None, known.password)


def _folders(url: str) -> list[str]:
    return url.partition("?")[0].split("/")[3:]


def _common(one: list[str], other: list[str]) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
