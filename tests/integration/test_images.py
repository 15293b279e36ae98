"""The images of `docker/`, built without a daemon.  `make docker-test` installs what that needs, and makes the base.

The base is a Debian made of its packages; buildah builds in chroots, beside which the index of a test is on 127.0.0.1.
"""

import functools
import hashlib
import os
import shlex
import shutil
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.index import Index
from tests.support.tool import ROOT
from tests.support.wheels import Wheel, make_wheel

BASE = ROOT / ".images" / "base.tar"
#: What pip takes while the image is built, so that a test depends on nobody's index.
WHEELS = ROOT / "build" / "images" / "cp311"
ONE = make_wheel("one", "1.0", {"one.py": "x = 1\n"}, requires=["two"], console_scripts=["one = one:x"])
TWO = make_wheel("two", "1.0", {"two.py": "x = 2\n", "data/two.txt": "2\n"})
THREE = make_wheel("three", "1.0", {"three.py": "x = 3\n", "three/__init__.py": ""})
STRANGER = "54321:0"
#: A system that has a shell, glibc, engine's folder and nothing else.
BARE = """
FROM {engine} AS glibc
RUN mkdir /bare && cp -L --parents -t /bare /bin/sh /lib*/ld-linux-*.so.* \\
    $(ls /lib/*-linux-gnu*/lib*.so.? | grep -E '/lib(c|m|dl|pthread|rt|util|resolv)[.]so[.].$')
FROM scratch
COPY --from=glibc /bare /
COPY --from={engine} /engine /engine
"""
#: Compiled modules, of Python and of others, that no version number loads.
COMPILED = "aiohttp ctypes deflate frozenlist._frozenlist isal.igzip lzma msgspec pydantic ssl uvloop yarl"
#: Everything but /tmp and /job is read-only, as with `docker run --read-only --tmpfs /tmp --tmpfs /job`.
READ_ONLY = """
{{ mkdir -p {root}/job && mount --bind {root} {root} &&
mount -t proc proc {root}/proc && mount --rbind /dev {root}/dev &&
mount -t tmpfs -o mode=1777 tmpfs {root}/tmp && mount -t tmpfs -o mode=1777 tmpfs {root}/job &&
mount -o remount,bind,ro {root}; }} || exit 77
exec chroot --userspec={user} --groups= {root} sh -c {script}
"""
EPOCH = "1700000000"
#: What the folder may take, in bytes, when nothing is compressed; docs/containers.md says how much that is.
MOST_BYTES = 75_000_000
PASSWORD = "s3cret-of-the-index"

pytestmark = [
    pytest.mark.skipif(
        "IMAGES" not in os.environ or not BASE.exists() or not WHEELS.exists() or os.geteuid() != 0,
        reason="images are not built here: make docker-test, as root",
    ),
    pytest.mark.timeout(900),
]


class Builder:
    """buildah with images of its own, which end with the tests."""

    def __init__(self, folder: Path) -> None:
        self._options = ["--root", str(folder / "images"), "--runroot", str(folder / "run")]
        # Cache mounts are kept below TMPDIR.
        (folder / "tmp").mkdir()
        self._environ = {**os.environ, "TMPDIR": str(folder / "tmp"), "BUILDAH_ISOLATION": "chroot"}

    def __call__(self, *words: str) -> str:
        return self.tell(*words)[0]

    def tell(self, *words: str, fails: bool = False) -> tuple[str, str]:
        """Returns what is said on standard output, and on standard error."""
        done = subprocess.run(
            ["buildah", *self._options, *words],
            env=self._environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=800,
        )
        assert (done.returncode != 0) == fails, f"{words}: {done.stdout}\n{done.stderr}"
        return done.stdout, done.stderr

    def build(self, tag: str, folder: Path, *options: str, file: str | None = None, **arguments: str) -> str:
        named = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
        place = ("--file", file) if file is not None else ()
        return "".join(self.tell("build", "--no-cache", *options, *named, *place, "--tag", tag, str(folder)))

    @contextmanager
    def container(self, image: str) -> Iterator[str]:
        name = self("from", "--pull-never", image).strip()
        try:
            yield name
        finally:
            self("rm", name)

    def run(self, image: str, *command: str, options: tuple[str, ...] = ()) -> str:
        with self.container(image) as name:
            return self("run", *options, name, "--", *command)

    def fail(self, image: str, *command: str) -> str:
        """Returns what a command that fails says on standard error."""
        with self.container(image) as name:
            return self.tell("run", name, "--", *command, fails=True)[1]

    def read(self, image: str, read: Callable[[Path], object]) -> object:
        """Returns what a function says of the image's files."""
        with self.container(image) as name:
            root = Path(self("mount", name).strip())
            try:
                return read(root)
            finally:
                self("umount", name)


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    folder = tmp_path_factory.mktemp("builder")
    made = Builder(folder)
    name = made("from", "scratch").strip()
    made("add", "--quiet", name, str(BASE), "/")
    made("commit", "--quiet", "--rm", name, "localhost/base")
    yield made
    made("rmi", "--all", "--force")
    shutil.rmtree(folder, ignore_errors=True)


