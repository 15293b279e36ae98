"""How `engine.pyz` starts, with a tiny command line in it: where from, whose modules, and what it says if it cannot."""

import ast
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from cache.layout import default_root
from shipping.payload import File
from shipping.start import CHECK_SECONDS, WHOLE, is_checked, is_trusted, root_of
from shipping.zipapp import HERE, suffix_for, write
from tests.support.unprivileged import unprivileged
from tests.support.zipapps import MINOR, TREE, Zipapp, make_zipapp


@pytest.fixture
def zipapp(tmp_path: Path) -> Zipapp:
    """One that has what this Python needs."""
    return make_zipapp(tmp_path)


def test_the_first_start_unpacks_and_later_ones_read_that_only(zipapp: Zipapp) -> None:
    done = zipapp.start("one", "two words")
    (folder,) = zipapp.unpacked()
    assert (done.returncode, done.stdout, done.stderr) == (0, f"tiny {folder}/cli.py one two words\n", "")
    assert os.access(folder / "part" / "compiled.so", os.X_OK)
    with zipfile.ZipFile(zipapp.path) as archive:
        rest = {name: archive.read(name) for name in archive.namelist() if name == "__main__.py"}
    write(zipapp.path, rest)
    assert zipapp.start("one", "two words").stdout == done.stdout


def test_any_way_to_start_it_is_right(zipapp: Zipapp) -> None:
    for options in ((), ("-I",), ("-P",), ("-S",), ("-E", "-s")):
        done = zipapp.start(python=(sys.executable, *options))
        assert (done.returncode, done.stdout[:5], done.stderr) == (0, "tiny ", ""), options


def test_modules_of_others_do_not_take_the_place_of_ours(zipapp: Zipapp, tmp_path: Path) -> None:
    others = tmp_path / "others"
    for name in ("cli.py", "part/__init__.py", "part/inner.py", "shipping/__init__.py", "unpacking.py"):
        (others / name).parent.mkdir(parents=True, exist_ok=True)
        (others / name).write_text("NAME = 'theirs'\n", encoding="utf-8")
    (others / "sitecustomize.py").write_text("import part.inner, cli\n", encoding="utf-8")
    for _ in "first", "later":
        done = zipapp.start(environ={"PYTHONPATH": str(others)})
        assert done.stdout == f"tiny {zipapp.unpacked()[0]}/cli.py\n", done.stderr


def test_what_is_installed_for_this_python_is_not_seen(tmp_path: Path) -> None:
    body = b"def run(at_end=None):\n    import json, sqlite3, sys\n    print(*sys.path, sep='\\n')\n"
    zipapp = make_zipapp(tmp_path, {MINOR: {"cli.py": File(body)}})
    found = zipapp.start(environ={"PYTHONPATH": str(tmp_path)}).stdout.splitlines()
    assert found[0] == str(zipapp.unpacked()[0]) and os.path.dirname(os.__file__) in found
    assert not [path for path in found if "-packages" in path] and str(tmp_path) not in found


def test_many_first_starts_at_once_leave_one_folder(zipapp: Zipapp) -> None:
    command = [sys.executable, str(zipapp.path)]
    started = [subprocess.Popen(command, env=zipapp.environ, stdout=subprocess.PIPE, text=True) for _ in range(8)]
    try:
        answers = {process.communicate(timeout=60)[0] for process in started}
    finally:
        for process in started:
            process.kill()
    (folder,) = zipapp.unpacked()
    assert answers == {f"tiny {folder}/cli.py\n"}


def test_another_place_can_be_named(zipapp: Zipapp, tmp_path: Path) -> None:
    done = zipapp.start(environ={"ENGINE_PYZ_DIR": str(tmp_path / "a" / "place")})
    (folder,) = (tmp_path / "a" / "place").iterdir()
    assert done.stdout == f"tiny {folder}/cli.py\n" and zipapp.unpacked() == []


