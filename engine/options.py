"""What a sync was asked to do.  On the warm path."""


class SyncOptions:
    """Options of one run, with the spelling of the command line.

    Attributes:
        lock: path of the lock file.
        pythons: `--python` values in order; empty means the active or nearest environment.
        cache_dir: absolute path of the cache.
        index_url: what `--index-url` or a variable names, or None.
        offline, durable, strict_record: flags.
        dry_run: change nothing.
        check: a dry run that only compares what is installed; asks no index.
        link_mode: one of `engine.linking.LINK_MODES`.
    """

    __slots__ = (
        "cache_dir",
        "check",
        "dry_run",
        "durable",
        "index_url",
        "link_mode",
        "lock",
        "offline",
        "pythons",
        "strict_record",
    )

    def __init__(
        self,
        *,
        lock: str,
        pythons: tuple[str, ...],
        cache_dir: str,
        index_url: str | None,
        offline: bool = False,
        dry_run: bool = False,
        check: bool = False,
        durable: bool = False,
        link_mode: str = "hardlink",
        strict_record: bool = False,
    ) -> None:
        self.lock = lock
        self.pythons = pythons
        self.cache_dir = cache_dir
        self.index_url = index_url
        self.offline = offline
        self.dry_run = dry_run or check
        self.check = check
        self.durable = durable
        self.link_mode = link_mode
        self.strict_record = strict_record
