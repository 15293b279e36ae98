"""A script that another interpreter runs to tell what it is.

    python -I -S -B probe.py <folder of the package "packaging"> virtual|plain

Owns the facts' shape on the way out: one JSON object between two marker lines.
Runs by itself: nothing of `engine` is imported, and from the given folder
nothing but `packaging`, whatever stands beside it.  The syntax is that of old
Pythons, so that one that is too old can say so in a sentence.

Source: PEP 425 (tags), PEP 508 (markers), PEP 405 and sysconfig's schemes.
"""

import os
import sys

BEGIN = "-----BEGIN ENGINE FACTS-----"
END = "-----END ENGINE FACTS-----"
OLDEST = (3, 9)


def load_packaging(folder: str) -> None:
    """Makes the package in `folder` importable as `packaging`, and nothing beside it."""
    package = type(sys)("packaging")
    package.__path__ = [folder]
    sys.modules["packaging"] = package


def virtual_schemes() -> "dict[str, str]":
    """Returns the paths inside any virtual environment of this interpreter, relative to it, with `/`."""
    import sysconfig

    fallback = "nt" if os.name == "nt" else "posix_prefix"
    scheme = "venv" if "venv" in sysconfig.get_scheme_names() else fallback
    paths = sysconfig.get_paths(scheme, vars={"base": "", "platbase": ""})
    schemes = {key: paths[key].replace(os.sep, "/").lstrip("/") for key in ("purelib", "platlib", "scripts")}
    # No scheme of sysconfig has it: `include` there belongs to the base interpreter.
    schemes["headers"] = f"include/site/python{sys.version_info[0]}.{sys.version_info[1]}"
    schemes["data"] = ""
    return schemes


def plain_schemes() -> "dict[str, str]":
    """Returns the absolute paths that this interpreter installs to."""
    import sysconfig

    paths = sysconfig.get_paths()
    schemes = {key: paths[key] for key in ("purelib", "platlib", "scripts", "data")}
    schemes["headers"] = paths["include"]
    return schemes


def markers() -> "dict[str, str]":
    """Returns the variables of environment markers.

    `packaging.markers` has the same, but loads its parser: 40 of the 90 ms that the
    whole probe would take.
    Source: PEP 508, "Environment Markers".
    """
    import platform

    info = sys.implementation.version
    implementation_version = f"{info.major}.{info.minor}.{info.micro}"
    if info.releaselevel != "final":
        implementation_version += info.releaselevel[0] + str(info.serial)
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": implementation_version,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "platform_python_implementation": platform.python_implementation(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


def facts(is_virtual: bool) -> "dict[str, object]":
    """Returns what `engine.environment.interpreter.Interpreter` holds."""
    import importlib.util
    import sysconfig

    from packaging.tags import sys_tags

    executable = sys.executable
    if is_virtual:
        # The facts are shared by all environments of one base: they must not name one of them.
        executable = os.path.realpath(getattr(sys, "_base_executable", executable))
    variables = markers()
    return {
        # A build from a checkout says "3.14.0+", which is no version.
        "version": variables["python_full_version"].rstrip("+"),
        "implementation": variables["implementation_name"],
        "executable": executable,
        "prefix": sys.base_prefix if is_virtual else sys.prefix,
        "stdlib": sysconfig.get_paths()["stdlib"],
        "cache_tag": sys.implementation.cache_tag or "",
        "bytecode_magic": importlib.util.MAGIC_NUMBER.hex(),
        "is_virtual": is_virtual,
        "schemes": virtual_schemes() if is_virtual else plain_schemes(),
        "markers": variables,
        "tags": [str(tag) for tag in sys_tags()],
    }


def main(arguments: "list[str]") -> None:
    """Prints the facts, or leaves with one sentence on stderr."""
    if sys.version_info < OLDEST:
        found = ".".join(str(part) for part in sys.version_info[:2])
        oldest = ".".join(str(part) for part in OLDEST)
        sys.exit(f"Python {found} is too old, {oldest} is the oldest that can be used")
    import json

    load_packaging(arguments[0])
    print(BEGIN)
    print(json.dumps(facts(arguments[1] == "virtual")))
    print(END)


if __name__ == "__main__":
    main(sys.argv[1:])