def _is_for_one_run(zipapp: Zipapp, done: "subprocess.CompletedProcess[str]") -> bool:
    """Tells whether it ran from a temporary folder that is gone, and said so in one line that names the variable."""
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("warning: "), done.stderr
    ran = done.stdout.startswith(f"tiny {zipapp.temporary}/engine-pyz-")
    return done.returncode == 0 and ran and "ENGINE_PYZ_DIR" in done.stderr and not list(zipapp.temporary.iterdir())


def test_a_home_that_cannot_be_written_will_do_for_one_run(zipapp: Zipapp) -> None:
    Path(zipapp.environ["HOME"]).chmod(0o555)
    done = zipapp.start(python=tuple(unprivileged(sys.executable)))
    assert "Permission denied" in done.stderr and _is_for_one_run(zipapp, done)


def test_a_folder_that_others_may_write_into_is_not_run(zipapp: Zipapp) -> None:
    zipapp.start()
    (folder,) = zipapp.unpacked()
    (folder / "cli.py").write_text("print('planted')\n", encoding="utf-8")
    for changed, mode in ((folder, 0o777), (folder, 0o775), (folder.parent, 0o777)):
        changed.chmod(mode)
        assert _is_for_one_run(zipapp, zipapp.start()), (changed, oct(mode))
        changed.chmod(0o755)
    assert "planted" in zipapp.start().stdout


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")
def test_a_folder_that_belongs_to_another_user_is_not_run(zipapp: Zipapp) -> None:
    zipapp.start()
    (folder,) = zipapp.unpacked()
    (folder / "cli.py").write_text("print('planted')\n", encoding="utf-8")
    for changed in folder, folder.parent:
        os.chown(changed, 1234, -1)
        assert _is_for_one_run(zipapp, zipapp.start()), changed
        os.chown(changed, 0, -1)


def test_a_link_in_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert is_trusted(str(tmp_path), str(tmp_path / "real"))
    assert not is_trusted(str(tmp_path), str(tmp_path / "link"))
    assert not is_trusted(str(tmp_path), str(tmp_path / "missing"))


def test_no_room_anywhere_is_told_in_words(zipapp: Zipapp) -> None:
    limited = ("/bin/sh", "-c", 'ulimit -f 0; exec "$0" "$@"', sys.executable)
    done = zipapp.start(python=limited)
    assert done.returncode == 1 and done.stderr.startswith("error: cannot unpack engine.pyz: "), done.stderr
    assert "\nhint: ENGINE_PYZ_DIR " in done.stderr and "Traceback" not in done.stderr and zipapp.unpacked() == []


def test_a_damaged_file_is_told_in_words(tmp_path: Path) -> None:
    zipapp = make_zipapp(tmp_path, replaced={"shared": b"17\nnot what it should be"})
    done = zipapp.start()
    assert done.returncode == 1 and done.stderr.startswith("error: engine.pyz is damaged: "), done.stderr
    assert "Traceback" not in done.stderr and zipapp.unpacked() == []


def test_a_system_without_what_compiled_modules_need_is_told_in_words(tmp_path: Path) -> None:
    done = make_zipapp(tmp_path, needed={"glibc": "99.0"}).start()
    assert done.returncode == 1 and done.stderr.startswith("error: engine.pyz needs glibc 99.0 or newer, and this")


@pytest.fixture
def foreign(tmp_path: Path) -> Zipapp:
    """One that has nothing for this Python."""
    return make_zipapp(tmp_path, {17: TREE, 18: TREE})


def test_a_python_that_it_has_nothing_for_is_refused_in_words(foreign: Zipapp) -> None:
    done = foreign.start(environ={"PATH": str(foreign.temporary)})
    assert (done.returncode, done.stdout) == (1, "") and "Traceback" not in done.stderr
    assert done.stderr.startswith("error: engine.pyz is for CPython 3.17, 3.18 on "), done.stderr
    assert f"is CPython 3.{MINOR}{sys.abiflags} on " in done.stderr and "python3.18" in done.stderr


