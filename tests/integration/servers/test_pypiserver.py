"""pypiserver behind a password: a folder of wheels, pages in HTML."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers import free_port, needs, password_file, running, script
from tests.support.tool import Target, Tool
from tests.support.wheels import make_wheel

pytestmark = needs("pypi-server")

ONE = make_wheel("one-thing", "1.0")
TWO = make_wheel("two", "2.0")
LOCK = (f"one-thing==1.0 --hash=sha256:{ONE.sha256}", f"two==2.0 --hash=sha256:{TWO.sha256}")
USER, PASSWORD = "reader", "secret-word"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server whose pages and files need the password."""
    folder = tmp_path_factory.mktemp("pypiserver")
    (folder / "packages").mkdir()
    for wheel in (ONE, TWO):
        (folder / "packages" / wheel.filename).write_bytes(wheel.content)
    passwords = password_file(folder / "passwords", USER, PASSWORD)
    number = free_port()
    rights = ("--authenticate", "list,download,update", "--passwords", str(passwords))
    command = [script("pypi-server"), "run", "--interface", "127.0.0.1", "--port", str(number), *rights]
    with running([*command, "--disable-fallback", "--hash-algo", "sha256", str(folder / "packages")], number, folder):
        yield number


def test_the_password_in_the_url_counts_for_pages_and_files(port: int, tool: Tool, target: Target) -> None:
    tool.index_url = f"http://{USER}:{PASSWORD}@127.0.0.1:{port}/simple/"
    run = tool.sync(tool.write_lock(*LOCK), target)
    assert run.code == 0, run.err
    assert target.installed() == {"one_thing-1.0", "two-2.0"}
    assert PASSWORD not in run.out + run.err


def test_the_password_of_a_named_index_comes_from_variables(port: int, tool: Tool, target: Target) -> None:
    lock = tool.write_lock(*LOCK)
    environ = {"ENGINE_INDEX_COMPANY_USERNAME": USER, "ENGINE_INDEX_COMPANY_PASSWORD": PASSWORD}
    command = [word for word in tool.command(lock, [target]) if word not in ("--index-url", tool.index_url)]
    run = tool.run(*command, "--default-index", f"company=http://127.0.0.1:{port}/simple/", environ=environ)
    assert run.code == 0, run.err
    assert target.installed() == {"one_thing-1.0", "two-2.0"}


def test_the_password_comes_from_the_command_of_keyring(port: int, tool: Tool, target: Target, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    command = programs / "keyring"
    command.write_text(
        f"#!{sys.executable}\nimport sys\n"
        f"assert sys.argv[1] == 'get' and '127.0.0.1:{port}' in sys.argv[2], sys.argv\n"
        f"sys.exit(1) if sys.argv[3] != {USER!r} else print({PASSWORD!r})\n"
    )
    command.chmod(0o755)
    tool.index_url = f"http://{USER}@127.0.0.1:{port}/simple/"
    run = tool.sync(
        tool.write_lock(*LOCK), target, options=("--keyring-provider", "subprocess"), environ={"PATH": str(programs)}
    )
    assert run.code == 0, run.err
    assert target.installed() == {"one_thing-1.0", "two-2.0"}


def test_without_the_password_nothing_is_installed(port: int, tool: Tool, target: Target) -> None:
    tool.index_url = f"http://127.0.0.1:{port}/simple/"
    before = target.tree()
    run = tool.sync(tool.write_lock(*LOCK), target)
    assert run.code == 1 and "401" in run.err and "hint: " in run.err and "Traceback" not in run.err
    assert target.tree() == before
