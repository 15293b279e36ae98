"""The options of `install`, and how they are read.

Off the warm path of a sync, beside `engine.arguments`.
"""

from engine.arguments import (
    INDEX_OPTIONS,
    INSTALL_OPTIONS,
    LOCK_OPTIONS,
    NETWORK_OPTIONS,
    REPORT_OPTIONS,
    TARGET_OPTIONS,
    Option,
)
from engine.compile_arguments import OPTIONS as COMPILE_OPTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.arguments import Value
    from engine.installing import InstallRequest
    from engine.options import SyncOptions

UPGRADE_STRATEGIES = ("only-if-needed", "eager")

_COMPILE = {row[1]: row for row in COMPILE_OPTIONS}
_HASHES = ("require_hashes", "no_require_hashes", "no_verify_hashes")

OPTIONS: tuple[Option, ...] = (
    (("-r", "--requirement", "--requirements"), "requirement", "list", "FILE", "install what this file asks for"),
    (("-e", "--editable"), "editable", "list", "PATH", "not supported so far: projects cannot be built"),
    *(_COMPILE[name] for name in ("constraint", "override", "exclude", "extra", "all_extras", "group", "no_sources")),
    (("-U", "--upgrade"), "upgrade", "flag", None, "take the newest versions of what is named here"),
    (
        ("--upgrade-strategy",),
        "upgrade_strategy",
        UPGRADE_STRATEGIES,
        None,
        "of what else -U takes the newest: what no longer fits, or everything (default: only-if-needed)",
    ),
    (
        ("-P", "--upgrade-package"),
        "upgrade_package",
        "list",
        "PROJECT",
        "take the newest version of this project, or with flask<4 the newest of these",
    ),
    *(
        _COMPILE[name]
        for name in (
            *("resolution", "prerelease", "pre", "prerelease_package"),
            *("exclude_newer", "exclude_newer_package"),
        )
    ),
    *(row for row in LOCK_OPTIONS if row[1] in _HASHES),
    (("--no-deps",), "no_deps", "flag", None, "install nothing but what is named here"),
    (("--exact",), "exact", "switch", None, "remove what nothing here asks for"),
    *TARGET_OPTIONS,
    *(row for row in INDEX_OPTIONS if row[1] != "pre"),
    *NETWORK_OPTIONS,
    *(row for row in INSTALL_OPTIONS if row[1] not in ("no_deps", "check")),
    *REPORT_OPTIONS,
)


def install_request(values: "Mapping[str, Value]", places: "SyncOptions") -> "InstallRequest":
    """Reads what the command line and the settings say.

    Args:
        values: by the name of an option.
        places: environments, cache, indexes and network.

    Raises:
        ConfigurationError: when nothing is named.
    """
    from engine.errors import ConfigurationError
    from engine.installing import InstallRequest

    def words(name: str) -> tuple[str, ...]:
        found = values.get(name)
        return tuple(found) if isinstance(found, list) else ()

    if words("editable"):
        from engine.lock.direct import UNBUILT_HINT

        raise ConfigurationError(f"-e {words('editable')[0]}: editables cannot be installed so far", hint=UNBUILT_HINT)
    if not (words("words") or words("requirement") or words("group")):
        raise ConfigurationError(
            "nothing to install: no requirement is named",
            hint="name a project, a wheel, or a file with -r; engine sync installs a lock",
        )
    required, free = values.get("require_hashes"), values.get("no_require_hashes")
    prerelease, cutoff = values.get("prerelease"), values.get("exclude_newer")
    return InstallRequest(
        places,
        words=words("words"),
        files=words("requirement"),
        constraints=words("constraint"),
        overrides=words("override"),
        excludes=words("exclude"),
        extras=words("extra"),
        all_extras=bool(values["all_extras"]),
        groups=words("group"),
        sources=not values["no_sources"],
        strategy=str(values["resolution"] or "highest"),
        prereleases="allow" if values["pre"] else str(prerelease) if prerelease else None,
        prereleases_of=words("prerelease_package"),
        exclude_newer=str(cutoff) if cutoff else None,
        exclude_newer_package=words("exclude_newer_package"),
        upgrade=bool(values["upgrade"]),
        eager=values["upgrade_strategy"] == "eager",
        upgrade_packages=words("upgrade_package"),
        dependencies=not values["no_deps"],
        require_hashes=True if required else False if free else None,
        verify_hashes=bool(required) or not values["no_verify_hashes"],
    )
