"""The indexes of a run, made of its options."""

from collections.abc import Callable

from cache.records import RecordStore
from engine.index.client import Network
from engine.index.indexes import Indexes
from engine.index.pages import Pages
from engine.index.source import Sources
from engine.sync import Run
from engine.workers import Workers


def open_indexes(
    run: Run, *, network: Network, sources: Sources, workers: Workers, repeated: Callable[[str], None]
) -> Indexes:
    """Returns the places where a run looks; nothing is asked yet.

    Args:
        run: options and the cache.
        network: asks.
        sources: where distributions are listed.
        workers: sort places that list files of many projects, and choose.
        repeated: told the project whenever its page is asked for again after a failure.
    """
    records = RecordStore(run.layout.bucket("index-v3"))
    return Indexes(
        sources,
        strategy=run.options.indexes.strategy,
        new_pages=lambda url, absent, option: Pages(
            url,
            option=option,
            ask=network.ask,
            budget=network.budget,
            records=records,
            offline=run.options.offline,
            refreshed=run.options.network.refreshes,
            absent_statuses=absent,
            warnings=network.warnings,
            repeated=repeated,
        ),
        records=records,
        workers=workers,
    )