def test_the_newest_fitting_python_on_the_path_takes_over(foreign: Zipapp, tmp_path: Path) -> None:
    """One that is a name with nothing behind it, and one of another kind, are passed over."""
    answers = {19: "exit 127", 18: "printf .another.so", 17: f"printf {suffix_for(17)}"}
    for minor, answer in answers.items():
        fake = tmp_path / "bin" / f"python3.{minor}"
        fake.parent.mkdir(exist_ok=True)
        fake.write_text(f'#!/bin/sh\ncase "$1" in -I) {answer} ;; *) echo "{minor}:" "$@" ;; esac\n', encoding="utf-8")
        fake.chmod(0o755)
    done = foreign.start("sync", "a  b", environ={"PATH": str(tmp_path / "bin")})
    assert done.stdout == f"17: {foreign.path} sync a  b\n", done.stderr


def _old_pythons() -> Iterator[str]:
    for version in ("2.7", *(f"3.{minor}" for minor in range(6, 11))):
        path = shutil.which(f"python{version}")
        if path is not None and not subprocess.run([path, "-c", ""], capture_output=True).returncode:
            yield path


def test_old_pythons_say_which_one_it_needs(foreign: Zipapp) -> None:
    found = list(_old_pythons())
    if not found:
        pytest.skip("there is no old Python")
    for python in found:
        done = foreign.start(python=(python,), environ={"PATH": str(foreign.temporary)})
        assert (done.returncode, done.stdout) == (1, ""), python
        assert done.stderr.startswith("error: engine.pyz is for CPython 3.17, 3.18 on "), done.stderr


@pytest.mark.parametrize("name", ["start.py", "other_python.py"])
def test_old_pythons_can_parse_what_they_meet(name: str) -> None:
    new = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Match, ast.Nonlocal, ast.Starred, ast.AsyncFunctionDef)
    source = (HERE / name).read_bytes()
    assert source.isascii()
    for node in ast.walk(ast.parse(source)):
        assert not isinstance(node, new), ast.dump(node)
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.args, *node.args.kwonlyargs, *node.args.posonlyargs]
            assert node.returns is None and not [one for one in arguments if one.annotation], node.name
            assert not node.args.kwonlyargs and not node.args.posonlyargs, node.name
        if isinstance(node, ast.Raise):
            assert node.cause is None


@pytest.mark.parametrize(
    "environ",
    [{"HOME": "/home/me"}, {"HOME": "/home/me", "XDG_CACHE_HOME": "/xdg"}, {"HOME": "/h", "XDG_CACHE_HOME": "r"}],
)
def test_modules_are_unpacked_beside_the_usual_cache(environ: Mapping[str, str]) -> None:
    assert root_of(environ) == f"{default_root(environ)}-pyz"
    assert root_of({**environ, "ENGINE_CACHE_DIR": "/elsewhere"}) == root_of(environ)
    assert root_of({**environ, "ENGINE_PYZ_DIR": "/named"}) == "/named"


def test_a_user_without_a_home_gets_a_folder_of_its_own_among_the_temporary_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    assert root_of({}) == f"/tmp/engine-pyz-{os.geteuid()}"
    assert root_of({"TMPDIR": str(tmp_path)}) == f"{tmp_path}/engine-pyz-{os.geteuid()}"


def test_a_file_that_was_lost_is_noticed_and_mended(zipapp: Zipapp) -> None:
    zipapp.start()
    (folder,) = zipapp.unpacked()
    before = sorted(folder.rglob("*"))
    for damage in (folder / "part" / "__init__.py").unlink, lambda: (folder / "part" / "__init__.py").write_bytes(b""):
        damage()
        os.utime(folder / WHOLE, (1, 1))
        done = zipapp.start()
        assert (done.returncode, done.stdout[:5], done.stderr) == (0, "tiny ", ""), done.stderr
        assert zipapp.unpacked() == [folder] and sorted(folder.rglob("*")) == before


def test_a_folder_is_looked_over_once_a_day(zipapp: Zipapp) -> None:
    zipapp.start()
    (folder,) = zipapp.unpacked()
    for age, checked in ((0, True), (CHECK_SECONDS + 60, False), (-CHECK_SECONDS - 60, False)):
        os.utime(folder / WHOLE, (time.time() - age,) * 2)
        assert is_checked(str(folder)) == checked, age
    assert zipapp.start().returncode == 0 and is_checked(str(folder))


