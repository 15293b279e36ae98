"""Which proxy a request goes through.

Reads the variables that urllib, curl, pip and uv read; the lower-case one counts
before the upper-case one.  A server that runs us as a CGI script puts a client's
`Proxy` header into HTTP_PROXY, so with REQUEST_METHOD in the environment that one
is not believed.  An option counts before all variables, NO_PROXY included.  Only
macOS and Windows have settings besides, and they count where no variable is set.

Source: CVE-2016-5385; RFC 9110, section 11.7, "Authenticating Clients to Proxies".
"""

import ipaddress
import sys
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from engine.credentials import without_credentials
from engine.errors import ConfigurationError
from engine.network.origin import Credentials, Origin, split_credentials


class Proxy(NamedTuple):
    """A proxy: its URL without credentials, these, and where it was named."""

    url: str
    credentials: Credentials | None
    source: str

    def __str__(self) -> str:
        return f"{self.url} ({self.source})"


class Proxies:
    """The proxies of a run.

    Args:
        option: what `--proxy` names, or None.
        environ: the environment variables.
    """

    def __init__(self, option: str | None, environ: Mapping[str, str]) -> None:
        self._option = option
        self._named = _named(environ)
        self._bypassed = _Bypassed(environ.get("no_proxy") or environ.get("NO_PROXY") or "")
        self._by_system = not self._named and sys.platform in ("darwin", "win32")
        self._found: dict[Origin, Proxy | None] = {}

    def find(self, origin: Origin) -> Proxy | None:
        """Returns the proxy for requests to an origin, or None for none.

        Raises:
            ConfigurationError: when what was named is no proxy that can be used.
        """
        if self._option is None and not self._named and not self._by_system:
            return None
        if origin not in self._found:
            self._found[origin] = self._look_up(origin)
        return self._found[origin]

    def _look_up(self, origin: Origin) -> Proxy | None:
        if self._option is not None:
            return _parse(self._option, "--proxy")
        if self._by_system:
            return _from_system(origin)
        value, source = self._named.get(origin.scheme) or self._named.get("all") or ("", "")
        return _parse(value, source) if value and not self._bypassed.covers(origin) else None


def _named(environ: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Returns the value and the name of the variable for every scheme."""
    found = {}
    for scheme in ("http", "https", "all"):
        for variable in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
            if variable == "HTTP_PROXY" and "REQUEST_METHOD" in environ:
                continue
            if variable in environ:
                # An empty lower-case variable turns the upper-case one off.
                if value := environ[variable].strip():
                    found[scheme] = (value, variable)
                break
    return found


def _parse(value: str, source: str) -> Proxy:
    text = value if "://" in value else f"http://{value}"
    scheme = text.partition("://")[0].lower()
    if scheme.startswith("socks"):
        raise ConfigurationError(
            f"{source} names a SOCKS proxy, {without_credentials(text)}, and only HTTP proxies can be used",
            hint=f"name one of http:// or https:// in {source}, or unset it",
        )
    try:
        clean, credentials = split_credentials(text, source)
        url = str(Origin.parse(clean))
        if urlsplit(clean)[2:] not in (("", "", ""), ("/", "", "")):
            raise ValueError("a proxy has no path")
    except ValueError:
        # Something misspelled may have its password anywhere.
        shown = "something" if "@" in text else text
        raise ConfigurationError(
            f"{source} names {shown}, which is not the URL of a proxy",
            hint="it looks like http://proxy.example.com:3128",
        ) from None
    return Proxy(url, credentials, source)


def _from_system(origin: Origin) -> Proxy | None:
    from urllib.request import getproxies, proxy_bypass

    value = getproxies().get(origin.scheme)
    return _parse(value, "the system's settings") if value and not proxy_bypass(origin.host) else None


class _Bypassed:
    """What NO_PROXY lists: names with all below them, addresses, networks; each maybe with a port; `*` is all."""

    def __init__(self, text: str) -> None:
        self._names: list[tuple[str, int | None]] = []
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        for word in text.lower().replace(",", " ").split():
            try:
                self._networks.append(ipaddress.ip_network(word.strip("[]"), strict=False))
            except ValueError:
                name, colon, port = word.rpartition(":")
                if not (colon and port.isdigit()):
                    name, port = word, ""
                self._names.append((name.removeprefix("*").strip("[].") or "*", int(port) if port else None))

    def covers(self, origin: Origin) -> bool:
        """Tells whether requests to an origin go straight there."""
        try:
            address = ipaddress.ip_address(origin.host)
        except ValueError:
            pass
        else:
            if any(address in network for network in self._networks):
                return True
        host = f".{origin.host}"
        return any(
            (port is None or port == origin.port) and (name == "*" or host.endswith(f".{name}"))
            for name, port in self._names
        )
