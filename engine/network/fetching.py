"""Fetches one small file, or a part of one, whole and with retries: a lock at a web address, metadata."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from engine.credentials import without_credentials
from engine.errors import ConfigurationError, IndexUnavailable
from engine.index.client import Network
from engine.network.interrupted import DRIPS, Interrupted


class Reply(NamedTuple):
    """An answer whose body is there; `url` is where it came from after redirects."""

    status: int
    reason: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class TooLarge(Exception):
    """A body is larger than whoever asked can use."""


async def fetch_reply(
    network: Network,
    url: str,
    *,
    most_bytes: int,
    headers: Mapping[str, str] | None = None,
    wanted: Collection[int] = (200,),
) -> Reply:
    """Returns the answer of a server, asked again where that may help.

    Args:
        network: asks.
        url: absolute URL of http or https.
        most_bytes: how large a body may be.
        headers: of the request.
        wanted: statuses whose body is read; others come without.

    Raises:
        TooLarge: when the body is larger than that.
        AccessRefused: when the server does not let us.
        IndexUnavailable: when there is no answer, or it is encoded though nobody asked for that.
    """
    shown = without_credentials(url)
    attempt = 0
    while True:
        try:
            # Plain bytes: what is compressed could be far larger than what is counted.
            async with network.request(url, headers={"Accept-Encoding": "identity", **(headers or {})}) as response:
                body = bytearray()
                if response.status in wanted:
                    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                        raise IndexUnavailable(f"cannot fetch {shown}: it came compressed, which nobody asked for")
                    pace = network.pace()
                    async for chunk in response.content.iter_any():
                        body += chunk
                        if len(body) > most_bytes:
                            raise TooLarge(f"{shown} is larger than {most_bytes >> 20} MiB")
                        if pace.is_too_slow(len(chunk)):
                            raise Interrupted(DRIPS)
                return Reply(response.status, response.reason or "", str(response.url), response.headers, bytes(body))
        except Interrupted as exc:
            if not await network.budget.pause(attempt, exc.retry_after_seconds):
                raise exc.given_up(f"cannot fetch {shown}", attempt + 1, "check the address and the network") from exc
            attempt += 1


async def fetch_file(network: Network, url: str, most_bytes: int) -> tuple[str, bytes]:
    """Returns where a file came from after redirects, and the file.

    Args:
        network: asks.
        url: absolute URL of http or https.
        most_bytes: how large it may be.

    Raises:
        ConfigurationError: when it is larger than that.
        IndexUnavailable: when it cannot be had.
    """
    try:
        reply = await fetch_reply(network, url, most_bytes=most_bytes)
    except TooLarge as exc:
        raise ConfigurationError(str(exc)) from exc
    if reply.status != 200:
        raise IndexUnavailable(f"cannot fetch {without_credentials(url)}: HTTP {reply.status} {reply.reason}")
    return reply.url, reply.body
