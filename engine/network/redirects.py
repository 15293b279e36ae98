"""Where a redirect may lead.  Pure.

* Only to http and https, and never from https to http.
* Never in a circle, and not endlessly.
* Never to a link-local address, where clouds keep the secrets of their machines,
  unless the redirect comes from there.

Source: RFC 9110, section 15.4, "Redirection 3xx"; RFC 3927; RFC 4291, section 2.5.6.
"""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urljoin

from engine.credentials import without_credentials
from engine.errors import IndexUnavailable
from engine.limits import REDIRECTS
from engine.network.origin import Origin, split_credentials

#: The answers that say: ask there instead.
REDIRECT_STATUS = frozenset({301, 302, 303, 307, 308})

#: Metadata services that are not at link-local addresses.
_METADATA = frozenset({"fd00:ec2::254", "100.100.100.200", "168.63.129.16"})


def follow(url: str, location: str, visited: Iterable[str]) -> str:
    """Returns the absolute URL that a redirect leads to, credentials included where it has any.

    Args:
        url: that answered, without credentials.
        location: the Location header.
        visited: URLs, without credentials, that have answered with a redirect so far; `url` is the last.

    Raises:
        IndexUnavailable: when it leads nowhere, in a circle, or where it may not lead.
    """
    shown = without_credentials(url)
    try:
        target = urljoin(url, location.strip())
        clean, _ = split_credentials(target)
        origin = Origin.parse(clean)
    except ValueError:
        raise _refused(shown, location, "which is not a URL of http or https") from None
    before = Origin.parse(url)
    if before.scheme == "https" and origin.scheme == "http":
        raise _refused(shown, target, "which is not encrypted")
    hops = list(visited)
    clean = clean.partition("#")[0]
    if clean in hops:
        raise _refused(shown, target, "which leads in a circle")
    if len(hops) > REDIRECTS:
        raise IndexUnavailable(f"{without_credentials(hops[0])} redirects more than {REDIRECTS} times")
    if origin.host != before.host and is_link_local(origin.host):
        raise _refused(shown, target, "an address of this machine's own network")
    return target


def is_link_local(host: str) -> bool:
    """Tells whether a host, written as an address, is one that only this machine's link can reach.

    Names are no addresses: resolve them first.
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_link_local or address.is_unspecified or str(address) in _METADATA


def refuse_link_local(url: str, target: str, addresses: Iterable[str]) -> None:
    """Checks what the host of a redirect's target resolves to.

    Args:
        url: that answered with the redirect.
        target: where it leads.
        addresses: of the target's host.

    Raises:
        IndexUnavailable: when one of them is link-local.
    """
    if any(is_link_local(address) for address in addresses):
        raise _refused(without_credentials(url), target, "an address of this machine's own network")


def _refused(shown: str, target: str, why: str) -> IndexUnavailable:
    return IndexUnavailable(f"{shown} redirects to {without_credentials(target)}, {why}; refused")
