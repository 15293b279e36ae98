"""ADVERSARIAL 74: a secret, wherever it comes from, is said nowhere and stored nowhere, however a run ends."""

import base64
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.index import Fault, Index
from tests.support.proxy import ForwardingProxy
from tests.support.tool import Result, Target, Tool
from tests.support.wheels import make_wheel

SECRET = "s3cret/w@rd:ü"
ONE, DIRECT = make_wheel("one", "1.0"), make_wheel("direct", "1.0")
PAGE = "/simple/one/"


def spellings() -> list[bytes]:
    """The secret as it is, percent-encoded, and inside of any base64."""
    found = [SECRET.encode(), quote(SECRET, safe="").encode(), quote(SECRET).encode(), b"s3cret"]
    for before in range(3):
        # The ends depend on what stands beside; the middle does not.
        found.append(base64.b64encode(b"x" * before + SECRET.encode())[4:-4])
    return found


@pytest.fixture
def proxy() -> Iterator[ForwardingProxy]:
    """A proxy that wants the secret."""
    started = ForwardingProxy()
    started.password = f"user:{SECRET}"
    yield started
    started.close()


class Way:
    """One way to bring a secret: the URL of the index, variables, and files, made in `folder`."""

    def __init__(self, name: str, tool: Tool, index: Index, proxy: ForwardingProxy) -> None:
        self.name = name
        self.options: list[str] = []
        self.environ: dict[str, str] = {}
        secret = quote(SECRET, safe="")
        if name == "url":
            tool.index_url = index.url_for(f"user:{secret}")
        elif name == "variables":
            self.options = ["--index", f"mine={index.url}"]
            self.environ = {"ENGINE_INDEX_MINE_USERNAME": "user", "ENGINE_INDEX_MINE_PASSWORD": SECRET}
        elif name == "netrc":
            self._write(tool.folder / ".netrc", f"machine 127.0.0.1 login user password {SECRET}\n")
        elif name == "keyring":
            tool.index_url = index.url_for("user")
            (tool.folder / "bin").mkdir()
            self._write(tool.folder / "bin" / "keyring", f"#!/bin/sh\necho '{SECRET}'\n")
            (tool.folder / "bin" / "keyring").chmod(0o755)
            self.environ = {"PATH": f"{tool.folder}/bin:/usr/bin:/bin"}
        elif name == "proxy":
            index.passwords = set()
            self.environ = {"http_proxy": f"http://user:{secret}@{proxy.address}"}

    @staticmethod
    def _write(path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")


@pytest.fixture(params=["url", "variables", "netrc", "keyring", "proxy"])
def way(request: pytest.FixtureRequest, tool: Tool, index: Index, proxy: ForwardingProxy) -> Way:
    """Each way to bring the secret."""
    index.add(ONE)
    index.add(DIRECT)
    index.passwords = {f"user:{SECRET}"}
    return Way(request.param, tool, index, proxy)


def check(run: Result, tool: Tool, target: Target) -> None:
    """Asserts that no spelling of the secret is in what was said, or in any file that was made."""
    said = [("stdout", run.out.encode()), ("stderr", run.err.encode())]
    for root in (tool.cache, target.prefix, tool.folder / "made"):
        for path in root.rglob("*"):
            said.append((f"name of {path}", str(path.relative_to(root)).encode()))
            if path.is_file() and not path.is_symlink():
                said.append((str(path), path.read_bytes()))
    for spelling in spellings():
        assert [place for place, text in said if spelling in text] == [], spelling


def sync(way: Way, tool: Tool, target: Target, *lines: str) -> Result:
    (tool.folder / "made").mkdir(exist_ok=True)
    options = [*way.options, "-v", "--report", "made/report.json", "--trace", "made/trace.json", "--retries", "0"]
    return tool.sync(tool.write_lock("one==1.0", *lines), target, options=options, environ=way.environ)


def test_a_run_that_succeeds_keeps_the_secret(way: Way, index: Index, tool: Tool, target: Target) -> None:
    address = index.url.removesuffix("simple/") if way.name != "url" else tool.index_url.removesuffix("simple/")
    if way.name == "keyring":
        address = address.replace("://", "://user@")
    lines = [] if way.name == "variables" else [f"direct @ {address}files/{DIRECT.filename}"]
    run = sync(way, tool, target, *lines)
    assert run.code == 0, run.err
    assert "one-1.0" in target.installed() and (tool.folder / "made" / "report.json").exists()
    check(run, tool, target)
    again = sync(way, tool, target)
    assert again.code == 0, again.err
    check(again, tool, target)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=401),
        Fault(status=403),
        Fault(status=503),
        Fault(reset=True),
        Fault(body=b"no page"),
        Fault(status=302, headers={"Location": f"http://user:{quote(SECRET, safe='')}@169.254.169.254/"}),
        Fault(status=302, headers={"Location": f"ftp://user:{quote(SECRET, safe='')}@example.com/"}),
    ],
    ids=["401", "403", "503", "reset", "no-page", "metadata", "ftp"],
)
def test_a_run_that_fails_keeps_the_secret(fault: Fault, way: Way, index: Index, tool: Tool, target: Target) -> None:
    index.fault(PAGE, fault)
    run = sync(way, tool, target)
    assert run.code == 1 and "error: " in run.err and "Traceback" not in run.err, run.err
    check(run, tool, target)


