"""What a resolution asks, made of a run's options."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from anyio.abc import TaskGroup

from cache.records import RecordStore
from engine.index.client import Network
from engine.index.opening import open_indexes
from engine.index.reading import PageReader
from engine.index.source import Sources
from engine.solving.listings import Listings
from engine.solving.metadata import Keeper, MetadataSource
from engine.solving.remembered import BUCKET
from engine.sync import Run
from engine.workers import Workers
from resolver.availability import Policy


class Asked(NamedTuple):
    """Where answers come from."""

    listings: Listings
    metadata: MetadataSource


def open_answers(
    group: TaskGroup,
    run: Run,
    *,
    network: Network,
    sources: Sources,
    workers: Workers,
    keeper: Keeper,
    policy: Policy,
    tag_priority: Mapping[str, int] | None,
    repeated: Callable[[str], None] = lambda project: None,
) -> Asked:
    """Returns what answers a resolution's questions; nothing is asked yet.

    Args:
        group: owns what is under way.
        run: options and the cache.
        network: asks.
        sources: where distributions are listed.
        workers: listened to; they sort places that list files of many projects.
        keeper: has whole wheels, and fetches them: the run's `engine.supply.Supply`.
        policy: what the run allows of files.
        tag_priority: maps the target's tags to their rank, 0 the best; None where any wheel fits.
        repeated: told the project whenever its page is asked for again after a failure.
    """
    listings = Listings(
        group,
        indexes=open_indexes(run, network=network, sources=sources, workers=workers, repeated=repeated),
        reader=PageReader(RecordStore(run.layout.bucket("index-v3")), sorts=True),
        policy=policy,
        tag_priority=tag_priority,
        strategy=run.options.indexes.strategy,
        offline=run.options.offline,
        recorder=run.recorder,
    )
    metadata = MetadataSource(
        group,
        network=network,
        records=RecordStore(run.layout.bucket(BUCKET)),
        keeper=keeper,
        offline=run.options.offline,
        recorder=run.recorder,
    )
    return Asked(listings, metadata)
