"""Fetches one small file whole, such as a lock at a web address, with retries."""

from engine.credentials import without_credentials
from engine.errors import ConfigurationError, IndexUnavailable
from engine.index.client import Interrupted, Network


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
    shown = without_credentials(url)
    attempt = 0
    while True:
        try:
            # Plain bytes: what is compressed could be far larger than what is counted.
            async with network.request(url, headers={"Accept-Encoding": "identity"}) as response:
                if response.status != 200:
                    raise IndexUnavailable(f"cannot fetch {shown}: HTTP {response.status} {response.reason}")
                if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                    raise IndexUnavailable(f"cannot fetch {shown}: it came compressed, which nobody asked for")
                body = bytearray()
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > most_bytes:
                        raise ConfigurationError(f"{shown} is larger than {most_bytes >> 20} MiB")
                return str(response.url), bytes(body)
        except Interrupted as exc:
            if not await network.budget.pause(attempt, exc.retry_after_seconds):
                raise exc.given_up(f"cannot fetch {shown}", attempt + 1, "check the address and the network") from exc
            attempt += 1
