"""What leaves an environment: what RECORD owns, whole folders at once, and never what is somebody else's."""

import os
from pathlib import Path

import pytest

from engine.environment.installed import Installed, installed_distributions
from engine.errors import InstallConflict
from engine.removal import Removal, recorded_files
from tests.unit.engine.entries import RELATIVE, absolute_schemes, install


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    prefix = tmp_path / "environment"
    for folder in RELATIVE.values():
        (prefix / folder).mkdir(parents=True, exist_ok=True)
    return prefix


def found(prefix: Path, name: str) -> Installed:
    (installed,) = installed_distributions([str(prefix / "lib/site")])[name]
    return installed


def removal_of(prefix: Path, *names: str, protected: tuple[Path, ...] = ()) -> Removal:
    removal = Removal([*absolute_schemes(prefix).values(), str(prefix)], [str(path) for path in protected])
    for name in names:
        removal.add(found(prefix, name))
    return removal


def moves(prefix: Path, removal: Removal) -> list[str]:
    """Returns what is moved out, relative to the environment."""
    return [Path(path).relative_to(prefix).as_posix() for path in removal.moves()]


def test_a_package_that_owns_all_of_its_folders_leaves_by_one_move_each(prefix: Path) -> None:
    install(prefix, "demo", {"demo/__init__.py": b"", "demo/sub/a.py": b"a", "demo/data/x.txt": b"x"})
    assert moves(prefix, removal_of(prefix, "demo")) == ["lib/site/demo-1.0.dist-info", "lib/site/demo"]


def test_dist_info_leaves_first_even_when_it_goes_file_by_file(prefix: Path) -> None:
    info = install(prefix, "demo", {"a.py": b"", "zz/b.py": b""})
    (info / "notes").write_text("mine")
    going = moves(prefix, removal_of(prefix, "demo"))
    assert {path for path in going[:2]} == {f"lib/site/demo-1.0.dist-info/{name}" for name in ("METADATA", "RECORD")}
    assert going[2:] == ["lib/site/a.py", "lib/site/zz"]


def test_a_file_that_nobody_recorded_stays_and_so_does_its_folder(prefix: Path) -> None:
    install(prefix, "demo", {"demo/a.py": b"", "demo/sub/b.py": b"", "demo/other/c.py": b""})
    (prefix / "lib/site/demo/sub/mine.txt").write_text("mine")
    going = moves(prefix, removal_of(prefix, "demo"))
    assert sorted(going[1:]) == ["lib/site/demo/a.py", "lib/site/demo/other", "lib/site/demo/sub/b.py"]


def test_no_move_is_below_another_or_named_twice(prefix: Path) -> None:
    install(
        prefix, "one", {"space/one/a.py": b"", "space/shared.py": b"", "../../bin/one": b"#!", "../../share/x": b""}
    )
    install(prefix, "two", {"space/two/a.py": b"", "space/shared.py": b"", "../../share/y/z": b""})
    going = removal_of(prefix, "one", "two").moves()
    assert len(set(going)) == len(going)
    assert [path for path in going if any(path.startswith(other + os.sep) for other in going)] == []
    assert str(prefix / "lib/site/space") in going and str(prefix / "share") in going


def test_files_of_other_schemes_leave_and_the_scheme_folders_stay(prefix: Path) -> None:
    install(prefix, "demo", {"../../bin/demo": b"#!", "../../include/demo/a.h": b"", "../../share/man/demo.1": b""})
    assert sorted(moves(prefix, removal_of(prefix, "demo"))) == [
        *("bin/demo", "include/demo", "lib/site/demo-1.0.dist-info", "share")
    ]


def test_a_scheme_folder_stays_even_when_all_in_it_is_owned(prefix: Path) -> None:
    install(prefix, "demo", {"demo.py": b""})
    assert moves(prefix, removal_of(prefix, "demo")) == ["lib/site/demo-1.0.dist-info", "lib/site/demo.py"]


def test_a_namespace_shared_with_a_distribution_that_stays_is_thinned_out_only(prefix: Path) -> None:
    install(prefix, "one", {"space/one/a.py": b"", "space/shared.py": b"1"})
    other = install(prefix, "two", {"space/two/a.py": b"", "space/shared.py": b"1"})
    removal = removal_of(prefix, "one")
    removal.keep(recorded_files(str(other)))
    assert moves(prefix, removal) == ["lib/site/one-1.0.dist-info", "lib/site/space/one"]


def test_bytecode_of_removed_modules_leaves_and_other_bytecode_stays(prefix: Path) -> None:
    install(prefix, "demo", {"demo.py": b"", "demo_more.py": b""})
    compiled = prefix / "lib/site/__pycache__"
    compiled.mkdir()
    for name in ("demo.cpython-313.pyc", "demo.cpython-312.opt-1.pyc", "other.cpython-313.pyc", "demo.txt"):
        (compiled / name).write_bytes(b"")
    going = moves(prefix, removal_of(prefix, "demo"))
    assert sorted(path.rpartition("/")[2] for path in going if "__pycache__" in path) == [
        *("demo.cpython-312.opt-1.pyc", "demo.cpython-313.pyc")
    ]


def test_a_package_that_was_imported_still_leaves_by_one_move(prefix: Path) -> None:
    install(prefix, "demo", {"demo/__init__.py": b"", "demo/a.py": b""})
    (prefix / "lib/site/demo/__pycache__").mkdir()
    (prefix / "lib/site/demo/__pycache__/a.cpython-313.pyc").write_bytes(b"")
    assert moves(prefix, removal_of(prefix, "demo")) == ["lib/site/demo-1.0.dist-info", "lib/site/demo"]


