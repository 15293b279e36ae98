"""What a sync was asked to do.  On the warm path."""

import os

from engine.environment.installed import normalize_name
from engine.errors import ConfigurationError
from engine.locations import IndexOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from engine.arguments import Value

KEYRING_PROVIDERS = ("auto", "disabled", "subprocess")

#: The least number that an option takes.
LEAST = {"retries": 0, "concurrent_downloads": 1, "concurrent_installs": 1}


class NetworkOptions:
    """How the network is used; nothing here changes what a sync installs.

    Attributes:
        retries: how often a request is repeated, or None for the usual number.
        timeout_seconds: longest silence of a server, or None for the usual one.
        connect_timeout_seconds: longest wait for a connection, or None for the usual one.
        proxy: URL of the proxy for all requests, or None for what the variables say.
        cert: file or folder of the authorities to trust, or None.
        client_cert, client_key: PEM files that say who we are, or None.
        trusted_hosts: hosts whose certificates are not checked.
        keyring_provider: one of `KEYRING_PROVIDERS`.
        concurrent_downloads: how many at once, or None for the usual number.
        foresight: ask for what well-known projects usually require before it is known to be needed.
        refresh: ask indexes however fresh their stored pages are.
        refresh_packages: the same for these projects, by normalised name.
    """

    __slots__ = (
        "cert",
        "client_cert",
        "client_key",
        "concurrent_downloads",
        "connect_timeout_seconds",
        "foresight",
        "keyring_provider",
        "proxy",
        "refresh",
        "refresh_packages",
        "retries",
        "timeout_seconds",
        "trusted_hosts",
    )

    def __init__(
        self,
        *,
        retries: int | None = None,
        timeout_seconds: float | None = None,
        connect_timeout_seconds: float | None = None,
        proxy: str | None = None,
        cert: str | None = None,
        client_cert: str | None = None,
        client_key: str | None = None,
        trusted_hosts: "Sequence[str]" = (),
        keyring_provider: str = "auto",
        concurrent_downloads: int | None = None,
        foresight: bool = True,
        refresh: bool = False,
        refresh_packages: "Sequence[str]" = (),
    ) -> None:
        self.retries = retries
        self.timeout_seconds = timeout_seconds
        self.connect_timeout_seconds = connect_timeout_seconds
        self.proxy = proxy
        self.cert = cert
        self.client_cert = client_cert
        self.client_key = client_key
        self.trusted_hosts = tuple(trusted_hosts)
        self.keyring_provider = keyring_provider
        self.concurrent_downloads = concurrent_downloads
        self.foresight = foresight
        self.refresh = refresh
        self.refresh_packages = frozenset(refresh_packages)

    def refreshes(self, project: str) -> bool:
        """Tells whether the page of a project, or "" for another page, is asked for however fresh it is."""
        return self.refresh or project in self.refresh_packages

    @classmethod
    def from_words(cls, values: "Mapping[str, Value]", cwd: str) -> "NetworkOptions":
        """Reads what the command line says, as `engine.arguments` gives it; relative paths start from `cwd`.

        Raises:
            ConfigurationError: when a number is none, or out of bounds.
        """

        def path(name: str) -> str | None:
            found = values.get(name)
            return os.path.join(cwd, os.path.expanduser(str(found))) if found else None

        def words(name: str) -> "list[str]":
            found = values.get(name)
            return found if isinstance(found, list) else []

        return cls(
            retries=whole_number(values, "retries"),
            timeout_seconds=_seconds(values, "timeout"),
            connect_timeout_seconds=_seconds(values, "connect_timeout"),
            proxy=str(values["proxy"]) if values.get("proxy") else None,
            cert=path("cert"),
            client_cert=path("client_cert"),
            client_key=path("client_key"),
            trusted_hosts=words("trusted_host"),
            keyring_provider=str(values.get("keyring_provider") or "auto"),
            concurrent_downloads=whole_number(values, "concurrent_downloads"),
            foresight=not values.get("no_foresight"),
            refresh=bool(values.get("refresh")),
            refresh_packages=[normalize_name(name) for name in words("refresh_package")],
        )


def whole_number(values: "Mapping[str, Value]", name: str) -> int | None:
    """Returns the number that an option gives, or None where it was not given.

    Raises:
        ConfigurationError: when it is none, or less than the option's `LEAST`.
    """
    return None if (text := values.get(name)) is None else int(str(_number(text, name)))