def build_engine(builder: Builder, tag: str) -> None:
    volume = f"{WHEELS}:/wheels:ro"
    where = {"BASE": "localhost/base", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}
    builder.build(tag, ROOT, "--volume", volume, file=str(ROOT / "docker" / "Dockerfile"), **where)


@pytest.fixture(scope="module")
def engine(builder: Builder) -> str:
    build_engine(builder, "localhost/engine")
    return "localhost/engine"


@pytest.fixture
def application(builder: Builder, engine: str, index: Index, tmp_path: Path) -> Callable[..., str]:
    """Builds the example with a lock of some wheels, which the index has."""
    folder = shutil.copytree(ROOT / "docker" / "example", tmp_path / "example")

    def build(tag: str, *wheels: Wheel, options: tuple[str, ...] = ()) -> str:
        index.add(*wheels)
        (folder / "requirements.txt").write_text("".join(f"{one.pin}\n" for one in wheels), encoding="utf-8")
        where = {"BASE": "localhost/base", "ENGINE": engine, "ENGINE_INDEX_URL": index.url, "SOURCE_DATE_EPOCH": EPOCH}
        return builder.build(tag, folder, *options, **where)

    return build


def tree_sha256(root: Path) -> str:
    """Returns the hash of names, modes, owners and contents below a folder, whatever their times."""
    found = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        about = path.lstat()
        found.update(f"{path.relative_to(root)} {about.st_mode:o} {about.st_uid}:{about.st_gid}\n".encode())
        if path.is_symlink():
            found.update(os.fsencode(path.readlink()))
        elif stat.S_ISREG(about.st_mode):
            found.update(path.read_bytes())
    return found.hexdigest()


def test_engine_runs_in_its_image_and_wherever_it_is_copied_to(builder: Builder, engine: str, tmp_path: Path) -> None:
    assert builder.run(engine, "engine", "--version").startswith("engine ")
    other = tmp_path / "Dockerfile"
    other.write_text(
        f"FROM localhost/base\nCOPY --from={engine} /engine /engine\nRUN ln -s /engine/bin/engine /usr/local/bin/tool\n"
        "RUN rm /usr/bin/python3*\n",
        encoding="utf-8",
    )
    builder.build("localhost/other", tmp_path)
    assert builder.run("localhost/other", "env", "-i", "/usr/local/bin/tool", "--version").startswith("engine ")
    # Its own Python is not what an image without one gets its environment for.
    said = builder.fail("localhost/other", "sh", "-c", "echo one==1.0 | /engine/bin/engine sync --no-index -")
    assert "error: there is no Python here to install for" in said and "--python" in said


def test_the_folder_is_not_larger_than_said(builder: Builder, engine: str) -> None:
    def size_bytes(root: Path) -> int:
        return sum(path.lstat().st_size for path in (root / "engine").rglob("*"))

    assert 20_000_000 < int(str(builder.read(engine, size_bytes))) < MOST_BYTES


def test_it_needs_nothing_of_a_system_but_glibc_and_a_shell(
    builder: Builder, engine: str, index: Index, tmp_path: Path
) -> None:
    index.add(ONE, TWO)
    (tmp_path / "Dockerfile").write_text(BARE.format(engine=engine), encoding="utf-8")
    builder.build("localhost/bare", tmp_path)
    imports = f"import sys; sys.path.insert(0, '/engine/modules'); import {', '.join(COMPILED.split())}; print('all')"
    assert builder.run("localhost/bare", "/engine/python/bin/python3", "-I", "-S", "-c", imports) == "all\n"
    resolve = f"echo one | engine compile - --python-version 3.11 --no-cache --no-header --index-url {index.url}"
    said = builder.run("localhost/bare", "/bin/sh", "-c", f"PATH=/engine/bin; {resolve} --no-annotate")
    assert {ONE.pin, TWO.pin} <= set(said.split())


