"""devpi-server: a mirror of another index, and a private index on top of it."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.support.index import Index
from tests.support.servers import Devpi, free_port, needs, running, script
from tests.support.tool import Target, Tool, clean_environ
from tests.support.wheels import make_wheel

pytestmark = needs("devpi-server")

PUBLIC = make_wheel("public", "1.0")
PRIVATE = make_wheel("private", "3.0")
USER, PASSWORD = "alice", "alice-secret-1"


@pytest.fixture(scope="module")
def upstream() -> Iterator[Index]:
    """What the mirror mirrors."""
    served = Index()
    served.add(PUBLIC)
    yield served
    served.close()


@pytest.fixture(scope="module")
def devpi(tmp_path_factory: pytest.TempPathFactory, upstream: Index) -> Iterator[Devpi]:
    """root/mirror of `upstream`; alice/dev on top of it."""
    folder = tmp_path_factory.mktemp("devpi")
    data = ["--serverdir", str(folder / "data")]
    subprocess.run(
        [script("devpi-init"), *data, "--no-root-pypi", "--root-passwd", "root-secret"],
        check=True,
        capture_output=True,
        env=clean_environ(folder),
        timeout=60,
    )
    port = free_port()
    command = [script("devpi-server"), *data, "--host", "127.0.0.1", "--port", str(port), "--request-timeout", "10"]
    with running(command, port, folder):
        server = Devpi(f"http://127.0.0.1:{port}")
        server.login("root", "root-secret")
        mirror = {"type": "mirror", "mirror_url": upstream.url, "volatile": True}
        server.send("PUT", "/root/mirror", mirror)
        server.send("PUT", f"/{USER}", {"password": PASSWORD})
        server.login(USER, PASSWORD)
        server.send("PUT", f"/{USER}/dev", {"bases": "root/mirror", "volatile": True})
        server.upload(f"{USER}/dev", PRIVATE)
        yield server


def test_a_mirror_is_an_index(devpi: Devpi, tool: Tool, target: Target) -> None:
    tool.index_url = f"{devpi.url}/root/mirror/+simple/"
    run = tool.sync(tool.write_lock(f"public==1.0 --hash=sha256:{PUBLIC.sha256}"), target)
    assert run.code == 0, run.err
    assert target.installed() == {"public-1.0"}


def test_a_private_index_brings_its_own_projects_and_those_of_its_base(
    devpi: Devpi, tool: Tool, target: Target
) -> None:
    tool.index_url = f"{devpi.url}/{USER}/dev/+simple/"
    run = tool.sync(tool.write_lock("public==1.0", "private==3.0"), target)
    assert run.code == 0, run.err
    assert target.installed() == {"public-1.0", "private-3.0"}


def test_a_private_index_beside_another_one(devpi: Devpi, upstream: Index, tool: Tool, target: Target) -> None:
    tool.index_url = upstream.url
    options = ("--extra-index-url", f"{devpi.url}/{USER}/dev/+simple/")
    run = tool.sync(tool.write_lock("public==1.0", "private==3.0"), target, options=options)
    assert run.code == 0, run.err
    assert target.installed() == {"public-1.0", "private-3.0"}