def test_bytecode_of_a_module_that_another_distribution_keeps_stays(prefix: Path) -> None:
    install(prefix, "one", {"shared.py": b""})
    other = install(prefix, "two", {"shared.py": b""})
    (prefix / "lib/site/__pycache__").mkdir()
    (prefix / "lib/site/__pycache__/shared.cpython-313.pyc").write_bytes(b"")
    removal = removal_of(prefix, "one")
    removal.keep(recorded_files(str(other)))
    assert moves(prefix, removal) == ["lib/site/one-1.0.dist-info"]


@pytest.mark.parametrize("row", ["../../../victim", "../../../environment-evil/x", "pkg/../../../../victim"])
def test_a_row_that_climbs_out_of_the_environment_is_skipped_and_reported(prefix: Path, row: str) -> None:
    victim = Path(os.path.normpath(prefix / "lib/site" / row))
    victim.parent.mkdir(exist_ok=True)
    victim.write_text("precious")
    install(prefix, "demo", {"demo.py": b""}, extra_rows=f"{row},,\n")
    removal = removal_of(prefix, "demo")
    assert moves(prefix, removal) == ["lib/site/demo-1.0.dist-info", "lib/site/demo.py"]
    assert removal.skipped == [str(victim)]


def test_an_absolute_row_outside_is_skipped_and_one_inside_is_followed(prefix: Path, tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", prefix / "bin" / "inside"
    outside.write_text("precious")
    inside.write_text("")
    install(prefix, "demo", {}, extra_rows=f"{outside},,\n{inside},,\n")
    removal = removal_of(prefix, "demo")
    assert moves(prefix, removal) == ["lib/site/demo-1.0.dist-info", "bin/inside"]
    assert removal.skipped == [str(outside)]


def test_what_is_protected_stays_whatever_record_says(prefix: Path) -> None:
    python, settings = prefix / "bin" / "python", prefix / "pyvenv.cfg"
    python.write_text("")
    settings.write_text("")
    install(prefix, "demo", {}, extra_rows="../../bin/python,,\n../../pyvenv.cfg,,\n../../lib/../bin/./python,,\n")
    removal = removal_of(prefix, "demo", protected=(python, settings))
    assert moves(prefix, removal) == ["lib/site/demo-1.0.dist-info"]


def test_files_behind_a_linked_folder_stay(prefix: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious.py").write_text("")
    (prefix / "lib/site/linked").symlink_to(tmp_path / "elsewhere")
    install(prefix, "demo", {}, extra_rows="linked/precious.py,,\n")
    assert moves(prefix, removal_of(prefix, "demo")) == ["lib/site/demo-1.0.dist-info"]


def test_a_link_that_record_names_leaves_itself(prefix: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (prefix / "lib/site/link").symlink_to(tmp_path / "elsewhere")
    install(prefix, "demo", {}, extra_rows="link,,\n")
    assert moves(prefix, removal_of(prefix, "demo")) == ["lib/site/demo-1.0.dist-info", "lib/site/link"]


def test_rows_of_files_that_are_gone_already_do_not_matter(prefix: Path) -> None:
    install(prefix, "demo", {"demo/a.py": b""}, extra_rows="demo/gone.py,,\nnever/there.py,,\n")
    assert moves(prefix, removal_of(prefix, "demo")) == ["lib/site/demo-1.0.dist-info", "lib/site/demo"]


def test_a_distribution_without_dist_info_is_a_conflict_that_names_it(prefix: Path) -> None:
    (prefix / "lib/site/old-1.0-py3.13.egg-info").write_text("Name: old\nVersion: 1.0\n")
    with pytest.raises(InstallConflict, match=r"old 1\.0") as caught:
        removal_of(prefix, "old")
    assert caught.value.hint


def test_without_record_only_the_dist_info_folder_is_known(prefix: Path) -> None:
    info = install(prefix, "demo", {"demo.py": b""})
    (info / "RECORD").unlink()
    assert moves(prefix, removal_of(prefix, "demo")) == ["lib/site/demo-1.0.dist-info"]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("a.py,sha256=x,1\nb/c.py,,\n", ["a.py", "b/c.py"]),
        ("a.py,sha256=x,1\r\nb.py,,\r\n", ["a.py", "b.py"]),
        ('"a,b.py",sha256=x,1\nc.py,,\n', ["a,b.py", "c.py"]),
        ('"a""b.py",sha256=x,1\n', ['a"b.py']),
        ("./a.py,,\nb//c.py,,\n", ["a.py", "b/c.py"]),
        ("one\u2028two.py,sha256=x,1\n", ["one\u2028two.py"]),
        ('one\x85two.py,,\n"three\u2028.py",,\n', ["one\x85two.py", "three\u2028.py"]),
        ("\n\n", []),
    ],
)
def test_rows_are_read_as_csv_and_only_line_feeds_end_them(tmp_path: Path, text: str, paths: list[str]) -> None:
    info = tmp_path / "demo-1.0.dist-info"
    info.mkdir()
    (info / "RECORD").write_bytes(text.encode())
    assert recorded_files(str(info)) == [str(tmp_path / path) for path in paths]


def test_a_path_that_is_no_utf_8_is_found_all_the_same(prefix: Path) -> None:
    info = install(prefix, "demo", {})
    file = os.fsencode(prefix / "lib/site") + b"/caf\xe9.py"
    with open(file, "wb"):
        pass
    with open(info / "RECORD", "ab") as record:
        record.write(b"caf\xe9.py,,\n")
    assert os.fsdecode(file) in removal_of(prefix, "demo").moves()