@pytest.mark.parametrize("umask", [0o022, 0o027])
def test_a_stranger_without_home_syncs_on_a_read_only_root_as_the_umask_says(
    builder: Builder, engine: str, index: Index, umask: int
) -> None:
    index.add(ONE, TWO)
    script = (
        f"umask {umask:03o}; cd /job; export ENGINE_CACHE_DIR=/tmp/cache\n"
        f"printf '{ONE.pin}\\n{TWO.pin}\\n' > lock.txt\n"
        f"engine sync lock.txt --compile-bytecode --index-url {index.url} && engine sync lock.txt --check &&\n"
        "! touch /engine/x 2>/dev/null && stat -c %a .venv/lib/python3.11/site-packages/one.py .venv/bin/one"
    )

    def run(root: Path) -> "subprocess.CompletedProcess[str]":
        words = READ_ONLY.format(root=root, user=STRANGER, script=shlex.quote(script))
        environ = {"PATH": "/engine/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", words], env=environ, capture_output=True, text=True, timeout=60
        )

    done = builder.read(engine, run)
    assert isinstance(done, subprocess.CompletedProcess)
    if done.returncode == 77:
        pytest.skip(f"mounts are refused: {done.stderr}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-2:] == [f"{0o666 & ~umask:o}", f"{0o777 & ~umask:o}"]
    assert "Installed 2 distributions" in done.stderr and "warning" not in done.stderr


def test_building_it_again_gives_the_same_bytes(builder: Builder, engine: str) -> None:
    build_engine(builder, "localhost/again")
    first, again = (builder.read(tag, lambda root: tree_sha256(root / "engine")) for tag in (engine, "localhost/again"))
    assert first == again


def test_the_example_runs_as_somebody_who_is_not_root(
    builder: Builder, application: Callable[..., str], index: Index
) -> None:
    said = application("localhost/application", ONE, TWO)
    assert "warning:" not in said and "Installed 2 distributions" in said
    assert builder.run("localhost/application", "id", "-u").strip() == "1000"
    assert builder.run("localhost/application", "python", "application.py") == "hello from one 1.0, two 1.0\n"

    def environment(root: Path) -> None:
        """Has bytecode, and the files are the user's own and not links to a cache."""
        site = root / "app" / ".venv" / "lib" / "python3.11" / "site-packages"
        assert (site / "__pycache__" / "two.cpython-311.pyc").exists()
        assert (site / "two.py").stat().st_uid == 1000 and (site / "two.py").stat().st_nlink == 1
        assert list((root / "var" / "cache" / "engine").glob("*")) == [], "a cache in the layer"
        for folder in ("home/app/.cache", "root/.cache", "tmp", "var/tmp", "run/secrets"):
            assert list((root / folder).glob("*")) == [], folder
        assert not (root / "engine").exists() or list((root / "engine").iterdir()) == []

    builder.read("localhost/application", environment)


def test_a_second_build_fetches_nothing_and_gives_the_same_environment(
    builder: Builder, application: Callable[..., str], index: Index
) -> None:
    application("localhost/first", THREE)
    before = list(index.requests)
    assert any(path.startswith("/files/") for path in before)
    application("localhost/second", THREE)
    assert index.requests == before
    trees = [builder.read(f"localhost/{tag}", lambda root: tree_sha256(root / "app")) for tag in ("first", "second")]
    assert trees[0] == trees[1]


def test_a_password_for_the_index_stays_out_of_the_image(
    builder: Builder, application: Callable[..., str], index: Index, tmp_path: Path
) -> None:
    index.passwords = {f"someone:{PASSWORD}"}
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login someone password {PASSWORD}\n", encoding="utf-8")
    application("localhost/secret", ONE, TWO, options=("--secret", f"id=netrc,src={netrc}"))
    assert builder.run("localhost/secret", "python", "application.py") == "hello from one 1.0, two 1.0\n"
    assert PASSWORD not in builder("inspect", "--type", "image", "localhost/secret")

    def holds(root: Path) -> list[Path]:
        files = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
        return [path for path in files if PASSWORD.encode() in path.read_bytes()]

    assert builder.read("localhost/secret", lambda root: holds(root / "app") + holds(root / "run")) == []


def test_the_index_of_the_compose_file_serves_a_sync_by_a_stranger(
    builder: Builder, engine: str, tmp_path: Path
) -> None:
    builder.build("localhost/index", ROOT / "docker" / "index", BASE="localhost/base")
    builder.read("localhost/index", lambda root: shutil.copytree(root / "srv" / "index", tmp_path / "index"))
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "index"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    work = tmp_path / "work"
    work.mkdir()
    work.chmod(0o777)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    lock = ROOT / "docker" / "index" / "requirements.txt"
    mounts = ("--volume", f"{work}:/job", "--volume", f"{lock}:/run/requirements.txt:ro", "--workingdir", "/job")
    address = f"http://127.0.0.1:{server.server_address[1]}/simple/"
    command = ("engine", "sync", "--cache-dir", "/job/cache", "--index-url", address, "/run/requirements.txt")
    try:
        builder.run(engine, *command, options=(*mounts, "--user", STRANGER))
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
    assert sorted(path.name for path in work.glob(".venv/lib/python3.11/site-packages/*.py")) == [
        "sample_app.py",
        "sample_lib.py",
    ]