def _seconds(values: "Mapping[str, Value]", name: str) -> float | None:
    return None if (text := values.get(name)) is None else float(str(_number(text, name)))


def _number(text: object, name: str) -> object:
    if fault := number_fault(str(text), name):
        raise ConfigurationError(f"--{name.replace('_', '-')} {text}: it takes {fault}")
    return text


def number_fault(text: str, name: str) -> str:
    """Returns what the option `name` takes where `text` is something else; "" where it takes it."""
    least = LEAST.get(name)
    try:
        if int(text) >= least if least is not None else 0 < float(text) < 1e9:
            return ""
    except ValueError:
        pass
    return "a number of seconds above 0" if least is None else f"a whole number, at least {least}"


class LockOptions:
    """Which files are the lock, and what of them is wanted.

    Attributes:
        files: paths, web addresses, or `-` for standard input.
        constraints: the same, of constraints files.
        require_hashes: every line must have a hash; None: if one line has.
        verify_hashes: compare files with the hashes of requirements files; a lock that says `--require-hashes` itself
            has them compared in any case.
        extras, groups: of a pylock.toml, beside its default groups.
        all_extras, all_groups, default_groups: flags.
        allow_empty: requirements files without requirements are meant so.
    """

    __slots__ = (
        "all_extras",
        "all_groups",
        "allow_empty",
        "constraints",
        "default_groups",
        "extras",
        "files",
        "groups",
        "require_hashes",
        "verify_hashes",
    )

    def __init__(
        self,
        *,
        files: "Sequence[str]",
        constraints: "Sequence[str]" = (),
        require_hashes: bool | None = None,
        verify_hashes: bool = True,
        extras: "Sequence[str]" = (),
        groups: "Sequence[str]" = (),
        all_extras: bool = False,
        all_groups: bool = False,
        default_groups: bool = True,
        allow_empty: bool = False,
    ) -> None:
        self.files = tuple(files)
        self.constraints = tuple(constraints)
        self.require_hashes = require_hashes
        self.verify_hashes = verify_hashes
        self.extras = tuple(extras)
        self.groups = tuple(groups)
        self.all_extras = all_extras
        self.all_groups = all_groups
        self.default_groups = default_groups
        self.allow_empty = allow_empty

    @property
    def wants_parts(self) -> bool:
        """Whether extras or groups are asked for by name."""
        return bool(self.extras or self.groups)

    @property
    def identity(self) -> str:
        """What tells two choices apart that may lead to other answers; "" where nothing was chosen."""
        flags = (self.require_hashes, self.verify_hashes, self.all_extras, self.all_groups, self.default_groups)
        # A plan of an empty lock is none for who has not asked for one.
        empty = " empty" if self.allow_empty else ""
        if flags == (None, True, False, False, True) and not self.wants_parts:
            return empty
        return f"{flags} {sorted(self.extras)} {sorted(self.groups)}{empty}"

    @classmethod
    def from_words(cls, values: "Mapping[str, Value]") -> "LockOptions":
        """Reads what the command line says, as `engine.arguments` gives it."""

        def words(name: str) -> list[str]:
            found = values.get(name)
            return found if isinstance(found, list) else []

        required, free = values.get("require_hashes"), values.get("no_require_hashes")
        return cls(
            files=words("lock"),
            constraints=words("constraint"),
            require_hashes=True if required else False if free else None,
            verify_hashes=bool(required) or not values.get("no_verify_hashes"),
            extras=words("extra"),
            groups=words("group"),
            all_extras=bool(values.get("all_extras")),
            all_groups=bool(values.get("all_groups")),
            default_groups=not values.get("no_default_groups"),
            allow_empty=bool(values.get("allow_empty_requirements")),
        )


def lock_here(cwd: str) -> str:
    """Returns the lock that is meant where none is named.

    Raises:
        ConfigurationError: when there is none here.
    """
    if os.path.isfile(os.path.join(cwd, "pylock.toml")):
        return "pylock.toml"
    is_project = os.path.isfile(os.path.join(cwd, "pyproject.toml"))
    raise ConfigurationError(
        "no lock is named, and there is no pylock.toml here",
        hint="engine lock makes one for the project here" if is_project else "name one, such as requirements.txt",
    )


