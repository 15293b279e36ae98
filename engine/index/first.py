"""Asks for the first pages before there is an event loop."""

from collections.abc import Iterable

from engine.errors import ConfigurationError
from engine.index.headers import PAGE_FIELDS, USER_AGENT
from engine.index.source import Sources, early_urls
from engine.network.credentials import CredentialStore
from engine.network.early import EarlyPages
from engine.network.origin import Origin
from engine.network.plain_http import is_plain_target, split_url
from engine.network.proxies import Proxies
from engine.network.trust import Trust
from engine.sync import Run


def ask_first(run: Run, trust: Trust, places: Sources, projects: Iterable[str]) -> EarlyPages | None:
    """Starts asking for the pages of projects that will probably be needed.

    Args:
        run: options and environment variables.
        trust: the TLS settings.
        places: where the run looks, as far as is known.
        projects: their normalised names.

    Returns:
        What gives the answers, or None where pages are not asked for in the plain way.
    """
    urls = early_urls(places, projects)
    if not urls:
        return None
    network = run.options.network
    credentials = CredentialStore(run.environ, network.keyring_provider)
    for location in (*places.indexes, *places.find_links):
        credentials.know_index(location.url, location.name)
    parts = split_url(urls[0])
    if parts is None:
        return None
    address = parts[0]
    try:
        origin = Origin.parse(address)
        if Proxies(network.proxy, run.environ).find(origin) is not None:
            return None
        if credentials.find(urls[0], origin) is not None:
            return None
    except (ConfigurationError, ValueError):
        return None  # whoever asks with all care is told
    targets = [url[len(address) :] for url in urls]
    if not all(is_plain_target(target) for target in targets):
        return None
    return EarlyPages(address, targets, trust, user_agent=USER_AGENT, fields=PAGE_FIELDS)