@pytest.mark.parametrize("url", ["http://user:s3cret/w@rd@[::1", "http://user:s3cret/w@example.com/"])
def test_a_url_that_is_none_keeps_the_secret(url: str, tool: Tool, target: Target) -> None:
    tool.index_url = url
    run = tool.sync(tool.write_lock("one==1.0"), target, options=["-v", "--retries", "0", "--timeout", "1"])
    assert run.code != 0 and "Traceback" not in run.err, run.err
    check(run, tool, target)


SIGNED = "token=s3cret&X-Amz-Signature=s3cret"


@pytest.mark.parametrize("fault", [None, Fault(status=403), Fault(status=503), Fault(reset=True), Fault(body=b"bad")])
def test_a_signed_address_keeps_its_secret(fault: Fault | None, index: Index, tool: Tool, target: Target) -> None:
    """The address of a wheel, of a page of links, and of a lock."""
    index.add(ONE)
    path = f"/files/{ONE.filename}?{SIGNED}"
    index.fault(path, fault or Fault(status=200, body=ONE.content))
    address = index.url.removesuffix("/simple/")
    run = tool.sync(
        tool.write_lock(f"one @ {address}{path}#sha256={ONE.sha256}"),
        target,
        options=["-v", "--report", "report.json", "--trace", "trace.json", "--retries", "0"],
    )
    assert run.code == (1 if fault else 0) and "Traceback" not in run.err, run.err
    said = [run.out, run.err, *((tool.folder / name).read_text("utf-8") for name in ("report.json", "trace.json"))]
    assert [text for text in said if "s3cret" in text] == []
    assert (ONE.filename in run.err) == bool(fault)


@pytest.mark.parametrize("place", ["--index-url", "--extra-index-url", "--find-links", "lock"])
def test_a_signed_place_keeps_its_secret(place: str, index: Index, tool: Tool, target: Target) -> None:
    address = f"{index.url}?{SIGNED}"
    lock = tool.write_lock("one==1.0")
    options = ["-v", "--retries", "0", "--report", "report.json", "--trace", "trace.json"]
    if place == "lock":
        lock = Path(f"{index.url}missing/?{SIGNED}")
    run = tool.run(*tool.command(lock, [target], *options, *(() if place == "lock" else (place, address))), environ={})
    assert run.code != 0 and "Traceback" not in run.err, run.err
    made = [tool.folder / name for name in ("report.json", "trace.json")]
    said = [run.out, run.err, *(path.read_text("utf-8") for path in made if path.exists())]
    assert [text for text in said if "s3cret" in text] == []
    assert "=***" in run.err