def test_what_was_unpacked_before_the_machine_was_started_is_looked_over(zipapp: Zipapp) -> None:
    zipapp.start()
    (folder,) = zipapp.unpacked()
    before = time.time() - time.monotonic() - 60
    os.utime(folder / WHOLE, (before, before))
    assert not is_checked(str(folder))
    (folder / "cli.py").write_bytes(b"")
    assert zipapp.start().stdout == f"tiny {folder}/cli.py\n"


@pytest.mark.parametrize("lost", ["part/__init__.py", "cli.py"])
def test_a_run_that_breaks_off_for_want_of_a_file_is_the_last_one(zipapp: Zipapp, lost: str) -> None:
    zipapp.start()
    (folder,) = zipapp.unpacked()
    for damage in (folder / lost).unlink, lambda: (folder / lost).write_bytes(b""):
        damage()
        assert "Traceback" in zipapp.start().stderr
        done = zipapp.start()
        assert (done.returncode, done.stdout, done.stderr) == (0, f"tiny {folder}/cli.py\n", "")


def test_a_link_on_the_way_is_followed_once(zipapp: Zipapp, tmp_path: Path) -> None:
    """Where it leads to was looked at; it may lead elsewhere a moment later."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    for _ in "first", "later":
        done = zipapp.start(environ={"ENGINE_PYZ_DIR": str(tmp_path / "link" / "place")})
        (folder,) = (tmp_path / "real" / "place").iterdir()
        assert (done.stdout, done.stderr) == (f"tiny {folder}/cli.py\n", "")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can be anybody")
def test_a_user_id_without_a_name_or_a_home_makes_no_folder_where_it_is(zipapp: Zipapp) -> None:
    # It may pass by the permissions of the folders that tests have, and that is all.
    passing = "+dac_override,+dac_read_search"
    somebody = (
        "--reuid",
        "54321",
        "--regid",
        "54321",
        "--clear-groups",
        "--inh-caps",
        passing,
        "--ambient-caps",
        passing,
    )
    if (setpriv := shutil.which("setpriv")) is None:
        pytest.skip("there is no setpriv")
    zipapp.temporary.chmod(0o1777)
    done = zipapp.start(python=(setpriv, *somebody, "env", "-u", "HOME", sys.executable))
    (root,) = zipapp.temporary.iterdir()
    (folder,) = root.iterdir()
    assert (root.name, root.stat().st_uid) == ("engine-pyz-54321", 54321)
    assert (done.stdout, done.stderr) == (f"tiny {folder}/cli.py\n", "")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can be anybody")
def test_what_nobody_here_can_mend_is_not_looked_over(zipapp: Zipapp) -> None:
    """As in an image, for one who is not root."""
    zipapp.start()
    (folder,) = zipapp.unpacked()
    os.utime(folder / WHOLE, (1, 1))
    folder.chmod(0o555)
    assert not is_checked(str(folder))
    code = f"import os, sys; sys.path.insert(0, {str(HERE.parent)!r}); from shipping.start import *"
    command = unprivileged(sys.executable, "-c", f"{code}; os.chdir('/'); print(is_checked({str(folder)!r}))")
    assert subprocess.run([*command], capture_output=True, text=True).stdout == "True\n"


def test_nobody_else_may_write_into_any_folder_above(tmp_path: Path) -> None:
    root = tmp_path / "above" / "root"
    folder = root / "folder"
    folder.mkdir(parents=True)
    assert is_trusted(str(root), str(folder))
    for mode, trusted in ((0o777, False), (0o775, False), (0o1777, True), (0o700, True)):
        root.parent.chmod(mode)
        assert is_trusted(str(root), str(folder)) == trusted, oct(mode)
    (tmp_path / "link").symlink_to("above")
    assert not is_trusted(str(tmp_path / "link" / "root"), str(folder)), "who calls has followed it"
    if os.geteuid() == 0:
        os.chown(root.parent, 1234, -1)
        assert not is_trusted(str(root), str(folder))
