"""What is told of a server, or a proxy, that does not let us, and what helps."""

from engine.errors import AccessRefused
from engine.network.origin import Credentials
from engine.network.proxies import Proxy


def refused(said: str, status: int, credentials: Credentials | None, proxy: Proxy | None) -> AccessRefused:
    """Returns the error about a server that does not let us.

    Args:
        said: what could not be done, and what the server said.
        status: of its answer.
        credentials: who we said that we are, or None.
        proxy: that we asked through, or None.
    """
    if status == 407 and proxy is not None:
        return refused_by_proxy(said, proxy)
    if credentials is None:
        hint = (
            "give a name and password in the URL, in ENGINE_INDEX_<NAME>_USERNAME and _PASSWORD or in netrc; "
            "for a name alone, or with --keyring-provider subprocess, keyring is asked"
        )
    elif credentials.password is None:
        hint = (
            f"the server does not take the name that comes from {credentials.source}, and no password is known for it: "
            "give one there, in netrc or by keyring"
        )
    else:
        hint = f"the server does not take the name and password that come from {credentials.source}"
    return AccessRefused(said, hint=hint, status=status)


def refused_by_proxy(said: str, proxy: Proxy) -> AccessRefused:
    """Returns the error about a proxy that wants to know who asks."""
    if proxy.credentials is None:
        hint = f"the proxy {proxy} wants a name and a password: http://name:password@host"
    else:
        hint = f"the proxy {proxy} does not take the name and password that it was given there"
    error = AccessRefused(said, hint=hint, status=407)
    error.server_wide = True
    return error
