"""From a manifest to what an environment gets: schemes, RECORD paths, folders with parents first."""

import pytest

from cache.manifest import EntryPoint, Manifest, ManifestFile
from cache.plans import PlannedEntry
from engine.errors import InvalidWheel
from engine.planning import plan_entry

POSIX = {
    "purelib": "lib/python3.13/site-packages",
    "platlib": "lib/python3.13/site-packages",
    "scripts": "bin",
    "headers": "include/site/python3.13",
    "data": "",
}
SPLIT = {**POSIX, "platlib": "lib64/python3.13/site-packages"}


def plan(*paths: str, schemes: dict[str, str] = POSIX, purelib: bool = True) -> PlannedEntry:
    manifest = Manifest(
        filename="Demo-1.0-py3-none-any.whl",
        name="demo",
        version="1.0",
        dist_info="Demo-1.0.dist-info",
        data="Demo-1.0.data",
        root_is_purelib=purelib,
        files=tuple(ManifestFile(path, number, 1_000 + number, False, "x") for number, path in enumerate(paths)),
        console_scripts=(EntryPoint("run", "demo.main", "main"),),
        gui_scripts=(EntryPoint("show", "demo.gui", "App.start"),),
    )
    return plan_entry(manifest, "ab" * 32, 7, schemes)


def places(entry: PlannedEntry) -> set[str]:
    """Returns `scheme/path` of all linked files."""
    return {f"{scheme}/{folder}/{name}" for scheme, folder, _, names, _, _ in entry.folders for name in names}


def recorded(entry: PlannedEntry) -> list[str]:
    return [row.partition(",")[0] for row in entry.record.splitlines()]


@pytest.mark.parametrize(
    ("path", "purelib", "schemes", "place", "row"),
    [
        ("demo/a.py", True, POSIX, "purelib/demo/a.py", "demo/a.py"),
        ("demo/a.py", False, POSIX, "purelib/demo/a.py", "demo/a.py"),
        ("demo/a.py", False, SPLIT, "platlib/demo/a.py", "demo/a.py"),
        ("Demo-1.0.data/purelib/d/a.py", True, SPLIT, "purelib/d/a.py", "d/a.py"),
        (
            *("Demo-1.0.data/platlib/d/a.py", True, SPLIT, "platlib/d/a.py"),
            "../../../lib64/python3.13/site-packages/d/a.py",
        ),
        (
            *("Demo-1.0.data/purelib/d/a.py", False, SPLIT, "purelib/d/a.py"),
            "../../../lib/python3.13/site-packages/d/a.py",
        ),
        ("Demo-1.0.data/platlib/d/a.py", True, POSIX, "purelib/d/a.py", "d/a.py"),
        ("Demo-1.0.data/data/share/x", True, POSIX, "data/share/x", "../../../share/x"),
        (
            *("Demo-1.0.data/headers/sub/a.h", True, POSIX, "headers/demo/sub/a.h"),
            "../../../include/site/python3.13/demo/sub/a.h",
        ),
    ],
)
def test_every_scheme_has_its_place_and_its_path_in_record(
    path: str, purelib: bool, schemes: dict[str, str], place: str, row: str
) -> None:
    entry = plan(path, schemes=schemes, purelib=purelib)
    assert places(entry) == {place}
    assert recorded(entry) == [row]


def test_absolute_schemes_give_the_same_record_as_relative_ones() -> None:
    paths = ("demo/a.py", "Demo-1.0.data/data/share/x", "Demo-1.0.data/headers/a.h")
    absolute = {scheme: f"/somewhere/env/{folder}".rstrip("/") for scheme, folder in POSIX.items()}
    assert plan(*paths, schemes=absolute).record == plan(*paths).record


def test_the_site_is_where_the_root_of_the_wheel_goes() -> None:
    assert plan("a.py", schemes=SPLIT, purelib=True).site == "purelib"
    assert plan("a.py", schemes=SPLIT, purelib=False).site == "platlib"
    assert plan("a.py", schemes=POSIX, purelib=False).site == "purelib"


def test_parents_come_first_and_those_without_files_are_there_too() -> None:
    entry = plan("a/b/c/d.py", "a/b-c/e.py", "z.py", "Demo-1.0.data/data/share/man/man1/x.1")
    known = set()
    for scheme, folder, _, _, _, _ in entry.folders:
        parent = folder.rpartition("/")[0]
        assert not parent or (scheme, parent) in known, folder
        known.add((scheme, folder))
    assert {("purelib", "a"), ("purelib", "a/b"), ("data", "share"), ("data", "share/man")} <= known


def test_names_sizes_and_times_belong_together() -> None:
    entry = plan("demo/a.py", "other.py", "demo/b.py")
    ((names, sizes, mtimes),) = [folder[3:] for folder in entry.folders if folder[1] == "demo"]
    assert (names, sizes, mtimes) == (("a.py", "b.py"), (0, 2), (1_000, 1_002))


def test_folders_of_different_sources_are_told_apart() -> None:
    entry = plan("demo/a.py", "Demo-1.0.data/purelib/demo/b.py")
    assert {(folder[1], folder[2], folder[3]) for folder in entry.folders} == {
        ("demo", "demo", ("a.py",)),
        ("demo", "Demo-1.0.data/purelib/demo", ("b.py",)),
    }


def test_what_the_installer_writes_itself_is_not_taken_from_the_wheel() -> None:
    own = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
    entry = plan("Demo-1.0.dist-info/METADATA", *(f"Demo-1.0.dist-info/{name}" for name in own))
    assert recorded(entry) == ["Demo-1.0.dist-info/METADATA"]


def test_scripts_are_named_by_their_place_in_the_tree_and_not_recorded_yet() -> None:
    entry = plan("Demo-1.0.data/scripts/tool", "a.py")
    assert entry.scripts == ("Demo-1.0.data/scripts/tool",)
    assert recorded(entry) == ["a.py"]


def test_launchers_know_which_of_them_open_windows() -> None:
    assert plan("a.py").launchers == (("run", "demo.main", "main", False), ("show", "demo.gui", "App.start", True))


@pytest.mark.parametrize(
    "path", ["Demo-1.0.data/unknown/a", "Demo-1.0.data/scripts/sub/a", "Demo-1.0.data/data/bin/python3"]
)
def test_a_file_without_a_place_is_the_wheels_fault(path: str) -> None:
    with pytest.raises(InvalidWheel):
        plan(path)