class InstallOptions:
    """Where to install, and how.

    Attributes:
        target: absolute path of a folder that distributions go straight into, or "".
        prefix: absolute path of a folder that gets the scheme of an environment, or "".
        system: the first interpreter on PATH instead of an environment.
        break_system_packages: change an environment that another tool manages (PEP 668).
        compile_bytecode: bring compiled files along with modules.
        exact: what nobody has asked for leaves.
        reinstall: install everything again, whatever is there.
        reinstall_packages: normalised names of what is installed again.
    """

    __slots__ = (
        "break_system_packages",
        "compile_bytecode",
        "exact",
        "prefix",
        "reinstall",
        "reinstall_packages",
        "system",
        "target",
    )

    def __init__(
        self,
        *,
        target: str = "",
        prefix: str = "",
        system: bool = False,
        break_system_packages: bool = False,
        compile_bytecode: bool = False,
        exact: bool = True,
        reinstall: bool = False,
        reinstall_packages: "Iterable[str]" = (),
    ) -> None:
        self.target = target
        self.prefix = prefix
        self.system = system
        self.break_system_packages = break_system_packages
        self.compile_bytecode = compile_bytecode
        self.exact = exact
        self.reinstall = reinstall
        self.reinstall_packages = frozenset(reinstall_packages)

    def reinstalls(self, name: str) -> bool:
        """Tells whether a project is installed again although its version is right."""
        return self.reinstall or name in self.reinstall_packages

    @classmethod
    def from_words(cls, values: "Mapping[str, Value]", cwd: str) -> "InstallOptions":
        """Reads what the command line says, as `engine.arguments` gives it; relative paths start from `cwd`."""
        names = values.get("reinstall_package")
        return cls(
            target=_folder(values.get("target"), cwd),
            prefix=_folder(values.get("prefix"), cwd),
            system=bool(values.get("system")),
            break_system_packages=bool(values.get("break_system_packages")),
            compile_bytecode=bool(values.get("compile_bytecode")),
            # A sync has no such option: it is exact.
            exact=bool(values.get("exact", True)),
            reinstall=bool(values.get("reinstall")),
            reinstall_packages=_normalized(names) if isinstance(names, list) and names else (),
        )


def _folder(value: "Value", cwd: str) -> str:
    return os.path.normpath(os.path.join(cwd, str(value))) if value else ""


def _normalized(names: list[str]) -> list[str]:
    from engine.environment.installed import normalize_name

    return [normalize_name(name) for name in names]


class SyncOptions:
    """Options of one run, with the spelling of the command line.

    Attributes:
        locks: the lock.
        pythons: `--python` values in order; empty means the active or nearest environment.
        cache_dir: absolute path of the cache.
        indexes: where distributions are listed.
        offline, durable, strict_record: flags.
        dry_run: change nothing.
        check: a dry run that only compares what is installed; asks no index.
        link_mode: one of `engine.linking.LINK_MODES`.
        concurrent_installs: how many processes unpack and link, or None for as many as there are cores.
        network: how the network is used.
        install: where to install, and how.
    """

    __slots__ = (
        "cache_dir",
        "check",
        "concurrent_installs",
        "dry_run",
        "durable",
        "indexes",
        "install",
        "link_mode",
        "locks",
        "network",
        "offline",
        "pythons",
        "strict_record",
    )

    def __init__(
        self,
        *,
        locks: LockOptions,
        pythons: tuple[str, ...],
        cache_dir: str,
        indexes: IndexOptions | None = None,
        offline: bool = False,
        dry_run: bool = False,
        check: bool = False,
        durable: bool = False,
        link_mode: str = "hardlink",
        concurrent_installs: int | None = None,
        strict_record: bool = False,
        network: NetworkOptions | None = None,
        install: InstallOptions | None = None,
    ) -> None:
        self.locks = locks
        self.pythons = pythons
        self.cache_dir = cache_dir
        self.indexes = indexes or IndexOptions()
        self.offline = offline
        self.dry_run = dry_run or check
        self.check = check
        self.durable = durable
        self.link_mode = link_mode
        self.concurrent_installs = concurrent_installs
        self.strict_record = strict_record
        self.network = network or NetworkOptions()
        self.install = install or InstallOptions()
