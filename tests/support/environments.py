"""Random markers and environments, as hypothesis draws them."""

from hypothesis import strategies as st

from tests.support.universes import MARKERS

PYTHONS = ("3.7.9", "3.8.0", "3.8.17", "3.9.0rc1", "3.9.0", "3.9.1", "3.10.2", "3.11.0a6", "3.11.0", "3.12.1", "4.0.0")
PLATFORMS = (
    ("posix", "linux", "Linux"),
    ("posix", "darwin", "Darwin"),
    ("nt", "win32", "Windows"),
    ("posix", "cygwin", "CYGWIN_NT"),
    ("java", "java", "Java"),
)
_LITERALS = {
    "os_name": ("posix", "nt"),
    "sys_platform": ("linux", "win32", "darwin", "win"),
    "platform_system": ("Linux", "Windows", "Darwin"),
    "platform_machine": ("x86_64", "arm64"),
}


@st.composite
def environments(draw: st.DrawFn) -> dict[str, str]:
    """Draws the variables of one environment that can be, without `extra`."""
    os_name, sys_platform, system = draw(st.sampled_from(PLATFORMS))
    full = draw(st.sampled_from(PYTHONS))
    return {
        **MARKERS,
        "os_name": os_name,
        "sys_platform": sys_platform,
        "platform_system": system,
        "platform_machine": draw(st.sampled_from(("x86_64", "arm64", "riscv64"))),
        "python_full_version": full,
        "python_version": ".".join(full.split(".")[:2]),
    }


@st.composite
def _comparisons(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from((*_LITERALS, "python_version", "python_full_version")))
    if name == "python_version":
        operator = draw(st.sampled_from(("<", "<=", ">", ">=", "==", "!=", "~=", "in", "not in")))
        literal = draw(st.sampled_from(("3", "3.8", "3.9.1", "3.9", "3.10", "3.11")))
        if operator in ("in", "not in"):
            literal = draw(st.sampled_from(("3.8 3.10", "3.9,3.11")))
        elif operator in ("==", "!="):
            literal += draw(st.sampled_from(("", ".*")))
        elif operator == "~=" and literal == "3":
            literal = "3.8"
    elif name == "python_full_version":
        operator = draw(st.sampled_from(("<", "<=", ">", ">=", "==", "!=", "~=")))
        literal = draw(st.sampled_from(("3.8.0", "3.9", "3.9.1", "3.11.0a6", "3.9.0rc1", "3.11")))
    else:
        operator = draw(st.sampled_from(("==", "!=", "==", "!=", "in", "not in", "<", ">=")))
        literal = draw(st.sampled_from(_LITERALS[name]))
        if operator in ("in", "not in") and draw(st.booleans()):
            return f"'{literal}' {operator} {name}"
    if name.startswith("python") and operator in ("<", "<=", ">", ">=") and "rc" not in literal and "a6" not in literal:
        mirrored = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}[operator]
        if draw(st.booleans()):
            return f"'{literal}' {mirrored} {name}"
    return f"{name} {operator} '{literal}'"


def markers() -> st.SearchStrategy[str]:
    """Draws markers, without `extra`."""
    return st.recursive(
        _comparisons(),
        lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(("and", "or")), inner),
        max_leaves=5,
    )
